"""The C core against the `sentencepiece` package, shortly; tests/fuzz/differential_sentencepiece.py
alone compares 200,000 lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests/fuzz/differential_sentencepiece.py"
DEFAULT_MODEL = ROOT / "model/default/sentencepiece.bpe.model"


def test_generated_lines_give_the_same_ids() -> None:
    command = [sys.executable, str(SCRIPT), "1500", "20240306"]
    if DEFAULT_MODEL.exists():
        command.append(str(DEFAULT_MODEL))
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    assert " 0 differences" in result.stdout
