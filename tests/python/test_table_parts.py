"""A table in parts: joined as the README shows, it is the safetensors file that Python opens."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
from safetensors.numpy import load, load_file

ROOT = Path(__file__).resolve().parents[2]


def table(out: Path) -> None:
    csv = out.parent / "faq.csv"
    csv.write_text("유저,챗봇\n언제 여나요?,9시요.\n주차되나요?,네.\n", encoding="utf-8")
    command = ["node", str(ROOT / "dist/command.js"), "table", str(csv), "--out", str(out)]
    subprocess.run([*command, "--vectors", "i8"], check=True, capture_output=True, timeout=600)


def test_the_parts_joined_are_the_file(tmp_path: Path) -> None:
    table(tmp_path / "whole.safetensors")
    table(tmp_path / "faq.json")
    parts = json.loads((tmp_path / "faq.json").read_text(encoding="utf-8"))["parts"]
    joined = b"".join((tmp_path / part["path"]).read_bytes() for part in parts)
    assert joined == (tmp_path / "whole.safetensors").read_bytes()
    tensors, whole = load(joined), load_file(tmp_path / "whole.safetensors")
    assert tensors.keys() == whole.keys()
    vectors = tensors["vectors"] * tensors["scales"][:, None]
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
