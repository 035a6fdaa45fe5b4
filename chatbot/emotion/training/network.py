"""BERT (MiniLM, the student) and MPNet (the teacher) in torch, with the joint head; read from and written to plain tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from chatbot.emotion.labels import WIDTH
from chatbot.emotion.text import MOST_TOKENS

HEAD_WIDTH = 64  # of one attention head, MPNet; MiniLM's has 32
MPNET_SHIFT = 4  # its vocabulary is BERT's, four numbers later, and has its own first and last token
MPNET_FIRST, MPNET_LAST, BERT_FIRST, BERT_LAST = 0, 2, 101, 102
DROPOUT = 0.1
_RENAMED = {
    "attention.attn.q": "attention.self.query", "attention.attn.k": "attention.self.key",
    "attention.attn.v": "attention.self.value", "attention.attn.o": "attention.output.dense",
    "attention.LayerNorm": "attention.output.LayerNorm",
}  # fmt: skip

Tensors = Mapping[str, NDArray[Any]]


class Layer(nn.Module):
    """One transformer layer, normalised after each step."""

    def __init__(self, width: int, heads: int, epsilon: float) -> None:
        super().__init__()
        self.heads = heads
        self.together, self.back = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.first, self.second = nn.LayerNorm(width, epsilon), nn.LayerNorm(width, epsilon)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, state: Tensor, bias: Tensor) -> Tensor:
        """Return the state after attention, with `bias` on its scores, and the wide step."""
        rows, length, width = state.shape
        parts = self.together(state).view(rows, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(
            parts[0], parts[1], parts[2], attn_mask=bias.to(parts.dtype), dropout_p=DROPOUT if self.training else 0.0
        )
        attended = self.back(mixed.transpose(1, 2).reshape(rows, length, width))
        state = self.first(state + self.dropout(attended))
        return self.second(state + self.dropout(self.narrow(functional.gelu(self.wide(state)))))


class Network(nn.Module):
    """An encoder, the mean of its tokens, and the joint head (WIDTH logits)."""

    def __init__(self, tensors: Tensors) -> None:
        super().__init__()
        tensors = {_renamed(name): values for name, values in tensors.items()}
        self.mpnet = "encoder.relative_attention_bias.weight" in tensors
        words = tensors["embeddings.word_embeddings.weight"]
        width = words.shape[1]
        heads, epsilon = (width // HEAD_WIDTH, 1e-5) if self.mpnet else (width // 32, 1e-12)
        places = tensors["embeddings.position_embeddings.weight"]
        places = places[2 : 2 + MOST_TOKENS] if self.mpnet else places[:MOST_TOKENS]
        if "embeddings.token_type_embeddings.weight" in tensors:
            places = places + tensors["embeddings.token_type_embeddings.weight"][0]
        self.words = nn.Embedding.from_pretrained(_tensor(words), freeze=False)
        self.places = nn.Parameter(_tensor(places))
        self.norm, self.dropout = nn.LayerNorm(width, epsilon), nn.Dropout(DROPOUT)
        layers = 1 + max(int(name.split(".")[2]) for name in tensors if name.startswith("encoder.layer."))
        self.layers = nn.ModuleList(Layer(width, heads, epsilon) for _ in range(layers))
        self.relative = nn.Parameter(_tensor(tensors["encoder.relative_attention_bias.weight"])) if self.mpnet else None
        self.buckets: Tensor
        self.register_buffer("buckets", _buckets(MOST_TOKENS), persistent=False)
        self.hidden, self.head = nn.Linear(width, width), nn.Linear(width, WIDTH)
        self._load(tensors)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Return the logits (rows, WIDTH) of `tokens` (rows, length), of which each row has `lengths`."""
        length = tokens.shape[1]
        there = torch.arange(length, device=tokens.device)[None] < lengths[:, None]
        if self.mpnet:
            tokens = torch.where(tokens == BERT_FIRST, MPNET_FIRST - MPNET_SHIFT, tokens)
            tokens = torch.where(tokens == BERT_LAST, MPNET_LAST - MPNET_SHIFT, tokens) + MPNET_SHIFT
        state = self.dropout(self.norm(self.words(tokens) + self.places[:length]))
        bias = torch.zeros(there.shape, device=tokens.device).masked_fill(~there, -1e4)[:, None, None]
        if self.relative is not None:
            bias = bias + self.relative[self.buckets[:length, :length]].permute(2, 0, 1)[None]
        for layer in self.layers:
            state = layer(state, bias)
        mean = (state * there[..., None]).sum(1) / lengths[:, None]
        return self.head(self.dropout(functional.gelu(self.hidden(mean))))

    def _load(self, tensors: Tensors) -> None:
        _fill(self.norm, tensors, "embeddings.LayerNorm")
        for number, layer in enumerate(self.layers):
            prefix = f"encoder.layer.{number}."
            parts = [f"{prefix}attention.self.{part}" for part in ("query", "key", "value")]
            for kind in ("weight", "bias"):
                getattr(layer.together, kind).data = _tensor(
                    np.concatenate([tensors[f"{part}.{kind}"] for part in parts])
                )
            for module, name in self._modules_of(layer):
                _fill(module, tensors, prefix + name)
        for name in ("hidden", "head"):
            if f"{name}.weight" in tensors:
                _fill(getattr(self, name), tensors, name)

    @staticmethod
    def _modules_of(layer: Any) -> list[tuple[nn.Module, str]]:
        return [
            (layer.back, "attention.output.dense"), (layer.first, "attention.output.LayerNorm"),
            (layer.wide, "intermediate.dense"), (layer.narrow, "output.dense"), (layer.second, "output.LayerNorm"),
        ]  # fmt: skip

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return the weights under BERT's names, with `hidden` and `head`."""
        found = {
            "embeddings.word_embeddings.weight": self.words.weight,
            "embeddings.position_embeddings.weight": self.places,
        }

        def add(module: Any, name: str) -> None:
            found[f"{name}.weight"], found[f"{name}.bias"] = module.weight, module.bias

        add(self.norm, "embeddings.LayerNorm")
        for number, layer in enumerate(self.layers):
            prefix = f"encoder.layer.{number}."
            for kind in ("weight", "bias"):
                for part, values in zip(("query", "key", "value"), getattr(layer.together, kind).chunk(3), strict=True):
                    found[f"{prefix}attention.self.{part}.{kind}"] = values
            for module, name in self._modules_of(layer):
                add(module, prefix + name)
        add(self.hidden, "hidden")
        add(self.head, "head")
        return {name: values.detach().float().cpu().numpy() for name, values in found.items()}


def _renamed(name: str) -> str:
    for old, new in _RENAMED.items():
        name = name.replace(old, new)
    return name


def _tensor(values: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.array(values, np.float32))


def _fill(module: Any, tensors: Tensors, name: str) -> None:
    module.weight.data, module.bias.data = _tensor(tensors[f"{name}.weight"]), _tensor(tensors[f"{name}.bias"])


def _buckets(length: int, count: int = 32, farthest: int = 128) -> Tensor:
    """Return T5's bucket of each pair of places (Raffel et al. 2020), as MPNet takes it."""
    away = torch.arange(length)[:, None] - torch.arange(length)[None]
    half, exact = count // 2, count // 4
    far = away.abs().clamp(min=1).float()
    coarse = exact + (torch.log(far / exact) / np.log(farthest / exact) * (half - exact)).long()
    return half * (away < 0).long() + torch.where(away.abs() < exact, away.abs(), coarse.clamp(max=half - 1))
