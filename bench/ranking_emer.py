"""EMER beside a tuned formula, a pointwise network, LambdaMART and itself with parts left out, on two data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from bench import ranking_baselines as baselines
from bench import ranking_data
from bench import ranking_offline as offline
from bench.report import Metric, progress
from personalization.ranking import evaluate, learning, metrics, study
from personalization.ranking.emer import serving
from personalization.ranking.emer import training as emer
from personalization.ranking.emer.data import Ablation, Recipe
from personalization.ranking.emer.tokens import log_odds, ranks
from personalization.ranking.objectives import TREES
from personalization.ranking.requests import Requests
from personalization.ranking.scoring import Models
from personalization.ranking.simulation import judging, loop
from personalization.ranking.simulation import requests as simulated

Floats = NDArray[np.float64]
SEED = 7
ABLATED = 3000  # requests that every ablation learns from, the whole model of the table too
START = np.full(len(simulated.OBJECTIVES), 0.3)
VARIED, ACCURATE = "varied 0.25", "accurate"
PARTS: Mapping[str, Ablation] = {
    "EMER": Ablation(),
    "without ranks": Ablation(ranks=False),
    "without transformer": Ablation(transformer=False),
    "without comparison (no ranks, no transformer)": Ablation(ranks=False, transformer=False),
    "without posterior": Ablation(posterior=False),
    "without prior": Ablation(prior=False),
    "without per-unit-time": Ablation(per_unit_time=False),
    "without evolving weights": Ablation(evolving=False),
    "pointwise MLP": Ablation(relative=False, prior=False, transformer=False),
}


@dataclass(frozen=True, slots=True)
class Variant:
    """A ranker's per-request metrics on one data set."""

    name: str
    values: Mapping[str, Floats]


@cache
def on_orders(*, quick: bool) -> list[Variant]:
    """Return the rankers on Complete Journey, and with fewer requests EMER without each part; `quick` leaves those out."""
    found = offline.run("products", quick=quick)
    assert found is not None
    held, train = found.held, found.train
    listed = [Variant("EMER", study.method("EMER", held, found.score).values)]
    fewer = _first(train, ABLATED)
    for name, parts in () if quick else PARTS.items():
        progress(f"Complete Journey: {name}, {ABLATED:,} requests")
        recipe = replace(offline.FULL.recipe, seed=SEED, parts=parts)
        ensemble, _, _ = learning.fit_ensemble(fewer, found.unseen[: len(fewer.item)], recipe)
        _, score = evaluate.predict(held.requests, Models(found.models.predictors, ensemble))
        listed.append(Variant(f"{name}, {ABLATED:,} requests", study.method(name, held, score).values))
    progress("Complete Journey: tuned formula")
    some = _first(train, 150 if quick else 1500)
    formula = baselines.Formula().tune(
        found.unseen[: len(some.item)], some.starts, baselines.ndcg_of(some), trials=20 if quick else 200, seed=SEED
    )
    listed.append(
        Variant(
            "tuned formula",
            study.method("formula", held, formula.score(found.predictions, held.requests.starts)).values,
        )
    )
    progress("Complete Journey: LambdaMART on the same inputs")
    listed.append(Variant("LambdaMART", study.method("LambdaMART", held, _lambdamart(found)).values))
    return listed


def _first(requests: Requests, n: int) -> Requests:
    n = min(n, len(requests))
    end = int(requests.starts[n])
    rest = ("member", "item", "features", "orders", "repeats", "spend", "redeemed", "wait")
    return Requests(starts=requests.starts[: n + 1], **{name: getattr(requests, name)[:end] for name in rest})


def _lambdamart(found: offline.Run) -> Floats:
    """Return LambdaMART's scores of the held-out requests on EMER's inputs; what is not on a shortlist comes after it."""
    train = baselines.with_predictions(found.train, found.unseen)
    asked = baselines.with_predictions(found.held.requests, found.predictions)
    rows, _ = learning.shortlists(found.held.requests, found.predictions[:, 0])
    score = found.purchase - 1e6
    score[rows] = baselines.lambdamart(train, asked, seed=SEED)
    return score


