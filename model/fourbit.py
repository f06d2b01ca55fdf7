"""`python -m model.fourbit CHECKPOINT --out DIR`: rounds a checkpoint's matrices to four bits a weight.

What comes out is a checkpoint like any other, whose matrices lie on a coarse grid, and four_bits.npz,
which says where on it. `python -m model.export` writes such a checkpoint as a packed model: four bits
a weight on the wire, the very int8 matrices that ONNX Runtime multiplies after unpacking.

    weight = scale[column] x ((code[index] x multiplier[block, column] + 64) >> 7)

A block is 32 neighbours of one column of a matrix [inputs, outputs] (of one row of the embeddings),
`code` the sixteen values of the whole matrix. The middle factor is an int8, so the grid is a subset
of the int8 graph's own: unpacking rounds nothing.

Rounding follows GPTQ (Frantar and others, arXiv:2210.17323): inputs in turn, each one's error made up
for by those still to come, as the products with real inputs ask for; the inputs are those of the
calibration sentences. Then model.recover tunes the whole.
"""
from __future__ import annotations

import argparse
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from model import activations, average, checkpoint, datasets, graph, parity, quantize
from model.errors import ModelError
from model.packing import BLOCK, SHIFT, Grid, int8

NAME = "four_bits.npz"
MOST = 127
"""The largest code and the largest multiplier."""
PEAK = (MOST * MOST + (1 << (SHIFT - 1))) >> SHIFT
"""The largest int8 that comes out."""
DAMPING = 0.01
SHRINK = np.linspace(0.6, 1.0, 13)
"""Multipliers that are tried, as parts of the one that reaches a block's largest weight."""
MAX_LENGTH = 128


