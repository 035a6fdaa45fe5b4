"""How right, varied and complete the ranking is on months that it has not seen, beside strong baselines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bench import ranking_baselines as baselines
from bench import ranking_data as data
from bench.report import Metric, progress
from personalization.ranking import evaluate, learning, metrics, objectives, study
from personalization.ranking.emer.data import Recipe
from personalization.ranking.learning import Plan
from personalization.ranking.objectives import Predictors
from personalization.ranking.requests import Requests
from personalization.ranking.scoring import Models
from personalization.ranking.slate import KNOBS, Weights
from personalization.ranking.study import Held, Method
from personalization.types import Channel

Floats = NDArray[np.float64]
SEED = 7
FULL = Plan(horizon=data.HORIZON, origins=4, every=14.0, recipe=Recipe(epochs=3))
QUICK = Plan(horizon=data.HORIZON, origins=1, members=200, trees=0.2, recipe=Recipe(epochs=1))
QUICK_HELD, QUICK_HOUSEHOLDS = 150, 60
SLOW = ("EASE", "item-kNN, BM25", "LightGBM LambdaRank")  # baselines that the quick run leaves out
SHIPPED = KNOBS[Channel.WIDGET]


@dataclass(frozen=True, slots=True)
class Run:
    """One training and its held-out requests. `unseen` are the training requests' out-of-fold predictions."""

    split: data.Split
    train: Requests
    unseen: Floats
    models: Models
    held: Held
    predictions: Floats
    purchase: Floats
    score: Floats
    seconds: float


@cache
def run(what: str, *, quick: bool) -> Run | None:
    """Train on January to October and rank for November and December; None where the data is not installed."""
    least = QUICK_HOUSEHOLDS if quick else data.LEAST_HOUSEHOLDS
    split = data.products(least=least) if what == "products" else data.categories()
    if split is None:
        return None
    plan, started = QUICK if quick else FULL, time.monotonic()
    progress(f"{what}: making requests")
    train = learning.gather(split.learned, split.catalogue, split.members, split.cut, plan, seed=SEED)
    assert train is not None
    progress(f"{what}: {len(train):,} requests, {len(train.item):,} candidates; training the predictors")
    predictors, unseen = objectives.fit(train, seed=SEED, scale=plan.trees)
    progress(f"{what}: training the ensemble")
    ensemble, _, _ = learning.fit_ensemble(train, unseen, replace(plan.recipe, seed=SEED))
    seconds = time.monotonic() - started
    held = study.hold_out(
        split.everything,
        split.catalogue,
        split.members,
        split.cut,
        data.HORIZON,
        seed=SEED,
        sample=QUICK_HELD if quick else None,
    )
    assert held is not None
    models = Models(predictors, ensemble)
    purchase, score = evaluate.predict(held.requests, models)
    predictions = predict_all(predictors, held.requests)
    return Run(split, train, unseen, models, held, predictions, purchase, score, seconds)


def predict_all(predictors: Predictors, requests: Requests) -> Floats:
    """Return all objectives' predictions, (rows, objectives)."""
    return predictors.predict(requests.features, threads=2)


@cache
def methods(what: str, *, quick: bool) -> list[Method]:
    """Return our ranking at the shipped knob first, then at knob 0, the predictors alone, and the baselines."""
    found = run(what, quick=quick)
    assert found is not None
    held, split = found.held, found.split
    size = len(split.catalogue.product_ids)
    asked = held.requests
    shipped = evaluate.slates(found.score, asked, held.items, held.spread, Weights.of(SHIPPED))
    listed = [
        study.method(f"Aisle, knob {SHIPPED:g} (shipped)", held, found.score, shipped),
        study.method("Aisle, knob 0 (EMER alone)", held, found.score),
        study.method("predicted purchase alone", held, found.purchase),
    ]
    simple = evaluate.simple_scores(asked)
    scores = {
        "popularity": lambda: simple["popular"],
        "own frequency": lambda: baselines.own_frequency(asked),
        "own, 120-day half-life": lambda: simple["repeat"],
        "EASE": lambda: baselines.ease(split.learned, asked, split.members, size, split.cut),
        "item-kNN, BM25": lambda: baselines.item_knn(split.learned, asked, split.members, size, split.cut),
        "LightGBM LambdaRank": lambda: baselines.lambdamart(found.train, asked, seed=SEED),
        "LightGBM binary, plain features": lambda: baselines.plain_reranker(found.train, asked, seed=SEED),
    }
    for name, make in scores.items():
        if quick and name in SLOW:
            continue
        progress(f"{what}: {name}")
        listed.append(study.method(name, held, make()))
    return listed


