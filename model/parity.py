"""Compares an exported model with sentence-transformers on sentences of our own, and records both."""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model import embedder, packing

SENTENCES = Path(__file__).parent / "parity_sentences.txt"


@dataclass(frozen=True)
class Reference:
    """What sentence-transformers gives for a list of texts, prompt included."""

    texts: list[str]
    ids: list[list[int]]
    vectors: np.ndarray


def sentences() -> list[str]:
    return SENTENCES.read_text(encoding="utf-8").split("\n")[:-1]


def reference(folder: Path, texts: list[str], prompt: str, max_length: int) -> Reference:
    """Vectors and ids by sentence-transformers in f32 on the processor."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu")
    model.max_seq_length = max_length
    vectors = model.encode(texts, prompt=prompt or None, convert_to_numpy=True)
    return Reference(texts, _ids(model.tokenizer, texts, prompt, max_length), vectors)


def token_ids(folder: Path, texts: list[str], prompt: str, max_length: int) -> list[list[int]]:
    """Ids by the checkpoint's own tokenizer."""
    from sentence_transformers import SentenceTransformer

    tokenizer = SentenceTransformer(str(folder), device="cpu").tokenizer
    return _ids(tokenizer, texts, prompt, max_length)


def _ids(tokenizer, texts: list[str], prompt: str, max_length: int) -> list[list[int]]:
    rows = tokenizer([prompt + text for text in texts], truncation=True, max_length=max_length)
    return [list(map(int, row)) for row in rows["input_ids"]]


def pool(hidden: np.ndarray, mask: np.ndarray, pooling: str) -> np.ndarray:
    """The vectors of a batch of hidden states [n, length, width], by sentence-transformers' rules."""
    weights = mask[..., None].astype(np.float32)
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "max":
        return np.where(weights > 0, hidden, -np.inf).max(axis=1)
    count = np.maximum(weights.sum(axis=1), 1e-9)
    total = (hidden * weights).sum(axis=1)
    return total / (np.sqrt(count) if pooling == "mean_sqrt_len" else count)


def run(
    model: Path, ids: list[list[int]], pooling: str, dimension: int, normalize: bool
) -> np.ndarray:
    """Vectors of token ids by ONNX Runtime, as the reader of a model folder in the browser makes them.

    One text at a time: dynamic quantisation takes one scale a batch, so company changes a vector.
    """
    session = embedder.session(packing.read(model), threads=2)
    names = {value.name for value in session.get_inputs()}
    vectors = np.zeros((len(ids), dimension), np.float32)
    for row, own in enumerate(ids):
        tokens = np.array([own], np.int64)
        mask = np.ones_like(tokens)
        feeds = {
            "input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens),
        }
        (out,) = session.run(None, {name: feeds[name] for name in names})
        vectors[row] = (out if out.ndim == 2 else pool(out, mask, pooling))[0, :dimension]
    return unit(vectors) if normalize else vectors


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def cosines(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    return (unit(one) * unit(two)).sum(axis=1)


def record(path: Path, made: Reference, dimension: int, normalize: bool) -> None:
    """Writes parity.json, which `gyeot verify` replays."""
    vectors = made.vectors[:, :dimension]
    vectors = unit(vectors) if normalize else vectors
    value = {
        "texts": made.texts,
        "ids": made.ids,
        "vectors": [[round(float(x), 6) for x in row] for row in vectors],
    }
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
