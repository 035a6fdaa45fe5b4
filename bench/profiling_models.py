"""Features, churn, segments and a million members, on Complete Journey, Telco and generated orders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from bench.report import ROOT, Metric, progress
from personalization.profiling.churn.dataset import matrix, rows_at
from personalization.profiling.churn.model import boost, fit
from personalization.profiling.facts import feature_lines
from personalization.profiling.features import FEATURES, batch, category_shares, live
from stores.crypto import load_or_create_master_key
from stores.database import Database
from stores.purchases import SqlTrainingSource

SEED = 7
DATA = "Complete Journey"
Floats = NDArray[np.float64]


@cache
def state_dir() -> Path:
    """Return the folder that `make demo` left behind."""
    return Path(os.environ.get("AISLE_STATE_DIR", ROOT / "var"))


@cache
def database() -> Database | None:
    """Return the demo's database, if it is there."""
    path = state_dir() / "aisle.db"
    return (
        Database(f"sqlite:///{path}", load_or_create_master_key(state_dir() / "keys" / "master.key"))
        if path.exists()
        else None
    )


@cache
def demo_lines(quick: bool) -> pl.DataFrame | None:
    """Return the demo's order lines with what features need; a fifth of the members when quick."""
    db = database()
    if db is None:
        return None
    if not quick:
        source = SqlTrainingSource(db)
        return feature_lines(source.order_lines(), source.product_facts())
    lines = demo_lines(False)
    if lines is not None:
        ids = lines["member_id"].unique().sort()
        lines = lines.filter(pl.col("member_id").is_in(ids.gather_every(5).implode()))
    return lines


def _end(lines: pl.DataFrame) -> datetime:
    end = lines["at"].max()
    assert isinstance(end, datetime)
    return end.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def last_sunday(lines: pl.DataFrame) -> datetime:
    """Return the last Sunday 0:00 in the data (2017-12-31 before the dates are moved): the split of the known baselines."""
    day = _end(lines) - timedelta(days=1)
    return day - timedelta(days=(day.weekday() + 1) % 7)


def missing(name: str, unit: str, why: str) -> Metric:
    """Return a metric whose data is not there."""
    return Metric(f"profiling.{name}", None, unit, 0, "", reason=why)


def batch_equals_incremental(quick: bool) -> Iterator[Metric]:
    """Compare the features of tables with those of the living profiles, on the demo's members."""
    lines, db = demo_lines(quick), database()
    if lines is None or db is None:
        yield missing("batch_equals_incremental_max_abs", "", "`make demo` has left no database")
        return
    from bench.profiling_stream import open_log

    progress("features from tables against features from events")
    at, profiles = _end(lines), open_log(db)
    tables, worst, n = batch(lines, at), 0.0, 0
    for row in tables.iter_rows(named=True):
        state = profiles.state(row["member_id"])
        if state is None:
            continue
        one = live.features(state, at)
        worst, n = max(worst, *(abs(row[name] - one[name]) for name in FEATURES)), n + 1
    about = f"{DATA}, {len(FEATURES)} features of {n:,} members: DuckDB over order lines, NumPy over folded events"
    yield Metric("profiling.batch_equals_incremental_max_abs", worst, "", n, about, seed=SEED)


def churn(quick: bool) -> Iterator[Metric]:
    """Judge the churn model on late origins of the demo's year, which no training row reaches; quick learns from fewer origins."""
    lines = demo_lines(False)
    if lines is None:
        for name in ("churn28_auc", "churn56_auc", "churn28_ece"):
            yield missing(name, "", "`make demo` has left no database")
        return
    end = last_sunday(lines)
    for days, back in ((28, (28,) if quick else (28, 56, 84)), (56, (56,) if quick else (56, 84, 112))):
        progress(f"churn within {days} days, {len(back)} test origins")
        judged = [_judge(lines, end - timedelta(days=b), timedelta(days=days), quick) for b in back]
        yield _auc(f"churn{days}_auc", judged, days)
        if days == 28:
            newest = judged[0]
            about = f"{DATA}, origin {newest['origin']:%Y-%m-%d} (shifted dates), 10 bins of equal size"
            yield Metric("profiling.churn28_ece", round(newest["ece"], 4), "", newest["n"], about, seed=SEED)