def offline(quick: bool) -> Iterator[Metric]:
    """Yield the metrics of products and of categories."""
    if run("products", quick=quick) is None:
        names = (
            "product_ndcg10",
            "product_novel_ndcg10",
            "next_basket_recall10",
            "category_ndcg10",
            "coverage",
            "ild",
            "candidate_recall",
        )
        for name in names:
            yield Metric(
                f"ranking.{name}",
                None,
                "",
                0,
                "",
                reason="the demo data is not installed (`pip install 'aisle[demo]'`)",
            )
        return
    found = run("products", quick=quick)
    assert found is not None
    listed = methods("products", quick=quick)
    for name, metric in (
        ("product_ndcg10", "ndcg10"),
        ("product_novel_ndcg10", "novel_ndcg10"),
        ("next_basket_recall10", "next_basket_recall10"),
    ):
        yield _metric(name, metric, listed, data.DATA)
    yield _metric("category_ndcg10", "ndcg10", methods("categories", quick=quick), f"{data.DATA}, categories")
    repeat = next(m for m in listed if m.name == "own, 120-day half-life")
    n = len(found.held.requests)
    yield Metric("ranking.coverage", round(listed[0].mean("coverage"), 4), "share of items", n, data.DATA, baseline={"own, 120-day half-life": round(repeat.mean("coverage"), 4), "knob 0": round(listed[1].mean("coverage"), 4)}, seed=SEED)  # fmt: skip
    yield _metric("ild", "ild", listed, data.DATA, against=("own, 120-day half-life", "Aisle, knob 0 (EMER alone)"))
    yield Metric(
        "ranking.candidate_recall",
        round(found.held.candidate_recall, 4),
        "share",
        n,
        data.DATA,
        baseline={"known re-ranker": 0.345},
        seed=SEED,
    )
    yield Metric(
        "ranking.train_s",
        round(found.seconds, 1),
        "s",
        len(found.train.item),
        f"{data.DATA}: requests, predictors, ensemble",
        seed=SEED,
    )


def _metric(name: str, metric: str, listed: list[Method], where: str, *, against: tuple[str, ...] = ()) -> Metric:
    ours = listed[0].values[metric]
    mean, low, high = metrics.interval(ours, seed=SEED)
    others = {m.name: round(m.mean(metric), 4) for m in listed[1:] if not against or m.name in against}
    return Metric(
        f"ranking.{name}",
        round(mean, 4),
        metric,
        len(ours),
        where,
        ci=(round(low, 4), round(high, 4)),
        baseline=others,
        seed=SEED,
    )


def comparison(what: str) -> Iterator[str]:
    """Yield the page's table: every method, and the paired difference of EMER alone to each."""
    listed = methods(what, quick=False)
    columns = (
        "ndcg10",
        "recall10",
        "mrr",
        "next_basket_recall10",
        "novel_ndcg10",
        "gauc_purchase",
        "iput_gauc",
        "ild",
        "novelty_bits",
        "serendipity",
        "miscalibration",
        "coverage",
        "gini",
        "member_coverage",
    )
    yield "| method | " + " | ".join(columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for m in listed:
        yield f"| {m.name} | " + " | ".join(f"{m.mean(c):.4f}" for c in columns) + " |"
    yield ""
    yield "| paired difference to | NDCG@10, knob 0 | next-basket recall@10, knob 0 | novel-only NDCG@10, knob 0 | NDCG@10, shipped |"
    yield "|---|---|---|---|---|"
    for m in listed[2:]:
        told = []
        for ours, metric in (
            (listed[1], "ndcg10"),
            (listed[1], "next_basket_recall10"),
            (listed[1], "novel_ndcg10"),
            (listed[0], "ndcg10"),
        ):
            mean, low, high = metrics.paired(ours.values[metric], m.values[metric], seed=SEED)
            told.append(f"{mean:+.4f} ({low:+.4f} to {high:+.4f})")
        yield f"| {m.name} | " + " | ".join(told) + " |"


def frontier() -> dict[float, Method]:
    """Return the slates of products at every knob."""
    found = run("products", quick=False)
    assert found is not None
    return study.frontier(found.held, found.score, (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0))
