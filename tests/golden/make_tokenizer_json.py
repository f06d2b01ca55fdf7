"""Writes tests/data/tokenizer_json/: small tokenizer.json files, and what they make of lines.

    python tests/golden/make_tokenizer_json.py

NAME.json is a tokenizer, NAME.jsonl has one line a text: ["text", [ids], [offsets], "decoded"].
Offsets are byte positions, begin and end in turn.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/fuzz"))

import sentencepiece  # noqa: E402
from hostile import EMOJI, KOREAN, LATIN, SPECIAL, Hostile  # noqa: E402
from native import byte_offsets  # noqa: E402
from sentencepiece import sentencepiece_model_pb2 as spm  # noqa: E402
from tokenizer_documents import (  # noqa: E402
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
from tokenizers import Tokenizer  # noqa: E402

OUT = ROOT / "tests/data/tokenizer_json"
# Source and target of a small character map, in which rules overlap, grow, shrink and delete.
RULES = [
    ("ａ", "a"),
    ("Ａ", "a"),
    ("A", "a"),
    ("u\u0308", "ü"),
    ("u\u0308\u0304", "ǖ"),
    ("e\u0301", "é"),
    ("ｶ", "カ"),
    ("ｶﾞ", "ガ"),
    ("\u00a0", " "),
    ("\u3000", " "),
    ("\t", " "),
    ("\n", " "),
    ("\u1100", "\u3131"),
    ("\u1100\u1161", "\uac00"),
    ("\u00ad", ""),
    ("\u200b", ""),
    ("½", "1/2"),
    ("㍻", "平成"),
    ("ﷺ", "صلى الله"),
    ("[", "("),
    ("\r\n", "  "),
    ("क\u093c", "\u0958"),
    ("＜", "<"),
    ("＞", ">"),
    ("☺", ":)"),
]


def wordpiece(**parts: Any) -> Json:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    for word in KOREAN + LATIN + [word.lower() for word in LATIN]:
        for start in range(len(word)):
            for end in range(start + 1, min(len(word), start + 2) + 1):
                pieces.append(word[start:end] if start == 0 else "##" + word[start:end])
    for c in [
        *range(0x21, 0x7F),
        *range(0x1100, 0x1113),
        *range(0x1161, 0x1176),
        *range(0x11A8, 0x11C3),
    ]:
        pieces += [chr(c), "##" + chr(c)]
    pieces = list(dict.fromkeys(pieces))
    tokens = [added(piece, i, lstrip=piece == "[MASK]") for i, piece in enumerate(pieces[:5])]
    tokens += [
        added("오늘", 0, special=False, normalized=True, single_word=True),
        added("CAFÉ", 0, special=False, normalized=True),
    ]
    return document(wordpiece_model(pieces), tokens, (["[CLS]"], ["[SEP]"]), **parts)


def train() -> spm.ModelProto:
    """A unigram model of about 500 pieces with the character map of RULES."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        for source, target in RULES:
            columns = (" ".join(f"{ord(c):X}" for c in text) for text in (source, target))
            rules.write("\t".join(columns) + "\n")
        rules.flush()
        model = io.BytesIO()
        hostile = Hostile(11)
        words = KOREAN * 9 + LATIN * 3 + EMOJI
        lines = [" ".join(words[i::7]) for i in range(7)] + [hostile.line() for _ in range(50)]
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines),
            model_writer=model,
            vocab_size=500,
            hard_vocab_limit=False,
            normalization_rule_tsv=rules.name,
            character_coverage=0.98,
            num_threads=1,
            minloglevel=2,
        )
    proto = spm.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto


def unigram(proto: spm.ModelProto, extra: list[str] | None = None, **parts: Any) -> Json:
    pieces = [[piece.piece, piece.score] for piece in proto.pieces[3:]]
    return xlmr(pieces + [[piece, -20.5] for piece in extra or []], **parts)


def tokenizers() -> dict[str, Json]:
    proto = train()
    charsmap = base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()
    precompiled = {"type": "Precompiled", "precompiled_charsmap": charsmap}
    spaces = replace(" {2,}", " ", "Regex")
    byte_pieces = [f"<0x{byte:02X}>" for byte in range(256)]
    fallback = sequence(
        replace("▁", " "),
        *plain("ByteFallback", "Fuse"),
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        name="decoders",
    )
    return {
        "bert": wordpiece(
            normalizer=bert_normalizer(),
            pre_tokenizer=BERT,
            decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
        ),
        "nfc_words": wordpiece(
            normalizer=sequence(
                *plain("NFC", "Lowercase"),
                {"type": "Strip", "strip_left": True, "strip_right": True},
            ),
            pre_tokenizer={"type": "Whitespace"},
        ),
        "xlmr": unigram(
            proto,
            normalizer=precompiled,
            decoder=metaspace(),
            pre_tokenizer=sequence(SPLIT, OLD_METASPACE, name="pretokenizers"),
        ),
        "albert": unigram(
            proto,
            decoder=metaspace(),
            pre_tokenizer=metaspace("first"),
            normalizer=sequence(
                replace("``", '"'), *plain("NFKD", "StripAccents", "Lowercase"), precompiled, spaces
            ),
        ),
        "fallback": unigram(
            proto,
            byte_pieces,
            model={"byte_fallback": True},
            decoder=fallback,
            normalizer=sequence({"type": "Prepend", "prepend": "▁"}, replace(" ", "▁")),
        ),
    }


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for name, config in tokenizers().items():
        text = json.dumps(config, ensure_ascii=name == "bert", indent=2 if name == "bert" else None)
        (OUT / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        tokenizer = Tokenizer.from_str(text)
        hostile = Hostile(13)
        lines = [
            "",
            " ",
            *SPECIAL,
            *(source + "b" for source, _ in RULES),
            "오늘 오늘은 [MASK]",
            "cafe\u0301!",
        ]
        lines += [hostile.line() for _ in range(160 - len(lines))]
        with open(OUT / f"{name}.jsonl", "w", encoding="utf-8") as file:
            for line in lines:
                encoding = tokenizer.encode(line)
                offsets = byte_offsets(line, encoding.offsets)
                row = [
                    line,
                    encoding.ids,
                    [position for pair in offsets for position in pair],
                    tokenizer.decode(encoding.ids, skip_special_tokens=True),
                ]
                file.write(json.dumps(row, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
