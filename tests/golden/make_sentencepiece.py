"""Writes tests/data/sentencepiece/: small models of every kind, and for each a table of what the
`sentencepiece` package makes of generated lines.

    python tests/golden/make_sentencepiece.py

A table's line: ids | begin-end byte offsets | the text, separated by tabs; in the text a backslash
stands before itself and before n, r, t and 0 for the control characters that would end a field.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import sentencepiece

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/fuzz"))

from hostile import EMOJI, KOREAN, LATIN, ODD, SPACES, SPECIAL, Hostile  # noqa: E402
from spm_models import SYMBOLS, all_models  # noqa: E402

FOLDER = ROOT / "tests/data/sentencepiece"
LINES = 300
# Lines that once differed, or would if a trap were forgotten.
ALWAYS = [
    "", " ", "  ", "▁", "▁▁ ▁", "ab abc", "a b", "a  b ", "가", "가나다", "\u1100\u1161", "ｶﾞ", "＜s＞",
    "<s>a</s>", "<unk>", "<0xEA>", "\x85", "u\u0308\u0304", "나다" * 50 + "ᄃ", "ㅋ" * 101, "\x00a\x00",
    "더 이상 내 감정을 내가 컨트롤 못 하겠어.",
    *KOREAN[:20], *LATIN[:12], *EMOJI, *ODD, *SPACES, *SPECIAL, *SYMBOLS,
]
ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"})


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        models = all_models(folder)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    lines = ALWAYS + [line for line in Hostile(20240303).lines(LINES) if len(line) < 400]
    for name, data in models.items():
        processor = sentencepiece.SentencePieceProcessor(model_proto=data)
        rows = []
        for line in lines:
            pieces = processor.encode(line, return_type="proto").pieces
            ids = [piece.id for piece in pieces]
            assert ids == processor.encode(line)
            spans = " ".join(f"{piece.begin}-{piece.end}" for piece in pieces)
            rows.append(f"{' '.join(map(str, ids))}\t{spans}\t{line.translate(ESCAPES)}\n")
        (FOLDER / f"{name}.model").write_bytes(data)
        (FOLDER / f"{name}.tsv").write_text("".join(rows), encoding="utf-8", newline="")
        print(f"{name}: {len(rows)} lines, model of {len(data)} bytes")


if __name__ == "__main__":
    main()
