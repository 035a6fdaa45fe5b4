"""Are off-policy estimates within their stated intervals? Logs of two kinds of old policies, a new one, and the value that it truly has.

`fixed`: the old shares stand still. `adaptive`: they follow the clicks so far, batch by batch, as placement's do, so impressions
are not independent. The new policy is much greedier, and believes in other variants than the old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.creative_market import STATIONARY, WHO, Size, draw
from personalization.creative.policy_value import Ints, Log, Method, Predict, cross_fitted, evaluate
from personalization.creative.reward import fit

Floats = NDArray[np.float64]
RUNS, IMPRESSIONS, VARIANTS, BATCHES, FLOOR = 200, 30_000, 12, 6, 0.3
KINDS = ("fixed", "adaptive")


@dataclass(frozen=True, slots=True)
class Judged:
    """One estimate beside the truth."""

    kind: str
    method: Method
    covered: bool
    width: float
    error: float
    effective: float


def judged(first: int, runs: int) -> list[Judged]:
    """Return every estimate of `runs` runs, the first of them of the seed `first`."""
    return [one for seed in range(first, first + runs) for kind in KINDS for one in _run(seed, kind)]


def _run(seed: int, kind: str) -> list[Judged]:
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    market = draw(
        STATIONARY, seed, Size(campaigns=1, products=1, impressions=IMPRESSIONS, pool=VARIANTS, periods=1, lasts=1)
    )
    truth = market.probability(0, 0)  # (a, v)
    crowd = rng.dirichlet(np.ones(len(WHO)))
    target = _soft(np.log(truth) + 0.3 * rng.standard_normal(truth.shape), 8.0, 0.02)
    value = float((crowd[:, None] * target * truth).sum())
    old = _soft(np.log(truth) + 0.5 * rng.standard_normal(truth.shape), 2.0, FLOOR)
    told = np.zeros((2, *truth.shape))
    columns = []
    for batch in np.array_split(np.arange(IMPRESSIONS), BATCHES):
        if kind == "adaptive":
            old = _thompson(told, rng)
        audience = rng.choice(len(crowd), len(batch), p=crowd)
        ranks = (rng.random(len(batch))[:, None] > old[audience].cumsum(1)).sum(1)
        variant = np.minimum(ranks, VARIANTS - 1)
        reward = (rng.random(len(batch)) < truth[audience, variant]).astype(float)
        np.add.at(told[0], (audience, variant), 1.0)
        np.add.at(told[1], (audience, variant), reward)
        columns.append((audience, variant, reward, old[audience, variant]))
    audience, variant, reward, propensity = (np.concatenate(column) for column in zip(*columns, strict=True))

    def learned(some: Ints) -> Predict:
        model = fit(audience[some], variant[some], reward[some], audiences=len(crowd), variants=VARIANTS)
        average = (target * model.rate).sum(1)
        return lambda held: (model.rate[audience[held], variant[held]], average[audience[held]])

    predicted, expected = cross_fitted(IMPRESSIONS, learned, rng)
    log = Log(reward, propensity, target[audience, variant], predicted=predicted, expected=expected)
    found = [evaluate(log, method) for method in Method]
    return [
        Judged(
            kind,
            one.method,
            one.low <= value <= one.high,
            (one.high - one.low) / value,
            one.value / value - 1,
            one.overlap.effective,
        )
        for one in found
    ]


def _soft(scores: Floats, sharpness: float, floor: float) -> Floats:
    raised = np.exp(sharpness * (scores - scores.max(1, keepdims=True)))
    return (1 - floor) * raised / raised.sum(1, keepdims=True) + floor / scores.shape[1]


def _thompson(told: Floats, rng: np.random.Generator) -> Floats:
    """Return Thompson sampling's shares by counts per mood, with the floor."""
    shown, clicked = (part.reshape(-1, 4, VARIANTS).sum(0) for part in told)
    drawn = rng.gamma(1.5 + clicked, size=(100, *clicked.shape)) / (100.0 + shown)
    wins = np.eye(VARIANTS)[drawn.argmax(2)].mean(0)
    return (1 - FLOOR) * np.tile(wins, (len(WHO) // 4, 1)) + FLOOR / VARIANTS


def coverage(found: Sequence[Judged]) -> dict[str, float]:
    """Return the share of estimates within their interval, by kind of log and method."""
    return {
        f"{kind} {method}": float(np.mean([one.covered for one in found if (one.kind, one.method) == (kind, method)]))
        for kind in KINDS
        for method in Method
    }
