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
PAGE = 128

# Classes and bits of a code point; the same numbers stand in src/unicode.h.
EXTEND, EXTEND_ONLY, LINKER, JOINER, SPACING, PREPEND, CONTROL, PICTURE, CONSONANT = range(1, 10)
DROPPED, SPACE, PUNCTUATION, CHINESE, ACCENT, MARK, UPPER, COMPOSING = (1 << i for i in range(8))


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


def runs(values: dict[int, int]) -> list[tuple[int, int, int]]:
    """[first, last, value] of consecutive code points with one value."""
    out: list[tuple[int, int, int]] = []
    for c in sorted(values):
        if out and out[-1][1] == c - 1 and out[-1][2] == values[c]:
            out[-1] = (out[-1][0], c, values[c])
        else:
            out.append((c, c, values[c]))
    return out


def case_runs(lower: dict[int, int]) -> list[tuple[int, int, int, int]]:
    """[first, last, step, difference] of upper-case letters that all move by one difference."""
    out: list[list[int]] = []
    for c in sorted(lower):
        difference = lower[c] - c
        if out and out[-1][3] == difference:
            first, last, step, _ = out[-1]
            if c - last == step or (first == last and c - last in (1, 2)):
                out[-1][1:3] = [c, c - last]
                continue
        out.append([c, c, 1, difference])
    return [tuple(run) for run in out]


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


def mapping(name: str, entries: dict[int, str]) -> str:
    """The low bytes of sorted keys, where the keys of each high part begin, the length of each
    value in UTF-16 units, a pool. Only every 64th entry has its position in the pool written down.
    (Low bytes repeat from page to page: 16-bit keys would add 8 kB to the compressed module.)
    """
    keys = sorted(entries)
    values = [utf16(entries[c]) for c in keys]
    assert max(keys) < 0x30000 and max(map(len, values)) < 256
    pages = [sum(c < page << 8 for c in keys) for page in range(0x301)]
    positions, at = [], 0
    for i, value in enumerate(values):
        if i % 64 == 0:
            positions.append(at)
        at += len(value)
    pool = [unit for value in values for unit in value]
    return "\n".join(
        [
            array("uint16_t", f"gyeot_{name}_pages", pages),
            array("uint8_t", f"gyeot_{name}_keys", [c & 0xFF for c in keys]),
            array("uint8_t", f"gyeot_{name}_lengths", map(len, values)),
            array("uint16_t", f"gyeot_{name}_positions", positions),
            halves(f"gyeot_{name}_pool", pool),
            f"const gyeot_mapping gyeot_{name} = {{gyeot_{name}_pages, gyeot_{name}_keys,\n"
            f"    gyeot_{name}_lengths, gyeot_{name}_positions, gyeot_{name}_pool_low,\n"
            f"    gyeot_{name}_pool_high}};\n",
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


def two_stages(values: bytes | bytearray, page_size: int) -> tuple[list[int], bytes]:
    """An index of pages and the distinct pages one after another."""
    pages: dict[bytes, int] = {}
    index = [
        pages.setdefault(bytes(values[at : at + page_size]), len(pages))
        for at in range(0, len(values), page_size)
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
    word_bits = bytearray(0x110000 // 8)

    classes = combining_classes(nfd)
    properties = bytearray(0x110000)
    to_lower: dict[int, int] = {}
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
            if len(small) == 1:
                to_lower[c] = ord(small)
            else:
                assert (c, small) == (0x130, "i\u0307"), (c, small)
        whole = nfd(char)
        if whole != char or c in classes:
            bits |= COMPOSING
        if c not in HANGUL:
            if whole != char:
                canonical[c] = whole
            if nfkd(char) != whole:
                compatible[c] = nfkd(char)
        properties[c] = bits
        if split(char + "!")[:1] == [(char, (0, 1))]:
            word_bits[c >> 3] |= 1 << (c & 7)

    index, pages = two_stages(properties, PAGE)
    word_index, word_pages = two_stages(word_bits, PAGE // 8)
    cluster_index, cluster_pages = two_stages(grapheme_classes(), PAGE)

    pairs: list[tuple[int, int, int]] = []
    for c, whole in canonical.items():
        if len(whole) > 1 and nfc(chr(c)) == chr(c):
            first, second = nfc(whole[:-1]), whole[-1]
            assert len(first) == 1 and nfc(first + second) == chr(c), hex(c)
            pairs.append((ord(second), ord(first), c))
    pairs.sort()
    low = [p for p in pairs if p[2] < 0x10000]
    high = [p for p in pairs if p[2] >= 0x10000]

    write = sys.stdout.write
    write(
        f"/* Made by tests/golden/make_unicode_tables.py from tokenizers {tokenizers.__version__}. "
        '*/\n#include "unicode.h"\n\n'
    )
    for name, values in (
        ("unicode_pages", index),
        ("unicode_bits", pages),
        ("word_pages", word_index),
        ("word_bits", word_pages),
        ("cluster_pages", cluster_index),
        ("cluster_classes", cluster_pages),
    ):
        write(array("uint8_t", f"gyeot_{name}", values) + "\n")
    ranges = runs(classes)
    write(array("uint32_t", "gyeot_class_firsts", [r[0] for r in ranges], True) + "\n")
    write(array("uint8_t", "gyeot_class_lengths", [r[1] - r[0] + 1 for r in ranges]) + "\n")
    write(array("uint8_t", "gyeot_class_values", [r[2] for r in ranges]) + "\n")
    write(f"const size_t gyeot_class_count = {len(ranges)};\n\n")
    cases = case_runs(to_lower)
    write(array("uint32_t", "gyeot_case_firsts", [r[0] for r in cases], True) + "\n")
    write(array("uint8_t", "gyeot_case_lengths", [r[1] - r[0] + 1 for r in cases]) + "\n")
    write(array("uint8_t", "gyeot_case_steps", [r[2] for r in cases]) + "\n")
    write(array("int32_t", "gyeot_case_differences", [r[3] for r in cases]) + "\n")
    write(f"const size_t gyeot_case_count = {len(cases)};\n\n")
    write(mapping("canonical", canonical) + "\n")
    write(mapping("compatible", compatible) + "\n")
    write(array("uint16_t", "gyeot_pair_seconds", [p[0] for p in low], True) + "\n")
    write(halves("gyeot_pair_firsts", [p[1] for p in low]) + "\n")
    write(halves("gyeot_pair_results", [p[2] for p in low]) + "\n")
    write(f"const size_t gyeot_pair_count = {len(low)};\n\n")
    write(array("uint32_t", "gyeot_high_pairs", [v for p in high for v in p], True) + "\n")
    write(f"const size_t gyeot_high_pair_count = {len(high)};\n")


if __name__ == "__main__":
    main()
