"""Has the crowd changed since segments were trained? The population stability index of features and of segment sizes.

PSI = Σ (now - then) · ln(now / then) over bins; below 0.1 nothing has changed, above 0.25 the model no longer describes the
members (the usual bounds; Siddiqi 2006). Bins are deciles at training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personalization.profiling.segments import SegmentModel

WATCHED = ("gap_mean_days", "orders", "basket_value", "promo_share", "category_entropy", "weekend_share")
SHIFTED, CHANGED = 0.1, 0.25
LEAST_MEMBERS = 200
_FLOOR = 1e-4
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Drift:
    """PSI by feature, and "segments" for their sizes."""

    psi: Mapping[str, float]
    members: int

    @property
    def worst(self) -> tuple[str, float]:
        """The part that changed most."""
        return max(self.psi.items(), key=lambda pair: pair[1])

    @property
    def verdict(self) -> str:
        """In a word: steady, shifted or changed."""
        most = self.worst[1]
        return "changed" if most > CHANGED else "shifted" if most > SHIFTED else "steady"

    def sentence(self) -> str:
        """Return what to do about it."""
        name, most = self.worst
        told = f"{name.replace('_', ' ')} moved most (PSI {most:.2f}) among {self.members:,} members since training"
        return f"{told}: train again (`aisle train`)." if self.verdict == "changed" else f"{told}."


def reference(columns: Mapping[str, Floats], sizes: Sequence[int]) -> dict[str, Any]:
    """Return what later members are compared with: inner decile bounds and the part of members in each bin, and of segments."""
    found: dict[str, Any] = {"segments": (np.asarray(sizes) / max(sum(sizes), 1)).tolist()}
    for name in WATCHED:
        edges = np.unique(np.quantile(columns[name], np.linspace(0.1, 0.9, 9)))
        found[name] = {"edges": edges.tolist(), "shares": _shares(columns[name], edges).tolist()}
    return found


def measure(model: Mapping[str, Any], columns: Mapping[str, Floats], shares: Floats) -> Drift | None:
    """Return how far members' features `columns` (each (n,)) and category `shares` (n, c) are from training; None for few members.

    model : the segments artifact, with its "reference".
    """
    then = model.get("reference")
    n = len(shares)
    if then is None or n < LEAST_MEMBERS:
        return None
    psi = {
        name: index(np.asarray(then[name]["shares"]), _shares(columns[name], np.asarray(then[name]["edges"])))
        for name in WATCHED
    }
    numbers, _ = SegmentModel(model).assign(columns, shares)
    now = np.bincount(numbers, minlength=len(then["segments"])) / n
    return Drift(psi | {"segments": index(np.asarray(then["segments"]), now)}, n)


def index(then: Floats, now: Floats) -> float:
    """Return the population stability index of two distributions over the same bins."""
    a, b = np.maximum(then, _FLOOR), np.maximum(now, _FLOOR)
    return float(((b - a) * np.log(b / a)).sum())


def _shares(values: Floats, edges: Floats) -> Floats:
    found: Floats = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1) / max(
        len(values), 1
    )
    return found
