"""`python -m model.export CHECKPOINT --out DIR`: a gyeot model folder from anyone's checkpoint.

CHECKPOINT is a sentence-transformers or plain Hugging Face folder on this computer: BERT, RoBERTa,
XLM-R, MPNet, MiniLM, E5 and their like, in safetensors or PyTorch's .bin, with vocab.txt, a
SentencePiece model or tokenizer.json. DIR gets onnx/model.onnx (f32), onnx/model_quantized.onnx
(int8), the tokenizer, gyeot.json and recorded vectors for `gyeot verify`. A checkpoint that
`python -m model.fourbit` has rounded gives onnx/model_quantized.onnx.gyw (int8, packed) instead.
"""
from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx

from model import checkpoint, fourbit, graph, manifest, outliers, packing, parity, quantize
from model.checkpoint import Checkpoint
from model.errors import ModelError

F32, INT8 = "onnx/model.onnx", "onnx/model_quantized.onnx"
F32_TOLERANCE = 1e-4
INT8_COSINE = 0.99


def encoder_graph(found: Checkpoint, max_length: int) -> onnx.ModelProto:
    """The f32 graph of a checkpoint, with what follows pooling where a folder cannot say it."""
    import torch
    from transformers import AutoModel

    # Plain attention: the fused kinds cannot be written down by PyTorch's exporter.
    model = AutoModel.from_pretrained(
        found.transformer, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    if graph.fits(found.config):
        state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
        made = graph.bert({**model.config.to_dict(), **found.config}, state, max_length)
    else:
        made = _traced(model, found)
    if found.dense:
        graph.add_pooling(made, found.pooling, found.width, found.dense)
    return made


def _traced(model, found: Checkpoint) -> onnx.ModelProto:
    """Any other encoder, by PyTorch's exporter and ONNX Runtime's optimizer."""
    import torch
    from onnxruntime.transformers import optimizer

    class Hidden(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask):
            return self.model(input_ids=input_ids, attention_mask=attention_mask)[0]

    names = ["input_ids", "attention_mask"]
    ids = torch.full((2, 9), 5)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "traced.onnx"
        torch.onnx.export(
            Hidden(), (ids, torch.ones_like(ids)), path, dynamo=False, opset_version=graph.OPSET,
            input_names=names, output_names=[graph.OUTPUT],
            dynamic_axes={name: {0: "batch", 1: "length"} for name in [*names, graph.OUTPUT]},
        )
        heads = int(found.config.get("num_attention_heads", 0))
        fused = optimizer.optimize_model(
            str(path), model_type="bert", num_heads=heads,
            hidden_size=found.config["hidden_size"], opt_level=0,
        )
        fused.save_model_to_file(str(path))  # which declares the domain of the fused operators
        return onnx.load(path)


def export(
    source: Path,
    out: Path,
    *,
    name: str | None = None,
    license_name: str = "",
    origin: str = "",
    languages: list[str] | None = None,
    dimension: int | None = None,
    max_length: int | None = None,
    keep_f32: bool = True,
    texts: list[str] | None = None,
    settings: dict | None = None,
    say=print,
) -> dict:
    """Exports `source` to `out`, checks it against sentence-transformers, returns the manifest.

    A checkpoint that `model.fourbit` has rounded gives a packed int8 file.

    Raises ModelError when the checkpoint cannot be used, or the f32 graph differs from it.
    """
    found = checkpoint.read(source)
    length = max_length or found.max_length
    if length > found.max_length and max_length:
        raise ModelError(f"{source} reads {found.max_length} tokens at most, not {max_length}")
    width = dimension or found.width
    if not 0 < width <= found.width:
        raise ModelError(f"{source} has {found.width} dimensions; --dimension {width} is not in them")
    normalize = found.normalize or dimension is not None
    out.mkdir(parents=True, exist_ok=True)
    (out / "onnx").mkdir(exist_ok=True)
    say(f"Reading {source}: {found.config['model_type']}, {found.width} dimensions, "
        f"{found.pooling} pooling, {length} tokens")
    whole = encoder_graph(found, length)
    onnx.save(whole, out / F32)
    texts = texts or parity.sentences()
    made = parity.reference(source, texts, found.query_prompt, length)
    int8_graph = quantize.dynamic(whole, outliers.find(whole, made.ids))
    grids = packing.use_grids(int8_graph, fourbit.load(source))
    onnx.save(int8_graph, out / INT8)
    section = checkpoint.tokenizer_section(found, out)
    _describe(found, out, normalize, width, length)

    one = made.vectors[:, :width]
    one = parity.unit(one) if normalize else one
    f32, int8 = (
        parity.run(out / file, made.ids, found.pooling, width, normalize) for file in (F32, INT8)
    )
    worst = float(np.abs(f32 - one).max())
    cosine = parity.cosines(int8, one)
    say(f"Parity on {len(texts)} sentences with sentence-transformers: f32 differs by {worst:.1e} at "
        f"most, int8 has cosine {cosine.min():.4f} at least and {cosine.mean():.4f} on average")
    if worst > F32_TOLERANCE * max(1.0, float(np.abs(one).max())):
        raise ModelError(f"{out / F32} differs from sentence-transformers by {worst:.1e}")
    if cosine.min() < INT8_COSINE:
        say(f"Note: int8 loses more than usual here; {F32} is in the folder too")
    parity.record(out / "parity.json", made, width, normalize)
    encoder = INT8
    if grids:
        encoder = packing.NAME
        (out / encoder).write_bytes(packing.pack(int8_graph, grids))
        (out / INT8).unlink()
    if not keep_f32:
        (out / F32).unlink()
    written = manifest.write(out, {
        "name": name or source.resolve().name,
        **({"license": license_name} if license_name else {}),
        **({"origin": origin} if origin else {}),
        "languages": languages or [],
        "dimension": width,
        "max_length": length,
        "pooling": "mean" if found.dense else found.pooling,
        "normalize": normalize,
        "prompts": {"query": found.query_prompt, "document": found.document_prompt},
        "tokenizer": section,
        "encoder": {
            "file": encoder, "inputs": ["input_ids", "attention_mask"],
            "output": whole.graph.output[0].name,
        },
        "threshold": 0.0, "margin": 0.0, "vote": {"k": 10, "scale": 20},
        "parity": "parity.json",
        **(settings or {}),
    })
    for entry in written["files"]:
        say(f"  {entry['size']:>12,}  {entry['path']}")
    return written


def _describe(found: Checkpoint, out: Path, normalize: bool, width: int, length: int) -> None:
    """The files that sentence-transformers and transformers.js look for."""
    manifest.write_json(out / "config.json", found.config)
    path = "sentence_transformers.models."
    modules = [("Transformer", ""), ("Pooling", "1_Pooling")]
    modules += [("Normalize", "2_Normalize")] if normalize else []
    manifest.write_json(out / "modules.json", [
        {"idx": index, "name": str(index), "path": where, "type": path + kind}
        for index, (kind, where) in enumerate(modules)
    ])
    manifest.write_json(out / "1_Pooling/config.json", {
        "word_embedding_dimension": width,
        **{flag: mode == found.pooling for flag, mode in checkpoint.POOLINGS.items()},
    })
    manifest.write_json(
        out / "sentence_bert_config.json", {"max_seq_length": length, "do_lower_case": False}
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m model.export", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", help="the model's name in gyeot.json (default: the folder's)")
    parser.add_argument("--license", default="", help="the weights' licence, such as MIT")
    parser.add_argument("--languages", nargs="*", default=[], help="such as ko en")
    parser.add_argument("--dimension", type=int, help="keep the first N dimensions, renormalised")
    parser.add_argument("--max-length", type=int, help="tokens a text at most")
    parser.add_argument("--no-f32", action="store_true", help="leave out onnx/model.onnx")
    given = parser.parse_args(arguments)
    try:
        export(
            given.checkpoint, given.out, name=given.name, license_name=given.license,
            languages=given.languages, dimension=given.dimension, max_length=given.max_length,
            keep_f32=not given.no_f32,
        )
    except ModelError as error:
        print("model.export:", " ".join(str(error).split()), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
