"""Strong baselines on the same candidates and the same split: EASE, item-kNN, LambdaMART, a tuned formula."""

from __future__ import annotations

from collections.abc import Callable

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from personalization.ranking import metrics
from personalization.ranking.emer.tokens import log_odds, ranks
from personalization.ranking.features import FEATURES
from personalization.ranking.history import History, group
from personalization.ranking.learning import BINARY, SIGN, shortlists
from personalization.ranking.objectives import TREES
from personalization.ranking.requests import Requests

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PENALTY = 200.0
BASIC = ("item_n", "item_decay120", "item_since", "item_gap", "item_due", "catalogue_buyers28", "catalogue_buyers", "taste",
         "member_n", "member_items")  # fmt: skip
"""What a plain re-ranker reads: own counts and times, popularity, one collaborative score."""


def of_features(requests: Requests, name: str) -> Floats:
    """Return one feature as a score, (rows,)."""
    return np.nan_to_num(requests.features[:, FEATURES.index(name)].astype(np.float64))


def own_frequency(requests: Requests) -> Floats:
    """Return how often each was bought, then popularity."""
    return of_features(requests, "item_n") * 1e4 + of_features(requests, "catalogue_buyers28")


def _matrix(history: History, members: int, items: int, day: float) -> csr_matrix:
    pairs = group(history.before(day), None, items)
    values = np.log1p(pairs.counts).astype(np.float32)
    return csr_matrix((values, (pairs.keys // items, pairs.keys % items)), shape=(members, items))


def ease(history: History, requests: Requests, members: int, items: int, day: float) -> Floats:
    """Return exact EASE scores of the candidates (Steck 2019), by the dual inverse over members."""
    x = _matrix(history, members, items, day)
    gram = np.asarray((x @ x.T).todense(), np.float32) + PENALTY * np.eye(members, dtype=np.float32)
    solved = np.linalg.inv(gram) @ np.asarray(x.todense(), np.float32)
    diagonal = np.maximum(1.0 - np.asarray(x.multiply(solved).sum(axis=0)).ravel(), 1e-6)  # λ diag(P)
    asked = np.unique(requests.member)
    dense = np.asarray(x[asked].todense(), np.float32)
    scores = dense - (PENALTY * solved[asked]) / diagonal  # x - xP / diag(P), and xP = (XXᵀ + λI)^-1 X
    return scores[np.searchsorted(asked, requests.member), requests.item].astype(np.float64)


def item_knn(history: History, requests: Requests, members: int, items: int, day: float, *, k: int = 100) -> Floats:
    """Return item-kNN scores with BM25 weights and cosine similarity, the k nearest of each item."""
    x = _matrix(history, members, items, day)
    frequency = np.bincount(x.indices, minlength=items)
    length = np.diff(x.indptr)
    weight = np.repeat(1.2 * (0.25 + 0.75 * length / length.mean()), length)
    counts = np.expm1(x.data)
    weighed = csr_matrix(
        (counts * 2.2 / (counts + weight) * np.log(members / np.maximum(frequency, 1))[x.indices], x.indices, x.indptr),
        shape=x.shape,
    )
    norm = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=0)).ravel())
    unit = (weighed @ diags(1.0 / np.maximum(norm, 1e-9))).tocsc()
    asked = np.unique(requests.member)
    row = np.searchsorted(asked, requests.member)
    profile = x[asked]
    scores = np.zeros(len(requests.item))
    for start in range(0, items, 1000):
        block = np.arange(start, min(start + 1000, items))
        alike = np.asarray((unit.T @ unit[:, block]).todense())
        alike[block, block - start] = 0.0
        floor = -np.partition(-alike, k, axis=0)[k] if items > k else alike.min(axis=0)
        alike[alike < floor] = 0.0
        part = np.asarray(profile @ alike)
        mine = (requests.item >= start) & (requests.item < start + len(block))
        scores[mine] = part[row[mine], requests.item[mine] - start]
    return scores


def plain_reranker(train: Requests, test: Requests, *, seed: int) -> Floats:
    """Return LightGBM's binary scores on the basic features: the strongest of the known baselines."""
    columns = [FEATURES.index(name) for name in BASIC]
    data = lgb.Dataset(train.features[:, columns], (train.orders > 0).astype(np.float32), params=TREES)
    booster = lgb.train({**TREES, "objective": "binary", "seed": seed, "num_threads": 2}, data, 150)
    return np.asarray(booster.predict(test.features[:, columns], raw_score=True, num_threads=2))


