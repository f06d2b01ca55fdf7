"""model.embed_corpus on Spark in local mode; tests/python/corpus_50000.py does it with 50,000 rows.

It needs Java (`node wasm/build/setup.js python`) and model/requirements-spark.txt.
"""
from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from model import embed_corpus, manifest
from model.by_command import CommandFiles
from model.embedder import Embedder, ModelFiles
from model.errors import ModelError

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = ROOT / "model/default"
TEXTS = [
    "잠이 안 와요", "<s> 나 </s>", "\u1102\u1161 각", "", None, "O'Neil \\ \"따옴표\"\n줄", "가 " * 200, "🫠",
]


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    session = (
        SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    )
    embed_corpus.use_this_python(session)
    yield session
    session.stop()


def corpus(folder: Path) -> dict[str, pa.Table]:
    """Three files at different depths, with every kind of value that a conversion could spoil."""
    tables = {}
    for number, name in enumerate(("a.parquet", "lang=ko/b.parquet", "lang=ko/한글 이름.parquet")):
        texts = [TEXTS[(number + row) % len(TEXTS)] for row in range(20)]
        count = len(texts)
        table = pa.table({
            "id": pa.array([None if row == 3 else 2**60 + row for row in range(count)], pa.int64()),
            "text": pa.array(texts, pa.string()),
            "tags": pa.array([["ㄱ", None] if row % 2 else None for row in range(count)]),
            "when": pa.array(
                [datetime(2024, 2, 29, 1, 2, 3, row) for row in range(count)], pa.timestamp("us")
            ),
            "share": pa.array([None if row == 5 else row / 3 for row in range(count)]),
            "flag": pa.array([None if row == 7 else row % 2 == 0 for row in range(count)]),
        })
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, folder / name)
        tables[name] = table
    (folder / "_temporary").mkdir()
    (folder / "_temporary/half.parquet").write_bytes(b"not parquet")
    return tables


def rows_of(out: Path, name: str) -> list[dict]:
    folder = out / embed_corpus.folder_of(name)
    found = [row for file in folder.glob("*.parquet") for row in rows_in(file)]
    return sorted(found, key=lambda row: row["when"])


def rows_in(file: Path) -> list[dict]:
    return pq.ParquetFile(file).read().to_pylist()


def written(out: Path) -> list[Path]:
    return list(out.glob("*/part-*.parquet"))


def stamps(out: Path) -> dict[str, int]:
    return {str(file.relative_to(out)): file.stat().st_mtime_ns for file in written(out)}


def test_rows_come_back_with_the_embedders_vectors(spark: SparkSession, tmp_path: Path) -> None:
    tables = corpus(tmp_path / "in")
    out = tmp_path / "out"
    run = lambda: embed_corpus.embed(  # noqa: E731
        spark, str(tmp_path / "in"), str(out), DEFAULT, rows_per_task=8, say=lambda text: None
    )
    done = run()
    assert (done["files"], done["before"], done["rows"]) == (3, 0, 60)
    # Two cores, two worker processes: one session each, however many the files and tasks.
    assert 1 <= done["sessions"] <= 2

    embedder = Embedder(ModelFiles.read(DEFAULT))
    expected = dict(zip(TEXTS, embedder.embed([text or "" for text in TEXTS])))
    for name, table in tables.items():
        rows = rows_of(out, name)
        vectors = [row.pop("vector") for row in rows]
        for row in rows:
            row["when"] = row["when"].replace(tzinfo=None)
            row.pop("lang", None)
        assert rows == table.to_pylist(), name
        for row, vector in zip(rows, vectors):
            if row["text"] is None:
                assert vector is None
            else:
                ours = np.array(vector, np.float32)
                assert np.array_equal(ours, expected[row["text"]]), row["text"]

    whole = spark.read.parquet(str(out))
    assert whole.count() == 60
    sources = whole.select("source_file").distinct().collect()
    assert {row.source_file for row in sources} == set(tables)

    # Nothing is left to do; then a file that was cut short, and one that is new, are done alone.
    before = stamps(out)
    assert run()["rows"] == 0
    assert stamps(out) == before
    (out / "source_file=a.parquet/_SUCCESS").unlink()
    pq.write_table(tables["a.parquet"].slice(0, 4), tmp_path / "in/new.parquet")
    done = run()
    assert (done["files"], done["before"], done["rows"]) == (2, 2, 24)
    after = stamps(out)
    kept = {name for name in before if "source_file=lang" in name}
    assert kept
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert spark.read.parquet(str(out)).count() == 64

    # Vectors of another model, or of another kind, never join them.
    with pytest.raises(ModelError, match="cannot be mixed"):
        embed_corpus.embed(spark, str(tmp_path / "in"), str(out), DEFAULT, kind="query")
    note = json.loads((out / "_gyeot.json").read_text(encoding="utf-8"))
    described = json.loads((DEFAULT / manifest.NAME).read_text(encoding="utf-8"))
    assert note["model"] == described["fingerprint"]


