"""Compares SentencePiece models of every kind with the `sentencepiece` package.

    python tests/fuzz/differential_sentencepiece.py [LINES] [SEED] [MODEL.model ...]

Every line goes through each model; ids are compared, offsets on every tenth line and decoding on every
tenth. Differences are printed and counted; the exit status tells whether there are any.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import sentencepiece
from hostile import Hostile
from native import Tokenizer as Native
from spm_models import all_models


class Pair:
    """One model in both libraries."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.expected = sentencepiece.SentencePieceProcessor(model_proto=data)
        self.native = Native.from_sentencepiece(data)

    def difference(self, text: str, thorough: bool) -> str | None:
        want = self.expected.encode(text)
        ids, offsets, _ = self.native.encode(text, add_special_tokens=False)
        if ids != want:
            return f"ids\n  want {want[:60]}\n  got  {ids[:60]}"
        if not thorough:
            return None
        pieces = self.expected.encode(text, return_type="proto").pieces
        spans = [(piece.begin, piece.end) for piece in pieces]
        if spans != offsets:
            return f"offsets\n  want {spans[:40]}\n  got  {offsets[:40]}"
        decoded = self.expected.decode(want)
        if self.native.decode(ids, skip_special_tokens=True) != decoded:
            return f"decoded\n  want {decoded!r}\n  got  {self.native.decode(ids, True)!r}"
        return None


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20240302
    with tempfile.TemporaryDirectory() as folder:
        models = all_models(folder)
    for path in sys.argv[3:]:
        models[Path(path).name] = Path(path).read_bytes()
    pairs = [Pair(name, data) for name, data in models.items()]
    differences = compared = 0
    start = time.time()
    for number, text in enumerate(Hostile(seed).lines(count)):
        for pair in pairs:
            compared += 1
            found = pair.difference(text, number % 10 == 0)
            if found is None:
                continue
            differences += 1
            if differences <= 20:
                print(f"line {number} {pair.name}: {text[:200]!r}\n  {found[:1500]}")
    print(f"seed {seed}: {count} lines, {compared} comparisons with {len(pairs)} models, "
          f"{differences} differences, {time.time() - start:.0f} s")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
