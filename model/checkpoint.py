"""Reads a sentence-transformers or plain Hugging Face folder: what it is, and whether it can be used."""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from model.errors import ModelError

POOLINGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
}
ACTIVATIONS = {"Identity", "Tanh", "Relu", "Sigmoid"}
WEIGHT_FILES = (
    "model.safetensors", "pytorch_model.bin",
    "model.safetensors.index.json", "pytorch_model.bin.index.json",
)
DECODERS = {
    "gpt2", "gpt_neo", "gpt_neox", "gptj", "llama", "mistral", "mixtral", "qwen2", "qwen3", "gemma",
    "gemma2", "gemma3_text", "phi", "phi3", "opt", "bloom", "exaone",
}
WORDPIECE_CLASSES = {
    "", "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "ConvBertTokenizer",
    "MobileBertTokenizer", "MPNetTokenizer",
}
SENTENCEPIECE_NAMES = ("sentencepiece.bpe.model", "spiece.model", "sentencepiece.model")


@dataclass
class Checkpoint:
    """One folder, understood. `transformer` is where its config.json and weights are."""

    folder: Path
    transformer: Path
    config: dict
    pooling: str = "mean"
    normalize: bool = False
    dense: list[tuple[np.ndarray, np.ndarray, str]] = field(default_factory=list)
    max_length: int = 512
    query_prompt: str = ""
    document_prompt: str = ""

    @property
    def width(self) -> int:
        """Dimensions of a vector as the checkpoint gives it."""
        return len(self.dense[-1][1]) if self.dense else int(self.config["hidden_size"])


def read_json(path: Path) -> dict | list:
    """A JSON file, or a ModelError that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path} is missing") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path} is not JSON: {error}") from None


def encoder_state(model) -> dict:
    """Weights of a transformers encoder by name, without the pooler that no vector passes through."""
    return {name: value for name, value in model.state_dict().items() if not name.startswith("pooler.")}


def read(folder: Path) -> Checkpoint:
    """Understands a folder.

    Raises ModelError for what is not a sentence encoder, or lacks a file, or has a module that a
    model folder cannot express.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder} is no folder; a checkpoint on this computer is needed")
    modules_file = folder / "modules.json"
    modules = read_json(modules_file) if modules_file.exists() else []
    transformer = folder
    for module in modules:
        if _kind(module) == "Transformer":
            transformer = folder / module.get("path", "")
    config = read_json(transformer / "config.json")
    _refuse_others(transformer / "config.json", config)
    if not any((transformer / name).exists() for name in WEIGHT_FILES):
        raise ModelError(f"{transformer} has no weights: model.safetensors or pytorch_model.bin")
    found = Checkpoint(folder, transformer, _with_hidden_size(transformer, config))
    for module in modules:
        _apply(found, module, folder / module.get("path", ""), modules_file)
    found.max_length = _max_length(transformer, config)
    _read_prompts(found)
    return found


def _kind(module: dict) -> str:
    return str(module.get("type", "")).rsplit(".", 1)[-1]


def _refuse_others(path: Path, config: dict) -> None:
    names = [str(name) for name in config.get("architectures") or []]
    if any("ForSequenceClassification" in name for name in names):
        raise ModelError(
            f"{path} names {names[0]}: a cross-encoder or classifier scores pairs and gives no "
            "vectors; a sentence encoder is needed"
        )
    if (
        any("ForCausalLM" in name or "LMHeadModel" in name for name in names)
        or config.get("model_type") in DECODERS
        or config.get("is_decoder")
    ):
        raise ModelError(
            f"{path} names {(names or [config.get('model_type')])[0]}: a decoder; a sentence encoder "
            "such as BERT, RoBERTa, XLM-R or MPNet is needed"
        )
    if config.get("is_encoder_decoder") or "decoder_layers" in config:
        raise ModelError(f"{path} is an encoder with a decoder; an encoder alone is needed")
    if not config.get("model_type"):
        raise ModelError(f'{path} has no "model_type", such as "bert" or "roberta"')


def _with_hidden_size(transformer: Path, config: dict) -> dict:
    size = config.get("hidden_size", config.get("dim"))
    if not isinstance(size, int) or size < 1:
        raise ModelError(f'{transformer / "config.json"} has no usable "hidden_size"')
    return {**config, "hidden_size": size}


def _apply(found: Checkpoint, module: dict, path: Path, modules_file: Path) -> None:
    kind = _kind(module)
    if kind == "Pooling":
        found.pooling = _pooling(path / "config.json")
    elif kind == "Dense":
        if found.normalize:
            raise ModelError(f"{modules_file}: Dense after Normalize is not supported")
        found.dense.append(_dense(path))
    elif kind == "Normalize":
        found.normalize = True
    elif kind not in ("Transformer", "Dropout"):
        raise ModelError(
            f"{modules_file} has the module {module.get('type')}; Transformer, Pooling, Dense and "
            "Normalize can be exported"
        )


