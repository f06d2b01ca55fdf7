"""Compares vocab.txt tokenizers with Hugging Face's BertNormalizer, BertPreTokenizer and WordPiece.

    python tests/fuzz/differential_wordpiece.py [LINES] [SEED]

Every line goes through each of twelve configurations, with special tokens matched and as text, ids
and offsets compared. Differences are printed and counted; the exit status tells whether there
are any.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator

from hostile import Hostile, vocabulary
from native import Tokenizer as Native
from native import byte_offsets, describe
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

SPECIAL = ["[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"]


def reference(lines: list[str], lowercase: bool, strip: bool | None, chinese: bool) -> Tokenizer:
    """What BertTokenizerFast builds from a vocab.txt."""
    vocab = {line: i for i, line in enumerate(lines)}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(True, chinese, strip, lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in SPECIAL])
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", cls), ("[SEP]", sep)]
    )
    return tokenizer


def configurations() -> Iterator[tuple[bool, bool | None, bool]]:
    yield from itertools.product((False, True), (None, False, True), (True, False))


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20240301
    lines = vocabulary()
    data = "\n".join(lines).encode()
    pairs = []
    for lowercase, strip, chinese in configurations():
        native = Native.from_vocab(data, lowercase, -1 if strip is None else int(strip), chinese)
        pairs.append(
            ((lowercase, strip, chinese), native, reference(lines, lowercase, strip, chinese))
        )

    differences = compared = 0
    start = time.time()
    for number, text in enumerate(Hostile(seed).lines(count)):
        for name, native, expected in pairs:
            as_text = number % 2 == 1
            expected.encode_special_tokens = as_text
            want = expected.encode(text)
            ids, offsets, _ = native.encode(text, special_tokens_as_text=as_text)
            compared += 1
            if ids == want.ids and offsets == byte_offsets(text, want.offsets):
                if number % 100 or native.decode(ids) == expected.decode(
                    ids, skip_special_tokens=False
                ):
                    continue
            differences += 1
            if differences <= 20:
                wanted = (want.ids, byte_offsets(text, want.offsets))
                print(describe(f"line {number} {name}", text, wanted, (ids, offsets)))
    seconds = time.time() - start
    print(
        f"seed {seed}: {count} lines, {compared} comparisons, {differences} differences, "
        f"{seconds:.0f} s, vocabulary of {len(lines)}"
    )
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