def on_orders_metrics(quick: bool) -> Iterator[Metric]:
    """Yield EMER's NDCG@10 less LambdaMART's on the same inputs."""
    if offline.run("products", quick=quick) is None:
        yield Metric(
            "ranking.emer_vs_lambdamart_ndcg10", None, "NDCG@10", 0, "", reason="the demo data is not installed"
        )
        return
    by = {variant.name: variant.values for variant in on_orders(quick=quick)}
    mean, low, high = metrics.paired(by["EMER"]["ndcg10"], by["LambdaMART"]["ndcg10"], seed=SEED)
    yield Metric(
        "ranking.emer_vs_lambdamart_ndcg10", round(mean, 4), "NDCG@10", len(by["EMER"]["ndcg10"]), ranking_data.DATA,
        ci=(round(low, 4), round(high, 4)), seed=SEED,
        baseline={name: round(float(np.nanmean(values["ndcg10"])), 4) for name, values in by.items()},
    )  # fmt: skip


def table(variants: list[Variant], columns: tuple[str, ...], against: str = "EMER") -> Iterator[str]:
    """Yield a table of means, with the paired difference of the first column to `against`."""
    by = {variant.name: variant.values for variant in variants}
    yield "| ranker | " + " | ".join(columns) + f" | {columns[0]} less EMER's |"
    yield "|---" * (len(columns) + 2) + "|"
    for name, values in by.items():
        mean, low, high = metrics.paired(values[columns[0]], by[against][columns[0]], seed=SEED)
        told = "" if name == against else f"{mean:+.4f} ({low:+.4f} to {high:+.4f})"
        yield f"| {name} | " + " | ".join(f"{np.nanmean(values[c]):.4f}" for c in columns) + f" | {told} |"


def folder_of(data: Path | None) -> Path | None:
    """Return where KuaiRand's features are, if they are there."""
    path = None if data is None else data / "kuairand_features"
    return path if path is not None and path.is_dir() else None


