"""Per-objective predictors: one LightGBM model per objective, calibrated on members that it did not see.

A multi-task network on the same inputs is level on purchases and worse on what is rare (docs/models/ranking.md), so each objective
has its own trees.

What is done with an item also depends on its place on the slate. So place is one more feature of the objectives that are
learned from what was shown, and serving asks for everything as if it stood first (Zinkevich, Rules of Machine Learning,
#36; Haldar et al. 2020, arXiv 2002.05515): what place explains is not taken for the item's own doing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from personalization.calibration import platt
from personalization.ranking.requests import Requests

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]
TREES = {"learning_rate": 0.08, "num_leaves": 47, "min_data_in_leaf": 200, "feature_fraction": 0.5, "bagging_fraction": 0.7,
         "bagging_freq": 1, "lambda_l2": 5.0, "verbose": -1}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Objective:
    """Something a retailer wants of an item that is shown.

    target : what is predicted, from the feedback of `Requests`, or of `logged.Examples`; loss : LightGBM's; rounds : trees;
    start : weight in the formula that the ensemble starts from; interaction : whether it counts per unit time; positive :
    larger is better; placed : whether the place on the slate is a further feature.
    """

    name: str
    told: str
    target: Callable[[Any], Floats32]
    loss: str
    rounds: int
    start: float = 0.1
    interaction: bool = True
    positive: bool = True
    placed: bool = False


OBJECTIVES: tuple[Objective, ...] = (
    Objective("purchase", "buys it", lambda r: (r.orders > 0).astype(np.float32), "binary", 150, start=1.0),
    Objective("repeat", "buys it twice within 30 days", lambda r: (r.repeats > 1).astype(np.float32), "binary", 80),
    Objective("redeem", "redeems a coupon on it", lambda r: (r.redeemed > 0).astype(np.float32), "binary", 60, start=0.05),
    Objective("spend", "log of one plus the money spent on it", lambda r: np.log1p(r.spend), "l2", 80, interaction=False),
    Objective("wait", "days until it is bought, by the horizon", lambda r: r.wait / r.wait.max(), "l2", 80, interaction=False, positive=False),
)  # fmt: skip
NAMES = tuple(objective.name for objective in OBJECTIVES)
SHOWN: tuple[Objective, ...] = (
    # per showing, not per day of waiting: every card takes the same look
    Objective("click", "opens it, or does more", lambda e: e.engaged.astype(np.float32), "binary", 80, interaction=False, placed=True),
    Objective("basket", "puts it into the basket, or buys it", lambda e: e.taken.astype(np.float32), "binary", 80, interaction=False, placed=True),
)  # fmt: skip
"""Objectives of what was shown, learned from logged requests where there are enough."""


def named(names: Sequence[str]) -> tuple[Objective, ...]:
    """Return the objectives with these names. Raises ValueError when one is unknown, or one of NAMES is missing."""
    known = {objective.name: objective for objective in (*OBJECTIVES, *SHOWN)}
    if tuple(names[: len(NAMES)]) != NAMES or not known.keys() >= set(names):
        raise ValueError(f"these are not the objectives of this version: {', '.join(names)}")
    return tuple(known[name] for name in names)


@dataclass(frozen=True, slots=True)
class Predictors:
    """Trained predictors. `slopes` (objectives, 2) maps a binary model's log-odds to calibrated ones (Platt 1999)."""

    boosters: tuple[lgb.Booster, ...]
    slopes: Floats
    objectives: tuple[Objective, ...] = OBJECTIVES

    @property
    def names(self) -> tuple[str, ...]:
        """The objectives' names, in the order of the predictions."""
        return tuple(objective.name for objective in self.objectives)

    def predict(self, features: Floats32, *, only: int | None = None, threads: int = 1) -> Floats:
        """Return (rows, objectives), or (rows, 1) of objective number `only`.

        Probabilities for binary objectives, at the first place where place counts; `spend` in log units; `wait` as a share
        of the horizon.
        """
        chosen = range(len(self.boosters)) if only is None else (only,)
        found = np.empty((len(features), len(chosen)))
        first = placed(features, np.ones(len(features))) if any(self.objectives[n].placed for n in chosen) else features
        for column, number in enumerate(chosen):
            rows = first if self.objectives[number].placed else features
            raw = self.boosters[number].predict(rows, raw_score=True, num_threads=threads)
            if self.objectives[number].loss == "binary":
                raw = _sigmoid(raw, self.slopes[number])
            found[:, column] = raw
        return found

    def joined(self, more: Predictors) -> Predictors:
        """Return these predictors with more behind them."""
        slopes = np.concatenate([self.slopes, more.slopes])
        return Predictors(self.boosters + more.boosters, slopes, self.objectives + more.objectives)

    def as_strings(self) -> list[str]:
        """Return the models as LightGBM's text."""
        return [booster.model_to_string() for booster in self.boosters]

    @classmethod
    def from_strings(cls, texts: Sequence[str], slopes: Floats, names: Sequence[str] = NAMES) -> Predictors:
        """Load what `as_strings` gave. Raises ValueError for objectives that this version does not know."""
        return cls(tuple(lgb.Booster(model_str=text) for text in texts), slopes, named(names))


