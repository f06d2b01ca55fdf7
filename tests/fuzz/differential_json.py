"""Compares tokenizer.json tokenizers with Hugging Face `tokenizers`, over the pipelines that BERT,
XLM-R, E5, BGE-M3, mpnet, MiniLM, ALBERT and T5 checkpoints use, and every supported part.

    python tests/fuzz/differential_json.py [LINES] [SEED] [CONFIGURATION ...]

Unigram configurations use the pieces and the character map of the default model.
"""

from __future__ import annotations

import base64
import json
import sys
import time
import unicodedata
from collections.abc import Iterator
from typing import Any

from hostile import Hostile, vocabulary
from native import ROOT, byte_offsets, describe
from native import Tokenizer as Native
from sentencepiece import sentencepiece_model_pb2 as spm
from tokenizers import Tokenizer

MODEL = ROOT / "model/default/sentencepiece.bpe.model"
Json = dict[str, Any]
BERT = {"type": "BertPreTokenizer"}
SPLIT = {"type": "WhitespaceSplit"}


def added(token: str, id_: int, **flags: bool) -> Json:
    usual = {
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }
    return {"id": id_, "content": token, **usual, **flags}


def metaspace(scheme: str = "always", split: bool = True) -> Json:
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split}


def sequence(*steps: Json, name: str = "normalizers") -> Json:
    return {"type": "Sequence", name: list(steps)}


def plain(*names: str) -> list[Json]:
    return [{"type": name} for name in names]


def replace(old: str, new: str, kind: str = "String") -> Json:
    return {"type": "Replace", "pattern": {kind: old}, "content": new}


def bert_normalizer(**changes: bool | None) -> Json:
    usual = {
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": True,
    }
    return {"type": "BertNormalizer", **usual, **changes}


def document(
    model: Json, tokens: list[Json], template: tuple[list[str], list[str]], **parts: Json | None
) -> Json:
    ids = {token["content"]: token["id"] for token in tokens}

    def special(name: str) -> Json:
        return {"SpecialToken": {"id": name, "type_id": 0}}

    def text(name: str) -> Json:
        return {"Sequence": {"id": name, "type_id": 0}}

    single = [*map(special, template[0]), text("A"), *map(special, template[1])]
    processor = {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, text("B")],
        "special_tokens": {
            name: {"id": name, "ids": [ids[name]], "tokens": [name]}
            for name in template[0] + template[1]
        },
    }
    usual = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": tokens,
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": processor,
        "decoder": None,
        "model": model,
    }
    return {**usual, **parts}


def wordpiece(**parts: Any) -> Json:
    lines = vocabulary()
    model = {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": {line: i for i, line in enumerate(lines)},
    }
    tokens = [added(name, lines.index(name)) for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]")]
    tokens.append(added("[MASK]", lines.index("[MASK]"), lstrip=True))
    tokens += parts.pop("extra", [])
    model.update(parts.pop("model", {}))
    return document(model, tokens, (["[CLS]"], ["[SEP]"]), **parts)


def read_model() -> spm.ModelProto:
    proto = spm.ModelProto()
    proto.ParseFromString(MODEL.read_bytes())
    return proto


def unigram(extra_pieces: list[list[Any]] | None = None, **parts: Any) -> Json:
    proto = read_model()
    vocab: list[list[Any]] = [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0]]
    vocab += [[piece.piece, piece.score] for piece in proto.pieces[3:]] + (extra_pieces or [])
    vocab.append(["<mask>", 0.0])
    tokens = [added(name, i) for i, name in enumerate(("<s>", "<pad>", "</s>", "<unk>"))]
    tokens.append(added("<mask>", len(vocab) - 1, lstrip=True))
    tokens += parts.pop("extra", [])
    model = {"type": "Unigram", "unk_id": 3, "vocab": vocab, **parts.pop("model", {})}
    return document(model, tokens, (["<s>"], ["</s>"]), **parts)


