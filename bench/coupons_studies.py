"""Studies of the coupon models: curves on simulated logs, redemption on Complete Journey, uplift on Hillstrom, speed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bench import coupons_logs as logs
from bench import coupons_redemption as redemption
from personalization.calibration import brier, ece, log_loss, reliability
from personalization.coupons import uplift
from personalization.coupons.features import DAY_S, FEATURES, MEMBER, PRICE, Habits, Record, Scope, features_of
from personalization.coupons.isotonic import isotonic
from personalization.coupons.log import CouponLog, doubly_robust, naive, rungs
from personalization.coupons.prior import PriorResponse
from personalization.coupons.response import ResponseModel, added, fit
from personalization.types import Affect, Channel, Context

SEED = 7
PAIRS = 100_000
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """One way to make curves, on shoppers that it has not seen and a log where every rung was given at random."""

    brier: float
    ece: float
    log_loss: float
    off: float
    uplift_off: float
    falling: float


@dataclass(frozen=True, slots=True)
class Study:
    """The model that is kept, how the ways compare, the averages that the log proves, and the reliability before and after."""

    model: ResponseModel
    judged: Mapping[str, Judged]
    averages: Mapping[str, Floats]
    plot: Mapping[str, list[tuple[float, float, int]]]


@cache
def study(quick: bool) -> Study:
    """Fit on a confounded log with 2 % exploration, judge on fresh shoppers with random rungs."""
    rng = np.random.default_rng(SEED)
    log = logs.logged(logs.shoppers(5_000 if quick else 60_000, rng), rng)
    who = logs.shoppers(5_000 if quick else 100_000, rng)
    asked, truth = logs.logged(who, rng, explored=1.0), who.truth(logs.LADDER)
    segments, rung, rows = who.segment.tolist(), rungs(asked.discount, logs.LADDER), np.arange(len(asked))
    model, constrained = fit(log, seed=SEED), fit(log, seed=SEED, constrained=True)
    ways = {
        "trees, before isotonic": model.before_isotonic(who.features, logs.LADDER, segments),
        "trees, isotonic per shopper (shipped)": model.curves(who.features, logs.LADDER, segments),
        "monotone_constraints, before isotonic": constrained.before_isotonic(who.features, logs.LADDER, segments),
        "monotone_constraints, isotonic per shopper": constrained.curves(who.features, logs.LADDER, segments),
        "prior moved by the log, no trees": PriorResponse().learned(log).curves(who.features, logs.LADDER, segments),
    }
    judged = {name: _judge(curves, asked, curves[rows, rung], truth) for name, curves in ways.items()}
    plot = {name: reliability(asked.converted, curves[rows, rung]) for name, curves in list(ways.items())[:2]}
    shipped = ways["trees, isotonic per shopper (shipped)"]
    proven, error = doubly_robust(log, logs.LADDER, model.curves(log.features, logs.LADDER, log.segment.tolist()))
    averages = {"truth": truth.mean(axis=0), "naive": naive(log, logs.LADDER), "doubly robust": proven, "its standard error": error,
                "model": shipped.mean(axis=0)}  # fmt: skip
    return Study(model, judged, averages, plot)


def _judge(curves: Floats, asked: CouponLog, said: Floats, truth: Floats) -> Judged:
    y = asked.converted
    return Judged(
        brier(y, said), ece(y, said), log_loss(y, said), float(np.abs(curves - truth).mean()),
        float(np.abs(added(curves) - added(truth)).mean()), float((np.diff(curves, axis=1) < 0).any(axis=1).mean()),
    )  # fmt: skip


def violations(model: ResponseModel, quick: bool) -> tuple[int, int]:
    """Return curves that fall somewhere, over PAIRS random (shopper, ladder) pairs, after isotonic and before."""
    rng = np.random.default_rng(SEED + 1)
    lengths = rng.integers(2, 9 if quick else 31, PAIRS)
    after = before = 0
    for k in np.unique(lengths):
        who = logs.shoppers(int((lengths == k).sum()), rng)
        table = np.where(
            rng.random(who.features.shape) < 0.2,
            np.nan,
            who.features * rng.choice([0.0, 1.0, 30.0], who.features.shape),
        )
        table[:, PRICE] = who.features[:, PRICE]
        ladder = np.sort(rng.uniform(0, 1.2 * table[:, PRICE, None], (len(table), k)), axis=1).round()
        ladder[:, 0] = 0.0
        raw = model.before_isotonic(table, ladder, who.segment.tolist())
        found = isotonic(raw)  # what `curves` does
        after += int((np.diff(found, axis=1) < 0).any(axis=1).sum())
        before += int((np.diff(raw, axis=1) < 0).any(axis=1).sum())
    return after, before


@dataclass(frozen=True, slots=True)
class Redeemed:
    """Scores on the sends that were held out, the rows, and what a model that is trained again before each campaign scores."""

    rows: redemption.Sends
    held: NDArray[np.bool_]
    scores: Mapping[str, Floats]
    closed: NDArray[np.bool_]


@cache
def redeemed(quick: bool) -> Redeemed | None:
    """Fit on the sends before the cut, score those after it; the rolling model is for the full run."""
    rows = redemption.sends(quick)
    if rows is None:
        return None
    cut = np.datetime64(redemption.CUT.replace(tzinfo=None))
    held = rows.starts >= cut
    model, none = fit(rows.log(~held), seed=SEED), np.zeros(1)
    scores = {
        "Aisle": model.curves(rows.features[held], none)[:, 0],
        "past redemptions": redemption.past_redemptions(rows)[held],
    }
    if not quick:
        scores |= _alone(rows, held)
        rolling = np.zeros(len(held))
        for start in np.unique(rows.starts[held]):
            now = rows.starts == start
            rolling[now] = fit(rows.log(rows.ends < start), seed=SEED).curves(rows.features[now], none)[:, 0]
        scores["Aisle, trained again before each campaign on closed ones"] = rolling[held]
    return Redeemed(rows, held, scores, (rows.ends <= np.datetime64("2017-12-31"))[held])


def _alone(rows: redemption.Sends, held: NDArray[np.bool_]) -> dict[str, Floats]:
    """Return the two halves of the model, each on its own."""
    import lightgbm
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from personalization.coupons.response import PARAMETERS

    y = rows.redeemed[~held].astype(float)
    table = np.nan_to_num(np.log1p(rows.features))
    line = make_pipeline(StandardScaler(), LogisticRegression(C=1 / 300, max_iter=2000)).fit(table[~held], y)
    trees = lightgbm.train({**PARAMETERS, "seed": SEED}, lightgbm.Dataset(rows.features[~held], y), 150)
    return {
        "logistic regression": line.predict_proba(table[held])[:, 1], "LightGBM": np.asarray(trees.predict(rows.features[held]))
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Targeted:
    """Uplift at 30 % by learner over repeated splits, with the interval over customers and splits."""

    by: Mapping[str, list[float]]
    interval: tuple[float, float]
    qini: Mapping[str, float]
    everybody: tuple[float, float]
    customers: int
    untouched: Mapping[str, float]


@cache
def targeted(data: Path | None, quick: bool) -> Targeted | None:
    """Cross-fit the women's mail on Hillstrom: visits, 42,693 customers."""
    path = data / "tabular" / "hillstrom.csv" if data else None
    if path is None or not path.exists():
        return None
    frame = pl.read_csv(path, infer_schema_length=None).filter(pl.col("segment") != "Mens E-Mail")
    plain = frame.drop("segment", "visit", "conversion", "spend")
    table = (
        plain.to_dummies([name for name, kind in plain.schema.items() if kind == pl.String]).to_numpy().astype(float)
    )
    treated, visit = (frame["segment"] == "Womens E-Mail").to_numpy(), frame["visit"].to_numpy().astype(float)
    propensity = np.full(len(visit), 0.5)  # two of three equal arms
    repeats, folds = (1, 2) if quick else (10, 5)
    runs = [
        uplift.cross_fitted(table, treated, visit, propensity, seed=SEED + one, folds=folds) for one in range(repeats)
    ]
    names = ("dr", "t", "response")
    by = {name: [uplift.uplift_at(run[name], treated, visit, 0.3) for run in runs] for name in names}
    rng, drawn = np.random.default_rng(SEED), []
    for _ in range(200 if quick else 1000):
        rows, run = rng.integers(0, len(visit), len(visit)), runs[rng.integers(0, repeats)]
        drawn.append(uplift.uplift_at(run["dr"][rows], treated[rows], visit[rows], 0.3))
    low, high = np.percentile(drawn, [2.5, 97.5])
    untouched: dict[str, float] = {}
    if not quick:  # the learner was chosen on the other half
        kept = np.random.default_rng(11).permutation(len(visit)) >= len(visit) // 2
        half = [
            uplift.cross_fitted(table[kept], treated[kept], visit[kept], propensity[kept], seed=SEED + one)
            for one in range(3)
        ]
        untouched = {
            name: float(np.mean([uplift.uplift_at(run[name], treated[kept], visit[kept], 0.3) for run in half]))
            for name in names
        }
    ranked = {name: float(np.mean([uplift.qini(run[name], treated, visit) for run in runs])) for name in names}
    return Targeted(
        by,
        (round(float(low), 4), round(float(high), 4)),
        ranked,
        uplift.effect(runs[0]["pseudo"]),
        len(visit),
        untouched,
    )