def _pooling(path: Path) -> str:
    config = read_json(path)
    if config.get("include_prompt") is False:
        raise ModelError(f'{path}: "include_prompt": false is not supported')
    mode = config.get("pooling_mode")
    if isinstance(mode, str):
        mode = mode.removesuffix("_tokens")
        if mode in POOLINGS.values():
            return mode
        raise ModelError(f"{path}: pooling {mode!r}; {', '.join(POOLINGS.values())} are supported")
    flags = [key for key, value in config.items() if key.startswith("pooling_mode_") and value]
    if len(flags) != 1 or flags[0] not in POOLINGS:
        raise ModelError(
            f"{path} turns on {flags or 'nothing'}; exactly one of {', '.join(POOLINGS)} is supported"
        )
    return POOLINGS[flags[0]]


def _dense(path: Path) -> tuple[np.ndarray, np.ndarray, str]:
    config = read_json(path / "config.json")
    activation = str(config.get("activation_function", "Identity")).rsplit(".", 1)[-1]
    activation = {"ReLU": "Relu"}.get(activation, activation)
    if activation not in ACTIVATIONS:
        raise ModelError(f"{path / 'config.json'}: activation {activation} is not supported")
    state = _state(path)
    weight = state["linear.weight"]
    bias = state.get("linear.bias", np.zeros(len(weight), np.float32))
    return weight, bias, activation


def _state(path: Path) -> dict[str, np.ndarray]:
    if (path / "model.safetensors").exists():
        from safetensors.numpy import load_file

        return load_file(path / "model.safetensors")
    if (path / "pytorch_model.bin").exists():
        import torch

        state = torch.load(path / "pytorch_model.bin", map_location="cpu", weights_only=True)
        return {name: tensor.float().numpy() for name, tensor in state.items()}
    raise ModelError(f"{path} has no weights: model.safetensors or pytorch_model.bin")


def _max_length(transformer: Path, config: dict) -> int:
    # RoBERTa's positions begin after the padding index, so the first two are never used.
    after_padding = config["model_type"] in ("roberta", "xlm-roberta", "camembert", "mpnet")
    positions = int(config.get("max_position_embeddings", 512)) - 2 * after_padding
    stated = sorted(transformer.glob("sentence_*_config.json"))
    settings = read_json(stated[0]) if stated else {}
    tokenizer = transformer / "tokenizer_config.json"
    names = read_json(tokenizer) if tokenizer.exists() else {}
    if settings.get("do_lower_case") and not names.get("do_lower_case"):
        raise ModelError(f'{stated[0]}: "do_lower_case" outside the tokenizer is not supported')
    for value in (settings.get("max_seq_length"), names.get("model_max_length")):
        if isinstance(value, (int, float)) and 0 < value <= positions:
            return int(value)
    return positions


def _read_prompts(found: Checkpoint) -> None:
    path = found.folder / "config_sentence_transformers.json"
    config = read_json(path) if path.exists() else {}
    prompts = config.get("prompts") or {}
    default = prompts.get(config.get("default_prompt_name") or "", "")
    found.query_prompt = prompts.get("query") or default
    found.document_prompt = prompts.get("document") or prompts.get("passage") or default


def tokenizer_section(found: Checkpoint, out: Path) -> dict:
    """Copies the tokenizer's files to `out` and returns gyeot.json's section about them.

    A vocab.txt or a SentencePiece model is taken where its class's rules are known; otherwise
    tokenizer.json, which transformers writes if the folder has none.
    """
    source = found.transformer
    config_file = source / "tokenizer_config.json"
    config = read_json(config_file) if config_file.exists() else {}
    name = str(config.get("tokenizer_class") or "").removesuffix("Fast")
    extra = [n for n in ("tokenizer_config.json", "special_tokens_map.json") if (source / n).exists()]
    vocabulary = source / "vocab.txt"
    model = next((source / n for n in SENTENCEPIECE_NAMES if (source / n).exists()), None)
    if vocabulary.exists() and name in WORDPIECE_CLASSES:
        section = {"type": "wordpiece", "files": ["vocab.txt", *extra]}
    elif model and (name == "XLMRobertaTokenizer" or found.config["model_type"] == "xlm-roberta"):
        section = {
            "type": "sentencepiece", "files": [model.name],
            "id_offset": 1, "unk_id": 3, "prefix": [0], "suffix": [2], "pad_id": 1,
        }
    else:
        section = {"type": "tokenizer.json", "files": ["tokenizer.json"]}
        if not (source / "tokenizer.json").exists():
            _write_tokenizer_json(source, out)
    pad = found.config.get("pad_token_id")
    if section["type"] != "sentencepiece" and isinstance(pad, int):
        section["pad_id"] = pad
    for path in dict.fromkeys([*section["files"], *extra]):
        if (source / path).exists():
            (out / path).write_bytes((source / path).read_bytes())
    return section


def _write_tokenizer_json(source: Path, out: Path) -> None:
    from transformers import AutoTokenizer

    # Without any of these transformers makes an empty tokenizer up.
    sources = ("vocab.txt", "vocab.json", *SENTENCEPIECE_NAMES)
    if not any((source / name).exists() for name in sources):
        raise ModelError(
            f"{source} has no tokenizer: vocab.txt, sentencepiece.bpe.model or tokenizer.json is needed"
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, use_fast=True)
        tokenizer.backend_tokenizer.save(str(out / "tokenizer.json"))
    except Exception as error:  # whatever transformers says, the file is what is missing
        raise ModelError(
            f"{source} has a tokenizer that transformers cannot read: {error}"
        ) from None
