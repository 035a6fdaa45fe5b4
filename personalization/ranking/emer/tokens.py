"""From features and predictions to the ensemble's input: one token per candidate of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
CONTEXT = ("widget", "kiosk", "query", "valence", "arousal")
"""What a token holds of the request itself; zeros in requests that were made from orders."""


def ranks(predictions: Floats, starts: NDArray[np.int64]) -> Floats32:
    """Return each prediction's normalised rank in its request, rank / M in (0, 1], the largest first; (rows, objectives)."""
    found = np.empty(predictions.shape, np.float32)
    lengths = np.diff(starts)
    for length in np.unique(lengths[lengths > 0]).tolist():
        rows = starts[:-1][lengths == length][:, None] + np.arange(length)
        order = np.argsort(-predictions[rows], axis=1, kind="stable")
        place = np.empty_like(order)
        np.put_along_axis(place, order, np.arange(1, length + 1)[None, :, None], axis=1)
        found[rows] = place / length
    return found


def squash(values: NDArray[Any]) -> Floats32:
    """Return sign(x) log(1 + |x|), zeros for nan: counts, days and money on one scale."""
    clean = np.nan_to_num(np.asarray(values, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    squashed: Floats32 = np.sign(clean) * np.log1p(np.abs(clean))
    return squashed


def log_odds(predictions: Floats, binary: NDArray[np.bool_]) -> Floats32:
    """Return probabilities as log-odds, other predictions as they are."""
    p = np.clip(predictions, 1e-6, 1 - 1e-6)
    return np.where(binary, np.log(p / (1 - p)), predictions).astype(np.float32)


def as_row(context: Mapping[str, float]) -> Floats32:
    """Return what is told of a request as (CONTEXT,), 0 where nothing is."""
    return np.array([context.get(name, 0.0) for name in CONTEXT], np.float32)


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """Scales features and predictions. mean, scale : (features + objectives,); binary : (objectives,).

    heard : (CONTEXT,), what the training's requests told of themselves; the rest is left out, since the network's weights
    for it are as random as on their first day.
    """

    mean: Floats32
    scale: Floats32
    binary: NDArray[np.bool_]
    use_ranks: bool = True
    heard: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(len(CONTEXT), bool))

    @classmethod
    def fit(
        cls, features: Floats32, predictions: Floats, binary: NDArray[np.bool_], *, use_ranks: bool = True
    ) -> Tokenizer:
        """Learn the scales from a sample of rows."""
        raw = np.concatenate([squash(features), log_odds(predictions, binary)], axis=1)
        return cls(raw.mean(axis=0), np.maximum(raw.std(axis=0), 1e-3), binary, use_ranks)

    @property
    def width(self) -> int:
        """Numbers per token."""
        return len(self.mean) + (len(self.binary) if self.use_ranks else 0) + len(CONTEXT)

    def formula(self, weights: NDArray[Any]) -> Floats32:
        """Return weights on tokens, (width,), that give each scaled prediction its weight (objectives,) and the rest none."""
        found = np.zeros(self.width, np.float32)
        found[len(self.mean) - len(weights) : len(self.mean)] = weights
        return found

    def tokens(
        self,
        features: Floats32,
        predictions: Floats,
        starts: NDArray[np.int64],
        context: Mapping[str, float] | Floats32 | None = None,
    ) -> Floats32:
        """Return (rows, width): features ⊕ predictions ⊕ normalised ranks ⊕ context, clipped to ±8.

        context : by name for all rows, or (rows, CONTEXT).
        """
        raw = np.concatenate([squash(features), log_odds(predictions, self.binary)], axis=1)
        scaled = np.clip((raw - self.mean) / self.scale, -8.0, 8.0)
        told = context if isinstance(context, np.ndarray) else as_row(context or {})
        told = np.broadcast_to(told * self.heard, (len(scaled), len(CONTEXT)))
        parts = [scaled, *([ranks(predictions, starts)] if self.use_ranks else []), told]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def as_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what `from_arrays` needs."""
        return {
            "mean": self.mean,
            "scale": self.scale,
            "binary": self.binary,
            "use_ranks": np.array(self.use_ranks),
            "heard": self.heard,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Tokenizer:
        """Load what `as_arrays` gave."""
        return cls(arrays["mean"], arrays["scale"], arrays["binary"], bool(arrays["use_ranks"]), arrays["heard"])
