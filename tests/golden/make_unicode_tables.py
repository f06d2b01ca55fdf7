"""Writes src/unicode_tables.c: the Unicode that Hugging Face `tokenizers` knows.

The crates behind `tokenizers` carry tables of different Unicode versions, so no published data file
agrees with them. Every value is therefore asked of the library itself, code point by code point.

    python tests/golden/make_unicode_tables.py > src/unicode_tables.c
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

import tokenizers
from tokenizers import normalizers, pre_tokenizers

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
HANGUL = range(0xAC00, 0xD7A4)
PAGE = 256

# Classes and bits of a code point; the same numbers stand in src/unicode.h.
EXTEND, EXTEND_ONLY, LINKER, JOINER, SPACING, PREPEND, CONTROL, PICTURE, CONSONANT = range(1, 10)
DROPPED, SPACE, PUNCTUATION, CHINESE, ACCENT, MARK, UPPER, COMPOSING, WORD = (
    1 << i for i in range(9)
)


def bert(**switched_on: bool) -> Callable[[str], str]:
    """A BertNormalizer that does only what is named."""
    switches = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False}
    return normalizers.BertNormalizer(
        **{**switches, "lowercase": False, **switched_on}
    ).normalize_str


def combining_classes(decompose: Callable[[str], str]) -> dict[int, int]:
    """Canonical combining classes, found by watching which marks change places.

    The scale is a mark of each class that has one; class n is told by where a mark sorts on it.
    """
    import unicodedata

    def swaps(first: str, second: str) -> bool:
        return first != second and decompose("a" + first + second) == "a" + second + first

    low, high = "\u0334", "\u0345"  # of the lowest and the highest class

    def known(mark: str) -> bool:
        return decompose(mark) == mark and (swaps(mark, low) or swaps(high, mark))

    scale = {unicodedata.combining(low): low, unicodedata.combining(high): high}
    for c in CODE_POINTS:
        kind = unicodedata.combining(chr(c))
        if kind and kind not in scale and known(chr(c)):
            scale[kind] = chr(c)
    kinds = sorted(scale)

    found: dict[int, int] = {}
    for c in CODE_POINTS:
        mark = chr(c)
        if not known(mark):
            continue
        same = [k for k in kinds if not swaps(mark, scale[k]) and not swaps(scale[k], mark)]
        assert len(same) == 1, (hex(c), same)
        found[c] = same[0]
    return found


def array(kind: str, name: str, values: Iterable[int], hexadecimal: bool = False) -> str:
    """A C array, wrapped at 100 columns."""
    texts = [f"0x{v:X}" if hexadecimal and v > 9 else str(v) for v in values]
    lines, line = [], " "
    for text in texts:
        if len(line) + len(text) + 2 > 100:
            lines.append(line)
            line = " "
        line += f" {text},"
    lines.append(line)
    return f"const {kind} {name}[{len(texts)}] = {{\n" + "\n".join(lines) + "\n};\n"


def utf16(text: str) -> list[int]:
    data = text.encode("utf-16-le")
    return [data[i] | data[i + 1] << 8 for i in range(0, len(data), 2)]


def halves(name: str, values: list[int]) -> str:
    """16-bit values as two arrays of bytes, which compress better by a tenth."""
    return (
        array("uint8_t", f"{name}_low", [v & 0xFF for v in values])
        + "\n"
        + array("uint8_t", f"{name}_high", [v >> 8 for v in values])
    )


def key_pages(name: str, keys: list[int]) -> str:
    """Sorted code points as their low bytes, and where those of each high part begin. (Low bytes
    repeat from page to page: 16-bit keys would add 8 kB to the compressed module.)"""
    assert max(keys) < 0x30000
    pages = [sum(c < page << 8 for c in keys) for page in range(0x301)]
    return (
        array("uint16_t", f"{name}_pages", pages)
        + "\n"
        + array("uint8_t", f"{name}_keys", [c & 0xFF for c in keys])
    )


def mapping(name: str, entries: dict[int, str]) -> str:
    """Keys, and values as UTF-16: the length of each, how far its first unit is from that of the
    value before (from 0 at the start of 64), and the other units of all in one pool. Neighbours
    often map to neighbours, so the differences compress to two thirds of what the units would."""
    keys = sorted(entries)
    values = [utf16(entries[c]) for c in keys]
    assert max(map(len, values)) < 256
    positions, firsts, rest = [], [], []
    for i, value in enumerate(values):
        if i % 64 == 0:
            positions.append(len(rest))
        before = values[i - 1][0] if i % 64 else 0
        firsts.append((value[0] - before) & 0xFFFF)
        rest += value[1:]
    return "\n".join(
        [
            key_pages(f"gyeot_{name}", keys),
            array("uint8_t", f"gyeot_{name}_lengths", map(len, values)),
            array("uint16_t", f"gyeot_{name}_positions", positions),
            halves(f"gyeot_{name}_firsts", firsts),
            halves(f"gyeot_{name}_rest", rest),
            f"const gyeot_mapping gyeot_{name} = {{gyeot_{name}_pages, gyeot_{name}_keys,\n"
            f"    gyeot_{name}_lengths, gyeot_{name}_positions, gyeot_{name}_firsts_low,\n"
            f"    gyeot_{name}_firsts_high, gyeot_{name}_rest_low, gyeot_{name}_rest_high}};\n",
        ]
    )


def canonical_pairs(canonical: dict[int, str], nfc: Callable[[str], str]) -> str:
    """What decomposes into two characters, the first of which may decompose again. The number of
    the second has 128 added where composition does not bring the two together again."""
    excluded = 128
    by_whole: dict[str, int] = {}
    for c, whole in canonical.items():
        if whole not in by_whole or nfc(whole) == chr(c):
            by_whole[whole] = c
    pairs: dict[int, tuple[int, int, bool]] = {}
    for c, whole in canonical.items():
        if len(whole) == 1:
            continue
        first = ord(whole[0]) if len(whole) == 2 else by_whole[whole[:-1]]
        assert first >> 16 == c >> 16 and whole[-1] not in canonical
        pairs[c] = (first, ord(whole[-1]), nfc(chr(first) + whole[-1]) == chr(c))
        assert pairs[c][2] == (nfc(chr(c)) == chr(c))
    keys = sorted(pairs)
    seconds = sorted({second for _, second, _ in pairs.values()})
    assert len(seconds) < excluded
    numbers = [
        seconds.index(pairs[c][1]) + (0 if pairs[c][2] else excluded) for c in keys
    ]
    return "\n".join(
        [
            key_pages("gyeot_pair", keys),
            halves("gyeot_pair_firsts", [pairs[c][0] & 0xFFFF for c in keys]),
            array("uint8_t", "gyeot_pair_seconds", numbers),
            f"const size_t gyeot_pair_count = {len(keys)};\n",
            array("uint32_t", "gyeot_seconds", seconds, True),
            f"const size_t gyeot_second_count = {len(seconds)};\n",
        ]
    )


def charsmap(rules: dict[bytes, bytes]) -> bytes:
    """A precompiled character map whose keys are single bytes."""
    units, texts = [0] * 1024, b""
    offset = 256  # the root's children are at 256 ^ label
    units[0] = offset << 10
    for i, (key, text) in enumerate(sorted(rules.items())):
        child = 512 + 2 * i
        position = offset ^ key[0]
        units[position] = key[0] | (position ^ child) << 10 | 1 << 8
        units[child] = 1 << 31 | len(texts)
        texts += text + b"\0"
    trie = b"".join(unit.to_bytes(4, "little") for unit in units)
    return len(trie).to_bytes(4, "little") + trie + texts


def grapheme_classes() -> bytearray:
    """Classes of extended grapheme clusters, seen through the Precompiled normalizer: it replaces a
    cluster of less than six bytes as a whole, so marks that belong to it vanish."""
    rules = {b"a": b"X", **{bytes([lead]): b"Y" for lead in range(0xC2, 0xF5)}}
    seen = normalizers.Precompiled(charsmap(rules)).normalize_str
    ka, virama, acute, zwj, face = "\u0915", "\u094d", "\u0301", "\u200d", "\u263a"
    classes = bytearray(0x110000)
    for c in CODE_POINTS:
        char = chr(c)
        kind = 0
        if char == zwj:
            kind = JOINER
        elif seen("a" + char) == "X":
            if seen(ka + char + ka + acute) == "YYYY":
                kind = LINKER
            elif seen(ka + char + virama + ka + acute) == "YYYYY":
                kind = EXTEND
            elif seen(face + char + zwj + face + acute) == "YYYYY":
                kind = EXTEND_ONLY
            else:
                kind = SPACING
        elif seen(char + "a") == "Y":
            kind = PREPEND
        elif c < 0x10000 and char not in "a" and seen("\u0600" + char) not in ("Y", "YX"):
            kind = CONTROL
        elif seen(char + zwj + face + acute) == "YYYY":
            kind = PICTURE
        elif seen(char + virama + ka + acute) == "YYYY":
            kind = CONSONANT
        classes[c] = kind
    return classes


def two_stages(values: bytes | bytearray) -> tuple[list[int], bytes]:
    """An index of pages and the distinct pages one after another."""
    pages: dict[bytes, int] = {}
    index = [
        pages.setdefault(bytes(values[at : at + PAGE]), len(pages))
        for at in range(0, len(values), PAGE)
    ]
    assert len(pages) <= 256
    return index, b"".join(pages)


def main() -> None:
    clean = bert(clean_text=True)
    chinese = bert(handle_chinese_chars=True)
    accents = bert(strip_accents=True)
    lower = normalizers.Lowercase().normalize_str
    marks = normalizers.StripAccents().normalize_str
    nfd = normalizers.NFD().normalize_str
    nfkd = normalizers.NFKD().normalize_str
    nfc = normalizers.NFC().normalize_str
    words = pre_tokenizers.BertPreTokenizer().pre_tokenize_str

    split = pre_tokenizers.Whitespace().pre_tokenize_str

    classes = combining_classes(nfd)
    clusters = grapheme_classes()
    # Of each code point: bits, cluster class, combining class, how far its lower case is from it.
    numbers: dict[tuple[int, int, int, int], int] = {}
    records = bytearray(0x110000)
    canonical: dict[int, str] = {}
    compatible: dict[int, str] = {}
    for c in CODE_POINTS:
        char = chr(c)
        bits = 0
        pieces = [piece for piece, _ in words("a" + char + "b")]
        if clean("a" + char + "b") == "ab":
            bits |= DROPPED
        if pieces == ["a", "b"]:
            bits |= SPACE
        elif pieces == ["a", char, "b"]:
            bits |= PUNCTUATION
        if chinese(char) != char:
            bits |= CHINESE
        if accents(char) == "":
            bits |= ACCENT
        if marks(char) == "":
            bits |= MARK
        small = lower(char)
        if small != char:
            bits |= UPPER
            assert len(small) == 1 or (c, small) == (0x130, "i\u0307"), (c, small)
        whole = nfd(char)
        if whole != char or c in classes:
            bits |= COMPOSING
        if c not in HANGUL:
            if whole != char:
                canonical[c] = whole
            if nfkd(char) != whole:
                compatible[c] = nfkd(char)
        if split(char + "!")[:1] == [(char, (0, 1))]:
            bits |= WORD
        record = (bits, clusters[c], classes.get(c, 0), ord(small[0]) - c)
        records[c] = numbers.setdefault(record, len(numbers))
    for c in range(0xD800, 0xE000):
        records[c] = numbers[0, 0, 0, 0]

    index, pages = two_stages(records)
    write = sys.stdout.write
    write(
        f"/* Made by tests/golden/make_unicode_tables.py from tokenizers {tokenizers.__version__}. "
        '*/\n#include "unicode.h"\n\n'
    )
    write(array("uint8_t", "gyeot_unicode_pages", index) + "\n")
    write(array("uint8_t", "gyeot_unicode_records", pages) + "\n")
    for kind, name, values in zip(
        ("uint16_t", "uint8_t", "uint8_t", "int32_t"),
        ("bits", "clusters", "classes", "lower"),
        zip(*numbers),
    ):
        write(array(kind, f"gyeot_record_{name}", values) + "\n")
    singles = {c: whole for c, whole in canonical.items() if len(whole) == 1}
    write(mapping("canonical", singles) + "\n")
    write(canonical_pairs(canonical, nfc) + "\n")
    write(mapping("compatible", compatible))


if __name__ == "__main__":
    main()
