"""Writes the seed corpora and dictionaries of fuzz_vocab, fuzz_tokenizer_json and fuzz_weights.

python tests/fuzz/make_seeds.py
"""

from __future__ import annotations

import base64
import copy
import json
import random
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/golden"))

from hostile import Hostile  # noqa: E402
from make_unicode_tables import charsmap  # noqa: E402
from tokenizer_documents import (  # noqa: E402
    BERT,
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
)

FUZZ = ROOT / "tests/fuzz"
SPECIAL = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"
VOCABULARIES = [
    SPECIAL + "a\n##b\n가\n##나\n",
    "[UNK]\n",
    "",
    SPECIAL.replace("\n", "\r\n") + "a  \n\n##\n\n",
    "a\na\na\n[UNK]\n[UNK]",
    SPECIAL + "e\n##\u0301\n\u1112\n##\u1161\n##\u11ab\n中\n",
    "\ufeff" + SPECIAL,
    "<!doctype html><html>",
    "version https://git-lfs.github.com/spec/v1\n",
    '{"a": 1}\n',
    SPECIAL + "i\n##\u0307\nσ\n##ς\n",
    "[UNK]\n" + "a" * 300 + "\n##" + "a" * 99 + "\n",
]


def wordpiece(**parts: Json | None) -> Json:
    model = wordpiece_model((SPECIAL + "a\n##b\n오\n##늘\ncafe\n##e\ne\n漢").split())
    tokens = [
        added("[CLS]", 2),
        added("[SEP]", 3),
        added("[MASK]", 4, lstrip=True, rstrip=True),
        added("ab", 50, special=False, normalized=True, single_word=True),
    ]
    return document(model, tokens, (["[CLS]"], ["[SEP]"]), **parts)


def unigram(fallback: bool = False, **parts: Json | None) -> Json:
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", "a", "▁a", "ab", "오늘", "▁오", "X", "Y", "é"]
    pieces += [f"<0x{byte:02X}>" for byte in range(256)] if fallback else []
    model = {
        "type": "Unigram",
        "unk_id": 3,
        "byte_fallback": fallback,
        "vocab": [[piece, -0.5 * i] for i, piece in enumerate(pieces)],
    }
    tokens = [added("<s>", 0), added("</s>", 2), added("<mask>", len(pieces), lstrip=True)]
    return document(model, tokens, (["<s>"], ["</s>"]), **parts)


def documents() -> list[Json]:
    rules = charsmap({b"a": b"X", b"\xcc": b"", b"\xea": b"YY", b" ": b"  "})
    precompiled = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(rules).decode()}
    strip = {"type": "Strip", "strip_left": True, "strip_right": True}
    decoders = sequence(
        replace("▁", " "),
        *plain("ByteFallback", "Fuse"),
        {"type": "Strip", "content": " ", "start": 1, "stop": 1},
        name="decoders",
    )
    pretokenizers = sequence(
        SPLIT,
        {"type": "Punctuation", "behavior": "Isolated"},
        metaspace("first"),
        name="pretokenizers",
    )
    found = [
        wordpiece(
            normalizer=bert_normalizer(),
            pre_tokenizer=BERT,
            decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
        ),
        wordpiece(
            normalizer=sequence(*plain("NFC", "NFD", "NFKC", "NFKD", "Nmt", "StripAccents"), strip),
            pre_tokenizer={"type": "Whitespace"},
        ),
        unigram(normalizer=precompiled, pre_tokenizer=metaspace(), decoder=metaspace()),
        unigram(
            True,
            normalizer=sequence(
                {"type": "Prepend", "prepend": "▁"},
                replace(" ", "▁"),
                replace(" {2,}", "▁", "Regex"),
            ),
            decoder=decoders,
        ),
        unigram(normalizer=sequence(precompiled, *plain("Lowercase")), pre_tokenizer=pretokenizers),
    ]
    pair = {"sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}
    for kind in ({"type": "BertProcessing"}, {"type": "RobertaProcessing", "trim_offsets": True}):
        other = copy.deepcopy(found[0])
        other["post_processor"] = {**kind, **pair}
        found.append(other)
    return found


def packed_weights() -> list[bytes]:
    """Packed encoders of few segments: (kind, rows, columns), as src/gyeot_weights.h draws them."""
    chance = random.Random(17)

    def file(*segments: tuple[int, int, int], size: int | None = None, cut: int = 0) -> bytes:
        body, whole = b"", 0
        for kind, rows, columns in segments:
            down = -(-rows // 32) if kind == 1 else rows
            across = -(-columns // 32) if kind == 2 else columns
            data = rows if kind == 0 else 16 + down * across + rows * -(-columns // 2)
            body += struct.pack("<3I", kind, rows, columns) + chance.randbytes(data)
            whole += rows * columns
        head = struct.pack("<3I", 1, len(segments), whole if size is None else size)
        return (b"GYWT" + head + body)[: -cut or None]

    return [
        file(),
        file((0, 5, 1)),
        file((1, 33, 7)),
        file((2, 3, 65)),
        file((0, 40, 1), (1, 64, 32), (0, 0, 1), (2, 4, 96), (0, 9, 1)),
        file((1, 1, 1), (2, 1, 1)),
        file((2, 2, 33), cut=1),
        file((1, 2, 33), size=65),
        file((0, 4, 1), size=5),
        file((0, 4, 1)) + b"\0",
        b"GYWT" + struct.pack("<6I", 1, 1, 16, 1, 0xFFFFFFFF, 0xFFFFFFFF),
        b"GYWT" + struct.pack("<3I", 2, 0, 0),
    ]


def write(name: str, contents: list[bytes]) -> None:
    folder = FUZZ / "corpus" / name
    folder.mkdir(parents=True, exist_ok=True)
    for i, data in enumerate(contents):
        (folder / f"seed-{i:02}").write_bytes(data)


def write_dictionary(name: str, words: list[str]) -> None:
    lines = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in words)
    (FUZZ / f"{name}.dict").write_text("".join(f'"{line}"\n' for line in lines))


def main() -> None:
    hostile = Hostile(17)
    write(
        "fuzz_vocab",
        [
            bytes([i * 37 % 256]) + vocabulary.encode() + b"\0" + hostile.line().encode()
            for i, vocabulary in enumerate(VOCABULARIES)
        ],
    )
    write(
        "fuzz_tokenizer_json",
        [
            json.dumps(found, ensure_ascii=i % 2 == 0).encode()
            for i, found in enumerate(documents())
        ],
    )
    write("fuzz_weights", packed_weights())
    write_dictionary(
        "fuzz_vocab",
        [*SPECIAL.split(), "##", "\n", "\r\n", "\0", "\u0301", "\u1161", "中", "\ufeff", "\u302e"],
    )
    keys = set()

    def collect(value: object) -> None:
        if isinstance(value, dict):
            keys.update(value)
        for inner in (
            value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        ):
            collect(inner)
            if isinstance(inner, str) and inner.isascii() and len(inner) < 24:
                keys.add(inner)

    collect(documents())
    words = [f'"{key}"' for key in sorted(keys) if len(key) > 3 and not key.startswith("<0x")]
    write_dictionary("fuzz_tokenizer_json", [*words, "\\ud83d", "\\u0000", "null", "true", "1e-5"])


if __name__ == "__main__":
    main()
