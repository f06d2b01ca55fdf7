"""A model folder in Python: texts in, vectors out, equal to `gyeot embed`.

Ids come from the reference libraries (sentencepiece, tokenizers) on the folder's own files; hidden
states from ONNX Runtime. Needs no torch, so that a worker of a cluster can hold one.

An f32 encoder's vectors are the browser's within 1e-5. An int8 encoder's depend on the last bit of
every sum: a change of 1e-7 moves roundings, and with them the vector (a cosine of 0.9995 on
average), so two builds of ONNX Runtime, native and WebAssembly, agree to 0.9997 on average, 0.997
at worst. `model.by_command` gives the same bits.
"""
from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from model import parity
from model.errors import ModelError

OUTPUTS = ("last_hidden_state", "token_embeddings", "sentence_embedding")
BATCH_TEXTS, BATCH_TOKENS = 16, 1024

Encode = Callable[[str], list[int]]


@dataclass(frozen=True)
class ModelFiles:
    """What of a folder is needed to embed, as bytes that can be sent to another machine."""

    manifest: dict
    encoder: bytes
    tokenizer: dict[str, bytes]

    @staticmethod
    def read(folder: Path) -> ModelFiles:
        """Raises ModelError when the folder has no gyeot.json or lacks a file that it names."""
        try:
            manifest = json.loads((folder / "gyeot.json").read_text(encoding="utf-8"))
            tokenizer = {
                name: (folder / name).read_bytes() for name in manifest["tokenizer"]["files"]
            }
            return ModelFiles(manifest, encoder_bytes(folder, manifest), tokenizer)
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"{folder} is no complete model folder: {error}") from None

    def open(self) -> Embedder:
        return Embedder(self)


def encoder_bytes(folder: Path, manifest: dict) -> bytes:
    """The encoder as an ONNX file, whether the folder has it packed or not."""
    # Needs the onnx package, which a worker that is sent the bytes does without.
    from model import packing

    return packing.read(folder / manifest["encoder"]["file"])


def is_dynamic(encoder: bytes) -> bool:
    """Whether an ONNX file's activations are quantised while it runs."""
    return b"DynamicQuantizeLinear" in encoder


