"""The default response table holds what it promises: groups, answers, characters and numbers."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from pathlib import Path

import pytest

TABLE = Path(__file__).resolve().parents[2] / "model" / "table" / "ko.csv"

# Help lines that a response may name; any other number would send a person in need astray.
HELP_LINES = {"109", "112", "117", "119", "1366", "1388", "1577-0199"}

# The lines of which each response of a danger group names at least one.
DANGER_LINES = {
    "위험/자살": {"109", "119"},
    "위험/자해": {"109", "119", "1577-0199"},
    "위험/가정폭력": {"112", "1366"},
    "위험/성폭력": {"112", "1366"},
    "위험/아동청소년": {"112", "1388"},
    "위험/학교폭력": {"112", "117"},
    "위험/정신건강위기": {"112", "119", "1577-0199"},
}

NUMBER = re.compile(r"\d{3,4}(?:-\d{3,4})*")

Row = tuple[str, str, str]


def squeeze(text: str) -> str:
    """A question without spaces and end marks, so that near-copies compare equal."""
    return re.sub(r"[\s.!?~,…]", "", text)


@pytest.fixture(scope="module")
def text() -> str:
    return TABLE.read_bytes().decode("utf-8")


@pytest.fixture(scope="module")
def rows(text: str) -> list[Row]:
    lines = list(csv.reader(text.splitlines(), strict=True))
    assert lines[0] == ["구분", "유저", "챗봇"]
    assert all(len(line) == 3 for line in lines)
    return [(group, question, answer) for group, question, answer in lines[1:]]


@pytest.fixture(scope="module")
def answers(rows: list[Row]) -> dict[str, list[str]]:
    """The responses of each group, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for group, _, answer in rows:
        if answer:
            found[group].append(answer)
    return found


def test_file_is_plain_nfc_utf8_with_unix_lines(text: str) -> None:
    assert unicodedata.is_normalized("NFC", text)
    assert not text.startswith("\ufeff")
    assert "\r" not in text
    assert text.endswith("\n")
    assert not re.search(r"[\u1100-\u11ff\u200b-\u200f\ufffd]", text)


def test_cells_are_trimmed_and_complete(rows: list[Row]) -> None:
    for row in rows:
        assert row[0] and row[1], row
        assert all(cell == cell.strip() and "  " not in cell for cell in row), row


def test_table_is_large_enough(rows: list[Row], answers: dict[str, list[str]]) -> None:
    assert len(rows) >= 1300
    assert len({group for group, _, _ in rows}) >= 125
    questions: dict[str, int] = defaultdict(int)
    for group, _, _ in rows:
        questions[group] += 1
    assert {group: n for group, n in questions.items() if n < 10} == {}
    few = {group: n for group in questions if not 3 <= (n := len(answers[group])) <= 8}
    assert few == {}


def test_rows_of_a_group_stand_together(rows: list[Row]) -> None:
    ended: set[str] = set()
    previous = ""
    for group, _, _ in rows:
        if group != previous:
            assert group not in ended
            ended.add(previous)
            previous = group


def test_no_question_or_response_is_given_twice(
    rows: list[Row], answers: dict[str, list[str]]
) -> None:
    seen: dict[str, str] = {}
    for group, question, _ in rows:
        key = squeeze(question)
        assert key not in seen, (question, group, seen[key])
        seen[key] = group
    every = [answer for group in answers.values() for answer in group]
    assert len(every) == len(set(every))


def test_responses_are_short(answers: dict[str, list[str]]) -> None:
    long = [answer for group in answers.values() for answer in group if len(answer) > 90]
    assert long == []


def test_only_known_help_lines_are_named(answers: dict[str, list[str]]) -> None:
    named = {n for group in answers.values() for answer in group for n in NUMBER.findall(answer)}
    assert named <= HELP_LINES


def test_every_response_to_danger_names_help(answers: dict[str, list[str]]) -> None:
    assert {group for group in answers if group.startswith("위험/")} == set(DANGER_LINES)
    for group, lines in DANGER_LINES.items():
        for answer in answers[group]:
            assert lines & set(NUMBER.findall(answer)), (group, answer)


def test_the_example_opens_its_group(rows: list[Row]) -> None:
    first = next(row for row in rows if row[0] == "감정/감정조절")
    assert first[1] == (
        "제 감정이 이상해진 것 같아요. 남편만 보면 화가 치밀어 오르고 감정 조절이 안되요."
    )
    assert first[2] == "감정이 조절이 안 될 때만큼 힘들 때는 없는 거 같아요."
    # The example's paraphrase must be found by its meaning, not by its letters.
    assert not any("컨트롤" in question for _, question, _ in rows)
