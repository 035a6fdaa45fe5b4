"""Per-objective predictors: one LightGBM model per objective, calibrated on members that it did not see.

A multi-task network on the same inputs measured worse (docs/models/ranking.md), so each objective has its own trees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from personalization.ranking.requests import Requests

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
TREES = {"learning_rate": 0.08, "num_leaves": 47, "min_data_in_leaf": 200, "feature_fraction": 0.5, "bagging_fraction": 0.7,
         "bagging_freq": 1, "lambda_l2": 5.0, "verbose": -1}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Objective:
    """Something a retailer wants of an item that is shown.

    target : what is predicted, from the requests' feedback; loss : LightGBM's; rounds : trees; interaction : whether it is
    something that people do, so that it counts per unit time; positive : larger is better.
    """

    name: str
    told: str
    target: Callable[[Requests], Floats32]
    loss: str
    rounds: int
    interaction: bool = True
    positive: bool = True


OBJECTIVES: tuple[Objective, ...] = (
    Objective("purchase", "buys it", lambda r: (r.orders > 0).astype(np.float32), "binary", 150),
    Objective("repeat", "buys it twice within 30 days", lambda r: (r.repeats > 1).astype(np.float32), "binary", 80),
    Objective("redeem", "redeems a coupon on it", lambda r: (r.redeemed > 0).astype(np.float32), "binary", 60),
    Objective("spend", "log of one plus the money spent on it", lambda r: np.log1p(r.spend), "l2", 80, interaction=False),
    Objective("wait", "days until it is bought, by the horizon", lambda r: r.wait / r.wait.max(), "l2", 80, interaction=False, positive=False),
)  # fmt: skip
NAMES = tuple(objective.name for objective in OBJECTIVES)


@dataclass(frozen=True, slots=True)
class Predictors:
    """Trained predictors. `slopes` (objectives, 2) maps a binary model's log-odds to calibrated ones (Platt 1999)."""

    boosters: tuple[lgb.Booster, ...]
    slopes: Floats

    def predict(self, features: Floats32, *, only: int | None = None, threads: int = 1) -> Floats:
        """Return (rows, objectives), or (rows, 1) of objective number `only`.

        Probabilities for binary objectives; `spend` in log units; `wait` as a share of the horizon.
        """
        chosen = range(len(self.boosters)) if only is None else (only,)
        found = np.empty((len(features), len(chosen)))
        for column, number in enumerate(chosen):
            raw = self.boosters[number].predict(features, raw_score=True, num_threads=threads)
            if OBJECTIVES[number].loss == "binary":
                a, b = self.slopes[number]
                raw = 1.0 / (1.0 + np.exp(-(a * raw + b)))
            found[:, column] = raw
        return found

    def as_strings(self) -> list[str]:
        """Return the models as LightGBM's text."""
        return [booster.model_to_string() for booster in self.boosters]

    @classmethod
    def from_strings(cls, texts: Sequence[str], slopes: Floats) -> Predictors:
        """Load what `as_strings` gave."""
        return cls(tuple(lgb.Booster(model_str=text) for text in texts), slopes)


def fit(
    requests: Requests, *, seed: int, scale: float = 1.0, threads: int = 2, progress: Callable[[], None] = lambda: None
) -> tuple[Predictors, Floats]:
    """Return predictors learned from everything, and out-of-fold predictions (rows, objectives) of two halves of the members.

    The second model of a half never saw its members; what stands on top of predictions is trained on those. `scale`
    multiplies the number of trees.
    """
    half = _halves(requests.member, seed)
    boosters, slopes, unseen = [], np.tile([1.0, 0.0], (len(OBJECTIVES), 1)), np.empty((len(half), len(OBJECTIVES)))
    data = [lgb.Dataset(requests.features[half == side], params=TREES, free_raw_data=False) for side in (0, 1)]
    whole = lgb.Dataset(requests.features, params=TREES, free_raw_data=False)
    for number, objective in enumerate(OBJECTIVES):
        target = objective.target(requests)
        parameters = {**TREES, "objective": objective.loss, "seed": seed, "num_threads": threads}
        rounds = max(int(objective.rounds * scale), 10)
        raw = np.empty(len(half))
        for side in (0, 1):
            booster = lgb.train(parameters, data[side].set_label(target[half == side]), rounds)
            raw[half != side] = booster.predict(requests.features[half != side], raw_score=True, num_threads=threads)
            progress()
        boosters.append(lgb.train(parameters, whole.set_label(target), rounds))
        if objective.loss == "binary":
            slopes[number] = _platt(raw, target, seed)
            raw = 1.0 / (1.0 + np.exp(-(slopes[number, 0] * raw + slopes[number, 1])))
        unseen[:, number] = raw
        progress()
    return Predictors(tuple(boosters), slopes), unseen


def _halves(member: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    side = np.random.default_rng(seed).permutation(int(member.max()) + 1) % 2
    return side[member]


def _platt(raw: Floats, target: Floats32, seed: int) -> Floats:
    """Return slope and intercept of the log-odds that fit `target` best (Newton's method)."""
    rows = np.random.default_rng(seed).permutation(len(raw))[:400_000]
    x, y = raw[rows], target[rows].astype(np.float64)
    if y.sum() < 20:
        return np.array([1.0, 0.0])
    w = np.array([1.0, 0.0])
    for _ in range(25):
        p = 1.0 / (1.0 + np.exp(-(w[0] * x + w[1])))
        d = p * (1 - p)
        slope = np.array([np.sum((p - y) * x), np.sum(p - y)])
        curve = np.array([[np.sum(d * x * x), np.sum(d * x)], [np.sum(d * x), np.sum(d)]]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(curve, slope)
        w = w - step
        if np.abs(step).max() < 1e-8:
            break
    return w
