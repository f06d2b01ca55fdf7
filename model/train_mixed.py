"""The default model's training: similarity, contrast and distillation together, then an average.

Each step takes one batch of each:
- similarity: CoSENT on KorSTS train
- contrast, one of three in turn: questions marked as asking the same, questions that share an answer,
  premise with what follows from it and what contradicts it
- distillation: the base *with* its prompt teaches the model *without* it, on conversation and on all
  other texts, so that tuning on similarity does not cost everyday retrieval

Texts that evaluation uses are kept out.
"""
from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from model import average, datasets, evaluate, manifest, objectives

STATE = "state.pt"


class Material:
    """Training texts, none of which evaluation uses."""

    def __init__(self, limit: int | None = None) -> None:
        held = {text for row in datasets.question_pairs("test") for text in row[:2]}
        held |= {text for group in datasets.same_answer("test") for text in group}
        self.similar = datasets.korsts("train")[:limit]
        self.triplets = datasets.nli_triplets()[:limit]
        pairs = [
            row for row in datasets.question_pairs("train")
            if row[0] and row[1] and row[0] != row[1] and not held & {row[0], row[1]}
        ][:limit]
        self.duplicates = [row[:2] for row in pairs if row[2]]
        groups = datasets.same_answer("train")[:limit]
        self.groups = [group for group in groups if len(group) > 1]
        texts = {text for group in groups for text in group}
        texts |= {text for row in pairs for text in row[:2]}
        texts |= {text for row in self.triplets for text in row[:2]}
        texts |= {text for row in self.similar for text in row[:2]}
        self.pool = sorted(texts)


def batches(lengths: list[int], size: int) -> Iterator[list[int]]:
    """Endless shuffled batches of texts of about one length, so that little is padding."""
    while True:
        order = np.random.permutation(len(lengths))
        for start in range(0, len(order), size * 24):
            chunk = sorted(order[start : start + size * 24], key=lambda index: lengths[index])
            parts = [chunk[i : i + size] for i in range(0, len(chunk), size)]
            random.shuffle(parts)
            yield from parts