@dataclass(frozen=True, slots=True)
class Fitted:
    """Predictors learned from everything; those of each half of the members; and what each half's say of the other.

    unseen : (rows, objectives), calibrated; folds : by the half that they were learned from.
    """

    predictors: Predictors
    folds: tuple[Predictors, Predictors]
    unseen: Floats


def placed(features: Floats32, place: NDArray[Any]) -> Floats32:
    """Return features with the place on the slate, from 1, as a further column, (rows, features + 1)."""
    return np.column_stack([features, place.astype(np.float32)])


def fit(
    requests: Requests, *, seed: int, scale: float = 1.0, threads: int = 2, progress: Callable[[], None] = lambda: None
) -> tuple[Predictors, Floats]:
    """Return predictors learned from everything, and out-of-fold predictions (rows, objectives) of two halves of the members.

    The second model of a half never saw its members; what stands on top of predictions is trained on those. `scale`
    multiplies the number of trees.
    """
    side = halves(int(requests.member.max()) + 1, seed)[requests.member]
    found = fit_halves(
        OBJECTIVES, requests, requests.features, side, seed=seed, scale=scale, threads=threads, progress=progress
    )
    return found.predictors, found.unseen


def fit_halves(
    wanted: Sequence[Objective], source: Any, features: Floats32, side: Ints, *, seed: int, scale: float = 1.0, threads: int = 2,
    progress: Callable[[], None] = lambda: None,
) -> Fitted:  # fmt: skip
    """Learn the `wanted` objectives of `source` from features (rows, n), thrice: from each half and from all.

    side : (rows,) 0 or 1, which half a row's member is in.
    """
    boosters, halved = list[lgb.Booster](), (list[lgb.Booster](), list[lgb.Booster]())
    slopes, unseen = np.tile([1.0, 0.0], (len(wanted), 1)), np.empty((len(side), len(wanted)))
    data = [lgb.Dataset(features[side == half], params=TREES, free_raw_data=False) for half in (0, 1)]
    whole = lgb.Dataset(features, params=TREES, free_raw_data=False)
    for number, objective in enumerate(wanted):
        target = objective.target(source)
        parameters = {**TREES, "objective": objective.loss, "seed": seed, "num_threads": threads}
        rounds = max(int(objective.rounds * scale), 10)
        raw = np.empty(len(side))
        for half in (0, 1):
            booster = lgb.train(parameters, data[half].set_label(target[side == half]), rounds)
            raw[side != half] = booster.predict(features[side != half], raw_score=True, num_threads=threads)
            halved[half].append(booster)
            progress()
        boosters.append(lgb.train(parameters, whole.set_label(target), rounds))
        if objective.loss == "binary":
            slopes[number] = calibrated(raw, target, seed)
            raw = _sigmoid(raw, slopes[number])
        unseen[:, number] = raw
        progress()
    first, second = (Predictors(tuple(found), slopes, tuple(wanted)) for found in halved)
    return Fitted(Predictors(tuple(boosters), slopes, tuple(wanted)), (first, second), unseen)


def halves(members: int, seed: int) -> Ints:
    """Return the half, 0 or 1, that each of so many members is in, (members,)."""
    return np.random.default_rng(seed).permutation(members) % 2


def _sigmoid(raw: Any, slope: Floats) -> Floats:
    found: Floats = 1.0 / (1.0 + np.exp(-(slope[0] * raw + slope[1])))
    return found


def calibrated(raw: Floats, target: Floats32, seed: int) -> tuple[float, float]:
    """Return slope and offset of log-odds as a sample of the rows has them; no change where hardly anything happened."""
    rows = np.random.default_rng(seed).permutation(len(raw))[:400_000]
    outcome = target[rows].astype(np.float64)
    return (1.0, 0.0) if outcome.sum() < 20 else platt(raw[rows], outcome, np.ones(len(rows)))
