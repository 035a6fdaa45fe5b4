"""What an offer adds, not who buys anyway: learners of the effect on one shopper, from randomised data with known propensities.

T-learner: a model per arm, and their difference (Künzel et al. 2019). DR-learner: a regression of doubly robust pseudo-outcomes,
whose mean given x is the effect even where the arms' models are wrong (Kennedy 2023). Both are cross-fitted: nobody is scored
by a model that has seen them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Scorer = Callable[[Floats], Floats]
PARAMETERS: dict[str, Any] = {
    "learning_rate": 0.03, "num_leaves": 8, "min_data_in_leaf": 100, "bagging_fraction": 0.7, "bagging_freq": 1, "feature_fraction": 0.6,
    "lambda_l2": 20.0, "verbosity": -1, "num_threads": 1, "deterministic": True, "force_row_wise": True,
}  # fmt: skip
ARM_TREES = 120
EFFECT_PARAMETERS: dict[str, Any] = {**PARAMETERS, "objective": "regression", "num_leaves": 4, "min_data_in_leaf": 500, "lambda_l2": 100.0}  # fmt: skip
EFFECT_TREES = 80


def aipw(outcome: Floats, treated: NDArray[np.bool_], propensity: Floats, without: Floats, with_: Floats) -> Floats:
    """Return doubly robust pseudo-outcomes (n,) (Robins, Rotnitzky & Zhao 1994); their mean estimates the average effect.

    propensity : probability of being treated; without, with_ : predicted outcomes by models that have not seen the row.
    """
    found: Floats = (
        with_ - without + treated * (outcome - with_) / propensity - ~treated * (outcome - without) / (1 - propensity)
    )
    return found


def effect(pseudo: Floats) -> tuple[float, float]:
    """Return the average effect and its standard error."""
    return float(pseudo.mean()), float(pseudo.std(ddof=1) / np.sqrt(len(pseudo)))


def cross_fitted(
    table: Floats, treated: NDArray[np.bool_], outcome: Floats, propensity: Floats, *, seed: int, folds: int = 5
) -> dict[str, Floats]:
    """Return (n,) each: T-learner's and DR-learner's scores, the response model's (who converts when treated), and pseudo-outcomes.

    For the DR-learner, arms' models and pseudo-outcomes come from inside the training part, cross-fitted once more, so that the
    scores of a fold owe nothing to it. The pseudo-outcomes that are returned are those of all rows, for effects and policies.
    """
    part = np.random.default_rng(seed).permutation(len(table)) % folds
    found = {name: np.zeros(len(table)) for name in ("t", "dr", "response", "pseudo")}
    for fold in range(folds):
        out, rest = part == fold, part != fold
        without, with_ = (f(table[out]) for f in _arms(table[rest], treated[rest], outcome[rest], seed))
        found["t"][out], found["response"][out] = with_ - without, with_
        found["pseudo"][out] = aipw(outcome[out], treated[out], propensity[out], without, with_)
        learned = dr_learner(table[rest], treated[rest], outcome[rest], propensity[rest], seed=seed)
        found["dr"][out] = learned(table[out])
    return found


def t_learner(table: Floats, treated: NDArray[np.bool_], outcome: Floats, *, seed: int) -> Scorer:
    """Return a function that scores rows (n, f) -> (n,) with the difference of two models."""
    without, with_ = _arms(table, treated, outcome, seed)
    return lambda rows: with_(rows) - without(rows)


def dr_learner(
    table: Floats, treated: NDArray[np.bool_], outcome: Floats, propensity: Floats, *, seed: int, folds: int = 3
) -> Scorer:
    """Return a function that scores rows (n, f) -> (n,) with a regression of pseudo-outcomes on what is known."""
    part, pseudo = np.random.default_rng(seed + 1).permutation(len(table)) % folds, np.zeros(len(table))
    for fold in range(folds):
        out, rest = part == fold, part != fold
        without, with_ = (f(table[out]) for f in _arms(table[rest], treated[rest], outcome[rest], seed))
        pseudo[out] = aipw(outcome[out], treated[out], propensity[out], without, with_)
    return _boosted(table, pseudo, EFFECT_PARAMETERS, EFFECT_TREES, seed)


def uplift_at(score: Floats, treated: NDArray[np.bool_], outcome: Floats, share: float) -> float:
    """Return the effect among the `share` with the largest scores, treated mean less the others', for even propensities; NaN without both."""
    best = np.argsort(-score, kind="stable")[: max(round(share * len(score)), 1)]
    one, other = outcome[best][treated[best]], outcome[best][~treated[best]]
    return float(one.mean() - other.mean()) if len(one) and len(other) else float("nan")


def qini(score: Floats, treated: NDArray[np.bool_], outcome: Floats) -> float:
    """Return Qini's coefficient (Radcliffe 2007): extra outcomes per row above random targeting, averaged over all shares."""
    order = np.argsort(-score, kind="stable")
    arm, gained = treated[order], outcome[order]
    with_, without = np.cumsum(arm), np.cumsum(~arm)
    extra = np.cumsum(gained * arm) - np.cumsum(gained * ~arm) * with_ / np.maximum(without, 1)
    at_random = extra[-1] * np.arange(1, len(score) + 1) / len(score)
    return float((extra - at_random).mean() / len(score))


def _arms(table: Floats, treated: NDArray[np.bool_], outcome: Floats, seed: int) -> tuple[Scorer, Scorer]:
    objective = "binary" if set(np.unique(outcome)) <= {0.0, 1.0} else "regression"
    settings = {**PARAMETERS, "objective": objective}
    without = _boosted(table[~treated], outcome[~treated], settings, ARM_TREES, seed)
    return without, _boosted(table[treated], outcome[treated], settings, ARM_TREES, seed)


def _boosted(table: Floats, outcome: Floats, settings: dict[str, Any], trees: int, seed: int) -> Scorer:
    import lightgbm  # noqa: PLC0415  it takes seconds to import; serving needs none of this

    booster = lightgbm.train({**settings, "seed": seed}, lightgbm.Dataset(table, outcome), num_boost_round=trees)
    return lambda rows: np.asarray(booster.predict(rows, num_threads=1), float)
