"""Writes tests/data/wordpiece/folders.json: what BertTokenizerFast makes of folders with vocab.txt and
special tokens of their own, told in one file or another.

    python tests/golden/make_vocab_folders.py
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from transformers import BertTokenizerFast

OUT = Path(__file__).parents[1] / "data/wordpiece/folders.json"
VOCABULARY = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##b", "[usr]", "[", "]", "usr", "new",
    "##x", "<", ">", "_", "t",
]  # fmt: skip
TEXTS = [
    "a [usr] B[NEW] [new] x[two]y <T> [USR]",
    "a  [two]  b [two]b _[two]_ [MASK] [CLS]a",
    "<T><T>[NEW][NEW]b [two]",
]


def token(content: str, **flags: bool) -> dict[str, Any]:
    usual = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False}
    return {"content": content, "__type": "AddedToken", **usual, **flags}


def decoder(**tokens: dict[str, Any]) -> dict[str, Any]:
    return {"added_tokens_decoder": {id_[2:]: {**t, "special": True} for id_, t in tokens.items()}}


NEW, USR = "[NEW]", "[usr]"
FOLDERS: list[tuple[list[str], dict[str, Any], dict[str, Any]]] = [
    (VOCABULARY, {}, {}),
    (VOCABULARY, {"additional_special_tokens": [USR, NEW]}, {}),
    (VOCABULARY, {"additional_special_tokens": [USR]}, {"additional_special_tokens": [NEW]}),
    (VOCABULARY, {}, {"additional_special_tokens": [NEW, "[two]"], "bos_token": "<T>"}),
    (VOCABULARY, {"additional_special_tokens": ["a", USR]}, {"eos_token": "<T>"}),
    (VOCABULARY, {"extra_special_tokens": ["[two]"], "additional_special_tokens": [NEW]}, {}),
    (
        VOCABULARY,
        {"extra_special_tokens": {"t": "[two]"}, "additional_special_tokens": [NEW], "eos_token": "<T>"},
        {},
    ),
    (
        VOCABULARY,
        {"additional_special_tokens": [token("[two]", lstrip=True), token("<T>", rstrip=True)]},
        {},
    ),
    (VOCABULARY, {"additional_special_tokens": [token("[two]", single_word=True)]}, {}),
    (VOCABULARY, {"mask_token": token("[MASK]", lstrip=True), "do_lower_case": False}, {}),
    (
        VOCABULARY,
        decoder(id19=token(NEW), id8=token(USR, rstrip=True), id4=token("[MASK]", lstrip=True)),
        {"additional_special_tokens": ["[two]"]},
    ),
    (
        VOCABULARY,
        {**decoder(id18=token(NEW)), "additional_special_tokens": [NEW, "[two]"]},
        {"cls_token": "a"},
    ),
    (VOCABULARY[:3] + VOCABULARY[5:], {"bos_token": "<T>", "additional_special_tokens": [NEW]}, {}),
]


def main() -> None:
    out = []
    for vocabulary, config, special in FOLDERS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "vocab.txt").write_text("\n".join(vocabulary))
            (folder / "tokenizer_config.json").write_text(json.dumps(config))
            (folder / "special_tokens_map.json").write_text(json.dumps(special))
            tokenizer = BertTokenizerFast.from_pretrained(folder)
        out.append(
            {
                "vocabulary": vocabulary,
                "config": config,
                "special": special,
                "size": len(tokenizer),
                "ids": [tokenizer(text)["input_ids"] for text in TEXTS],
            }
        )
    lines = ",\n".join(json.dumps(folder, ensure_ascii=False) for folder in out)
    OUT.write_text(f'{{"texts": {json.dumps(TEXTS)}, "folders": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
