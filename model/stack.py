"""Several BERT encoders of one shape that learn side by side, each by itself.

The weights of all stand in one tensor, so that every product of a step is one call for all of them: on
a GPU, eight learn in the time in which one would mostly wait. Texts are token ids made beforehand;
vectors are the mean over a text's tokens, of unit length.
"""
from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from model import checkpoint, graph
from model.errors import ModelError

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class Stack:
    """`count` copies of a checkpoint's encoder."""

    def __init__(self, folder: Path, count: int, device: torch.device) -> None:
        """Raises ModelError for another architecture than BERT, or other vectors than the mean."""
        from transformers import AutoModel

        found = checkpoint.read(folder)
        if found.config["model_type"] != "bert" or not graph.fits(found.config):
            raise ModelError(f"{folder}: this recipe trains BERT encoders with exact GELU")
        if found.pooling != "mean" or found.dense:
            raise ModelError(f"{folder}: this recipe trains vectors that are the mean over tokens")
        model = AutoModel.from_pretrained(found.transformer, dtype=torch.float32)
        self.config = model.config
        state = checkpoint.encoder_state(model)
        size = sum(tensor.numel() for tensor in state.values())
        self.flat = torch.empty(count, size, device=device)
        self.gradients = torch.zeros_like(self.flat)
        self.parts: dict[str, torch.nn.Parameter] = {}
        at = 0
        for name, tensor in state.items():
            columns = slice(at, at + tensor.numel())
            part = self.flat[:, columns].view(count, *tensor.shape)
            part.copy_(tensor)
            self.parts[name] = torch.nn.Parameter(part)
            self.parts[name].grad = self.gradients[:, columns].view(count, *tensor.shape)
            at = columns.stop

    def columns(self, value) -> Tensor:
        """For each weight of an encoder what `value` says of its part: `value(name, parameter)`."""
        parts = [
            torch.full((part[0].numel(),), float(value(name, part[0])), device=self.flat.device)
            for name, part in self.parts.items()
        ]
        return torch.cat(parts)

    def mean(self) -> dict[str, Tensor]:
        """The encoders' mean weights, on the CPU."""
        return {name: part.detach().mean(dim=0).cpu() for name, part in self.parts.items()}

    def vectors(self, ids: Tensor, real: Tensor, dropout: bool = False) -> Tensor:
        """Unit vectors f32 [count, texts, width] of `ids` [count, texts, tokens].

        `real` is true where a token is no padding.
        """
        count, texts, tokens = ids.shape
        drop = self.config.hidden_dropout_prob if dropout else 0.0
        hidden = functional.dropout(self._embed(ids), drop)
        keep = real.reshape(count * texts, 1, 1, tokens)
        for layer in range(self.config.num_hidden_layers):
            own = f"encoder.layer.{layer}."
            mixed = self._attend(hidden, own, (count, texts, tokens), keep, dropout)
            mixed = functional.dropout(self._linear(mixed, own + "attention.output.dense"), drop)
            hidden = self._norm(hidden + mixed, own + "attention.output.LayerNorm")
            wide = functional.gelu(self._linear(hidden, own + "intermediate.dense"))
            wide = functional.dropout(self._linear(wide, own + "output.dense"), drop)
            hidden = self._norm(hidden + wide, own + "output.LayerNorm")
        weights = real[..., None].float()
        pooled = (hidden.view(count, texts, tokens, -1).float() * weights).sum(2) / weights.sum(2)
        return functional.normalize(pooled, dim=-1)

    def _embed(self, ids: Tensor) -> Tensor:
        count, texts, tokens = ids.shape
        words = self.parts["embeddings.word_embeddings.weight"]
        own = ids + torch.arange(count, device=ids.device)[:, None, None] * words.shape[1]
        hidden = functional.embedding(own, words.flatten(0, 1))
        fixed = (
            self.parts["embeddings.position_embeddings.weight"][:, :tokens]
            + self.parts["embeddings.token_type_embeddings.weight"][:, :1]
        )
        hidden = (hidden + fixed[:, None]).view(count, texts * tokens, -1)
        return self._norm(hidden, "embeddings.LayerNorm")

    def _attend(
        self, hidden: Tensor, own: str, shape: tuple[int, int, int], keep: Tensor, dropout: bool
    ) -> Tensor:
        count, texts, tokens = shape
        heads = self.config.num_attention_heads

        def part(name: str) -> Tensor:
            value = self._linear(hidden, f"{own}attention.self.{name}")
            return value.view(count * texts, tokens, heads, -1).transpose(1, 2)

        mixed = functional.scaled_dot_product_attention(
            part("query"), part("key"), part("value"), attn_mask=keep,
            dropout_p=self.config.attention_probs_dropout_prob if dropout else 0.0,
        )
        return mixed.transpose(1, 2).reshape(count, texts * tokens, -1)

    def _linear(self, values: Tensor, name: str) -> Tensor:
        weight, bias = self.parts[name + ".weight"], self.parts[name + ".bias"]
        return torch.baddbmm(bias[:, None], values, weight.transpose(1, 2))

    def _norm(self, values: Tensor, name: str) -> Tensor:
        weight, bias = self.parts[name + ".weight"], self.parts[name + ".bias"]
        plain = functional.layer_norm(values, values.shape[-1:], eps=self.config.layer_norm_eps)
        return plain * weight[:, None] + bias[:, None]


class AdamW:
    """Loshchilov and Hutter, arXiv:1711.05101, for all weights of a stack at once.

    Each encoder's gradient is cut to a length of its own.
    """

    def __init__(self, stack: Stack, rates: Tensor, decay: Tensor, max_norm: float) -> None:
        """`rates` and `decay` have a number for each weight of an encoder."""
        self.stack, self.rates, self.decay, self.max_norm = stack, rates, decay, max_norm
        self.mean = torch.zeros_like(stack.flat)
        self.square = torch.zeros_like(stack.flat)

    def step(self, number: int, share: float) -> None:
        """The `number`th step, from 1, at a `share` of the rates; gradients are 0 after it."""
        gradients = self.stack.gradients
        length = gradients.norm(dim=1, keepdim=True)
        gradients *= (self.max_norm / (length + 1e-6)).clamp(max=1)
        self.mean.lerp_(gradients, 1 - BETAS[0])
        self.square.mul_(BETAS[1]).addcmul_(gradients, gradients, value=1 - BETAS[1])
        gradients.zero_()
        rates = self.rates * share
        weights = self.stack.flat
        weights.mul_(1 - rates * self.decay)
        size = (self.square / (1 - BETAS[1] ** number)).sqrt_().add_(EPSILON)
        weights.sub_((self.mean / (1 - BETAS[0] ** number)).div_(size).mul_(rates))
