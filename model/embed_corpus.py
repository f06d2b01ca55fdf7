"""`python -m model.embed_corpus INPUT OUT`: vectors for a corpus, by Spark.

The corpus may be too large for one machine. INPUT is a Parquet file, or a folder of them, with a
column of texts; OUT a folder that gets, for each file of INPUT, the same rows with one more column
`vector` (array<float>); a text that is null has none. `spark.read.parquet(OUT)` reads it whole,
with the column `source_file` telling where a row came from.

Restartable: a file's rows are written in one commit, which ends with Spark's _SUCCESS. A file that
has one is not touched again, and one that was cut short is done afresh; so the same command goes on
after a crash, and later takes what was added to INPUT. Files already there should not change.

Vectors are those of `gyeot embed` with an f32 encoder (within 1e-5). Those of an int8 one lie as
near as two builds of ONNX Runtime do (a cosine of 0.9997 on average); with `--gyeot COMMAND` they
are the same bits, because each worker runs that command in ONNX Runtime's place.

On a cluster, `spark-submit --master ... model/embed_corpus.py` needs nothing on the workers but
pyspark, numpy, pandas, pyarrow, onnxruntime and the tokenizer's library; model and code are sent.
"""
from __future__ import annotations

import argparse
import atexit
import json
import os
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pandas as pd
from pyspark import Broadcast
from pyspark.accumulators import Accumulator
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import ArrayType, FloatType, StringType, StructType

if __package__ in (None, ""):  # started as a file by spark-submit
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from model.by_command import CommandEmbedder, CommandFiles
from model.embedder import Embedder, ModelFiles
from model.errors import ModelError

HERE = Path(__file__).resolve().parent
SENT = ("__init__.py", "errors.py", "parity.py", "embedder.py", "by_command.py", "embed_corpus.py")
NOTE = "_gyeot.json"
SOURCE, VECTOR = "source_file", "vector"
UNSAFE = re.compile(r"[\x00-\x1f\x7f\"#%'*/:=?\\{\[\]^]")
MARK = "mapreduce.fileoutputcommitter.marksuccessfuljobs"

# The embedder of this worker process, by the model's fingerprint: a process serves many tasks.
_embedders: dict[str, Embedder | CommandEmbedder] = {}


