"""Figures by which a tuned model is chosen: similarity and conversation, never one of them alone."""
from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from model import datasets
from model.errors import ModelError

Embed = Callable[[list[str]], np.ndarray]


def similarity(embed: Embed, rows: list[tuple[str, str, float]]) -> float:
    """Spearman (x 100) of cosine with people's scores."""
    from scipy.stats import spearmanr

    first, second = embed([row[0] for row in rows]), embed([row[1] for row in rows])
    return 100 * float(spearmanr((first * second).sum(axis=1), [row[2] for row in rows])[0])


def duplicates(embed: Embed) -> float:
    """How often (%) a held-out question's nearest is the one marked as asking the same."""
    rows = datasets.question_pairs("test")
    texts = sorted({text for row in rows for text in row[:2]})
    place = {text: index for index, text in enumerate(texts)}
    nearest = _nearest(embed(texts))
    hits = [
        nearest[place[one]] == place[two] for one, two, same in rows if same and one != two
    ]
    return 100 * float(np.mean(hits))


def group_hits(embed: Embed, groups: list[list[str]]) -> float:
    """How often (%) a question's nearest other question is of its own group."""
    texts = [text for group in groups for text in group]
    owner = np.array([index for index, group in enumerate(groups) for _ in group])
    several = np.array([len(group) > 1 for group in groups])[owner]
    nearest = _nearest(embed(texts))
    return 100 * float(np.mean((owner[nearest] == owner)[several]))


def _nearest(vectors: np.ndarray) -> np.ndarray:
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -np.inf)
    return scores.argmax(axis=1)


def all_figures(embed: Embed, limit: int | None = None) -> dict[str, float]:
    """Every figure that the data on this computer allows. `limit` takes the first so many only."""
    figures = {
        "korsts_dev_spearman": similarity(embed, datasets.korsts("dev")[:limit]),
        "graded_spearman": similarity(embed, datasets.graded("test")),
        "paraphrase_at_1": group_hits(embed, datasets.paraphrases("test")),
        "duplicate_at_1": duplicates(embed),
        "same_answer_at_1": group_hits(embed, datasets.same_answer("test")[:limit]),
    }
    if datasets.TABLE.exists():
        figures["table_group_at_1"] = group_hits(embed, list(datasets.table_groups().values()))
    return {name: round(value, 2) for name, value in figures.items()}


def embedder(folder: Path) -> Embed:
    """Unit vectors by sentence-transformers, with the checkpoint's own query prompt."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder))
    prompt = model.prompts.get("query") or None
    return lambda texts: model.encode(
        texts, prompt=prompt, batch_size=64, normalize_embeddings=True, convert_to_numpy=True
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m model.evaluate", description=__doc__)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--limit", type=int, help="take so many pairs and answers only")
    given = parser.parse_args(arguments)
    try:
        for folder in given.checkpoints:
            print(folder, json.dumps(all_figures(embedder(folder), given.limit)), flush=True)
    except ModelError as error:
        print(f"model.evaluate: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