def _judge(lines: pl.DataFrame, origin: datetime, horizon: timedelta, quick: bool) -> dict[str, Any]:
    model = fit(lines, until=origin, horizon=horizon, every=timedelta(days=56 if quick else 7), seed=SEED)
    rows = rows_at(lines, origin, horizon)
    y = rows["lapsed"].to_numpy()
    risk = model.score(matrix(rows)) if model else np.zeros(len(y))
    rule = -rows["visits_84d"].to_numpy()
    return {"origin": origin, "n": len(y), "y": y, "risk": risk, "rule": rule, "ece": ece(y, risk)}


def _auc(name: str, judged: list[dict[str, Any]], days: int) -> Metric:
    newest = judged[0]
    y, risk = newest["y"], newest["risk"]
    top = np.argsort(-risk)[: max(len(y) // 10, 1)]
    others = {
        f"auc_{other['origin']:%m-%d}": round(float(roc_auc_score(other["y"], other["risk"])), 4)
        for other in judged[1:]
    }
    beside = {
        "frequency_rule_auc": round(float(roc_auc_score(y, newest["rule"])), 4),
        "pr_auc": round(float(average_precision_score(y, risk)), 4),
        "frequency_rule_pr_auc": round(float(average_precision_score(y, newest["rule"])), 4),
        "lift_top_decile": round(float(y[top].mean() / y.mean()), 2), **others,
    }  # fmt: skip
    about = f"{DATA}, active in 84 days, no visit within {days} days ({y.mean():.1%}), newest origin; learned from origins whose horizon ended before"
    value = round(float(roc_auc_score(y, risk)), 4)
    return Metric(f"profiling.{name}", value, "AUC", len(y), about, bootstrap_auc(y, risk), beside, SEED)


def ece(y: NDArray[np.bool_], risk: Floats, bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal size (Naeini et al. 2015)."""
    parts = np.array_split(np.argsort(risk, kind="stable"), bins)
    return float(sum(len(p) * abs(y[p].mean() - risk[p].mean()) for p in parts if len(p)) / len(y))


def bootstrap_auc(y: NDArray[Any], risk: Floats, resamples: int = 500) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the AUC."""
    rng, found = np.random.default_rng(SEED), []
    for _ in range(resamples):
        drawn = rng.integers(0, len(y), len(y))
        found.append(roc_auc_score(y[drawn], risk[drawn]) if 0 < y[drawn].sum() < len(y) else 0.5)
    low, high = np.percentile(found, [2.5, 97.5])
    return round(float(low), 4), round(float(high), 4)


def telco(data: Path | None) -> Iterator[Metric]:
    """Five-fold AUC on IBM's Telco customers, beside a logistic regression."""
    path = data / "tabular" / "telco.csv" if data else None
    if path is None or not path.exists():
        yield missing("telco_auc", "AUC", "telco.csv is not there; `--data DIR` points at the evaluation data")
        return
    progress("Telco, five folds")
    y, table = telco_table(path)
    from sklearn.model_selection import StratifiedKFold

    folds: dict[str, list[float]] = {"boosting": [], "logistic": []}
    precision = []
    for train, test in StratifiedKFold(5, shuffle=True, random_state=SEED).split(table, y):
        booster = boost(table[train], y[train], SEED, names=[f"c{i}" for i in range(table.shape[1])])
        raw = np.asarray(booster.predict(table[test], raw_score=True))
        folds["boosting"].append(float(roc_auc_score(y[test], raw)))
        folds["logistic"].append(float(roc_auc_score(y[test], _logistic(table[train], y[train], table[test]))))
        precision.append(float(average_precision_score(y[test], raw)))
    mean = round(float(np.mean(folds["boosting"])), 4)
    spread = 1.96 * float(np.std(folds["boosting"], ddof=1)) / np.sqrt(5)
    beside = {
        "logistic_auc": round(float(np.mean(folds["logistic"])), 4),
        "pr_auc": round(float(np.mean(precision)), 4),
    }
    about = "IBM Telco, the same booster as for Complete Journey, mean of 5 folds"
    interval = (round(mean - spread, 4), round(mean + spread, 4))
    yield Metric("profiling.telco_auc", mean, "AUC", len(y), about, interval, beside, SEED)


def telco_table(path: Path) -> tuple[NDArray[np.bool_], Floats]:
    """Return who left, and the customers' columns as numbers."""
    frame = pl.read_csv(path, infer_schema_length=None)
    y = (frame["Churn"] == "Yes").to_numpy()
    frame = frame.drop("Churn", "customerID").with_columns(
        pl.col("TotalCharges").cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False).fill_null(0.0)
    )
    return y, frame.to_dummies([c for c, t in frame.schema.items() if t == pl.String]).to_numpy().astype(float)


def _logistic(train: Floats, y: NDArray[np.bool_], test: Floats) -> Floats:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    found: Floats = (
        make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)).fit(train, y).decision_function(test)
    )
    return found


