"""Which few of many variants an audience may see: good ones that differ, new ones included, losers retired.

The screened set maximises, greedily, the determinant of L = diag(w) S diag(w) with S the share of design choices that two variants
have in common and w = exp(quality / temperature): a determinantal point process's most likely set (Kulesza & Taskar 2012; greedy by
Chen, Zhang & Zhou 2018). Two variants that agree in every choice add nothing to each other, so a set cannot become one poster in
many copies, however good that poster is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personalization.creative.features import Floats, Singles

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Rules:
    """How a set is made.

    size : of a set; optimism : standard deviations that an unknown variant's score is raised by; temperature : log-odds for which
    quality outweighs likeness by a factor of e; least_shown : impressions before a variant can be retired; a variant is retired
    when the chance that it is within `margin` log-odds of the set's best is below `doubt`.
    """

    size: int = 16
    optimism: float = 1.0
    temperature: float = 0.1
    least_shown: int = 200
    margin: float = 0.05
    doubt: float = 0.02


def likeness(z: Singles, options: int) -> Singles:
    """Return the share of choices that variants have in common, (n, n), from their columns z (n, q), the first `options` of which are options."""
    chosen = z[:, :options]
    common = chosen @ chosen.T
    size = np.sqrt(np.maximum(common.diagonal(), 1.0)).astype(np.float32)
    found: Singles = common / size / size[:, None]
    return found


def screen(
    quality: Floats,
    alike: Singles,
    size: int,
    *,
    temperature: float,
    kept: Mask | None = None,
    allowed: Mask | None = None,
) -> Ints:
    """Return, for each audience, the places of its screened set, (a, size): those kept first, then the best that differ.

    quality : (a, n) log-odds; alike : (n, n); kept : (a, n), at most `size` each; allowed : (a, n) which may be taken at all. With
    fewer than `size` to take, the places of the rest are -1.
    """
    audiences, n = quality.shape
    raised = np.exp((quality - quality.max(1, keepdims=True)) / temperature)
    open_ = np.ones((audiences, n), bool) if allowed is None else allowed.copy()
    first = np.zeros((audiences, n), bool) if kept is None else kept & open_
    gain = raised**2 * (1.0 + _TINY)  # what the determinant grows by: w² times what the chosen do not span of it
    spanned = np.zeros((size, audiences, n), np.float32)
    left, chosen, each = (
        np.ones((audiences, n), np.float32),
        np.full((audiences, size), -1, np.int64),
        np.arange(audiences),
    )
    for step in range(size):
        worth = np.where(open_, gain * np.maximum(left, _TINY), -1.0)
        worth = np.where(first & open_, worth + 2.0, worth)
        best = worth.argmax(1)
        found = worth[each, best] > 0
        chosen[:, step] = np.where(found, best, -1)
        row = alike[best] - np.einsum("sa,san->an", spanned[:step, each, best], spanned[:step])
        row /= np.sqrt(np.maximum(left[each, best], _TINY))[:, None]
        row[left[each, best] < _TINY] = 0.0
        spanned[step] = row
        left = np.maximum(left - row**2, 0.0)
        open_[each, best] = False
    return chosen


def keep(drawn: Singles, shown: Ints, rules: Rules) -> Mask:
    """Return which of a set stay, (k,): those that were shown too little to tell, and those that may still be the best.

    drawn : (k, s) draws of log-odds; shown : (k,) impressions. The best guess always stays.
    """
    near = (drawn >= drawn.max(0) - rules.margin).mean(1)
    stays: Mask = (shown < rules.least_shown) | (near >= rules.doubt)
    stays[drawn.mean(1).argmax()] = True
    return stays


def spread(alike: Singles, chosen: Ints) -> float:
    """Return the mean share of choices in which two of the `chosen` differ: 0 for copies of one poster."""
    chosen = chosen[chosen >= 0]
    if len(chosen) < 2:
        return 0.0
    among = alike[np.ix_(chosen, chosen)]
    return float(1.0 - (among.sum() - among.trace()) / (len(chosen) * (len(chosen) - 1)))
