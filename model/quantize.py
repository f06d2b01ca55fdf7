"""Eight-bit weights: matrices by column through ONNX Runtime's quantizer, embeddings by row.

The quantizer would give a whole embedding table one scale; a scale for each row costs four bytes a
row and is kind to rare words, whose vectors are short.
"""
from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from model.outliers import Outliers, split

MANY_ROWS = 1024


def dynamic(model: onnx.ModelProto, outliers: Outliers) -> onnx.ModelProto:
    """An int8 copy: weights int8, activations quantised while running, but for their outliers."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for name in [node.name for node in copy.graph.node if node.op_type == "Gather"]:
        _embedding(copy, name)
    exact = split(copy, outliers)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "f32.onnx", Path(folder) / "int8.onnx"
        onnx.save(copy, source)
        logging.getLogger().setLevel(logging.ERROR)  # it advises a pass that has been done already
        quantize_dynamic(
            source, target, nodes_to_exclude=exact,
            op_types_to_quantize=["MatMul", "Attention"], per_channel=True,
            weight_type=QuantType.QInt8, extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )
        return onnx.load(target)


def _embedding(model: onnx.ModelProto, name: str) -> None:
    """Replaces one Gather of a large f32 table by a Gather of int8 rows times their scales."""
    graph = model.graph
    index, node = next((i, n) for i, n in enumerate(graph.node) if n.name == name)
    tensor = next((t for t in graph.initializer if t.name == node.input[0]), None)
    if tensor is None or tensor.data_type != TensorProto.FLOAT or len(tensor.dims) != 2:
        return
    table = numpy_helper.to_array(tensor)
    if len(table) < MANY_ROWS:
        return
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / np.float32(127)
    rows = np.clip(np.rint(table / scales), -127, 127).astype(np.int8)
    graph.initializer.remove(tensor)
    graph.initializer.append(numpy_helper.from_array(rows, tensor.name + "_quantized"))
    graph.initializer.append(
        numpy_helper.from_array(scales.astype(np.float32), tensor.name + "_scale")
    )
    ids, output = node.input[1], node.output[0]
    graph.node.remove(node)
    for offset, new in enumerate((
        helper.make_node("Gather", [tensor.name + "_quantized", ids], [name + ".rows"]),
        helper.make_node("Cast", [name + ".rows"], [name + ".whole"], to=TensorProto.FLOAT),
        helper.make_node("Gather", [tensor.name + "_scale", ids], [name + ".scales"]),
        helper.make_node("Mul", [name + ".whole", name + ".scales"], [output]),
    )):
        new.name = f"{name}.{offset}"
        graph.node.insert(index + offset, new)