def configurations() -> dict[str, Json]:
    proto = read_model()
    charsmap = base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()
    precompiled = {"type": "Precompiled", "precompiled_charsmap": charsmap}
    old_metaspace = {
        "type": "Metaspace",
        "replacement": "▁",
        "str_rep": "▁",
        "add_prefix_space": True,
    }
    bytes_ = [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
    spaces = replace(" {2,}", " ", "Regex")
    steps = [
        added("나다", 0, special=False, normalized=True),
        added("CAFÉ", 0, special=False, normalized=True),
        added("ab", 0, special=False, single_word=True),
        added("오늘", 0, special=False, single_word=True, rstrip=True, lstrip=True),
    ]
    return {
        "bert": wordpiece(
            normalizer=bert_normalizer(),
            pre_tokenizer=BERT,
            decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
        ),
        "bert cased, dirty": wordpiece(
            normalizer=bert_normalizer(clean_text=False, lowercase=False, strip_accents=True),
            pre_tokenizer=BERT,
            model={"max_input_chars_per_word": 7},
        ),
        "bert with added tokens": wordpiece(
            normalizer=bert_normalizer(), pre_tokenizer=BERT, extra=steps
        ),
        "bert, prefix of its own": wordpiece(
            normalizer=bert_normalizer(lowercase=False),
            pre_tokenizer=SPLIT,
            model={"continuing_subword_prefix": ""},
        ),
        "nfc words": wordpiece(
            normalizer=sequence(*plain("NFC", "Lowercase")),
            pre_tokenizer={"type": "Whitespace"},
            extra=steps,
        ),
        "nfkc strip": wordpiece(
            normalizer=sequence(
                *plain("NFKC"), {"type": "Strip", "strip_left": True, "strip_right": False}
            ),
            pre_tokenizer=sequence(
                SPLIT, {"type": "Punctuation", "behavior": "Isolated"}, name="pretokenizers"
            ),
        ),
        "nfd marks": wordpiece(
            normalizer=sequence(*plain("NFD", "StripAccents", "Lowercase")), pre_tokenizer=BERT
        ),
        "nfkd nmt": wordpiece(normalizer=sequence(*plain("Nmt", "NFKD")), pre_tokenizer=SPLIT),
        "nothing": wordpiece(),
        "xlm-r": unigram(
            normalizer=precompiled,
            pre_tokenizer=sequence(SPLIT, old_metaspace, name="pretokenizers"),
            decoder=metaspace(),
        ),
        "xlm-r new": unigram(
            normalizer=sequence(precompiled, spaces), pre_tokenizer=metaspace(), decoder=metaspace()
        ),
        "bge-m3": unigram(
            normalizer=sequence(
                precompiled,
                {"type": "Strip", "strip_left": False, "strip_right": True},
                replace(" {2,}", "▁", "Regex"),
            ),
            pre_tokenizer=metaspace(),
            decoder=metaspace(),
        ),
        "first": unigram(normalizer=precompiled, pre_tokenizer=metaspace("first"), extra=steps),
        "never": unigram(
            normalizer=sequence({"type": "Prepend", "prepend": "▁"}, replace(" ", "▁")),
            pre_tokenizer=None,
            decoder=sequence(
                replace("▁", " "),
                *plain("ByteFallback", "Fuse"),
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
                name="decoders",
            ),
            extra_pieces=bytes_,
            model={"byte_fallback": True},
        ),
        "albert": unigram(
            normalizer=sequence(
                replace("``", '"'),
                replace("''", '"'),
                *plain("NFKD", "StripAccents", "Lowercase"),
                precompiled,
                spaces,
            ),
            pre_tokenizer=sequence(SPLIT, metaspace(), name="pretokenizers"),
            decoder=metaspace(),
        ),
        "metaspace twice": unigram(
            normalizer=replace("가", "a가 b"),
            extra=steps,
            decoder=metaspace("never"),
            pre_tokenizer=sequence(
                metaspace("always", False), metaspace("first"), name="pretokenizers"
            ),
        ),
    }


def mentions_special(text: str) -> bool:
    """Whether special pieces might be found in the text once it is normalized: there the reference
    makes them special even when told not to, and the core does not."""
    return any(char in unicodedata.normalize("NFKC", text) for char in "[<")


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20240302
    chosen = sys.argv[3:]
    pairs = []
    for name, config in configurations().items():
        if chosen and name not in chosen:
            continue
        text = json.dumps(config, ensure_ascii=len(name) % 2 == 0)
        pairs.append((name, Native.from_json(text.encode()), Tokenizer.from_str(text)))

    differences = compared = 0
    start = time.time()
    for number, text in enumerate(Hostile(seed).lines(count)):
        for name, native, expected in pairs:
            as_text = number % 2 == 1 and not mentions_special(text)
            expected.encode_special_tokens = as_text
            want = expected.encode(text)
            ids, offsets, _ = native.encode(text, special_tokens_as_text=as_text)
            compared += 1
            if ids == want.ids and offsets == byte_offsets(text, want.offsets):
                if number % 50 or native.decode(ids) == expected.decode(
                    ids, skip_special_tokens=False
                ):
                    continue
            differences += 1
            if differences <= 20:
                wanted = (want.ids, byte_offsets(text, want.offsets))
                print(describe(f"line {number} {name}", text, wanted, (ids, offsets)))
    seconds = time.time() - start
    print(
        f"seed {seed}: {count} lines, {compared} comparisons in {len(pairs)} configurations, "
        f"{differences} differences, {seconds:.0f} s"
    )
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