@cache
def on_simulated(data: Path | None, *, quick: bool) -> list[Variant]:
    """Return the variants on simulated requests: KuaiRand's real users and videos, made behaviour.

    Metrics are group AUC per objective, per-unit-time group AUC, and interactions within a session's time budget.
    """
    folder = folder_of(data)
    train_n, test_n = (400, 200) if quick else (4000, 1500)
    if folder is None:
        world = simulated.made(2000, 1000, SEED)
    else:
        world = simulated.load(folder, 4000 if quick else 27_285, 2000 if quick else 7583, SEED)
    rng = np.random.default_rng(SEED)
    progress(f"simulated requests: {train_n:,} to learn from, {test_n:,} to judge on")
    train, test = simulated.requests(world, train_n, rng=rng), simulated.requests(world, test_n, rng=rng)
    recipe = Recipe(epochs=1 if quick else 2, seed=SEED)
    scores: dict[str, Floats] = {}
    for name, parts in PARTS.items():
        if quick and name != "EMER":
            continue
        progress(f"simulated requests: {name}")
        with TemporaryDirectory() as at:
            tokenizer = judging.shards(train, Path(at), SEED, use_ranks=parts.ranks)
            trained = emer.train(
                Path(at),
                tokenizer.width,
                simulated.INTERACTION,
                replace(recipe, parts=parts),
                start=tokenizer.formula(START),
            )
        ensemble = serving.load(serving.export(trained.model, tokenizer.width), tokenizer)
        tokens = tokenizer.tokens(test.features, test.pxtr, test.starts).reshape(len(test), test.candidates, -1)
        scores[name] = np.concatenate(
            [ensemble.score(part).ravel() for part in np.array_split(tokens, max(len(test) // 64, 1))]
        ).astype(np.float64)
    progress("simulated requests: tuned formula")
    goal = _happy(train)
    tuned = baselines.Formula(simulated.BINARY, np.ones(len(simulated.BINARY)))
    scores["tuned formula"] = tuned.tune(train.pxtr, train.starts, goal, trials=20 if quick else 200, seed=SEED).score(
        test.pxtr, test.starts
    )
    progress("simulated requests: LambdaMART")
    scores["LambdaMART"] = _simulated_lambdamart(train, test)
    return [Variant(name, _simulated_values(score, test)) for name, score in scores.items()]


def _inputs(asked: simulated.Requests) -> NDArray[np.float32]:
    return np.concatenate(
        [asked.features, log_odds(asked.pxtr, simulated.BINARY), ranks(asked.pxtr, asked.starts)], axis=1
    )


def _simulated_lambdamart(train: simulated.Requests, test: simulated.Requests) -> Floats:
    """Return LambdaMART's scores, learned from what was shown."""
    shown = train.shown
    sizes = np.add.reduceat(shown.astype(np.int64), train.starts[:-1])
    data = lgb.Dataset(_inputs(train)[shown], train.satisfaction[shown], group=sizes, params=TREES)
    parameters = {**TREES, "objective": "lambdarank", "seed": SEED, "num_threads": 2, "label_gain": list(range(10))}
    return np.asarray(lgb.train(parameters, data, 150).predict(_inputs(test), raw_score=True, num_threads=2))


def _happy(asked: simulated.Requests) -> Callable[[Floats], float]:
    """Return a judge: group AUC of several positive feedbacks over one over none, of what was shown."""
    numbers = np.repeat(np.arange(len(asked)), np.diff(asked.starts))[asked.shown][: 10 * 500]
    starts = np.searchsorted(numbers, np.arange(numbers[-1] + 2))
    target = asked.satisfaction[asked.shown][: len(numbers)].astype(np.float64)
    return lambda score: float(np.nanmean(metrics.group_auc(score[asked.shown][: len(numbers)], target, starts)))


def _simulated_values(score: Floats, test: simulated.Requests) -> dict[str, Floats]:
    plain, unit = judging.objective_auc(score, test), judging.per_unit_time_auc(score, test)
    session = judging.counterfactual(score, test)
    mean = np.nanmean(np.stack([unit[name] for name in ("like", "follow", "comment", "forward")]), axis=0)
    return {
        "iput_gauc": mean, **{f"gauc_{name}": values for name, values in plain.items()},
        "interactions per session": session["interactions"], "views per session": session["views"], "watch per session": session["watch"],
    }  # fmt: skip


def on_simulated_metrics(quick: bool, data: Path | None) -> Iterator[Metric]:
    """Yield EMER's per-unit-time group AUC less the tuned formula's, on simulated requests."""
    by = {variant.name: variant.values for variant in on_simulated(data, quick=quick)}
    mean, low, high = metrics.paired(by["EMER"]["iput_gauc"], by["tuned formula"]["iput_gauc"], seed=SEED)
    seeded = "made users and items" if folder_of(data) is None else "KuaiRand-Pure's users and videos"
    yield Metric(
        "ranking.emer_vs_formula_iput_gauc", round(mean, 4), "per-unit-time group AUC", len(by["EMER"]["iput_gauc"]),
        f"simulated requests, {seeded}", ci=(round(low, 4), round(high, 4)), seed=SEED,
        baseline={name: round(float(np.nanmean(values["iput_gauc"])), 4) for name, values in by.items()},
    )  # fmt: skip


@cache
def closed_loop(*, quick: bool) -> loop.Study:
    """Return the closed loop's study: retention per policy, and how well each offline metric foretells it."""
    progress("closed loop: 90 simulated days per policy")
    return loop.study(range(1, 2) if quick else range(1, 9), members=300 if quick else 2000)


def loop_metrics(quick: bool) -> Iterator[Metric]:
    """Yield how much more members a varied slate retains than the most accurate one."""
    study_ = closed_loop(quick=quick)
    mean, low, high = study_.gain(VARIED, ACCURATE)
    yield Metric(
        "ranking.simulated_retention_gain", round(mean, 4), "share of members after 90 days", len(study_.by_seed[VARIED]), "closed-loop simulator, one value per seed",
        ci=(round(low, 4), round(high, 4)), seed=1, baseline={name: round(told[0], 4) for name, told in study_.retention.items()},
    )  # fmt: skip
