"""`python -m model.average OUT CHECKPOINT=WEIGHT …`: a weighted mean of checkpoints of one shape.

Tuning moves a model towards its training data; averaging with where it started takes back what that
cost elsewhere. The first checkpoint gives all files but the weights.
"""
from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from model.errors import ModelError

WEIGHTS = "model.safetensors"


def average(out: Path, parts: list[tuple[Path, float]]) -> None:
    """Writes the mean. Raises ModelError when the checkpoints differ in shape or weigh nothing."""
    total = sum(weight for _, weight in parts)
    if total <= 0:
        raise ModelError("the weights of an average should add up to more than 0")
    mean: dict[str, np.ndarray] = {}
    for folder, weight in parts:
        state = {
            name: value for name, value in load_file(folder / WEIGHTS).items()
            if not name.startswith("pooler.")
        }
        if mean and {n: v.shape for n, v in mean.items()} != {n: v.shape for n, v in state.items()}:
            raise ModelError(f"{folder} has other weights than {parts[0][0]}")
        for name, value in state.items():
            mean[name] = mean.get(name, np.float32(0)) + value.astype(np.float32) * (weight / total)
    shutil.copytree(parts[0][0], out, dirs_exist_ok=True)
    save_file(
        {name: np.ascontiguousarray(value, np.float32) for name, value in mean.items()},
        out / WEIGHTS, metadata={"format": "pt"},
    )


def main(arguments: list[str]) -> int:
    try:
        if len(arguments) < 2 or any("=" not in part for part in arguments[1:]):
            raise ModelError("usage: python -m model.average OUT CHECKPOINT=WEIGHT …")
        pairs = (part.rsplit("=", 1) for part in arguments[1:])
        average(Path(arguments[0]), [(Path(folder), float(weight)) for folder, weight in pairs])
    except (ModelError, ValueError) as error:
        print(f"model.average: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
