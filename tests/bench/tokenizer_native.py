"""One native tokenizer for tokenizer.js: prints the ids of the first texts, then, for each line that
comes in, encodes all texts once and prints the milliseconds it took."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

SAMPLE = 200


def contender(name: str, model: str) -> tuple[Callable[[str], list[int]], Callable[[list[str]], object]]:
    """How it encodes one text, and all of them."""
    if name.startswith("sentencepiece"):
        import sentencepiece

        processor = sentencepiece.SentencePieceProcessor(model_file=model)
        if name.endswith("-batch"):
            return processor.encode, lambda texts: processor.encode(texts, num_threads=1)
        return processor.encode, lambda texts: [processor.encode(text) for text in texts]
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(model)
    if name.endswith("-batch"):
        return (lambda text: tokenizer.encode(text).ids,
                lambda texts: [encoding.ids for encoding in tokenizer.encode_batch(texts)])
    return (lambda text: tokenizer.encode(text).ids,
            lambda texts: [tokenizer.encode(text).ids for text in texts])


def main() -> None:
    name, model, file, kind = sys.argv[1:]
    now = time.process_time if kind == "cpu" else time.perf_counter
    texts: list[str] = json.loads(Path(file).read_text(encoding="utf-8"))
    encode_one, encode_all = contender(name, model)
    print(json.dumps([encode_one(text) for text in texts[:SAMPLE]]), flush=True)
    for _ in sys.stdin:
        start = now()
        encode_all(texts)
        print((now() - start) * 1000, flush=True)


if __name__ == "__main__":
    main()
