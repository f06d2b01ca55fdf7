"""model.outliers: channels that stand out are found, and multiplied beside the int8 product."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from test_model_export import TEXTS, bert, sentence_modules, wordpiece

from model import checkpoint, export, outliers, parity, quantize

LOUD = {"layer0.in": [5, 40], "layer1.out": [17]}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> tuple[onnx.ModelProto, list[list[int]]]:
    """A graph with outliers before one product into the FFN and one out of it, and ids for it."""
    from transformers import AutoModel

    torch.manual_seed(4)
    folder: Path = tmp_path_factory.mktemp("loud")
    bert(folder)
    wordpiece(folder)
    sentence_modules(folder, 48)
    model = AutoModel.from_pretrained(folder)
    with torch.no_grad():
        model.encoder.layer[0].attention.output.LayerNorm.bias[LOUD["layer0.in"]] = 40.0
        model.encoder.layer[1].intermediate.dense.bias[LOUD["layer1.out"]] = 60.0
    model.save_pretrained(folder)
    ids = parity.token_ids(folder, TEXTS, "", 32)
    return export.encoder_graph(checkpoint.read(folder), 32), ids


def run(model: onnx.ModelProto, ids: list[list[int]], folder: Path) -> np.ndarray:
    onnx.save(model, folder / "model.onnx")
    return parity.run(folder / "model.onnx", ids, "mean", 48, normalize=True)


def test_loud_channels_are_found(encoder) -> None:
    found = outliers.find(*encoder)
    assert {name: found.get(name) for name in LOUD} == LOUD
    assert "layer0.out" not in found


def test_f32_products_are_as_before(encoder, tmp_path: Path) -> None:
    whole, ids = encoder
    copy = onnx.ModelProto()
    copy.CopyFrom(whole)
    outliers.split(copy, LOUD)
    np.testing.assert_allclose(run(copy, ids, tmp_path), run(whole, ids, tmp_path), atol=1e-5)


def test_int8_vectors_come_nearer(encoder, tmp_path: Path) -> None:
    whole, ids = encoder
    exact = run(whole, ids, tmp_path)
    plain, split = (
        1 - parity.cosines(run(quantize.dynamic(whole, channels), ids, tmp_path), exact).mean()
        for channels in ({}, LOUD)
    )
    assert split < 0.3 * plain