def cold_start() -> Iterator[tuple[int, float, float]]:
    """Yield (rows logged, mean error of the prior alone, of the model)."""
    rng = np.random.default_rng(SEED + 2)
    who = logs.shoppers(20_000, rng)
    truth, segments = who.truth(logs.LADDER), who.segment.tolist()
    for rows in (0, 100, 300, 1_000, 3_000, 10_000, 30_000):
        log = logs.logged(logs.shoppers(rows, rng), rng)
        prior = PriorResponse().learned(log).curves(who.features, logs.LADDER, segments)
        model = fit(log, seed=SEED).curves(who.features, logs.LADDER, segments)
        yield rows, float(np.abs(prior - truth).mean()), float(np.abs(model - truth).mean())


def speeds(model: ResponseModel) -> Mapping[str, tuple[float, float, float]]:
    """Return p50 and p99 of wall time and p99 of this thread's CPU time, in ms, of a curve of 30 rungs and of features."""
    who = logs.shoppers(500, np.random.default_rng(SEED))
    ladder, segments = np.linspace(0, 290, 30), who.segment.tolist()
    found = {
        "curve of one shopper, 30 rungs": _timed(
            lambda i: model.curves(who.features[i : i + 1], ladder, segments[i : i + 1]), 500
        )
    }
    rng, at = np.random.default_rng(SEED), datetime(2026, 3, 3, 18, tzinfo=UTC)
    lines = [
        (f"p{n}", f"c{n % 60}", at.timestamp() / DAY_S - ago, 250)
        for n, ago in zip(rng.integers(0, 300, 800).tolist(), rng.uniform(0, 300, 800).tolist(), strict=True)
    ]
    context = Context(Channel.KIOSK, at, affect=Affect(0.2, 0.5))
    member, scope = dict.fromkeys(MEMBER, 1.0), Scope({"p7": (0,)}, frozenset({"c7"}), 1, 399.0, 14.0)
    habits = Habits.of_lines(lines, at.timestamp() / DAY_S)
    found[f"features of one shopper and one item ({len(FEATURES)})"] = _timed(
        lambda _: features_of(member, Record(), habits, scope, context), 500
    )
    found["habits of one shopper, 800 order lines, once per request"] = _timed(
        lambda _: Habits.of_lines(lines, at.timestamp() / DAY_S), 50
    )
    return found


def _timed(call: Callable[[int], Any], n: int, rounds: int = 10) -> tuple[float, float, float]:
    wall, cpu = [], []
    for i in range(n * rounds):
        started, busy = time.perf_counter(), time.thread_time()
        call(i % n)
        wall.append(time.perf_counter() - started)
        cpu.append(time.thread_time() - busy)
    return (
        float(np.percentile(wall, 50) * 1e3),
        float(np.percentile(wall, 99) * 1e3),
        float(np.percentile(cpu, 99) * 1e3),
    )
