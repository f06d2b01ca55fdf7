"""`python tests/python/corpus_50000.py`: model.embed_corpus with 50,000 rows, killed half-way.

Makes ten Parquet files from the questions of the default table (varied in their ends, many of them
more than once), starts the command, kills it with all its processes once three files are done,
starts it again, and compares: every row there once, no finished file touched again, and the vectors
of 200 texts with `gyeot embed`. Prints the figures; exits 1 when one of these fails.
`--distinct N` sets how many texts differ. `--gyeot` has the workers run the built command, whose
vectors then have to be equal bit for bit.
"""
from __future__ import annotations

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
ROWS, FILES = 50_000, 10
ENDS = ["", "..", "ㅠㅠ", " 어떡하지", "?", " 진짜", "!!", " ㅎㅎ", " 요즘", "~"]


def make(folder: Path, distinct: int) -> list[str]:
    """Writes the corpus; returns its texts in the order of their ids."""
    rng = random.Random(20240229)
    with open(ROOT / "model/table/ko.csv", encoding="utf-8") as file:
        questions = [row["유저"] for row in csv.DictReader(file)]
    pool = list(dict.fromkeys(question + end for end in ENDS for question in questions))[:distinct]
    texts = pool + rng.choices(pool, k=ROWS - len(pool))
    rng.shuffle(texts)
    folder.mkdir()
    for part in range(FILES):
        ids = range(part, ROWS, FILES)
        table = pa.table({"id": pa.array(ids, pa.int64()), "text": [texts[row] for row in ids]})
        pq.write_table(table, folder / f"part-{part:02}.parquet")
    return texts


def start(source: Path, out: Path, gyeot: bool) -> subprocess.Popen:
    more = ["--gyeot", f"node {ROOT}/dist/command.js"] if gyeot else []
    return subprocess.Popen(
        [sys.executable, "-m", "model.embed_corpus", str(source), str(out), *more],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "SPARK_LOCAL_HOSTNAME": "localhost"},
    )


def finished(out: Path) -> dict[str, int]:
    """The files of folders whose rows were committed, with the time they were written."""
    return {
        str(file): file.stat().st_mtime_ns
        for mark in out.glob("*/_SUCCESS") for file in mark.parent.glob("*.parquet")
    }


def kill_half_way(source: Path, out: Path, gyeot: bool) -> dict[str, int]:
    running = start(source, out, gyeot)
    while len(list(out.glob("*/_SUCCESS"))) < 3 and running.poll() is None:
        time.sleep(0.2)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    return finished(out)


def embedded(texts: list[str]) -> np.ndarray:
    """What `gyeot embed --document` says."""
    said = subprocess.run(
        ["node", str(ROOT / "dist/command.js"), "embed", "--document"],
        input="".join(json.dumps(text) + "\n" for text in texts),
        capture_output=True, text=True, check=True,
    )
    return np.array([json.loads(line) for line in said.stdout.splitlines()], np.float32)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--distinct", type=int, default=1500)
    parser.add_argument("--gyeot", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gyeot-corpus-") as folder:
        source, out = Path(folder) / "in", Path(folder) / "out"
        texts = make(source, options.distinct)
        began = time.monotonic()
        kept = kill_half_way(source, out, options.gyeot)
        killed = time.monotonic() - began
        again = start(source, out, options.gyeot)
        said, _ = again.communicate()
        seconds = time.monotonic() - began
        print(said.rstrip().splitlines()[-1] if said.strip() else "nothing was said")
        after = finished(out)
        read = pa.concat_tables(pq.ParquetFile(file).read() for file in sorted(after))
        ids = read["id"].to_numpy()
        vectors = read["vector"].combine_chunks().flatten().to_numpy().reshape(len(ids), -1)
        where = np.argsort(ids)
        sample = random.Random(7).sample(range(ROWS), 200)
        ours, theirs = vectors[where[sample]], embedded([texts[row] for row in sample])
        cosines = (ours * theirs).sum(axis=1)
        near = cosines.mean() > 0.999 and cosines.min() > 0.99
        same = np.array_equal(ours, theirs) if options.gyeot else near
        checks = {
            "the second run ended well": again.returncode == 0,
            "every row is there once": np.array_equal(ids[where], np.arange(ROWS)),
            "every text kept its id": [texts[row] for row in ids] == read["text"].to_pylist(),
            "no finished file was touched": kept.items() <= after.items(),
            "every vector has length 1": bool(np.allclose((vectors**2).sum(axis=1), 1, atol=1e-4)),
            "vectors are those of gyeot embed": same,
        }
    print(
        f"{ROWS} rows, {len(set(texts))} distinct texts, in {seconds:.0f} s; killed after "
        f"{killed:.0f} s with {len(kept)} of {len(after)} output files done"
    )
    print(
        f"cosine with gyeot embed on 200 rows: {cosines.mean():.5f} on average, "
        f"{cosines.min():.5f} at worst"
    )
    for name, holds in checks.items():
        print(f"{'yes' if holds else 'NO '}  {name}")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
