"""Brings a rounded checkpoint's vectors back to where they were before rounding.

The checkpoint before rounding is the teacher, so that no labels are needed, and nothing that it does
not know is learnt. What is tuned: the matrices, each weight of which is taken as the nearest value of
its grid while its exact value learns (the straight-through estimate of Bengio and others,
arXiv:1308.3432), a factor for each column's scale, the biases and the layer norms. Inputs of products
are rounded to eight bits as ONNX Runtime does it in the browser, one scale a text, so that the model
learns to live with that too.
"""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from torch.nn.utils import parametrize

from model import checkpoint, fourbit, objectives
from model.outliers import Outliers
from model.packing import BLOCK, Grid, int8

LEVELS = 16
REFRESH = 10
"""So many steps the nearest levels stay: finding them takes as long as half of a step."""


class Rounded(torch.nn.Module):
    """A weight [outputs, inputs] as the nearest values of its grid, whose scales can learn."""

    def __init__(
        self, codes: np.ndarray, multipliers: np.ndarray, scales: np.ndarray, weight: torch.Tensor
    ) -> None:
        """`codes` int8 [16], `multipliers` uint8 [blocks, outputs], `scales` f32 [outputs]."""
        super().__init__()
        whole = int8(codes.astype(np.int32)[:, None, None], multipliers)
        self.register_buffer("whole", torch.from_numpy(whole.astype(np.float32))[:, :, None])
        self.register_buffer("scales", torch.from_numpy(scales))
        self.change = torch.nn.Parameter(torch.zeros(len(scales)))
        self.to(weight.device)
        self.refresh(weight)

    def scale(self) -> torch.Tensor:
        return self.scales * (1 + self.change)

    def indices(self, weight: torch.Tensor) -> torch.Tensor:
        """Of each weight's nearest level, int64 [blocks, 32, outputs]."""
        blocks = weight.detach().T.reshape(-1, BLOCK, len(weight))
        levels = self.whole * self.scale().detach()
        return (blocks > (levels[:-1] + levels[1:]) / 2).sum(dim=0)

    def refresh(self, weight: torch.Tensor) -> None:
        """Takes the levels that are nearest now."""
        index = self.indices(weight)
        nearest = self.whole.expand(LEVELS, *index.shape).gather(0, index[None])[0]
        self.nearest = nearest.reshape(weight.shape[::-1])

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return (self.nearest * self.scale()).T + (weight - weight.detach())


def eight_bits(
    values: torch.Tensor, real: torch.Tensor, exact: Sequence[int] = ()
) -> torch.Tensor:
    """Inputs [texts, tokens, width] as DynamicQuantizeLinear rounds them, each text by itself.

    `real` [texts, tokens, 1] is false where a text is padded; the channels `exact` stay as they are.
    """
    kept = torch.where(real, values.detach(), 0)
    kept[..., list(exact)] = 0
    least, most = kept.amin((1, 2), keepdim=True), kept.amax((1, 2), keepdim=True)
    step = ((most - least) / 255).clamp(min=1e-12)
    zero = (-least / step).round()
    rounded = (((kept / step).round() + zero).clamp(0, 255) - zero) * step
    rounded[..., list(exact)] = values.detach()[..., list(exact)]
    return values + (rounded - values.detach())