def _nearest(weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Indices of the nearest of rising `levels` [16, …], for weights of the shape behind the 16."""
    index = np.zeros(weights.shape, np.uint8)
    for lower, upper in zip(levels[:-1], levels[1:]):
        index += weights > (lower + upper) / 2
    return index


def _codes(weights: np.ndarray) -> np.ndarray:
    """Sixteen values for a matrix of blocks [n, 32], by Lloyd's method on blocks of one height."""
    peaks = np.abs(weights).max(axis=1, keepdims=True)
    sample = (weights / np.maximum(peaks, 1e-12)).ravel()
    sample = np.sort(np.random.default_rng(0).permutation(sample)[:200_000])
    levels = np.linspace(-1, 1, 16)
    for _ in range(40):
        edges = np.searchsorted(sample, (levels[:-1] + levels[1:]) / 2)
        parts = np.split(sample, edges)
        levels = np.array([part.mean() if len(part) else level for part, level in zip(parts, levels)])
    # Blocks may be drawn higher than their largest weight, so the outer levels reach the ends.
    return np.rint(levels / np.abs(levels).max() * MOST).astype(np.int8)


def _multipliers(
    weights: np.ndarray, scales: np.ndarray, codes: np.ndarray, importance: np.ndarray
) -> np.ndarray:
    """The multiplier of each column of a block [32, columns] that loses least."""
    wide = codes.astype(np.int32)
    top = np.abs(weights).max(axis=0) / scales / MOST * (1 << SHIFT)
    best = np.zeros(weights.shape[1], np.uint8)
    least = np.full(weights.shape[1], np.inf)
    for part in SHRINK:
        tried = np.clip(np.rint(top * part), 1, MOST).astype(np.uint8)
        levels = int8(wide[:, None], tried) * scales
        index = _nearest(weights, levels[:, None])
        taken = np.take_along_axis(levels, index.astype(np.intp), axis=0)
        loss = ((weights - taken) ** 2 * importance[:, None]).sum(axis=0)
        better = loss < least
        best[better], least[better] = tried[better], loss[better]
    return best


def round_rows(table: np.ndarray) -> Grid:
    """A table of embeddings [rows, columns] on its grid: each weight to the nearest."""
    rows, columns = table.shape
    if columns % BLOCK:
        raise ModelError(f"embeddings of {columns} dimensions; a multiple of {BLOCK} can be packed")
    scales = (np.maximum(np.abs(table).max(axis=1), 1e-12) / PEAK).astype(np.float32)
    blocks = table.reshape(-1, BLOCK).T
    each = np.repeat(scales, columns // BLOCK)
    codes = _codes(blocks.T)
    multipliers = _multipliers(blocks, each, codes, np.ones(BLOCK))
    levels = int8(codes.astype(np.int32)[:, None], multipliers) * each
    indices = _nearest(blocks, levels[:, None]).T.reshape(rows, columns)
    return Grid(codes, multipliers.reshape(rows, -1), indices, scales, True)


def round_matrix(matrix: np.ndarray, moments: np.ndarray) -> Grid:
    """A matrix [inputs, outputs] on its grid; `moments` is the mean of x xT over its inputs x."""
    inputs, outputs = matrix.shape
    if inputs % BLOCK:
        raise ModelError(f"a matrix of {inputs} inputs; a multiple of {BLOCK} can be packed")
    weights = matrix.astype(np.float64)
    scales = (np.maximum(np.abs(weights).max(axis=0), 1e-12) / PEAK).astype(np.float32)
    codes = _codes(weights.reshape(-1, BLOCK, outputs).transpose(0, 2, 1).reshape(-1, BLOCK))
    damped = moments + np.eye(inputs) * DAMPING * np.trace(moments) / inputs
    spread = np.linalg.cholesky(np.linalg.inv(damped)).T
    wide = codes.astype(np.int32)
    importance = 1 / np.diag(spread) ** 2
    multipliers = np.zeros((inputs // BLOCK, outputs), np.uint8)
    indices = np.zeros(matrix.shape, np.uint8)
    for start in range(0, inputs, BLOCK):
        end = start + BLOCK
        chosen = _multipliers(weights[start:end], scales, codes, importance[start:end])
        multipliers[start // BLOCK] = chosen
        levels = int8(wide[:, None], chosen) * scales
        errors = np.zeros((BLOCK, outputs))
        for row in range(start, end):
            index = _nearest(weights[row], levels)
            taken = np.take_along_axis(levels, index[None].astype(np.intp), axis=0)[0]
            indices[row] = index
            error = (weights[row] - taken) / spread[row, row]
            weights[row + 1 : end] -= np.outer(spread[row, row + 1 : end], error)
            errors[row - start] = error
        weights[end:] -= spread[start:end, end:].T @ errors
    return Grid(codes, multipliers, indices, scales, False)


def round_graph(model: onnx.ModelProto, ids: list[list[int]], say=print) -> dict[str, Grid]:
    """Grids of the matrices of a graph that reads `ids`, by their names in it."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    products = {name: node.input[0] for name, node in activations.products(model).items()}
    grids = {}
    words = numpy_helper.to_array(weights["word"])
    if len(words) >= quantize.MANY_ROWS:  # fewer stay f32 in the int8 graph too
        grids["word"] = round_rows(words)
    moments = _moments(model, sorted(set(products.values())), ids)
    with ProcessPoolExecutor() as pool:
        matrices = (numpy_helper.to_array(weights[name]) for name in products)
        sources = (moments[source] for source in products.values())
        for name, grid in zip(products, pool.map(round_matrix, matrices, sources)):
            grids[name] = grid
            say(f"{name} is rounded")
    return grids


def _moments(
    model: onnx.ModelProto, sources: list[str], ids: list[list[int]]
) -> dict[str, np.ndarray]:
    """Of each of these values [texts, tokens, width] the mean of x xT over all tokens x."""
    total: dict[str, np.ndarray] = {}
    for values in activations.run(model, sources, ids):
        for source, value in values.items():
            flat = value.reshape(-1, value.shape[-1])
            total[source] = total.get(source, 0) + (flat.T @ flat).astype(np.float64)
    count = sum(map(len, ids))
    return {source: value / count for source, value in total.items()}


def save(folder: Path, grids: dict[str, Grid]) -> None:
    arrays = {}
    for name, grid in grids.items():
        for part in ("codes", "multipliers", "indices", "scales"):
            arrays[f"{name}/{part}"] = getattr(grid, part)
    np.savez_compressed(folder / NAME, **arrays)


def load(folder: Path) -> dict[str, Grid]:
    """The grids of a rounded checkpoint; none if it is not one."""
    path = folder / NAME
    if not path.exists():
        return {}
    with np.load(path) as arrays:
        names = {name.rsplit("/", 1)[0] for name in arrays}
        parts = ("codes", "multipliers", "indices", "scales")
        return {
            name: Grid(*(arrays[f"{name}/{part}"] for part in parts), along_rows=name == "word")
            for name in names
        }


def state_names(name: str) -> tuple[str, ...]:
    """The checkpoint's weights, [outputs, inputs], that a matrix of the graph is made of."""
    layer, part = name.split(".")
    own = f"encoder.layer.{layer[5:]}."
    return tuple(own + source + ".weight" for source in graph.MATRICES[part])


def round_checkpoint(source: Path, out: Path, texts: list[str], say=print) -> None:
    """Writes `source` on its grid to `out`. Raises ModelError for an architecture it cannot round."""
    import torch
    from transformers import AutoModel

    found = checkpoint.read(source)
    if not graph.fits(found.config):
        raise ModelError(f"{source}: {found.config.get('model_type')} cannot be packed; BERT's kin can")
    length = min(found.max_length, MAX_LENGTH)
    model = AutoModel.from_pretrained(found.transformer, dtype=torch.float32)
    state = checkpoint.encoder_state(model)
    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    written = graph.bert({**model.config.to_dict(), **found.config}, arrays, length)
    ids = parity.token_ids(source, texts, found.query_prompt, length)
    grids = round_graph(written, ids, say)
    shutil.copytree(source, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.bin"))
    write(out / found.transformer.relative_to(source), out, state, grids)


def write(transformer: Path, folder: Path, state: dict, grids: dict[str, Grid]) -> None:
    """The weights, the rounded ones exactly where their grids say, and the grids."""
    import torch
    from safetensors.torch import save_file

    for name, grid in grids.items():
        if name == "word":
            state["embeddings.word_embeddings.weight"] = torch.from_numpy(grid.values())
            continue
        parts = state_names(name)
        for part, values in zip(parts, np.split(grid.values(), len(parts), axis=1)):
            state[part] = torch.from_numpy(np.ascontiguousarray(values.T))
    save_file(
        {name: tensor.detach().contiguous() for name, tensor in state.items()},
        transformer / average.WEIGHTS, metadata={"format": "pt"},
    )
    save(folder, grids)


def calibration_texts(count: int = 1000) -> list[str]:
    """Sentences of the kind that the default model reads, none of which evaluation uses."""
    groups = datasets.same_answer("train")
    texts = sorted({text for group in groups for text in group})
    texts += sorted({text for row in datasets.korsts("train") for text in row[:2]})
    chosen = np.random.default_rng(0).permutation(len(texts))[:count]
    return [texts[index] for index in chosen]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m model.fourbit", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--texts", type=Path, help="sentences to calibrate with, one a line")
    given = parser.parse_args(arguments)
    try:
        texts = (
            given.texts.read_text(encoding="utf-8").splitlines() if given.texts
            else calibration_texts()
        )
        round_checkpoint(given.checkpoint, given.out, texts)
    except ModelError as error:
        print(f"model.fourbit: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
