"""model.fourbit and model.packing: rounding to four bits, and the packed file there and back."""
from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import transformers
from onnx import TensorProto, helper
from test_model_export import TEXTS, bert, made, sentence_modules, wordpiece

from model import export, fourbit, packing, recover
from model.errors import ModelError

SIZES = dict(hidden_size=64, num_attention_heads=4, intermediate_size=96, vocab_size=1100)


@pytest.fixture(scope="module")
def rounded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(5)
    folder = tmp_path_factory.mktemp("rounded")
    bert(folder / "source", **SIZES)
    wordpiece(folder / "source", SIZES["vocab_size"])
    sentence_modules(folder / "source", SIZES["hidden_size"])
    fourbit.round_checkpoint(folder / "source", folder / "four", TEXTS, say=lambda text: None)
    return folder


def test_rounding_makes_up_for_its_errors() -> None:
    """Rounded in turn, a matrix errs less on its own inputs than with each weight at its nearest."""
    random = np.random.default_rng(1)
    matrix = random.standard_normal((96, 40)).astype(np.float32)
    inputs = random.standard_normal((500, 96)) @ random.standard_normal((96, 96))
    grid = fourbit.round_matrix(matrix, inputs.T @ inputs / len(inputs))
    plain = fourbit.round_matrix(matrix, np.eye(96))

    def error(taken: fourbit.Grid) -> float:
        return float(np.linalg.norm(inputs @ (taken.values() - matrix)))

    assert error(grid) < 0.8 * error(plain)
    assert np.linalg.norm(plain.values() - matrix) < 0.09 * np.linalg.norm(matrix)


def test_values_are_scales_times_int8() -> None:
    grid = fourbit.round_rows(np.random.default_rng(2).standard_normal((7, 64)).astype(np.float32))
    whole = grid.whole()
    assert whole.dtype == np.int8 and np.abs(whole).max() <= fourbit.PEAK
    np.testing.assert_array_equal(grid.values(), whole.astype(np.float32) * grid.scales[:, None])


def test_a_rounded_checkpoint_is_exported_packed(rounded: Path) -> None:
    manifest = made(rounded / "four", rounded / "model", keep_f32=False)
    out = rounded / "model"
    assert manifest["encoder"]["file"] == packing.NAME
    assert not (out / export.INT8).exists()
    packed = (out / packing.NAME).read_bytes()
    whole = packing.unpack(packed)
    assert len(packed) < 0.75 * len(whole)
    assert packing.read(out / packing.NAME) == whole


def test_its_int8_matrices_are_those_of_the_checkpoint(rounded: Path) -> None:
    """Nothing is rounded again: int8 times scale gives the very weights of the rounded checkpoint."""
    model = transformers.AutoModel.from_pretrained(rounded / "four")
    grid = fourbit.load(rounded / "four")["layer1.in"]
    weight = model.state_dict()["encoder.layer.1.intermediate.dense.weight"].numpy()
    np.testing.assert_array_equal(grid.values(), weight.T)


def vectors(folder: Path) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder)).encode(TEXTS, normalize_embeddings=True)


def test_recovery_brings_vectors_nearer_and_stays_on_the_grid(rounded: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(rounded / "four", out)
    wanted = vectors(rounded / "source")
    before = (vectors(out) * wanted).sum(axis=1).mean()
    recover.recover(
        rounded / "source", out, TEXTS, {"layer0.out": [7, 21]}, steps=100, weight_rate=1e-4,
        rate=4e-4, say=lambda text: None,
    )
    assert 1 - (vectors(out) * wanted).sum(axis=1).mean() < 0.7 * (1 - before)
    grids = fourbit.load(out)
    changed = [name for name, grid in fourbit.load(rounded / "four").items()
               if not np.array_equal(grid.indices, grids[name].indices)]
    assert "layer0.qkv" in changed and "word" not in changed
    made(out, tmp_path / "model", keep_f32=False)  # refused if a matrix were off its grid


def test_inputs_are_rounded_as_onnx_runtime_rounds_them() -> None:
    values = np.random.default_rng(3).normal(0.5, 1, (1, 5, 8)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
         helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"])],
        "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    wanted = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": values})[0]
    padded = np.concatenate([values, np.full((1, 2, 8), 9, np.float32)], axis=1)
    real = torch.arange(7)[None, :, None] < 5
    mine = recover.eight_bits(torch.from_numpy(padded), real)[:, :5].numpy()
    np.testing.assert_allclose(mine, wanted, atol=1e-6)
    padded[..., 2] *= 100
    besides = recover.eight_bits(torch.from_numpy(padded), real, [2])[:, :5].numpy()
    np.testing.assert_array_equal(besides[..., 2], padded[:, :5, 2])
    assert np.abs(besides - padded[:, :5]).max() < 0.02


@pytest.mark.parametrize("cut", [3, 15, 20, 40, 1000, -1])
def test_a_cut_file_is_refused(rounded: Path, cut: int) -> None:
    made(rounded / "four", rounded / "model", keep_f32=False)
    packed = (rounded / "model" / packing.NAME).read_bytes()
    with pytest.raises(ModelError, match="packed weights"):
        packing.unpack(packed[:cut])


def test_a_width_that_has_no_blocks_is_refused(tmp_path: Path) -> None:
    bert(tmp_path / "source")
    sentence_modules(tmp_path / "source", 48)
    with pytest.raises(ModelError, match="multiple of 32"):
        fourbit.round_checkpoint(tmp_path / "source", tmp_path / "four", TEXTS, say=lambda text: None)


def test_the_default_model_is_packed() -> None:
    folder = Path(__file__).resolve().parents[2] / "model" / "default"
    file = json.loads((folder / "gyeot.json").read_text(encoding="utf-8"))["encoder"]["file"]
    packed = (folder / file).read_bytes()
    assert packing.is_packed(packed) and len(packed) < 17_000_000
    assert len(packing.unpack(packed)) > 25_000_000