def lambdamart(train: Requests, test: Requests, columns: list[int] | None = None, *, seed: int) -> Floats:
    """Return LambdaMART's scores (LightGBM's lambdarank) on the requests' features, grades as EMER's satisfaction."""
    kept = slice(None) if columns is None else columns
    data = lgb.Dataset(train.features[:, kept], train.satisfaction, group=np.diff(train.starts), params=TREES)
    parameters = {**TREES, "objective": "lambdarank", "lambdarank_truncation_level": 20, "seed": seed, "num_threads": 2}
    booster = lgb.train(parameters, data, 150)
    return np.asarray(booster.predict(test.features[:, kept], raw_score=True, num_threads=2))


def with_predictions(requests: Requests, predictions: Floats) -> Requests:
    """Return the requests' shortlists with EMER's inputs (features, log-odds, ranks) as their features."""
    rows, starts = shortlists(requests, predictions[:, 0])
    inputs = np.concatenate(
        [requests.features[rows], log_odds(predictions[rows], BINARY), ranks(predictions[rows], starts)], axis=1
    )
    rest = ("member", "item", "orders", "repeats", "spend", "redeemed", "wait")
    return Requests(starts=starts, features=inputs, **{name: getattr(requests, name)[rows] for name in rest})


class Formula:
    """The hand-tuned formula: Σ w_k · the logarithm of objective k, normalised within the request.

    The weights are found by Optuna's TPE on training requests, with the objectives' out-of-fold predictions.
    """

    def __init__(self, binary: NDArray[np.bool_] = BINARY, sign: NDArray[np.float64] = SIGN) -> None:
        self._binary, self._sign = binary, sign
        self.weights = np.ones(len(binary))

    def _parts(self, predictions: Floats, starts: Ints) -> Floats:
        raw = log_odds(predictions, self._binary).astype(np.float64) * self._sign
        sizes = np.diff(starts)
        mean = np.add.reduceat(raw, starts[:-1], axis=0) / sizes[:, None]
        square = np.add.reduceat(raw * raw, starts[:-1], axis=0) / sizes[:, None]
        spread = np.sqrt(np.maximum(square - mean**2, 1e-9))
        return (raw - np.repeat(mean, sizes, axis=0)) / np.repeat(spread, sizes, axis=0)

    def tune(
        self, predictions: Floats, starts: Ints, judge: Callable[[Floats], float], *, trials: int, seed: int
    ) -> Formula:
        """Search the weights in [0, 1] that `judge` likes best, (rows,) scores to a number."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        parts = self._parts(predictions, starts)
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        size = len(self._binary)

        def trial(asked: optuna.Trial) -> float:
            return judge(parts @ np.array([asked.suggest_float(f"w{k}", 0.0, 1.0) for k in range(size)]))

        study.optimize(trial, n_trials=trials)
        self.weights = np.array([study.best_params[f"w{k}"] for k in range(size)])
        return self

    def score(self, predictions: Floats, starts: Ints) -> Floats:
        """Return (rows,)."""
        return self._parts(predictions, starts) @ self.weights


def ndcg_of(requests: Requests) -> Callable[[Floats], float]:
    """Return a judge: mean NDCG@10 of purchases among the candidates."""
    sizes = np.diff(requests.starts)
    width = int(sizes.max())
    place = np.arange(width)[None, :] < sizes[:, None]
    bought = np.zeros(place.shape, bool)
    bought[place] = requests.orders > 0
    relevant = bought.sum(axis=1)

    def judge(score: Floats) -> float:
        padded = np.full(place.shape, -np.inf)
        padded[place] = score
        best = np.argpartition(-padded, 10, axis=1)[:, :10] if width > 10 else np.argsort(-padded, axis=1)
        order = np.take_along_axis(best, np.argsort(-np.take_along_axis(padded, best, axis=1), axis=1), axis=1)
        return float(np.nanmean(metrics.ndcg(np.take_along_axis(bought, order, axis=1), relevant)))

    return judge
