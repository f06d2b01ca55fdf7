"""Outlier channels of products' inputs, multiplied by themselves in f32 while the rest is int8.

In encoders of BERT's kin a few channels of a hidden state are ten times as large as all others, often
in the first and the last token alone. One scale serves an input when ONNX Runtime rounds it to eight
bits, so these channels leave five bits or fewer to everything else. Taken out, they cost a product of a
few columns; the idea is LLM.int8()'s (Dettmers and others, arXiv:2208.07339).

    x ─┬─▶ x × kept, 0 for outliers ─▶ int8 product ─▶ + ─▶
       └─▶ the outlier channels ─▶ f32 product with their rows ─┘
"""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import helper, numpy_helper

from model import activations

MOST = 4
"""So many channels of an input are taken out at most."""
FACTOR = 2.0
"""How far an outlier's largest value stands above that of the channel after the MOST largest.

model/TRAINING.md has the figures of 1.5, 2 and 3.
"""

Outliers = Mapping[str, list[int]]
"""Channels by the name of the matrix whose product reads them."""


def find(model: onnx.ModelProto, ids: list[list[int]]) -> Outliers:
    """The outlier channels of the MatMuls of an f32 graph that reads `ids`."""
    sources = {
        name: node.input[0] for name, node in activations.products(model).items()
        if node.op_type == "MatMul"
    }
    peaks: dict[str, np.ndarray] = {}
    for values in activations.run(model, sorted(set(sources.values())), ids):
        for source, value in values.items():
            peak = np.abs(value).reshape(-1, value.shape[-1]).max(axis=0)
            peaks[source] = np.maximum(peaks.get(source, 0), peak)
    found = {}
    for name, source in sources.items():
        order = np.argsort(-peaks[source], kind="stable")
        rest = peaks[source][order[MOST]] if len(order) > MOST else np.inf
        channels = [int(channel) for channel in order[:MOST] if peaks[source][channel] > FACTOR * rest]
        if channels:
            found[name] = sorted(channels)
    return found


def split(model: onnx.ModelProto, outliers: Outliers) -> list[str]:
    """Takes the outliers out of the products of `model`; returns the names of the f32 products."""
    graph = model.graph
    products = activations.products(model)
    weights = {tensor.name: tensor for tensor in graph.initializer}
    exact = []
    for name, channels in outliers.items():
        node, matrix = products[name], numpy_helper.to_array(weights[name])
        source, output = node.input[0], node.output[0]
        kept = np.ones(len(matrix), np.float32)
        kept[channels] = 0
        parts = {
            "kept": kept, "outliers": np.array(channels, np.int64),
            "rows": np.ascontiguousarray(matrix[channels]),
        }
        own = {part: f"{name}.{part}" for part in (*parts, "most", "few", "main", "exact")}
        graph.initializer.extend(
            numpy_helper.from_array(values, own[part]) for part, values in parts.items()
        )
        node.name = node.output[0] = own["main"]
        node.input[0] = own["most"]
        at = list(graph.node).index(node)
        for place, kind, inputs, result in (
            (at, "Mul", [source, own["kept"]], own["most"]),
            (at + 2, "Gather", [source, own["outliers"]], own["few"]),
            (at + 3, "MatMul", [own["few"], own["rows"]], own["exact"]),
            (at + 4, "Add", [own["main"], own["exact"]], output),
        ):
            new = helper.make_node(kind, inputs, [result], name=result)
            if kind == "Gather":
                new.attribute.append(helper.make_attribute("axis", -1))
            graph.node.insert(place, new)
        exact.append(own["exact"])
    return exact
