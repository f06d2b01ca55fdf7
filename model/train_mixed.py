"""The default model's training: similarity, contrast and distillation together, then an average.

Each step takes one batch of each:
- similarity: CoSENT on KorSTS train
- one of five in turn: CoSENT on our own graded pairs; contrast of questions marked as asking the same,
  of questions that share an answer, of our own paraphrases among their near neighbours, of a premise
  with what follows from it and what contradicts it
- distillation on all texts: the base *with* its prompt teaches the model *without* it, so that tuning
  on similarity does not cost everyday retrieval

Several members can learn side by side, each on batches of its own; a learning rate or a weight in the
recipe may be a list with a number for each member. The result is the mean of the members and the base.

Texts that evaluation uses are kept out.
"""
from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from model import average, checkpoint, datasets, evaluate, manifest, objectives, parity
from model.errors import ModelError
from model.stack import AdamW, Stack

STATE = "state.pt"
TURNS = ("duplicates", "answers", "triplets", "paraphrases", "graded")
FAMILY = 4
"""So many paraphrase groups that follow one another go into a batch together, as they lie near."""
WINDOW = 24
"""A batch is drawn from so many times its size of texts of about one length: little is padding."""


class Material:
    """Training texts, none of which evaluation uses."""

    def __init__(self, limit: int | None = None) -> None:
        held = {text for row in datasets.question_pairs("test") for text in row[:2]}
        for group in [*datasets.same_answer("test"), *datasets.paraphrases("test")]:
            held.update(group)
        for row in [*datasets.graded("test"), *datasets.korsts("dev")]:
            held.update(row[:2])
        self.similar = datasets.korsts("train")[:limit]
        self.triplets = datasets.nli_triplets()[:limit]
        pairs = [
            row for row in datasets.question_pairs("train")
            if row[0] and row[1] and row[0] != row[1] and not held & {row[0], row[1]}
        ][:limit]
        self.duplicates = [row[:2] for row in pairs if row[2]]
        groups = datasets.same_answer("train")[:limit]
        self.groups = [group for group in groups if len(group) > 1]
        self.paraphrases = [
            group for group in datasets.paraphrases("train") if not held & set(group)
        ][:limit]
        self.graded = [row for row in datasets.graded("train") if not held & set(row[:2])][:limit]
        texts = {text for group in [*groups, *self.paraphrases] for text in group}
        texts |= {text for row in pairs for text in row[:2]}
        texts |= {text for row in self.triplets for text in row}
        texts |= {text for row in [*self.similar, *self.graded] for text in row[:2]}
        self.pool = sorted(texts)


