"""What the products of an encoder's graph read, on sentences: for rounding that asks what matters."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper


def products(model: onnx.ModelProto) -> dict[str, onnx.NodeProto]:
    """The MatMul and Attention nodes that multiply a stored matrix, by the matrix's name."""
    weights = {tensor.name: len(tensor.dims) for tensor in model.graph.initializer}
    return {
        node.input[1]: node for node in model.graph.node
        if node.op_type in ("MatMul", "Attention") and weights.get(node.input[1]) == 2
    }


def run(
    model: onnx.ModelProto, names: list[str], ids: list[list[int]]
) -> Iterator[dict[str, np.ndarray]]:
    """These values of the graph [texts, tokens, width], for one batch of texts after another."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:]
    for name in names:
        copy.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(copy.SerializeToString(), options)
    inputs = [value.name for value in session.get_inputs()]
    for batch in _of_one_length(ids):
        feeds = {
            "input_ids": batch, "attention_mask": np.ones_like(batch),
            "token_type_ids": np.zeros_like(batch),
        }
        yield dict(zip(names, session.run(names, {name: feeds[name] for name in inputs})))


def _of_one_length(ids: list[list[int]], most: int = 32) -> list[np.ndarray]:
    """Batches without padding."""
    by_length: dict[int, list[list[int]]] = {}
    for row in ids:
        by_length.setdefault(len(row), []).append(row)
    return [
        np.array(rows[start : start + most], np.int64)
        for rows in by_length.values() for start in range(0, len(rows), most)
    ]