class Trainer:
    """One run: the model, its optimizer, and how far it has come."""

    def __init__(self, recipe: dict) -> None:
        self.recipe = recipe
        self.out = Path(recipe["out"])
        self.material = Material(recipe.get("limit"))
        base = SentenceTransformer(recipe["checkpoint"])
        self.prompt = base.prompts.get("query") or ""
        self.taught = self._teach(base)
        self.model = base
        self.model.max_seq_length = recipe.get("max_length", 64)
        self.steps = max(1, int(recipe["epochs"] * len(self.material.similar) / recipe["batch"]))
        self.optimizer = torch.optim.AdamW(self._parameter_groups())
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]
        self.step = 0
        self._resume()

    def _teach(self, base: SentenceTransformer) -> torch.Tensor:
        path = self.out / "taught.npy"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            vectors = base.encode(
                self.material.pool, prompt=self.prompt or None, batch_size=128,
                normalize_embeddings=True, show_progress_bar=True,
            )
            np.save(path, vectors)
        return torch.from_numpy(np.load(path)).to(base.device)

    def _parameter_groups(self) -> list[dict]:
        """Lower layers learn more slowly: what they know of words is to be kept."""
        recipe = self.recipe
        layers = int(self.model[0].auto_model.config.num_hidden_layers)
        groups = []
        for name, parameter in self.model.named_parameters():
            parts = name.split(".layer.")
            depth = int(parts[1].split(".")[0]) + 1 if len(parts) > 1 else 0
            groups.append({
                "params": [parameter],
                "lr": recipe["learning_rate"] * recipe.get("layer_decay", 1.0) ** (layers - depth),
                "weight_decay": recipe.get("weight_decay", 0.01) if parameter.dim() > 1 else 0.0,
            })
        return groups

    def _resume(self) -> None:
        path = self.out / STATE
        if not path.exists():
            return
        state = torch.load(path, map_location=self.model.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        # The order of batches after an interruption is another than without, but always the same.
        random.seed(self.recipe["seed"] + self.step)
        np.random.seed(self.recipe["seed"] + self.step)
        torch.manual_seed(self.recipe["seed"] + self.step)
        print(f"Going on after step {self.step} of {self.steps}", flush=True)

    def _save(self) -> None:
        new = self.out / (STATE + ".new")
        torch.save({
            "model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
            "step": self.step,
        }, new)
        new.replace(self.out / STATE)

    def vectors(self, texts: list[str]) -> torch.Tensor:
        features = {
            name: value.to(self.model.device) if isinstance(value, torch.Tensor) else value
            for name, value in self.model.preprocess(texts).items()
        }
        short = bool(self.recipe.get("bfloat16"))
        with torch.autocast(self.model.device.type, torch.bfloat16, enabled=short):
            pooled = self.model(features)["sentence_embedding"]
        return torch.nn.functional.normalize(pooled.float(), dim=1)

    def run(self) -> None:
        recipe, material = self.recipe, self.material
        similar = batches([len(row[0]) for row in material.similar], recipe["batch"])
        pool = batches([len(text) for text in material.pool], recipe.get("distilled", 56))
        began, first = time.time(), self.step
        while self.step < self.steps:
            warm = min(1.0, (self.step + 1) / max(1, recipe.get("warmup", 0.1) * self.steps))
            for group, peak in zip(self.optimizer.param_groups, self.peaks):
                group["lr"] = peak * warm * max(0.0, 1 - self.step / self.steps)
            self.model.train()
            losses = [
                self._learn_similarity(next(similar)), self._learn_contrast(),
                self._learn_from_teacher(next(pool)),
            ]
            torch.nn.utils.clip_grad_norm_(
                self.model.parameters(), recipe.get("max_grad_norm", 1.0)
            )
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            self.step += 1
            if self.step % 10 == 0 or self.step == self.steps:
                pace = (time.time() - began) / (self.step - first)
                print(f"step {self.step} of {self.steps}, {pace:.1f} s each, losses "
                      + " ".join(f"{loss:.3f}" for loss in losses), flush=True)
            if self.step % recipe.get("save_steps", 60) == 0:
                self._save()

    def _learn_similarity(self, batch: list[int]) -> float:
        rows = [self.material.similar[index] for index in batch]
        vectors = self.vectors([row[0] for row in rows] + [row[1] for row in rows])
        scores = (vectors[: len(rows)] * vectors[len(rows) :]).sum(dim=1)
        wanted = torch.tensor([row[2] for row in rows], device=scores.device)
        return self._back(objectives.cosent(scores, wanted, self.recipe["scale"]), "similarity")

    def _learn_contrast(self) -> float:
        material, turn = self.material, self.step % 3
        if turn == 2:
            rows = _some(material.triplets, self.recipe.get("triplets", 20))
        elif turn == 1:
            groups = _some(material.groups, self.recipe.get("pairs", 40))
            rows = [tuple(random.sample(group, 2)) for group in groups]
        else:
            rows = _some(material.duplicates, self.recipe.get("pairs", 40))
        if len(rows) < 2:
            return 0.0
        count = len(rows)
        vectors = self.vectors([text for column in zip(*rows) for text in column])
        others = vectors[2 * count :] if turn == 2 else None
        loss = objectives.contrast(
            vectors[:count], vectors[count : 2 * count], self.recipe["scale"], others
        )
        return self._back(loss, "contrast")

    def _learn_from_teacher(self, batch: list[int]) -> float:
        vectors = self.vectors([self.material.pool[index] for index in batch])
        taught = self.taught[torch.as_tensor(np.array(batch), device=self.taught.device)]
        weights = self.recipe["weights"]
        loss = (
            weights["likeness"] * objectives.likeness(vectors, taught)
            + weights["place"] * objectives.place(vectors, taught)
        )
        loss.backward()
        return float(loss)

    def _back(self, loss: torch.Tensor, name: str) -> float:
        (self.recipe["weights"][name] * loss).backward()
        return float(loss)


def _some(items: list, count: int) -> list:
    return random.sample(items, min(count, len(items)))


def train(recipe: dict) -> dict[str, float]:
    """Trains, averages with the start, saves; returns the figures of the result."""
    trainer = Trainer(recipe)
    trainer.run()
    out, base = trainer.out, Path(recipe["checkpoint"])
    tuned = out / "last"
    shutil.copytree(base, tuned, dirs_exist_ok=True)
    from safetensors.torch import save_file

    state = trainer.model[0].auto_model.state_dict()
    save_file(
        {name: value.contiguous().cpu() for name, value in state.items()
         if not name.startswith("pooler.")},
        tuned / average.WEIGHTS, metadata={"format": "pt"},
    )
    # What was learnt without the prompt is used without it.
    settings = tuned / "config_sentence_transformers.json"
    known = json.loads(settings.read_text(encoding="utf-8")) if settings.exists() else {}
    manifest.write_json(settings, {**known, "prompts": {}, "default_prompt_name": None})
    share = recipe.get("average", 0.0)
    average.average(out, [(tuned, 1 - share), (base, share)])
    (out / STATE).unlink(missing_ok=True)
    return evaluate.all_figures(evaluate.embedder(out), recipe.get("limit"))
