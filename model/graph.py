"""Encoders as ONNX graphs of ONNX Runtime's fused operators, written down from a state dict.

    ids ─▶ word embedding ─┐
    positions + type 0 ────┴▶ layer norm ─▶ [attention ─▶ skip norm ─▶ gelu FFN ─▶ skip norm] × layers

Two inputs are enough, `input_ids` and `attention_mask`: a sentence has token type 0, whose vector is
added to the positions' once and for all, and padding is on the right, so positions are 0, 1, 2 …
(RoBERTa's begin after its padding index: those rows come first here).
"""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from model.errors import ModelError

MICROSOFT = "com.microsoft"
OPSET = 17
OUTPUT, POOLED = "last_hidden_state", "sentence_embedding"
MATRICES = {
    "qkv": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "mix": ("attention.output.dense",),
    "in": ("intermediate.dense",),
    "out": ("output.dense",),
}
"""The matrices of a layer by their names here, and what of the checkpoint each is made of."""
FAMILY = {"bert": 0, "roberta": 1, "xlm-roberta": 1, "camembert": 1}
"""Architectures that are BERT in all but names; 1 where positions start after the padding index."""


class Builder:
    """Collects nodes and weights of one graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes) -> str:
        self.nodes.append(
            helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes)
        )
        return output


def fits(config: Mapping) -> bool:
    """Whether `bert` can write this architecture down."""
    return (
        config.get("model_type") in FAMILY
        and config.get("hidden_act", "gelu") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
    )


def bert(config: Mapping, state: Mapping[str, np.ndarray], max_length: int) -> onnx.ModelProto:
    """The f32 graph of a BERT, RoBERTa, XLM-R or CamemBERT encoder.

    Raises ModelError when a weight is missing or the positions are fewer than `max_length`.
    """
    build = Builder()
    weights = _Weights(state)
    eps = float(config.get("layer_norm_eps", 1e-12))
    mask = build.node("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
    hidden = _embed(build, config, weights, max_length, eps)
    for layer in range(config["num_hidden_layers"]):
        hidden = _layer(build, config, weights, hidden, mask, layer, eps)
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info(
        OUTPUT, TensorProto.FLOAT, ["batch", "length", config["hidden_size"]]
    )
    graph = helper.make_graph(build.nodes, "encoder", inputs, [output], build.weights)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="gyeot")


class _Weights:
    """A state dict whose missing entries are named."""

    def __init__(self, state: Mapping[str, np.ndarray]) -> None:
        self.state = state

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.state:
            raise ModelError(f"the checkpoint has no weight {name}")
        return np.asarray(self.state[name], dtype=np.float32)


def _embed(
    build: Builder, config: Mapping, weights: _Weights, max_length: int, eps: float
) -> str:
    part = "embeddings."
    positions = weights[part + "position_embeddings.weight"]
    if FAMILY[config["model_type"]]:
        positions = positions[config.get("pad_token_id", 1) + 1 :]
    if len(positions) < max_length:
        raise ModelError(f"the checkpoint has {len(positions)} positions, fewer than {max_length}")
    types = weights[part + "token_type_embeddings.weight"]
    table = build.weight("position", positions[:max_length] + types[0])
    word = build.weight("word", weights[part + "word_embeddings.weight"])
    build.node("Gather", [word, "input_ids"], "words")
    build.node("Shape", ["input_ids"], "batch_length")
    build.node("Shape", ["input_ids"], "length", start=1, end=2)
    zero = build.weight("zero", np.zeros(1, np.int64))
    build.node("Slice", [table, zero, "length", zero], "positions")
    width = build.weight("width", np.array([config["hidden_size"]], np.int64))
    build.node("Concat", ["batch_length", width], "shape", axis=0)
    build.node("Expand", ["positions", "shape"], "places")
    norm = [
        build.weight("embed.norm.weight", weights[part + "LayerNorm.weight"]),
        build.weight("embed.norm.bias", weights[part + "LayerNorm.bias"]),
    ]
    return build.node(
        "SkipLayerNormalization", ["words", "places", *norm], "embedded", MICROSOFT, epsilon=eps
    )


def _layer(
    build: Builder, config: Mapping, weights: _Weights, hidden: str, mask: str, layer: int, eps: float
) -> str:
    part, own = f"encoder.layer.{layer}.", f"layer{layer}."

    def matrix(name: str) -> str:
        sources = [weights[part + source + ".weight"].T for source in MATRICES[name]]
        return build.weight(own + name, np.concatenate(sources, axis=1))

    def vector(name: str, *sources: str) -> str:
        return build.weight(own + name, np.concatenate([weights[part + s] for s in sources]))

    def skip(name: str, value: str, residual: str, source: str, norm: str, output: str) -> str:
        return build.node(
            "SkipLayerNormalization",
            [
                value, residual, vector(name + ".weight", norm + ".weight"),
                vector(name + ".bias", norm + ".bias"), vector(name + ".dense", source + ".bias"),
            ],
            output, MICROSOFT, epsilon=eps,
        )

    attended = build.node(
        "Attention",
        [hidden, matrix("qkv"), vector("qkv.bias", *(f"{n}.bias" for n in MATRICES["qkv"])), mask],
        own + "attention", MICROSOFT, num_heads=config["num_attention_heads"],
    )
    (out,) = MATRICES["mix"]
    mixed = build.node("MatMul", [attended, matrix("mix")], own + "mixed")
    middle = skip("norm1", mixed, hidden, out, "attention.output.LayerNorm", own + "middle")
    wide = build.node("MatMul", [middle, matrix("in")], own + "wide")
    bent = build.node(
        "BiasGelu", [wide, vector("in.bias", "intermediate.dense.bias")], own + "gelu", MICROSOFT
    )
    narrow = build.node("MatMul", [bent, matrix("out")], own + "narrow")
    last = layer == config["num_hidden_layers"] - 1
    output = OUTPUT if last else own + "output"
    return skip("norm2", narrow, middle, "output.dense", "output.LayerNorm", output)


def add_pooling(
    model: onnx.ModelProto, pooling: str, width: int, dense: list[tuple[np.ndarray, np.ndarray, str]]
) -> None:
    """Ends a graph in `sentence_embedding`: pooling, then dense layers (weight, bias, activation).

    For what follows pooling in a checkpoint and the reader of a model folder does not do by itself.
    """
    build = Builder()
    hidden = model.graph.output[0].name
    build.node("Cast", ["attention_mask"], "pool.mask", to=TensorProto.FLOAT)
    last = build.weight("pool.last", np.array([2], np.int64))
    build.node("Unsqueeze", ["pool.mask", last], "pool.weights")
    if pooling == "cls":
        first = build.weight("pool.first", np.array(0, np.int64))
        vector = build.node("Gather", [hidden, first], "pool.vector", axis=1)
    elif pooling == "max":
        far = build.weight("pool.far", np.array(-1e9, np.float32))
        one = build.weight("pool.one", np.array(1, np.float32))
        build.node("Sub", [one, "pool.weights"], "pool.absent")
        build.node("Mul", ["pool.absent", far], "pool.push")
        build.node("Add", [hidden, "pool.push"], "pool.pushed")
        vector = build.node("ReduceMax", ["pool.pushed"], "pool.vector", axes=[1], keepdims=0)
    else:
        axis = build.weight("pool.axis", np.array([1], np.int64))
        floor = build.weight("pool.floor", np.array(1e-9, np.float32))
        build.node("Mul", [hidden, "pool.weights"], "pool.masked")
        build.node("ReduceSum", ["pool.masked", axis], "pool.sum", keepdims=0)
        build.node("ReduceSum", ["pool.weights", axis], "pool.count", keepdims=0)
        divisor = build.node("Max", ["pool.count", floor], "pool.divisor")
        if pooling == "mean_sqrt_len":
            divisor = build.node("Sqrt", [divisor], "pool.root")
        vector = build.node("Div", ["pool.sum", divisor], "pool.vector")
    for index, (weight, bias, activation) in enumerate(dense):
        name = f"dense{index}"
        build.node("MatMul", [vector, build.weight(name + ".weight", weight.T)], name + ".product")
        vector = build.node("Add", [name + ".product", build.weight(name + ".bias", bias)], name)
        if activation != "Identity":
            vector = build.node(activation, [vector], name + ".activated")
        width = len(bias)
    build.node("Identity", [vector], POOLED)
    model.graph.node.extend(build.nodes)
    model.graph.initializer.extend(build.weights)
    del model.graph.output[:]
    model.graph.output.append(
        helper.make_tensor_value_info(POOLED, TensorProto.FLOAT, ["batch", width])
    )
