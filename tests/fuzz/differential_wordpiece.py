"""Compares vocab.txt tokenizers with Hugging Face's BertNormalizer, BertPreTokenizer and WordPiece.

    python tests/fuzz/differential_wordpiece.py [LINES] [SEED]

Every line goes through each of twelve configurations, with special tokens matched and as text, ids
and offsets compared. Differences are printed and counted; the exit status tells whether there
are any.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

from compare import compare
from hostile import vocabulary
from native import Tokenizer as Native
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
    return 1 if compare(pairs, count, seed, decode_each=100) else 0


if __name__ == "__main__":
    sys.exit(main())