def session(encoder: bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """A session on the processor whose arithmetic is that of ONNX Runtime Web."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    if is_dynamic(encoder):
        # Where native, fused products of int8 scale each row by itself: further off (0.997).
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return onnxruntime.InferenceSession(encoder, options, providers=["CPUExecutionProvider"])


class Embedder:
    """One ONNX Runtime session and one tokenizer."""

    def __init__(self, files: ModelFiles, threads: int = 1) -> None:
        self.manifest = files.manifest
        self.dimension: int = files.manifest["dimension"]
        self._encode = tokenizer(files)
        self._pad = int(files.manifest["tokenizer"].get("pad_id") or 0)
        # Dynamic quantisation takes one scale a run, so company would change a vector.
        self._batch = 1 if is_dynamic(files.encoder) else BATCH_TEXTS
        self._session = session(files.encoder, threads)
        self._inputs = {value.name for value in self._session.get_inputs()}
        names = [value.name for value in self._session.get_outputs()]
        chosen = files.manifest["encoder"].get("output")
        self._output = chosen or next((name for name in OUTPUTS if name in names), names[0])

    def ids(self, text: str, kind: str = "document") -> list[int]:
        """Token ids of a text with its prompt: NFC, special tokens as text, cut to max_length."""
        prompt = self.manifest.get("prompts", {}).get(kind, "")
        return self._encode(prompt + unicodedata.normalize("NFC", text))

    def embed(self, texts: Sequence[str], kind: str = "document") -> np.ndarray:
        """Vectors f32 [n, dimension]. A text that occurs more than once is run once."""
        rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        ids = [self.ids(text, kind) for text in rows]
        vectors = np.zeros((len(ids), self.dimension), np.float32)
        for batch in self._batches(ids):
            vectors[batch] = self._run([ids[row] for row in batch])
        return vectors[[rows[text] for text in texts]]

    def _batches(self, ids: list[list[int]]) -> Iterator[list[int]]:
        """Neighbours in length share a run, so that little is spent on padding."""
        batch: list[int] = []
        for row in sorted(range(len(ids)), key=lambda row: len(ids[row])):
            full = len(batch) == self._batch or (len(batch) + 1) * len(ids[row]) > BATCH_TOKENS
            if batch and full:
                yield batch
                batch = []
            batch.append(row)
        if batch:
            yield batch

    def _run(self, ids: list[list[int]]) -> np.ndarray:
        length = max(1, *map(len, ids))
        tokens = np.full((len(ids), length), self._pad, np.int64)
        mask = np.zeros_like(tokens)
        for row, own in enumerate(ids):
            tokens[row, : len(own)] = own
            mask[row, : len(own)] = 1
        feeds = {
            "input_ids": tokens,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(tokens),
            "position_ids": np.broadcast_to(np.arange(length), tokens.shape).copy(),
        }
        used = {name: feeds[name] for name in self._inputs}
        (out,) = self._session.run([self._output], used)
        pooled = out if out.ndim == 2 else parity.pool(out, mask, self.manifest["pooling"])
        vectors = pooled[:, : self.dimension]
        return parity.unit(vectors) if self.manifest.get("normalize", True) else vectors


def tokenizer(files: ModelFiles) -> Encode:
    """The reference library's tokenizer for the folder's files."""
    spec = files.manifest["tokenizer"]
    length = int(files.manifest["max_length"])
    if spec["type"] == "sentencepiece":
        return _sentencepiece(spec, files.tokenizer[spec["files"][0]], length)
    if spec["type"] == "wordpiece":
        return _fast(_wordpiece(files.tokenizer), length)
    if spec["type"] == "tokenizer.json":
        from tokenizers import Tokenizer

        return _fast(Tokenizer.from_buffer(files.tokenizer["tokenizer.json"]), length)
    raise ModelError(f"tokenizer.type {spec['type']!r} is not known")


def _sentencepiece(spec: dict, model: bytes, length: int) -> Encode:
    from sentencepiece import SentencePieceProcessor

    processor = SentencePieceProcessor(model_proto=model)
    offset, unknown = int(spec.get("id_offset", 0)), processor.unk_id()
    prefix, suffix = list(spec.get("prefix", [])), list(spec.get("suffix", []))
    room = length - len(prefix) - len(suffix)
    # Pieces that are unknown have an id of their own where ids are counted from another start.
    replaced = int(spec.get("unk_id", unknown + offset))

    def encode(text: str) -> list[int]:
        pieces = processor.encode(text)[:room]
        own = (replaced if piece == unknown else piece + offset for piece in pieces)
        return [*prefix, *own, *suffix]

    return encode


def _wordpiece(files: dict[str, bytes]):
    from tokenizers.implementations import BertWordPieceTokenizer

    words = files["vocab.txt"].decode("utf-8").split("\n")
    vocabulary = {word.rstrip("\r"): row for row, word in enumerate(words) if word}
    options = json.loads(files.get("tokenizer_config.json", b"{}"))
    named = {**json.loads(files.get("special_tokens_map.json", b"{}")), **options}
    special = {}
    for name in ("unk_token", "cls_token", "sep_token", "pad_token", "mask_token"):
        token = named.get(name)
        token = token.get("content") if isinstance(token, dict) else token
        if token:
            special[name] = token
    return BertWordPieceTokenizer(
        vocabulary,
        **special,
        lowercase=options.get("do_lower_case", True),
        strip_accents=options.get("strip_accents"),
        handle_chinese_chars=options.get("tokenize_chinese_chars", True),
    )._tokenizer


def _fast(tokenizer, length: int) -> Encode:
    tokenizer.no_padding()
    tokenizer.enable_truncation(length)
    tokenizer.encode_special_tokens = True
    return lambda text: tokenizer.encode(text).ids
