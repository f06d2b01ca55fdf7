"""Packed ONNX files: int8 matrices as four bits a weight, everything else as it is.

The layout stands in src/gyeot_weights.h, whose C unpacks such files in the browser; `unpack` here is
for Python's readers. Packing loses nothing: unpacking gives the int8 file back, byte for byte.
"""
from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from model.errors import ModelError

MAGIC, VERSION = b"GYWT", 1
LITERAL, BLOCKS_IN_COLUMNS, BLOCKS_IN_ROWS = 0, 1, 2
NAME = "onnx/model_quantized.onnx.gyw"
BLOCK = 32
SHIFT = 7


@dataclass
class Grid:
    """A matrix on its grid. With `along_rows` (embeddings) blocks run along the rows."""

    codes: np.ndarray
    """int8 [16], rising."""
    multipliers: np.ndarray
    """uint8 [blocks, columns], or [rows, blocks] along rows; 0 to 127."""
    indices: np.ndarray
    """uint8 [rows, columns], 0 to 15."""
    scales: np.ndarray
    """f32 [columns], or [rows] along rows."""
    along_rows: bool

    def whole(self) -> np.ndarray:
        """The int8 matrix, [rows, columns]."""
        rows, columns = self.indices.shape
        if self.along_rows:
            each = np.repeat(self.multipliers, BLOCK, axis=1)[:, :columns]
        else:
            each = np.repeat(self.multipliers, BLOCK, axis=0)[:rows]
        return int8(self.codes[self.indices].astype(np.int32), each).astype(np.int8)

    def values(self) -> np.ndarray:
        """The f32 matrix, [rows, columns]."""
        scales = self.scales[:, None] if self.along_rows else self.scales
        return self.whole().astype(np.float32) * scales


def int8(codes: np.ndarray, multipliers: np.ndarray) -> np.ndarray:
    return (codes * multipliers.astype(np.int32) + (1 << (SHIFT - 1))) >> SHIFT


def pack(model: onnx.ModelProto, grids: Mapping[str, Grid]) -> bytes:
    """The packed file of an int8 graph; `grids` are its matrices by initializer name."""
    whole = model.SerializeToString()
    matrices = []
    for tensor in model.graph.initializer:
        if tensor.name not in grids:
            continue
        at = whole.find(tensor.raw_data)
        if not tensor.raw_data or at < 0 or tensor.raw_data != grids[tensor.name].whole().tobytes():
            raise ModelError(f"{tensor.name} is not the matrix that was rounded")
        matrices.append((at, grids[tensor.name]))
    segments, done = [], 0
    for at, grid in sorted(matrices, key=lambda pair: pair[0]):
        segments += [_literal(whole[done:at]), _matrix(grid)]
        done = at + grid.indices.size
    segments.append(_literal(whole[done:]))
    return MAGIC + struct.pack("<III", VERSION, len(segments), len(whole)) + b"".join(segments)


def _literal(data: bytes) -> bytes:
    return struct.pack("<III", LITERAL, len(data), 1) + data


def _matrix(grid: Grid) -> bytes:
    rows, columns = grid.indices.shape
    kind = BLOCKS_IN_ROWS if grid.along_rows else BLOCKS_IN_COLUMNS
    even = np.zeros((rows, (columns + 1) // 2), np.uint8)
    odd = even.copy()
    even[:] = grid.indices[:, 0::2]
    odd[:, : columns // 2] = grid.indices[:, 1::2]
    return b"".join((
        struct.pack("<III", kind, rows, columns),
        grid.codes.tobytes(), grid.multipliers.tobytes(), (even | odd << 4).tobytes(),
    ))


def is_packed(data: bytes) -> bool:
    return data[:4] == MAGIC


def unpack(data: bytes) -> bytes:
    """The ONNX file that a packed file holds. Raises ModelError when it is broken."""
    if not is_packed(data):
        raise ModelError("packed weights: the file does not begin as one")
    try:
        version, count, size = struct.unpack_from("<III", data, 4)
        if version != VERSION:
            raise ModelError(f"packed weights: version {version} is newer than {VERSION}")
        parts, at = [], 16
        for _ in range(count):
            kind, rows, columns = struct.unpack_from("<III", data, at)
            part, at = _read(data, at + 12, kind, rows, columns)
            parts.append(part)
    except (struct.error, ValueError) as error:
        raise ModelError(f"packed weights: the file is cut short ({error})") from None
    whole = b"".join(parts)
    if len(whole) != size or at != len(data):
        raise ModelError("packed weights: the segments do not make up the whole file")
    return whole


def _read(data: bytes, at: int, kind: int, rows: int, columns: int) -> tuple[bytes, int]:
    if kind == LITERAL:
        return data[at : at + rows], at + rows
    down = -(-rows // BLOCK) if kind == BLOCKS_IN_COLUMNS else rows
    across = columns if kind == BLOCKS_IN_COLUMNS else -(-columns // BLOCK)
    width = (columns + 1) // 2

    def take(kind: type, count: int) -> np.ndarray:
        nonlocal at
        values = np.frombuffer(data, kind, count, at)
        at += count
        return values

    codes = take(np.int8, 16)
    multipliers = take(np.uint8, down * across).reshape(down, across)
    pairs = take(np.uint8, rows * width).reshape(rows, width)
    indices = np.stack([pairs & 15, pairs >> 4], axis=2).reshape(rows, -1)[:, :columns]
    grid = Grid(codes, multipliers, indices, np.ones(0, np.float32), kind == BLOCKS_IN_ROWS)
    return grid.whole().tobytes(), at


def read(file: Path) -> bytes:
    """The ONNX bytes of an encoder's file, whether packed or not."""
    data = file.read_bytes()
    return unpack(data) if is_packed(data) else data


def use_grids(model: onnx.ModelProto, grids: Mapping[str, Grid]) -> dict[str, Grid]:
    """Puts the rounded int8 matrices and their scales in place of the quantiser's own.

    Returns the grids by the names of their int8 initializers.
    """
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    named = {}
    for name, grid in grids.items():
        small, scale = weights[name + "_quantized"], weights[name + "_scale"]
        small.CopyFrom(onnx.numpy_helper.from_array(grid.whole(), small.name))
        scales = grid.scales.reshape(tuple(scale.dims))
        scale.CopyFrom(onnx.numpy_helper.from_array(scales, scale.name))
        named[small.name] = grid
    return named
