"""Generated text for differential tests: every block of Unicode, Korean in all its encodings, and
what breaks tokenizers. The same seed gives the same lines."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator

KOREAN = (
    "오늘 마음이 너무 무거워요 잠을 못 자서 하루 종일 피곤했어요 친구랑 다퉜는데 먼저 사과해야 할까요 "
    "아무것도 하기 싫고 눈물만 나요 괜찮아질까요 회사 일이 끝이 없네요 ㅋㅋㅋㅋ ㅠㅠ 힘들다ㅜㅜ 고마워요 "
    "시험이 걱정돼서 밥도 안 넘어가요 엄마한테 미안해요 왜 이렇게 불안하지? 뭐라고요?! 값없이 닭갈비 "
    "꿈을 꿨는데 이상했어 쉬고 싶다 혼자 있고 싶어요. 119에 전화했어요 2024년 3월 1일(금) 오후 3:30 "
    "괜히 짜증이 나요 사람들 앞에서 말하기가 무서워요 다 내 탓 같아요 그래도 조금은 나아졌어요"
).split()
LATIN = (
    "the quick brown fox Don't can't I'm it's e-mail naïve café Übermut straße ŒUVRE İstanbul "
    "ISTANBUL "
    "ΣΊΣΥΦΟΣ Ελλάδα Привет МИР ЙОГА ǅungla ﬁne Ⅷ ½ ™ ☕ "
    "https://example.org/a?b=c#d foo_bar 3.14 1,000"
).split()
SPECIAL = [
    "[CLS]",
    "[SEP]",
    "[PAD]",
    "[UNK]",
    "[MASK]",
    "[cls]",
    "[ SEP ]",
    "[MASK",
    "<s>",
    "</s>",
    "<unk>",
    "<pad>",
    "<mask>",
    "＜s＞",
    "[SE\u200bP]",
    "##",
    "##a",
    "▁",
    "▁▁",
    "<0xEA>",
]
EMOJI = [
    "👍🏽",
    "👩\u200d👩\u200d👧\u200d👦",
    "🇰🇷",
    "🇰🇷🇰",
    "❤\ufe0f",
    "❤",
    "☺\ufe0e",
    "1\ufe0f\u20e3",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "😂😂",
    "🤷🏻\u200d♂\ufe0f",
    "🫠",
]
SPACES = [
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "\u00a0",
    "\u1680",
    "\u2003",
    "\u200b",
    "\u2028",
    "\u2029",
    "\u202f",
    "\u205f",
    "\u3000",
    "\ufeff",
    "\x0b",
    "\x0c",
    "\x85",
    "\x1c",
    "\x1f",
    "\u180e",
    "\u2060",
]
ODD = [
    "\x00",
    "\x01",
    "\x7f",
    "\x9f",
    "\u00ad",
    "\u061c",
    "\u200d",
    "\u200e",
    "\u202e",
    "\ufffd",
    "\ufffe",
    "\uffff",
    "\ufdd0",
    "\U0001fffe",
    "\U0010ffff",
    "\ue000",
    "\U000f0000",
    "\u0130",
    "\u0149",
    "\u03c2",
    "\u1e9e",
    "\u2126",
    "\u212b",
    "\u0344",
    "\u0f73",
    "\u0340",
    "\ufa6e",
    "\U0002b820",
    "\U0002b91f",
    "\U0002b920",
    "\U0001d15e",
    "\u302e",
    "\u302f",
    "\U0001d165",
    "\U0001d16d",
    "\u0958",
    "\u2adc",
    "\ufb1d",
    "\ufb4f",
    "\uff76\uff9e",
    "\uffa1\uffc2",
    "\u3131\u314f",
    "\u321d",
    "\u32d0",
]
FORMS = ["NFC", "NFD", "NFKC", "NFKD"]
MARKS = [chr(c) for c in range(0x110000) if unicodedata.combining(chr(c))]
# Blocks by their rough size; a random block, then a random character, so that small ones turn up.
BLOCKS = [(start, start + 0x7F) for start in range(0x80, 0x3400, 0x80)]
BLOCKS += [(start, start + 0xFF) for start in range(0xA000, 0xAC00, 0x100)]
BLOCKS += [(start, start + 0xFF) for start in range(0xF900, 0x10000, 0x100)]
BLOCKS += [(start, start + 0x7F) for start in range(0x10000, 0x20000, 0x80)]
BLOCKS += [
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0xD7B0, 0xD7FF),
    (0xE000, 0xF8FF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2EBEF),
    (0x2F800, 0x2FA1F),
    (0x30000, 0x3134F),
    (0xE0000, 0xE01EF),
    (0xF0000, 0x10FFFF),
]


class Hostile:
    """An endless source of lines."""

    def __init__(self, seed: int, specials: bool = True) -> None:
        self._random = random.Random(seed)
        self._kinds = [
            self._korean,
            self._korean,
            self._latin,
            self._character,
            self._character,
            self._space,
            self._space,
            self._emoji,
            self._odd,
            self._jamo,
            self._marks,
            self._repeat,
            self._digits,
        ]
        if specials:
            self._kinds.append(self._special)

    def _korean(self) -> str:
        return self._random.choice(KOREAN)

    def _latin(self) -> str:
        word = self._random.choice(LATIN)
        return self._random.choice([word, word.upper(), word.lower(), word.title()])

    def _character(self) -> str:
        first, last = self._random.choice(BLOCKS)
        return "".join(
            chr(self._random.randint(first, last)) for _ in range(self._random.randint(1, 4))
        )

    def _space(self) -> str:
        return self._random.choice(SPACES)

    def _emoji(self) -> str:
        return self._random.choice(EMOJI)

    def _odd(self) -> str:
        return self._random.choice(ODD)

    def _special(self) -> str:
        return self._random.choice(SPECIAL)

    def _digits(self) -> str:
        return str(self._random.randint(0, 10 ** self._random.randint(1, 9)))

    def _jamo(self) -> str:
        low, high = self._random.choice(
            [
                (0x1100, 0x11FF),
                (0x3131, 0x318E),
                (0xFFA0, 0xFFDC),
                (0xA960, 0xA97C),
                (0xD7B0, 0xD7FB),
                (0x1100, 0x1112),
                (0x1161, 0x1175),
                (0x11A8, 0x11C2),
            ]
        )
        return "".join(
            chr(self._random.randint(low, high)) for _ in range(self._random.randint(1, 5))
        )

    def _marks(self) -> str:
        count = self._random.choice([1, 1, 2, 3, 5, 30])
        base = self._random.choice(["a", "가", "ㄱ", "E", "か", "क", "\u1100", "", "😀", "."])
        return base + "".join(self._random.choice(MARKS) for _ in range(count))

    def _repeat(self) -> str:
        unit = self._random.choice(["a", "가", "ㅋ", "!", "나다", "ab", "ä", "\u0301", "한"])
        return unit * self._random.choice([2, 5, 20, 49, 50, 51, 99, 100, 101, 102])

    def line(self) -> str:
        joint = self._random.choice([" ", " ", ""])
        text = joint.join(
            self._random.choice(self._kinds)() for _ in range(self._random.randint(1, 12))
        )
        if self._random.random() < 0.3:
            text = unicodedata.normalize(self._random.choice(FORMS), text)
        return text

    def long_line(self, length: int) -> str:
        kind = self._random.randint(0, 3)
        if kind == 0:
            return "가" * length
        if kind == 1:
            return "a" + "\u0301\u0323" * (length // 2)
        text = ""
        while len(text) < length:
            text += ("" if kind == 2 else " ") + self.line()
        return text[:length]

    def lines(self, count: int) -> Iterator[str]:
        """`count` lines, one in 20,000 of them 100,000 characters long."""
        for i in range(count):
            yield self.long_line(100_000) if i % 20_000 == 19_999 else self.line()


def vocabulary() -> list[str]:
    """A WordPiece vocabulary in which nearly every character is a piece, at the start of a word and
    inside, so that a difference in normalization shows in the ids."""
    lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    for c in range(0x21, 0x30000):
        char = chr(c)
        category = unicodedata.category(char)
        if category in ("Cs", "Zs", "Zl", "Zp") or (
            category == "Lo" and 0x3400 <= c < 0x9FFF and c % 7
        ):
            continue
        if c >= 0x20000 and c % 5 and not 0x2B800 <= c < 0x2B940 or 0xAC00 <= c <= 0xD7A3 and c % 3:
            continue
        lines += [char] if category == "Cc" else [char, "##" + char]
    for word in KOREAN + LATIN:
        for start in range(len(word)):
            for end in range(start + 2, min(len(word), start + 4) + 1):
                part = word[start:end]
                lines += [part if start == 0 else "##" + part]
    lines += ["ㅋㅋ", "##ㅋㅋ", "aa", "##aa", "aaaaa", "##가가가", "[", "]", "[unused1]"]
    return list(dict.fromkeys(line for line in lines if line == line.strip() and "\n" not in line))
