"""The comparing of tokenizers with those of Hugging Face, line after line."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import tokenizers
from hostile import Hostile
from native import Tokenizer, byte_offsets, describe

Pair = tuple[Any, Tokenizer, tokenizers.Tokenizer]


def compare(
    pairs: list[Pair],
    count: int,
    seed: int,
    may_be_text: Callable[[str], bool] = lambda text: True,
    decode_each: int = 50,
) -> int:
    """Sends generated lines through both tokenizers of each pair, special tokens as text in every
    second one where the reference can do so; prints what differs and returns how often."""
    differences = compared = 0
    start = time.time()
    for number, text in enumerate(Hostile(seed).lines(count)):
        as_text = number % 2 == 1 and may_be_text(text)
        for name, native, expected in pairs:
            expected.encode_special_tokens = as_text
            want = expected.encode(text)
            ids, offsets, _ = native.encode(text, special_tokens_as_text=as_text)
            compared += 1
            if ids == want.ids and offsets == byte_offsets(text, want.offsets):
                if number % decode_each or native.decode(ids) == expected.decode(
                    ids, skip_special_tokens=False
                ):
                    continue
            differences += 1
            if differences <= 20:
                wanted = (want.ids, byte_offsets(text, want.offsets))
                print(describe(f"line {number} {name}", text, wanted, (ids, offsets)))
    seconds = time.time() - start
    print(
        f"seed {seed}: {count} lines, {compared} comparisons in {len(pairs)} configurations, "
        f"{differences} differences, {seconds:.0f} s"
    )
    return differences
