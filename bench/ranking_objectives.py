"""One network for all objectives, or trees for each? Same requests, candidates and features, judged on the validation months."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata

from bench import ranking_data as data
from bench import ranking_multitask
from bench.report import progress
from personalization.ranking import evaluate, learning, metrics, objectives, study
from personalization.ranking.learning import Plan
from personalization.ranking.objectives import OBJECTIVES
from personalization.ranking.study import Held

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
SEED = 7
SEPTEMBER = datetime(2017, 9, 1, tzinfo=UTC)
MEMBERS = 600  # per origin, of some 2,200: the whole comparison shall take six minutes on two cores
PLAN = Plan(horizon=data.HORIZON, origins=4, every=14.0)
BINS, DRAWS = 20, 2000
TOGETHER = 200  # candidates that are predicted at once when the time is taken


@dataclass(frozen=True, slots=True)
class Row:
    """One measure. difference : the network's less the trees', with its 95 % interval (nan where there is none)."""

    objective: str
    measure: str
    trees: float
    network: float
    difference: tuple[float, float, float]


def measure(members: int = MEMBERS) -> tuple[str, list[Row]] | None:
    """Train both before September 2017 and judge both on September and October; None where the data is not installed.

    Intervals resample households, whose requests are one each; those of times resample repetitions.
    """
    split = data.products(SEPTEMBER)
    if split is None:
        return None
    progress("predictors: making requests")
    plan = replace(PLAN, members=members)
    asked = learning.gather(split.learned, split.catalogue, split.members, split.cut, plan, seed=SEED)
    known = split.everything.before(split.cut + data.HORIZON)
    held = study.hold_out(known, split.catalogue, split.members, split.cut, data.HORIZON, seed=SEED)
    assert asked is not None
    assert held is not None
    progress(f"predictors: {len(asked):,} requests, {len(asked.item):,} candidates; trees")
    started = time.process_time()
    trees, _ = objectives.fit(asked, seed=SEED)
    seconds = time.process_time() - started
    progress("predictors: networks")
    network = ranking_multitask.fit(asked, seed=SEED)
    features = held.requests.features
    rows = judge(held, trees.predict(features, threads=2), network.predict(features))
    rows.append(Row("all", "training, CPU s", seconds, network.seconds, (network.seconds - seconds, np.nan, np.nan)))
    rows.append(_speed(features, trees.predict, network.predict))
    told = (
        f"Complete Journey, learned on four origins before September 2017 ({len(asked):,} requests of at most {members:,} "
        f"members each, {len(asked.item):,} candidates), judged on September and October ({len(held.requests):,} households), "
        f"seed {SEED}. The network: {network.told}."
    )
    return told, rows


def judge(held: Held, trees: Floats, network: Floats) -> list[Row]:
    """Compare two predictions (rows, objectives) of the same requests; means are over requests, but of ECE over candidates."""
    rows, starts = [], held.requests.starts
    for number, objective in enumerate(OBJECTIVES):
        target = objective.target(held.requests).astype(np.float64)
        each = [_measures(predicted[:, number], target, starts, objective.loss) for predicted in (trees, network)]
        if objective.name == "purchase":
            for known, predicted in zip(each, (trees, network), strict=True):
                known["NDCG@10"] = _ndcg(held, predicted[:, number])
        for name, theirs in each[0].items():
            ours = each[1][name]
            both = ~np.isnan(theirs + ours)
            difference = metrics.paired(ours, theirs, seed=SEED)
            rows.append(Row(objective.name, name, theirs[both].mean(), ours[both].mean(), difference))
        if objective.loss == "binary":
            rows.append(_calibration(objective.name, trees[:, number], network[:, number], target, starts))
    return rows


def _ndcg(held: Held, score: Floats) -> Floats:
    best = evaluate.top(score, held.requests)
    return evaluate.accuracy(best, best, held.truth)["ndcg10"]


def _measures(p: Floats, y: Floats, starts: NDArray[np.int64], loss: str) -> dict[str, Floats]:
    def mean(values: Floats) -> Floats:
        return np.add.reduceat(values, starts[:-1]) / np.diff(starts)

    if loss == "binary":
        q = np.clip(p, 1e-7, 1 - 1e-7)
        return {
            "group AUC": metrics.group_auc(p, y, starts),
            "log loss": mean(-y * np.log(q) - (1 - y) * np.log1p(-q)),
        }
    ranks = np.array([_correlation(p[a:b], y[a:b]) for a, b in pairwise(starts.tolist())])
    return {"squared error": mean((p - y) ** 2), "absolute error": mean(np.abs(p - y)), "rank correlation": ranks}


def _correlation(p: Floats, y: Floats) -> float:
    """Return Spearman's rank correlation; nan where one of the two is constant."""
    return float(np.corrcoef(rankdata(p), rankdata(y))[0, 1]) if np.ptp(p) and np.ptp(y) else float("nan")


def _calibration(name: str, trees: Floats, network: Floats, y: Floats, starts: NDArray[np.int64]) -> Row:
    """Compare expected calibration errors over bins of equal size (Naeini et al. 2015), drawing whole requests."""
    requests = len(starts) - 1
    weight = np.random.default_rng(SEED).multinomial(requests, np.full(requests, 1 / requests), DRAWS)
    weight = np.concatenate([np.ones((1, requests)), weight])
    request, errors = np.repeat(np.arange(requests), np.diff(starts)), []
    for p in (trees, network):
        place = np.searchsorted(np.quantile(p, np.linspace(0, 1, BINS + 1)[1:-1]), p)
        gap = np.bincount(request * BINS + place, weights=p - y, minlength=requests * BINS).reshape(requests, BINS)
        errors.append(np.abs(weight @ gap).sum(axis=1) / (weight @ np.diff(starts)))
    change = errors[1] - errors[0]
    low, high = np.percentile(change[1:], [2.5, 97.5])
    return Row(name, "ECE", errors[0][0], errors[1][0], (change[0], low, high))


def _speed(features: Floats32, trees: Callable[[Floats32], Floats], network: Callable[[Floats32], Floats]) -> Row:
    rng, threads, times = np.random.default_rng(SEED), torch.get_num_threads(), np.empty((300, 2))
    torch.set_num_threads(1)
    for taken in times:
        rows = features[rng.integers(0, len(features), TOGETHER)]
        for side, predict in enumerate((trees, network)):
            started = time.process_time()
            predict(rows)
            taken[side] = (time.process_time() - started) * 1e3
    torch.set_num_threads(threads)
    means = times.mean(axis=0)
    difference = metrics.paired(times[:, 1], times[:, 0], seed=SEED)
    return Row("all", f"prediction of {TOGETHER} candidates, CPU ms", means[0], means[1], difference)


def table(found: tuple[str, list[Row]] | None) -> Iterator[str]:
    """Yield the page's lines."""
    if found is None:
        yield "Not measured: the demo data is not installed (`pip install 'aisle[demo]'`)."
        return
    told, rows = found
    yield from (
        told,
        "",
        "| objective | measure | trees | network | network less trees |",
        "|---|---|---|---|---|",
    )
    for row in rows:
        mean, low, high = row.difference
        interval = "" if np.isnan(low) else f" ({low:+.3g} to {high:+.3g})"
        yield f"| {row.objective} | {row.measure} | {row.trees:.4g} | {row.network:.4g} | {mean:+.3g}{interval} |"


if __name__ == "__main__":
    print(*table(measure()), sep="\n")
