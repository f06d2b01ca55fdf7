"""Brings a rounded checkpoint's vectors back to where they were before rounding.

The rounded matrices stay where they are on their grids. What is tuned is what travels in f32 anyway:
a factor for each column's scale, the biases and the layer norms. The checkpoint before rounding is the
teacher, so that no labels are needed, and nothing that it does not know is learnt.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from torch.nn.utils import parametrize

from model import checkpoint, fourbit, objectives


class Scaled(torch.nn.Module):
    """A fixed matrix [outputs, inputs] whose outputs are scaled by factors around 1."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.change = torch.nn.Parameter(torch.zeros(outputs, 1))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight * (1 + self.change)


def recover(
    source: Path, out: Path, texts: list[str], steps: int, batch: int = 40, rate: float = 4e-4,
    say=print,
) -> None:
    """Tunes scales, biases and layer norms of the rounded checkpoint `out` towards `source`."""
    torch.manual_seed(0)
    teacher = SentenceTransformer(str(source), device="cpu").eval()
    model = SentenceTransformer(str(out), device="cpu").eval()  # without dropout: nothing to unlearn
    inner = model[0].auto_model
    grids = fourbit.load(out)
    changes: dict[str, Scaled] = {}
    for name in grids:
        for part in () if name == "word" else fourbit.state_names(name):
            linear = inner.get_submodule(part.removesuffix(".weight"))
            linear.weight.requires_grad_(False)
            changes[part] = Scaled(len(linear.weight))
            parametrize.register_parametrization(linear, "weight", changes[part])
    for embeddings in (m for m in inner.modules() if isinstance(m, torch.nn.Embedding)):
        embeddings.weight.requires_grad_(False)
    optimizer = torch.optim.Adam([p for p in inner.parameters() if p.requires_grad], lr=rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    random = np.random.default_rng(0)

    def vectors(of: SentenceTransformer, rows: list[str]) -> torch.Tensor:
        return torch.nn.functional.normalize(of(of.preprocess(rows))["sentence_embedding"], dim=1)

    for step in range(steps):
        rows = [texts[index] for index in random.choice(len(texts), min(batch, len(texts)), False)]
        with torch.no_grad():
            taught = vectors(teacher, rows)
        mine = vectors(model, rows)
        place = objectives.place(mine, taught)
        (place + objectives.likeness(mine, taught)).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        if step % 20 == 0 or step == steps - 1:
            say(f"step {step + 1} of {steps}: mean cosine {1 - float(place):.5f}")
    for name, grid in grids.items():
        if name != "word":
            change = np.concatenate([
                changes[part].change.detach().numpy()[:, 0] for part in fourbit.state_names(name)
            ])
            grid.scales = (grid.scales * (1 + change)).astype(np.float32)
    for part in changes:
        parametrize.remove_parametrizations(inner.get_submodule(part.removesuffix(".weight")), "weight")
    state = {n: t for n, t in inner.state_dict().items() if not n.startswith("pooler.")}
    fourbit.write(checkpoint.read(out).transformer, out, state, grids)
