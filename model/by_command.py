"""A model folder's vectors from `gyeot embed` itself, where they have to be the same bits.

An int8 encoder takes its roundings from the last bits of its sums, and those differ between builds
of ONNX Runtime: one last bit more or less in one norm's weights moves vectors as far (a cosine of
0.9998 on average, 0.997 at worst) as native and WebAssembly lie apart. No setting of a session
closes that; the same build does.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.errors import ModelError


@dataclass(frozen=True)
class CommandFiles:
    """A folder's files as they are, and the command that reads them where they are sent to."""

    manifest: dict
    files: dict[str, bytes]
    command: str

    @staticmethod
    def read(folder: Path, command: str) -> CommandFiles:
        """Raises ModelError when the folder has no gyeot.json or lacks a file that it names."""
        try:
            described = (folder / "gyeot.json").read_bytes()
            manifest = json.loads(described)
            names = [manifest["encoder"]["file"], *manifest["tokenizer"]["files"]]
            files = {name: (folder / name).read_bytes() for name in names}
            return CommandFiles(manifest, {"gyeot.json": described, **files}, command)
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"{folder} is no complete model folder: {error}") from None

    def open(self) -> CommandEmbedder:
        return CommandEmbedder(self)


class CommandEmbedder:
    """The folder on this machine's disk for as long as this lives, and a process a call."""

    def __init__(self, files: CommandFiles) -> None:
        self._command = shlex.split(files.command)
        self._dimension = int(files.manifest["dimension"])
        self._folder = tempfile.TemporaryDirectory(prefix="gyeot-model-")
        for name, content in files.files.items():
            path = Path(self._folder.name) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def embed(self, texts: Sequence[str], kind: str = "document") -> np.ndarray:
        """Vectors f32 [n, dimension]. A text that occurs more than once is run once."""
        rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        if not rows:
            return np.zeros((0, self._dimension), np.float32)
        command = [*self._command, "embed", "--quiet", "--model", self._folder.name]
        lines = "".join(json.dumps(text) + "\n" for text in rows)
        try:
            said = subprocess.run(
                [*command, "--document"] if kind == "document" else command,
                input=lines, capture_output=True, text=True, check=True, encoding="utf-8",
            )
        except OSError as error:
            raise ModelError(f"{self._command[0]} could not be started: {error}") from None
        except subprocess.CalledProcessError as error:
            raise ModelError(f"gyeot embed failed: {error.stderr.strip()}") from None
        vectors = np.array([json.loads(line) for line in said.stdout.splitlines()], np.float32)
        if vectors.shape != (len(rows), self._dimension):
            raise ModelError(f"gyeot embed gave {vectors.shape} numbers for {len(rows)} texts")
        return vectors[[rows[text] for text in texts]]
