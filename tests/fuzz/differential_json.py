"""Compares tokenizer.json tokenizers with Hugging Face `tokenizers`, over the pipelines that BERT,
XLM-R, E5, BGE-M3, mpnet, MiniLM, ALBERT and T5 checkpoints use, and every supported part.

    python tests/fuzz/differential_json.py [LINES] [SEED] [CONFIGURATION ...]

Unigram configurations use the pieces and the character map of the default model.
"""

from __future__ import annotations

import base64
import json
import sys
import unicodedata
from typing import Any

from compare import compare
from hostile import vocabulary
from native import ROOT
from native import Tokenizer as Native
from sentencepiece import sentencepiece_model_pb2 as spm
from tokenizer_documents import (
    BERT,
    OLD_METASPACE,
    SPLIT,
    Json,
    added,
    bert_normalizer,
    document,
    metaspace,
    plain,
    replace,
    sequence,
    wordpiece_model,
    xlmr,
)
from tokenizers import Tokenizer

MODEL = ROOT / "model/default/sentencepiece.bpe.model"


def wordpiece(**parts: Any) -> Json:
    lines = vocabulary()
    model = wordpiece_model(lines, **parts.pop("model", {}))
    tokens = [added(name, lines.index(name)) for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]")]
    tokens.append(added("[MASK]", lines.index("[MASK]"), lstrip=True))
    tokens += parts.pop("extra", [])
    return document(model, tokens, (["[CLS]"], ["[SEP]"]), **parts)


def read_model() -> spm.ModelProto:
    proto = spm.ModelProto()
    proto.ParseFromString(MODEL.read_bytes())
    return proto


def unigram(extra_pieces: list[list[Any]] | None = None, **parts: Any) -> Json:
    pieces = [[piece.piece, piece.score] for piece in read_model().pieces[3:]]
    return xlmr(pieces + (extra_pieces or []), **parts)


def configurations() -> dict[str, Json]:
    proto = read_model()
    charsmap = base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()
    precompiled = {"type": "Precompiled", "precompiled_charsmap": charsmap}
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
            pre_tokenizer=sequence(SPLIT, OLD_METASPACE, name="pretokenizers"),
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
    differences = compare(pairs, count, seed, lambda text: not mentions_special(text))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
