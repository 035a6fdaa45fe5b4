"""The network: self-attention along a request's candidates, without positions, then one score per candidate."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Shape:
    """width : numbers per token; hidden : d; heads, layers of the encoder (0 layers: every candidate for itself)."""

    width: int
    hidden: int = 64
    heads: int = 4
    layers: int = 2


class Attention(nn.Module):
    """Multi-head self-attention over present candidates, in plain operations so that it exports and quantises well."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.heads, self.each = heads, hidden // heads
        self.query_key_value = nn.Linear(hidden, 3 * hidden)
        self.out = nn.Linear(hidden, hidden)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """X : (B, M, d); mask : (B, 1, 1, M), 0 where present and very negative elsewhere."""
        batch, m, d = x.shape
        q, k, v = self.query_key_value(x).reshape(batch, m, 3, self.heads, self.each).permute(2, 0, 3, 1, 4).unbind(0)
        weights = torch.softmax(q @ k.transpose(-1, -2) / self.each**0.5 + mask, dim=-1)
        return self.out((weights @ v).transpose(1, 2).reshape(batch, m, d))


class Block(nn.Module):
    """A pre-norm encoder block."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.before_attention, self.attention = nn.LayerNorm(hidden), Attention(hidden, heads)
        self.before_mlp = nn.LayerNorm(hidden)
        self.mlp = nn.Sequential(
            nn.Linear(hidden, 2 * hidden), nn.GELU(approximate="tanh"), nn.Linear(2 * hidden, hidden)
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return (B, M, d)."""
        x = x + self.attention(self.before_attention(x), mask)
        return x + self.mlp(self.before_mlp(x))


class Emer(nn.Module):
    """ŷ = f(token; all tokens of the request), with a linear path from the token beside the encoder."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed = nn.Linear(shape.width, shape.hidden)
        self.blocks = nn.ModuleList([Block(shape.hidden, shape.heads) for _ in range(shape.layers)])
        self.norm = nn.LayerNorm(shape.hidden)
        self.last = nn.Linear(shape.hidden, 1)
        self.score = nn.Sequential(nn.Linear(shape.hidden, shape.hidden), nn.GELU(approximate="tanh"), self.last)
        self.direct = nn.Linear(shape.width, 1)

    def begin_as(self, weights: Tensor) -> None:
        """Start from the formula ŷ = weights · token, (width,): with little data the ensemble is no worse than that."""
        with torch.no_grad():
            self.direct.weight.copy_(weights[None])
            for parameter in (self.direct.bias, self.last.weight, self.last.bias):
                parameter.zero_()

    def forward(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Tokens : (B, M, width); present : (B, M) float, 1 where there is a candidate. Return ŷ, (B, M)."""
        mask = (present - 1.0)[:, None, None, :] * 1e4
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x, mask)
        return (self.score(self.norm(x)) + self.direct(tokens)).squeeze(-1)