def test_with_the_command_the_vectors_are_its_own_bit_for_bit(
    spark: SparkSession, tmp_path: Path
) -> None:
    command = f"node {ROOT}/dist/command.js"
    texts = [text or "" for text in TEXTS] * 2
    one, out = tmp_path / "one.parquet", tmp_path / "out"
    pq.write_table(pa.table({"text": [*texts, None]}), one)
    embed_corpus.embed(
        spark, str(one), str(out), DEFAULT, rows_per_task=8, gyeot=command, say=lambda text: None
    )
    rows = [row for file in written(out) for row in rows_in(file)]
    assert len(rows) == len(texts) + 1
    said = subprocess.run(
        [*command.split(), "embed", "--document"], capture_output=True, text=True, check=True,
        input="".join(json.dumps(text) + "\n" for text in texts),
    )
    theirs = {
        text: np.array(json.loads(line), np.float32)
        for text, line in zip(texts, said.stdout.splitlines())
    }
    for row in rows:
        if row["text"] is None:
            assert row["vector"] is None
        else:
            assert np.array_equal(np.array(row["vector"], np.float32), theirs[row["text"]])
    with pytest.raises(ModelError, match="runtime is 'gyeot', now 'onnxruntime'"):
        embed_corpus.embed(spark, str(one), str(out), DEFAULT)


def test_a_command_that_fails_is_named(tmp_path: Path) -> None:
    files = CommandFiles.read(DEFAULT, "no-such-command")
    with pytest.raises(ModelError, match="no-such-command could not be started"):
        files.open().embed(["가"])
    assert files.open().embed([]).shape == (0, 384)
    broken = {**files.files, "gyeot.json": b"{}"}
    changed = CommandFiles(files.manifest, broken, f"node {ROOT}/dist/command.js")
    with pytest.raises(ModelError, match="gyeot embed failed: gyeot: .*gyeot.json"):
        changed.open().embed(["가"])
    with pytest.raises(ModelError, match="no complete model folder"):
        CommandFiles.read(tmp_path, "gyeot")


def test_what_cannot_be_embedded_is_named(spark: SparkSession, tmp_path: Path) -> None:
    run = lambda source, **more: embed_corpus.embed(  # noqa: E731
        spark, str(source), str(tmp_path / "out"), DEFAULT, **more
    )
    with pytest.raises(ModelError, match="is not there"):
        run(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="no .parquet file"):
        run(tmp_path / "empty")
    one = tmp_path / "one.parquet"
    pq.write_table(pa.table({"text": ["가"], "n": [1], "vector": [[1.0]]}), one)
    with pytest.raises(ModelError, match='"vector" already'):
        run(one)
    with pytest.raises(ModelError, match='no column "n" of strings; there are: text'):
        embed_corpus.embed(spark, str(one), str(tmp_path / "other"), DEFAULT, column="n")


def test_the_command_runs_in_its_own_workers(tmp_path: Path) -> None:
    one, out = tmp_path / "one.parquet", tmp_path / "out"
    pq.write_table(pa.table({"q": ["잠이 안 와요", "안녕"]}), one)
    said = subprocess.run(
        [sys.executable, "-m", "model.embed_corpus", str(one), str(out), "--column", "q"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=900,
    )
    assert said.returncode == 0, said.stderr[-3000:]
    assert said.stdout.splitlines()[-1] == "2 rows of 1 files; 0 files were done before; 1 sessions"
    rows = [row for file in written(out) for row in rows_in(file)]
    expected = Embedder(ModelFiles.read(DEFAULT)).embed([row["q"] for row in rows])
    assert np.array_equal(np.array([row["vector"] for row in rows], np.float32), expected)
