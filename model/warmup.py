"""`python -m model.warmup`: writes the tiny encoder that wasm/gyeot/warmup.ts runs while a model loads.

It has one of each operator that an int8 encoder of ours has, as ONNX Runtime sees it before and after
its own fusions, and weights of a few numbers: its arithmetic is beside the point.
"""
from __future__ import annotations

import base64
import sys
from pathlib import Path

import numpy as np
import onnx

from model import graph, quantize

OUT = Path(__file__).parent.parent / "wasm/gyeot/warmup-model.ts"
HIDDEN, HEADS, WIDE, PIECES = 16, 2, 32, 8


def tiny() -> onnx.ModelProto:
    """One layer in int8, one of whose matrices keeps f32 inputs."""
    def weight(*shape: int) -> np.ndarray:
        return np.full(shape, 0.25, np.float32)

    state = {
        f"embeddings.{name}_embeddings.weight": weight(rows, HIDDEN)
        for name, rows in (("word", PIECES), ("position", PIECES), ("token_type", 1))
    }
    layer = "encoder.layer.0."
    matrices = {f"attention.self.{name}": (HIDDEN, HIDDEN) for name in ("query", "key", "value")}
    matrices |= {
        "attention.output.dense": (HIDDEN, HIDDEN),
        "intermediate.dense": (WIDE, HIDDEN),
        "output.dense": (HIDDEN, WIDE),
    }
    for name, shape in matrices.items():
        state[f"{layer}{name}.weight"] = weight(*shape)
        state[f"{layer}{name}.bias"] = weight(shape[0])
    for name in ["embeddings.LayerNorm", f"{layer}attention.output.LayerNorm", f"{layer}output.LayerNorm"]:
        state[f"{name}.weight"] = state[f"{name}.bias"] = weight(HIDDEN)
    config = {
        "model_type": "bert", "num_hidden_layers": 1, "hidden_size": HIDDEN,
        "num_attention_heads": HEADS,
    }
    quantize.MANY_ROWS = 1  # so that the word embeddings are quantised as a real model's are
    return _short(quantize.dynamic(graph.bert(config, state, PIECES), ["layer0.mixed"]))


def _short(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same with names of a letter or two, which are half of its bytes otherwise."""
    outside = {value.name for value in [*model.graph.input, *model.graph.output]} | {""}
    names: dict[str, str] = {}

    def short(name: str) -> str:
        return name if name in outside else names.setdefault(name, f"{len(names):x}")

    for node in model.graph.node:
        node.name = ""
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]
    for tensor in model.graph.initializer:
        tensor.name = short(tensor.name)
    return model


def main() -> int:
    text = base64.b64encode(tiny().SerializeToString()).decode()
    OUT.write_text(
        "/** An encoder of a few numbers; `python -m model.warmup` writes it. */\n"
        f"export const warmupModel =\n  '{text}';\n", encoding="utf-8",
    )
    print(f"{OUT}: {len(text)} characters")
    return 0


if __name__ == "__main__":
    sys.exit(main())
