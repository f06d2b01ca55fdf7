"""Writes tests/data/wordpiece/: a Korean vocabulary, and what BertTokenizerFast makes of lines.

    python tests/golden/make_wordpiece.py [DATA]

DATA (default ../shared/data) holds chatbot/ChatbotData.csv and question_pair/kor_pair_train.csv,
two MIT-licensed collections of Korean sentences. Only pieces of words leave them: the 32,000 lines of
vocab.txt. Without DATA the vocabulary that is there is kept. golden.jsonl has one line a text:

    ["text", [ids cased], [ids lower-cased], [ids lower-cased, accents kept],
     [ids cased, accents stripped, no spaces around Chinese characters], [offsets cased]]

Offsets are byte positions, begin and end in turn.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/fuzz"))

from differential_wordpiece import reference  # noqa: E402
from hostile import KOREAN, LATIN, Hostile  # noqa: E402
from native import byte_offsets  # noqa: E402
from tokenizers import BertWordPieceTokenizer  # noqa: E402

OUT = ROOT / "tests/data/wordpiece"
FORMS = [(False, None, True), (True, None, True), (True, False, True), (False, True, False)]
STORIES = [
    "",
    " ",
    "안녕하세요",
    "안녕하세요",
    "값없이 드려요.",
    "Café CAFÉ café",
    "İstanbul ΣΊΣΥΦΟΣ",
    "a[SEP]b [MASK][CLS]",
    "[sep] [SE\u200bP]",
    "漢字と仮名 \U0002b820\U0002b920",
    "don't do not",
    "가" * 100,
    "가" * 101,
    "e\u0301" * 51,
    "a\u0323\u0301\u302e\u0301b",
    "\u302e\u0301\u0327x",
    "\u0000x\ufffdy\u200bz\ufeff",
    "a\u0085b\x0bc\x0cd\u2028e\u3000f\u00a0g",
    "\u2e43x\u061d\u166d",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "ㅋㅋㅋㅋㅠㅠ ㄱㄴㄷ ﾡﾢ",
    "\u0344\u0f73\u0340",
    "\ue000\U0010ffff\ufdd0\u0378",
    "ｶﾞ ﬁ ½ Å",
    "##a ##",
    "119에 전화했어요",
]


def train(data: Path) -> None:
    lines: list[str] = []
    for name in ("chatbot/ChatbotData.csv", "question_pair/kor_pair_train.csv"):
        with open(data / name, encoding="utf-8") as file:
            for row in csv.reader(file):
                lines += row
    tokenizer = BertWordPieceTokenizer(lowercase=False)
    lines += KOREAN + LATIN
    tokenizer.train_from_iterator(lines, vocab_size=32_000, min_frequency=1, show_progress=False)
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    (OUT / "vocab.txt").write_text("".join(piece + "\n" for piece, _ in pieces), encoding="utf-8")


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    data = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / "shared/data")
    if data.is_dir():
        train(data)
    vocabulary = (OUT / "vocab.txt").read_text(encoding="utf-8").splitlines()
    tokenizers = [reference(vocabulary, *form) for form in FORMS]
    hostile = Hostile(7)
    with open(OUT / "golden.jsonl", "w", encoding="utf-8") as file:
        for text in STORIES + [hostile.line() for _ in range(2_000 - len(STORIES))]:
            encodings = [tokenizer.encode(text) for tokenizer in tokenizers]
            offsets = byte_offsets(text, encodings[0].offsets)
            row = [
                text,
                *(encoding.ids for encoding in encodings),
                [position for pair in offsets for position in pair],
            ]
            file.write(json.dumps(row, ensure_ascii=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
