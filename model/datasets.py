"""Reads the Korean texts that training and evaluation use: public data sets and our own writing.

No text of the data sets is part of this repository. Their folder is `GYEOT_DATA`, or `../shared/data`
beside the checkout; model/TRAINING.md lists sources and licences. Our own texts are in model/texts/.
"""
from __future__ import annotations

import csv
import os
import random
import unicodedata
from collections import defaultdict
from pathlib import Path

from model.errors import ModelError

ROOT = Path(__file__).resolve().parent.parent
TABLE = Path(__file__).parent / "table" / "ko.csv"
TEXTS = Path(__file__).parent / "texts"
RUN = 40
"""Our own texts are kept from training in runs of so many blocks, as neighbours are about one thing."""
HELD_OUT = 7  # one answer in so many is kept from training, with all its questions
SPLIT_SEED = 7


def folder() -> Path:
    """Where the data sets lie. Raises ModelError when nowhere."""
    path = Path(os.environ.get("GYEOT_DATA") or ROOT.parent / "shared" / "data")
    if not path.is_dir():
        raise ModelError(f"{path} is no folder; set GYEOT_DATA to the folder of the data sets")
    return path


def clean(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


def _lines(path: Path, columns: int) -> list[list[str]]:
    """Rows of a tab-separated file whose quotation marks are data."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ModelError(f"{path} is missing") from None
    rows = (line.split("\t") for line in text.split("\n")[1:])
    return [row for row in rows if len(row) >= columns]


def _table(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError:
        raise ModelError(f"{path} is missing") from None


def korsts(split: str) -> list[tuple[str, str, float]]:
    """KorSTS `train` or `dev`: two sentences and their likeness from 0 to 5."""
    rows = _lines(folder() / f"korsts/sts-{split}.tsv", 7)
    return [(clean(row[5]), clean(row[6]), float(row[4])) for row in rows]


def nli_triplets() -> list[tuple[str, str, str]]:
    """Premise, what follows from it, what contradicts it: from KorNLI's development and test sets."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for split in ("dev", "test"):
        for row in _lines(folder() / f"kornli/xnli.{split}.ko.tsv", 3):
            found[clean(row[0])][row[2]].append(clean(row[1]))
    return [
        (premise, entailed, contradicted)
        for premise, labels in found.items()
        for entailed in labels["entailment"]
        for contradicted in labels["contradiction"][:1]
    ]


def question_pairs(split: str) -> list[tuple[str, str, bool]]:
    """Two questions and whether they ask the same: `train` or `test`."""
    name = {"train": "kor_pair_train.csv", "test": "kor_Pair_test.csv"}[split]
    rows = _table(folder() / "question_pair" / name)
    return [
        (clean(row["question1"]), clean(row["question2"]), row["is_duplicate"].strip() == "0")
        for row in rows
    ]


def same_answer(split: str) -> list[list[str]]:
    """Questions that share an answer in the chatbot data: `train` or the held-out `test` answers."""
    groups: dict[str, set[str]] = defaultdict(set)
    for row in _table(folder() / "chatbot/ChatbotData.csv"):
        groups[clean(row["A"])].add(clean(row["Q"]))
    answers = sorted(groups)
    random.Random(SPLIT_SEED).shuffle(answers)
    cut = len(answers) // HELD_OUT
    chosen = answers[:cut] if split == "test" else answers[cut:]
    return [sorted(groups[answer]) for answer in chosen]


def paraphrases(split: str) -> list[list[str]]:
    """Groups of sentences that say the same, each near others that do not: `train` or `test`."""
    return _blocks(TEXTS / "paraphrases.ko.txt", split)


def graded(split: str) -> list[tuple[str, str, float]]:
    """A sentence, another, and their likeness from 0 to 5, as KorSTS has it: `train` or `test`."""
    return [
        (anchor, other, float(score))
        for anchor, *lines in _blocks(TEXTS / "graded.ko.txt", split)
        for score, other in (line.split(" ", 1) for line in lines)
    ]


def _blocks(path: Path, split: str) -> list[list[str]]:
    """Blocks of lines with an empty line between them; of nine runs of blocks the last is `test`."""
    blocks = [block.split("\n") for block in clean(path.read_text(encoding="utf-8")).split("\n\n")]
    return [
        block for index, block in enumerate(blocks)
        if (index // RUN % 9 == 8) == (split == "test")
    ]


def table_groups(path: Path = TABLE) -> dict[str, list[str]]:
    """Questions of a response table by group."""
    groups: dict[str, list[str]] = defaultdict(list)
    for row in _table(path):
        if row.get("유저", "").strip():
            groups[clean(row["구분"])].append(clean(row["유저"]))
    return dict(groups)


def all_korean() -> list[str]:
    """Every text of the sets above: what a cut vocabulary must keep reading the same way."""
    texts: list[str] = []
    for split in ("train", "dev"):
        texts += [text for row in korsts(split) for text in row[:2]]
    for split in ("dev", "test"):
        texts += [clean(x) for row in _lines(folder() / f"kornli/xnli.{split}.ko.tsv", 3) for x in row[:2]]
    for split in ("train", "test"):
        texts += [text for row in question_pairs(split) for text in row[:2]]
    for row in _table(folder() / "chatbot/ChatbotData.csv"):
        texts += [clean(row["Q"]), clean(row["A"])]
    for split in ("train", "test"):
        texts += [text for group in paraphrases(split) for text in group]
        texts += [text for row in graded(split) for text in row[:2]]
    if TABLE.exists():
        for row in _table(TABLE):
            texts += [clean(row["유저"] or ""), clean(row["챗봇"] or "")]
    return sorted({text for text in texts if text})
