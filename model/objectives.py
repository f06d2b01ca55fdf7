"""What the mixed recipe asks of unit vectors. Each takes tensors and returns one number to lessen."""
from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def cosent(scores: Tensor, wanted: Tensor, scale: float) -> Tensor:
    """Pairs that people find more alike should score higher: only the order counts."""
    gaps = (scores[None, :] - scores[:, None]) * scale
    wrong = gaps[wanted[:, None] > wanted[None, :]]
    return torch.logsumexp(torch.cat([wrong.new_zeros(1), wrong]), dim=0)


def contrast(first: Tensor, second: Tensor, scale: float, others: Tensor | None = None) -> Tensor:
    """Row i of `first` belongs to row i of `second`, and to no other, nor to `others`."""
    choices = second if others is None else torch.cat([second, others])
    return functional.cross_entropy(
        first @ choices.T * scale, torch.arange(len(first), device=first.device)
    )


def likeness(vectors: Tensor, taught: Tensor) -> Tensor:
    """Each text should rank the batch as its teacher does: 1 less the correlation of the scores."""
    count = len(vectors)
    others = ~torch.eye(count, dtype=torch.bool, device=vectors.device)
    mine, wanted = ((v @ v.T)[others].view(count, count - 1) for v in (vectors, taught))
    mine, wanted = (s - s.mean(dim=1, keepdim=True) for s in (mine, wanted))
    return (1 - functional.cosine_similarity(mine, wanted, dim=1)).mean()


def place(vectors: Tensor, taught: Tensor) -> Tensor:
    """Each text should lie where its teacher puts it."""
    return (1 - (vectors * taught).sum(dim=1)).mean()
