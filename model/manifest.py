"""Writes gyeot.json: every file with size and SHA-256, and the fingerprint of the vectors."""
from __future__ import annotations

import hashlib
import json
from pathlib import Path

NAME = "gyeot.json"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fingerprint(folder: Path, manifest: dict) -> str:
    """The identity of a model's vectors: tables made with another one are refused."""
    identity = [
        sha256(folder / manifest["encoder"]["file"]),
        [sha256(folder / path) for path in manifest["tokenizer"]["files"]],
        manifest["pooling"], manifest["normalize"],
        manifest["prompts"]["query"], manifest["prompts"]["document"],
        manifest["max_length"], manifest["dimension"],
    ]
    text = json.dumps(identity, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def write(folder: Path, manifest: dict) -> dict:
    """Completes and writes the manifest of all files in `folder`; returns it."""
    paths = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (NAME, "README.md")
    )
    whole = {
        "format": "gyeot-model",
        "version": 1,
        **manifest,
        "fingerprint": fingerprint(folder, manifest),
        "files": [
            {"path": path, "size": (folder / path).stat().st_size, "sha256": sha256(folder / path)}
            for path in paths
        ],
    }
    write_json(folder / NAME, whole)
    return whole


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
