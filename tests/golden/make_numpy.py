"""Writes tests/data/numpy.json: pooling and search by NumPy, for tests/js/vector-index.test.js.

    python tests/golden/make_numpy.py
"""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np

TEXTS, LENGTH, WIDTH, ROWS, K = 4, 6, 24, 60, 8
OUT = Path(__file__).parent.parent / "data" / "numpy.json"


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 7) for value in values.ravel()]


def main() -> None:
    random = np.random.default_rng(20260101)
    hidden = random.normal(size=(TEXTS, LENGTH, WIDTH)).round(4)
    mask = (np.arange(LENGTH) < np.array([[6], [3], [1], [0]])).astype(int)
    pooled = (hidden * mask[..., None]).sum(1) / np.maximum(mask.sum(1, keepdims=True), 1e-9)
    rows = random.normal(size=(ROWS, WIDTH)).round(4)
    queries = pooled[:3]
    scores = unit(queries) @ unit(rows).T
    nearest = np.argsort(-scores, axis=1, kind="stable")[:, :K]
    OUT.write_text(json.dumps({
        "dims": [TEXTS, LENGTH, WIDTH],
        "hidden": rounded(hidden),
        "mask": mask.ravel().tolist(),
        "mean": rounded(pooled),
        "unit": rounded(unit(pooled)),
        "rows": rounded(rows),
        "nearest": nearest.tolist(),
        "scores": [rounded(row[order]) for row, order in zip(scores, nearest)],
    }) + "\n")


if __name__ == "__main__":
    main()