def worker(
    files: Broadcast[ModelFiles | CommandFiles], sessions: Accumulator[int], column: str, kind: str
) -> Callable[[Iterator[pd.DataFrame]], Iterator[pd.DataFrame]]:
    """What a task does with its rows; runs in the worker's process."""

    def run(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        from model import embed_corpus

        embedder = embed_corpus.embedder_of(files.value, sessions)
        for frame in frames:
            filled = frame[column].notna().to_numpy()
            vectors = iter(embedder.embed(frame[column][filled].tolist(), kind))
            own = [next(vectors) if full else None for full in filled]
            yield frame.assign(**{VECTOR: pd.Series(own, index=frame.index, dtype=object)})

    return run


def embedder_of(
    files: ModelFiles | CommandFiles, sessions: Accumulator[int]
) -> Embedder | CommandEmbedder:
    """This process's embedder, made at its first use."""
    key = f"{runtime_of(files)} {files.manifest['fingerprint']}"
    if key not in _embedders:
        _embedders.clear()
        _embedders[key] = files.open()
        sessions.add(1)
    return _embedders[key]


def runtime_of(files: ModelFiles | CommandFiles) -> str:
    """Whose roundings the vectors have."""
    return "gyeot" if isinstance(files, CommandFiles) else "onnxruntime"


class Storage:
    """Paths on whatever Spark reads: this disk, HDFS, an object store."""

    def __init__(self, spark: SparkSession) -> None:
        self._java = spark.sparkContext._jvm
        self._conf = spark.sparkContext._jsc.hadoopConfiguration()

    def _open(self, path: str):
        place = self._java.org.apache.hadoop.fs.Path(path)
        return place.getFileSystem(self._conf), place

    def absolute(self, path: str) -> str:
        system, place = self._open(path)
        return system.makeQualified(place).toString()

    def exists(self, path: str) -> bool:
        system, place = self._open(path)
        return system.exists(place)

    def parquet_files(self, path: str) -> list[str]:
        """Full names of the Parquet files under `path`, hidden ones left out, in order."""
        system, place = self._open(path)
        if not system.exists(place):
            raise ModelError(f"{path} is not there")
        root = system.makeQualified(place).toString()
        found, files = [], system.listFiles(place, True)
        while files.hasNext():
            name = files.next().getPath().toString()
            parts = name[len(root) :].split("/")
            if name.endswith(".parquet") and not any(part[:1] in ("_", ".") for part in parts):
                found.append(name)
        if not found:
            raise ModelError(f"{path} has no .parquet file")
        return sorted(found)

    def read(self, path: str) -> str:
        system, place = self._open(path)
        stream = system.open(place)
        try:
            return bytes(stream.readAllBytes()).decode("utf-8")
        finally:
            stream.close()

    def write(self, path: str, text: str) -> None:
        system, place = self._open(path)
        stream = system.create(place, True)
        try:
            stream.write(bytearray(text.encode("utf-8")))
        finally:
            stream.close()


def source_name(file: str, root: str) -> str:
    """The file's name below `root`."""
    return file[len(root) :].lstrip("/") or file.rsplit("/", 1)[-1]


def folder_of(name: str) -> str:
    """Where in OUT a file's rows go: a partition, escaped as Spark escapes the names of its own."""
    return f"{SOURCE}=" + UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", name)


def check_note(storage: Storage, out: str, note: dict) -> None:
    """Writes what OUT is made with, or raises ModelError when it was made with something else."""
    path = f"{out}/{NOTE}"
    if not storage.exists(path):
        storage.write(path, json.dumps(note, ensure_ascii=False, indent=2) + "\n")
        return
    earlier = json.loads(storage.read(path))
    for key, value in note.items():
        if earlier.get(key) != value:
            raise ModelError(
                f"{path}: {key} is {earlier.get(key)!r}, now {value!r}; their vectors cannot be "
                "mixed, choose another folder"
            )


def check_columns(frame: DataFrame, file: str, column: str) -> None:
    types = {field.name: field.dataType for field in frame.schema.fields}
    if not isinstance(types.get(column), StringType):
        texts = [name for name, kind in types.items() if isinstance(kind, StringType)]
        found = ", ".join(texts) or "none"
        raise ModelError(f'{file} has no column "{column}" of strings; there are: {found}')
    for name in (VECTOR, SOURCE):
        if name in types:
            raise ModelError(f'{file} has a column "{name}" already')


def embed(
    spark: SparkSession, source: str, out: str, model: Path, *,
    column: str = "text", kind: str = "document", rows_per_task: int = 4096, at_once: int = 2,
    gyeot: str | None = None, say: Callable[[str], None] = print,
) -> dict[str, int]:
    """Embeds all files of `source` that `out` lacks, where `gyeot` is given by that command.

    Returns counts: files, those done before, rows, and ONNX Runtime sessions made.
    """
    files = ModelFiles.read(model) if gyeot is None else CommandFiles.read(model, gyeot)
    storage = Storage(spark)
    names = storage.parquet_files(source)
    root, out = storage.absolute(source), storage.absolute(out)
    check_note(storage, out, {
        "model": files.manifest["fingerprint"], "dimension": files.manifest["dimension"],
        "column": column, "kind": kind, "runtime": runtime_of(files),
    })
    context = spark.sparkContext
    context.addPyFile(code_archive())
    sent, sessions = context.broadcast(files), context.accumulator(0)
    task = worker(sent, sessions, column, kind)

    def one(file: str) -> int:
        name = source_name(file, root)
        reader = spark.read if file == root else spark.read.option("basePath", root)
        frame = reader.parquet(file)
        check_columns(frame, file, column)
        rows = frame.count()
        schema = StructType(frame.schema.fields).add(VECTOR, ArrayType(FloatType(), False))
        tasks = max(1, -(-rows // rows_per_task))
        # By text, so that one that occurs often is run once.
        made = frame.repartition(tasks, column).mapInPandas(task, schema)
        made.write.mode("overwrite").option(MARK, "true").parquet(f"{out}/{folder_of(name)}")
        say(f"{name}: {rows} rows")
        return rows

    left = [
        file for file in names
        if not storage.exists(f"{out}/{folder_of(source_name(file, root))}/_SUCCESS")
    ]
    try:
        # Files side by side keep a cluster busy while the last tasks of one are still running.
        with ThreadPoolExecutor(at_once) as threads:
            rows = sum(threads.map(one, left))
    finally:
        sent.destroy()
    return {
        "files": len(left), "before": len(names) - len(left), "rows": rows,
        "sessions": sessions.value,
    }


def use_this_python(spark: SparkSession) -> None:
    """In local mode, workers run the Python that runs this, unless PYSPARK_PYTHON names one."""
    if spark.sparkContext.master.startswith("local"):
        spark.sparkContext.pythonExec = os.environ.get("PYSPARK_PYTHON", sys.executable)


@cache
def code_archive() -> str:
    """The modules that a worker imports, as one archive that lasts as long as this process."""
    folder = Path(tempfile.mkdtemp(prefix="gyeot-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    archive = folder / "gyeot_model.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name in SENT:
            packed.write(HERE / name, f"model/{name}")
    return str(archive)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m model.embed_corpus", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("source", metavar="INPUT")
    parser.add_argument("out", metavar="OUT")
    parser.add_argument("--column", default="text", help="the column of texts (text)")
    parser.add_argument("--model", type=Path, default=HERE / "default", help="model folder")
    parser.add_argument("--query", action="store_true", help="with the query prompt")
    parser.add_argument("--rows-per-task", type=int, default=4096)
    parser.add_argument("--at-once", type=int, default=2, help="files worked on side by side (2)")
    parser.add_argument(
        "--gyeot", metavar="COMMAND",
        help='runs this on every worker, such as "npx gyeot": its vectors, bit for bit',
    )
    options = parser.parse_args(arguments)
    spark = (
        SparkSession.builder.appName("gyeot: embed a corpus")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    use_this_python(spark)
    try:
        done = embed(
            spark, options.source, options.out, options.model, column=options.column,
            kind="query" if options.query else "document",
            rows_per_task=options.rows_per_task, at_once=options.at_once, gyeot=options.gyeot,
        )
    except ModelError as error:
        print(f"embed_corpus: {error}", file=sys.stderr)
        return 2
    finally:
        spark.stop()
    print(
        f"{done['rows']} rows of {done['files']} files; {done['before']} files were done before; "
        f"{done['sessions']} sessions"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