class Student:
    """A rounded checkpoint whose matrices, scales, biases and norms can be tuned."""

    def __init__(self, folder: Path, outliers: Outliers) -> None:
        self.folder = folder
        self.model = SentenceTransformer(str(folder)).eval()  # without dropout: nothing to unlearn
        self.inner = self.model[0].auto_model
        self.grids = fourbit.load(folder)
        self.real: torch.Tensor | None = None
        self.rounded: dict[str, list[tuple[torch.nn.Linear, Rounded]]] = {}
        for name, grid in self.grids.items():
            if name != "word":
                self.rounded[name] = self._round(name, grid, outliers.get(name, []))
        for embeddings in (m for m in self.inner.modules() if isinstance(m, torch.nn.Embedding)):
            embeddings.weight.requires_grad_(False)

    def _round(
        self, name: str, grid: Grid, exact: Sequence[int]
    ) -> list[tuple[torch.nn.Linear, Rounded]]:
        names = fourbit.state_names(name)
        parts = zip(
            names, np.split(grid.multipliers, len(names), axis=1), np.split(grid.scales, len(names))
        )
        found = []
        for part, multipliers, scales in parts:
            linear = self.inner.get_submodule(part.removesuffix(".weight"))
            rounded = Rounded(grid.codes, multipliers, scales, linear.weight)
            parametrize.register_parametrization(linear, "weight", rounded)
            linear.register_forward_pre_hook(
                lambda _, given: (eight_bits(given[0], self.real, exact),)
            )
            found.append((linear, rounded))
        return found

    def groups(self, weights: float, rest: float) -> list[dict]:
        """Parameters with their learning rates: exact weights, and everything else."""
        exact = {id(linear.parametrizations.weight.original)
                 for pairs in self.rounded.values() for linear, _ in pairs}
        learning = [p for p in self.inner.parameters() if p.requires_grad]
        return [
            {"params": [p for p in learning if id(p) in exact], "lr": weights},
            {"params": [p for p in learning if id(p) not in exact], "lr": rest},
        ]

    def vectors(self, features: dict) -> torch.Tensor:
        self.real = features["attention_mask"].bool()[:, :, None]
        pooled = self.model(dict(features))["sentence_embedding"]
        return torch.nn.functional.normalize(pooled, dim=1)

    def refresh(self) -> None:
        for pairs in self.rounded.values():
            for linear, rounded in pairs:
                rounded.refresh(linear.parametrizations.weight.original)

    def save(self) -> None:
        """Writes what was learnt into the checkpoint's folder."""
        for name, pairs in self.rounded.items():
            grid = self.grids[name]
            originals = [linear.parametrizations.weight.original for linear, _ in pairs]
            grid.indices = np.concatenate([
                rounded.indices(weight).reshape(weight.shape[::-1]).cpu().numpy().astype(np.uint8)
                for weight, (_, rounded) in zip(originals, pairs)
            ], axis=1)
            grid.scales = np.concatenate([r.scale().detach().cpu().numpy() for _, r in pairs])
            for linear, _ in pairs:
                parametrize.remove_parametrizations(linear, "weight", leave_parametrized=False)
        state = {name: value.cpu() for name, value in checkpoint.encoder_state(self.inner).items()}
        fourbit.write(checkpoint.read(self.folder).transformer, self.folder, state, self.grids)


def recover(
    source: Path, out: Path, texts: list[str], outliers: Outliers, steps: int, batch: int = 48,
    weight_rate: float = 1e-4, rate: float = 4e-4, say=print,
) -> None:
    """Tunes the rounded checkpoint `out` towards `source`, on batches of `texts`.

    Channels of `outliers` are not rounded, as in the int8 graph that is made of it.
    """
    torch.manual_seed(0)
    teacher = SentenceTransformer(str(source)).eval()
    student = Student(out, outliers)
    optimizer = torch.optim.Adam(student.groups(weight_rate, rate))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    random = np.random.default_rng(0)
    for step in range(steps):
        if step % REFRESH == 0:
            student.refresh()
        rows = [texts[index] for index in random.choice(len(texts), min(batch, len(texts)), False)]
        features = {
            name: value.to(teacher.device) if isinstance(value, torch.Tensor) else value
            for name, value in teacher.preprocess(rows).items()
        }
        with torch.no_grad():
            taught = torch.nn.functional.normalize(
                teacher(dict(features))["sentence_embedding"], dim=1
            )
        mine = student.vectors(features)
        place = objectives.place(mine, taught)
        (place + objectives.likeness(mine, taught)).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        if step % 20 == 0 or step == steps - 1:
            say(f"step {step + 1} of {steps}: mean cosine {1 - float(place):.5f}")
    student.save()
