"""Parts of tokenizer.json files, and whole ones of BERT's and XLM-R's form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
BERT = {"type": "BertPreTokenizer"}
SPLIT = {"type": "WhitespaceSplit"}
OLD_METASPACE = {
    "type": "Metaspace",
    "replacement": "▁",
    "str_rep": "▁",
    "add_prefix_space": True,
}


def added(token: str, id_: int, **flags: bool) -> Json:
    usual = {
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }
    return {"id": id_, "content": token, **usual, **flags}


def metaspace(scheme: str = "always", split: bool = True) -> Json:
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split}


def sequence(*steps: Json, name: str = "normalizers") -> Json:
    return {"type": "Sequence", name: list(steps)}


def plain(*names: str) -> list[Json]:
    return [{"type": name} for name in names]


def replace(old: str, new: str, kind: str = "String") -> Json:
    return {"type": "Replace", "pattern": {kind: old}, "content": new}


def bert_normalizer(**changes: bool | None) -> Json:
    usual = {
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": True,
    }
    return {"type": "BertNormalizer", **usual, **changes}


def document(
    model: Json, tokens: list[Json], template: tuple[list[str], list[str]], **parts: Json | None
) -> Json:
    ids = {token["content"]: token["id"] for token in tokens}

    def special(name: str) -> Json:
        return {"SpecialToken": {"id": name, "type_id": 0}}

    def text(name: str) -> Json:
        return {"Sequence": {"id": name, "type_id": 0}}

    single = [*map(special, template[0]), text("A"), *map(special, template[1])]
    processor = {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, text("B")],
        "special_tokens": {
            name: {"id": name, "ids": [ids[name]], "tokens": [name]}
            for name in template[0] + template[1]
        },
    }
    usual = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": tokens,
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": processor,
        "decoder": None,
        "model": model,
    }
    return {**usual, **parts}


def wordpiece_model(pieces: Iterable[str], **changes: Any) -> Json:
    usual = {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": {piece: i for i, piece in enumerate(pieces)},
    }
    return {**usual, **changes}


def xlmr(pieces: list[list[Any]], **parts: Any) -> Json:
    """A unigram document: fairseq's four tokens, these pieces with their scores, <mask>."""
    names = ["<s>", "<pad>", "</s>", "<unk>"]
    vocab: list[list[Any]] = [*([name, 0.0] for name in names), *pieces, ["<mask>", 0.0]]
    tokens = [added(name, i) for i, name in enumerate(names)]
    tokens.append(added("<mask>", len(vocab) - 1, lstrip=True))
    tokens += parts.pop("extra", [])
    model = {"type": "Unigram", "unk_id": 3, "vocab": vocab, **parts.pop("model", {})}
    return document(model, tokens, (["<s>"], ["</s>"]), **parts)