class Texts:
    """Texts as token ids, on the device that trains."""

    def __init__(self, folder: Path, texts: list[str], prompt: str, length: int, device) -> None:
        ids = parity.token_ids(folder, texts, prompt, length)
        self.row = {text: row for row, text in enumerate(texts)}
        self.lengths = np.array([len(row) for row in ids])
        table = np.zeros((len(ids), self.lengths.max()), np.int64)
        for row, own in zip(table, ids):
            row[: len(own)] = own
        self.table = torch.from_numpy(table).to(device)

    def batch(self, rows: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids and a mask [members, texts, tokens] of `rows` [members, texts]."""
        lengths = self.lengths[rows]
        tokens = lengths.max()
        device = self.table.device
        ids = self.table[torch.from_numpy(rows).to(device), :tokens]
        return ids, torch.from_numpy(np.arange(tokens) < lengths[..., None]).to(device)


class Trainer:
    """One run: the members, their optimizer, and how far they have come."""

    def __init__(self, recipe: dict) -> None:
        self.recipe = recipe
        self.out = Path(recipe["out"])
        self.out.mkdir(parents=True, exist_ok=True)
        self.base = Path(recipe["checkpoint"])
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.material = Material(recipe.get("limit"))
        self.members = recipe.get("members", 1)
        pool = self.material.pool
        self.texts = self._read(pool)
        self.by_length = {
            "similar": np.argsort([len(row[0]) for row in self.material.similar], kind="stable"),
            "pool": np.argsort(self.texts.lengths, kind="stable"),
        }
        prompt = checkpoint.read(self.base).query_prompt
        self.taught = self._teach(self._read(pool, prompt))
        self.steps = max(1, int(recipe["epochs"] * len(self.material.similar) / recipe["batch"]))

    def _read(self, texts: list[str], prompt: str = "") -> Texts:
        return Texts(self.base, texts, prompt, self.recipe.get("max_length", 64), self.device)

    @torch.no_grad()
    def _teach(self, texts: Texts, size: int = 512) -> torch.Tensor:
        """The base's vectors [texts, width]."""
        base = Stack(self.base, 1, self.device)
        order = np.argsort(texts.lengths, kind="stable")
        vectors = torch.empty(len(order), base.config.hidden_size, device=self.device)
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            with self._precision():
                vectors[torch.from_numpy(rows).to(self.device)] = base.vectors(*texts.batch(rows[None]))[0]
        return vectors

    def train(self) -> Stack:
        """The members, when they have learnt all."""
        recipe = self.recipe
        self.stack = stack = Stack(self.base, self.members, self.device)
        layers = stack.config.num_hidden_layers
        self.optimizer = AdamW(
            stack,
            # Lower layers learn more slowly: what they know of words is to be kept.
            self._each(recipe["learning_rate"])[:, None] * stack.columns(
                lambda name, _: recipe.get("layer_decay", 1.0) ** (layers - _depth(name))
            ),
            stack.columns(lambda _, part: recipe.get("weight_decay", 0.01) * (part.dim() > 1)),
            recipe.get("max_grad_norm", 1.0),
        )
        self.step = 0
        self._resume()
        # The order of batches after an interruption is another than without, but always the same.
        seed = recipe["seed"] + self.step
        self.random = random.Random(seed)
        torch.manual_seed(seed)
        began, first = time.time(), self.step
        while self.step < self.steps:
            warm = min(1.0, (self.step + 1) / max(1, recipe.get("warmup", 0.1) * self.steps))
            losses = [self._learn_similarity(), self._learn_in_turn(), self._learn_from_teachers()]
            self.optimizer.step(self.step + 1, warm * (1 - self.step / self.steps))
            self.step += 1
            if self.step % 10 == 0 or self.step == self.steps:
                pace = (time.time() - began) / (self.step - first)
                print(f"step {self.step} of {self.steps}, {pace:.2f} s each, losses "
                      + " ".join(f"{loss:.3f}" for loss in losses), flush=True)
            if self.step % recipe.get("save_steps", 60) == 0:
                self._save()
        return stack

    def _each(self, value: float | list[float]) -> torch.Tensor:
        """A recipe's number, or list of numbers, as one for each member."""
        values = value if isinstance(value, list) else [value] * self.members
        if len(values) != self.members:
            raise ModelError(f"the recipe lists {len(values)} numbers for {self.members} members")
        return torch.tensor(values, dtype=torch.float32, device=self.device)

    def _save(self) -> None:
        new = self.out / (STATE + ".new")
        torch.save({
            "weights": self.stack.flat, "mean": self.optimizer.mean, "square": self.optimizer.square,
            "step": self.step,
        }, new)
        new.replace(self.out / STATE)

    def _resume(self) -> None:
        path = self.out / STATE
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.stack.flat.copy_(state["weights"])
        self.optimizer.mean.copy_(state["mean"])
        self.optimizer.square.copy_(state["square"])
        self.step = state["step"]
        print(f"Going on after step {self.step} of {self.steps}", flush=True)

    def vectors(self, texts: list[list[str]]) -> torch.Tensor:
        """[members, texts, width] of as many texts for each member."""
        return self._vectors(np.array([[self.texts.row[text] for text in own] for own in texts]))

    def _vectors(self, rows: np.ndarray) -> torch.Tensor:
        ids, real = self.texts.batch(rows)
        with self._precision():
            return self.stack.vectors(ids, real, dropout=True)

    def _precision(self) -> torch.autocast:
        short = bool(self.recipe.get("bfloat16"))
        return torch.autocast(self.device.type, torch.bfloat16, enabled=short)

    def _alike(self, order: np.ndarray, size: int) -> list[np.ndarray]:
        """For each member `size` of a window of `order`, which is by length."""
        window = min(len(order), size * WINDOW)
        start = self.random.randint(-window // 2, len(order) - window // 2)
        start = min(max(0, start), len(order) - window)
        choices = range(start, start + window)
        return [order[_some(self.random, choices, size)] for _ in range(self.members)]

    def _learn_similarity(self) -> torch.Tensor:
        rows = self._alike(self.by_length["similar"], self.recipe["batch"])
        batches = [[self.material.similar[index] for index in own] for own in rows]
        return self._back(similarity=self._cosent(batches))

    def _cosent(self, batches: list[list[tuple[str, str, float]]]) -> list[torch.Tensor]:
        count = len(batches[0])
        vectors = self.vectors([[row[side] for side in (0, 1) for row in rows] for rows in batches])
        losses = []
        for rows, own in zip(batches, vectors):
            scores = (own[:count] * own[count:]).sum(dim=1)
            wanted = torch.tensor([row[2] for row in rows], device=self.device)
            losses.append(objectives.cosent(scores, wanted, self.recipe["scale"]))
        return losses

    def _learn_in_turn(self) -> torch.Tensor:
        turns = self.recipe.get("turns", TURNS)
        turn = turns[self.step % len(turns)]
        if turn == "graded":
            size = self.recipe.get("graded", 96)
            batches = [_some(self.random, self.material.graded, size) for _ in range(self.members)]
            return self._back(graded=self._cosent(batches))
        batches = [self._contrasted(turn) for _ in range(self.members)]
        count = len(batches[0])
        if count < 2:
            return torch.zeros(())
        vectors = self.vectors([[text for column in zip(*rows) for text in column] for rows in batches])
        losses = [
            objectives.contrast(
                own[:count], own[count : 2 * count], self.recipe["scale"],
                own[2 * count :] if turn == "triplets" else None,
            )
            for own in vectors
        ]
        return self._back(contrast=losses)

    def _contrasted(self, turn: str) -> list[tuple[str, ...]]:
        """A batch whose rows belong together within themselves and not with one another."""
        material, pairs, chance = self.material, self.recipe.get("pairs", 40), self.random
        if turn == "triplets":
            return _some(chance, material.triplets, self.recipe.get("triplets", 20))
        if turn == "duplicates":
            return _some(chance, material.duplicates, pairs)
        if turn == "answers":
            groups = _some(chance, material.groups, pairs)
        else:
            own = material.paraphrases
            starts = range(0, len(own) - FAMILY + 1, FAMILY)
            chosen = _some(chance, starts, max(1, pairs // FAMILY))
            groups = [group for start in chosen for group in own[start : start + FAMILY]]
        return [tuple(chance.sample(group, 2)) for group in groups]

    def _learn_from_teachers(self) -> torch.Tensor:
        rows = np.stack(self._alike(self.by_length["pool"], self.recipe.get("distilled", 56)))
        pairs = list(zip(self._vectors(rows), torch.from_numpy(rows).to(self.device)))
        return self._back(
            likeness=[objectives.likeness(own, self.taught[of]) for own, of in pairs],
            place=[objectives.place(own, self.taught[of]) for own, of in pairs],
        )

    def _back(self, **losses: list[torch.Tensor]) -> torch.Tensor:
        """Adds the gradients of each objective's losses, a loss for each member; returns their mean."""
        weights = self.recipe["weights"]
        total = sum(self._each(weights[name]) * torch.stack(own) for name, own in losses.items())
        total.sum().backward()
        return total.detach().mean()


def _depth(name: str) -> int:
    """0 for the embeddings, 1 for the lowest layer."""
    parts = name.split(".layer.")
    return int(parts[1].split(".")[0]) + 1 if len(parts) > 1 else 0


def _some(chance: random.Random, items: Sequence, count: int) -> list:
    return chance.sample(items, min(count, len(items)))


def train(recipe: dict) -> dict[str, float]:
    """Trains, averages with the start, saves; returns the figures of the result."""
    from safetensors.torch import save_file

    trainer = Trainer(recipe)
    stack = trainer.train()
    out, base = trainer.out, trainer.base
    tuned = out / "last"
    shutil.copytree(base, tuned, dirs_exist_ok=True)
    save_file(stack.mean(), tuned / average.WEIGHTS, metadata={"format": "pt"})
    # What was learnt without the prompt is used without it.
    settings = tuned / "config_sentence_transformers.json"
    known = json.loads(settings.read_text(encoding="utf-8")) if settings.exists() else {}
    manifest.write_json(settings, {**known, "prompts": {}, "default_prompt_name": None})
    share = recipe.get("average", 0.0)
    average.average(out, [(tuned, 1 - share), (base, share)])
    (out / STATE).unlink(missing_ok=True)
    return evaluate.all_figures(evaluate.embedder(out), recipe.get("limit"))
