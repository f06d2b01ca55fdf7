"""`gyeot export --to parquet|jsonl`, read by pyarrow and json: the table's values, one by one."""
from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = ROOT / "model/table/ko.safetensors"
AWKWARD = [
    ("감정", "그랬'군요\"", "탭\t과 줄\n바꿈"), ("감정", "역슬래시 \\ \\n", ""),
    ("이모지 👩‍👩‍👧", "𠮷野家", "🫠"), ("긴 글", "가나다 " * 3000, "끝"),
]


def gyeot(*arguments: str) -> None:
    said = subprocess.run(
        ["node", str(ROOT / "dist/command.js"), *arguments],
        capture_output=True, text=True, timeout=600, check=False,
    )
    assert said.returncode == 0, said.stderr


def read_table(file: Path) -> tuple[dict[str, list[str]], np.ndarray, dict[str, str]]:
    """Texts by column, f32 vectors, metadata: by safetensors alone."""
    with safe_open(file, "numpy") as opened:
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}
        meta = opened.metadata()
    texts = {}
    for name in ("group", "question", "answer"):
        data, ends = tensors[f"{name}_bytes"].tobytes(), tensors[f"{name}_offsets"].tolist()
        texts[name] = [data[a:b].decode("utf-8") for a, b in zip(ends, ends[1:])]
    vectors = tensors["vectors"].astype(np.float32)
    if "scales" in tensors:
        # Vectors of an int8 table are brought back to length 1 when it is read.
        vectors = vectors * tensors["scales"][:, None]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return texts, vectors, meta


def same_vectors(table: Path, read: np.ndarray, vectors: np.ndarray) -> None:
    """Exactly so, but for the last bits where an int8 table's were scaled."""
    assert np.allclose(read, vectors, rtol=0, atol=1e-6 if table == DEFAULT else 0)


@pytest.fixture(params=["awkward", "default"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "default":
        return DEFAULT
    cell = lambda text: '"' + text.replace('"', '""') + '"'  # noqa: E731
    lines = [",".join(map(cell, row)) for row in (("구분", "유저", "챗봇"), *AWKWARD)]
    (tmp_path / "in.csv").write_text("\n".join(lines), encoding="utf-8")
    gyeot("table", str(tmp_path / "in.csv"), "--out", str(tmp_path / "t.safetensors"))
    return tmp_path / "t.safetensors"


def test_parquet_gives_every_value_back(table: Path, tmp_path: Path) -> None:
    gyeot("export", "--table", str(table), "--to", "parquet", "--out", str(tmp_path / "t.parquet"))
    texts, vectors, meta = read_table(table)
    file = pq.ParquetFile(tmp_path / "t.parquet")
    read = file.read()
    assert read.column_names == ["id", "group", "question", "answer", "vector"]
    assert read.schema.field("id").type == pa.int32()
    assert read.schema.field("question").type == pa.string()
    assert read.schema.field("vector").type.value_type == pa.float32()
    assert read["id"].to_pylist() == list(range(len(vectors)))
    for name, values in texts.items():
        assert read[name].to_pylist() == values
    flat = pc.list_flatten(read["vector"]).to_numpy().reshape(vectors.shape)
    same_vectors(table, flat, vectors)
    about = file.schema_arrow.metadata
    assert about[b"fingerprint"].decode() == meta["fingerprint"]
    assert about[b"dimension"] == str(vectors.shape[1]).encode()


def test_json_lines_give_every_value_back(table: Path, tmp_path: Path) -> None:
    gyeot("export", "--table", str(table), "--to", "jsonl", "--out", str(tmp_path / "t.jsonl"))
    texts, vectors, _ = read_table(table)
    with open(tmp_path / "t.jsonl", encoding="utf-8", newline="\n") as lines:
        rows = [json.loads(line) for line in lines]
    assert [row["id"] for row in rows] == list(range(len(vectors)))
    for name, values in texts.items():
        assert [row[name] for row in rows] == values
    same_vectors(table, np.array([row["vector"] for row in rows], np.float32), vectors)