def segments(quick: bool) -> Iterator[Metric]:
    """Fit segments on the demo's members: how stable they are, and how well their rules tell who is in."""
    lines = demo_lines(False)
    if lines is None:
        for name in ("segment_jaccard", "rule_accuracy"):
            yield missing(name, "", "`make demo` has left no database")
        return
    from personalization.profiling.clustering import alternatives
    from personalization.profiling.clustering import fit as fit_segments
    from personalization.profiling.segments import SegmentModel

    progress("segments: every number of clusters and category dimensions")
    at = _end(lines)
    found = batch(lines, at).filter(pl.col("orders") > 0).sort("member_id")
    spent = lines.filter(pl.col("category") != "").group_by("category").agg(pl.col("amount_minor").sum())
    top = spent.sort("amount_minor", "category", descending=[True, False])["category"].head(30).to_list()
    shares = (
        category_shares(lines, at, top).join(found, on="member_id", how="semi").sort("member_id").select(top).to_numpy()
    )
    columns = {name: found[name].to_numpy() for name in FEATURES}
    model = fit_segments(columns, shares, top, seed=SEED, bootstraps=4 if quick else 50)
    chosen = model["chosen"]
    beside: dict[str, Any] = {
        "clusters": chosen["clusters"],
        "dimensions": chosen["dimensions"],
        "silhouette": chosen["silhouette"],
    }
    if not quick:
        points = SegmentModel(model).points(columns, shares)
        for row in alternatives(points, chosen["clusters"], seed=SEED, bootstraps=20)[1:]:
            beside[row["method"]] = f"jaccard {row['jaccard']}, silhouette {row['silhouette']}, noise {row['noise']}"
    n = len(shares)
    about = f"{DATA}, {4 if quick else 50} bootstraps, K-Means, mean clusterwise Jaccard"
    yield Metric("profiling.segment_jaccard", chosen["jaccard"], "Jaccard", n, about, tuple(chosen["ci"]), beside, SEED)
    rules = f"{DATA}, a tree of depth 5 on orders, basket value, promotions and money spent, five-fold cross-validation"
    yield Metric("profiling.rule_accuracy", model["rule_accuracy"], "share", n, rules, seed=SEED)


def million(quick: bool) -> Iterator[Metric]:
    """Segment and score growing numbers of synthetic members."""
    if not (state_dir() / "artifacts" / "churn.json").exists():
        for name in ("million_members_s", "million_members_rss_mib"):
            yield missing(name, "", "`make demo` has left no trained model")
        return
    from bench.million import PART, PROCESSES, score_generated

    sizes = [1_000, 6_000] if quick else [1_000, 10_000, 100_000, 1_000_000]
    curve: dict[str, float] = {}
    for size in sizes:
        progress(f"segmenting and scoring {size:,} synthetic members")
        found = score_generated(state_dir() / "artifacts", size)
        curve[f"{size:,}"] = round(found.seconds, 2)
    scale = 1_000_000 / size
    about = f"{size:,} synthetic members with {found.lines:,} order lines, {PROCESSES} processes, parts of {PART:,}"
    about += ", scaled up linearly" if scale > 1 else ""
    yield Metric(
        "profiling.million_members_s", round(found.seconds * scale, 1), "s", size, about, baseline=curve, seed=SEED
    )
    both = f"{size:,} synthetic members, both processes together"
    yield Metric("profiling.million_members_rss_mib", round(found.mib), "MiB", size, both, seed=SEED)
