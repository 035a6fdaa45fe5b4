"""How true generated orders are: marginals, pairs, sequences, and whether a model that learned from them works on real members.

Beside each figure stands what two random halves of the real members give: nothing generated can be expected to be nearer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import ks_2samp, spearmanr
from sklearn.metrics import roc_auc_score

from personalization.profiling.churn.dataset import matrix, rows_at
from personalization.profiling.churn.model import fit as fit_churn
from personalization.profiling.facts import feature_lines
from personalization.profiling.features import FEATURES, batch
from personalization.synth.traits import Floats, gaps, opens, prepare

HORIZON = timedelta(days=28)
TOP_CATEGORIES, LEAST_PAIR = 40, 50
LONG_GAP = 28


def report(real: pl.DataFrame, made: pl.DataFrame, facts: pl.DataFrame, *, seed: int) -> dict[str, Any]:
    """Return {part: {figure: {"made": x, "halves": y}}} for order lines `real` and `made` of about as many members.

    facts : `profiling.facts` of the products. "halves" compares two halves of the real members in the same way.
    """
    ids = real["member_id"].unique().sort().sample(fraction=1.0, shuffle=True, seed=seed)
    left, right = (real.filter(pl.col("member_id").is_in(part.implode())) for part in (ids[::2], ids[1::2]))
    pairs = {"made": (real, made), "halves": (left, right)}
    found = {name: compare(*both, facts) for name, both in pairs.items()}
    return {
        part: {figure: {name: found[name][part][figure] for name in pairs} for figure in figures}
        for part, figures in found["made"].items()
    } | {"train on made, test on real": transfer(real, made, facts, seed=seed)}  # fmt: skip


def compare(one: pl.DataFrame, other: pl.DataFrame, facts: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Return distances between two sets of order lines: 0 is alike."""
    opens_at = opens(one)
    sides = [prepare(lines, facts, opens_at) for lines in (one, other)]
    columns = [_features(lines, facts) for lines in (one, other)]
    ks = [float(ks_2samp(columns[0][name], columns[1][name]).statistic) for name in FEATURES]
    varied = [name for name in FEATURES if all(frame[name].n_unique() > 1 for frame in columns)]
    ranks = [np.nan_to_num(np.asarray(spearmanr(frame.select(varied).to_numpy()).statistic)) for frame in columns]
    return {
        "marginals": {
            "features, mean Kolmogorov-Smirnov": float(np.mean(ks)), "features, worst Kolmogorov-Smirnov": float(np.max(ks)),
            "weekdays, total variation": _variation(sides, pl.col("at").dt.weekday()),
            "hours, total variation": _variation(sides, pl.col("at").dt.hour()),
            "categories, total variation": _variation(sides, pl.col("category"), lines=True),
            "lines per order, Kolmogorov-Smirnov": _ks([_lines_per_order(side) for side in sides]),
        },
        "pairs": {
            "rank correlations of features, mean difference": float(np.abs(ranks[0] - ranks[1])[np.triu_indices(len(varied), 1)].mean()),
            "category pairs in baskets, 1 - correlation of log lifts": 1 - _lift_correlation(sides),
        },
        "sequences": {
            "days between visits, Kolmogorov-Smirnov": _ks([gaps(side)["gap"].to_numpy() for side in sides]),
            "gaps over 28 days, difference of shares": abs(_difference([float((gaps(side)["gap"] > LONG_GAP).mean() or 0) for side in sides])),  # type: ignore[arg-type]
            "memory of gaps, difference of correlations": abs(_difference([_memory(side) for side in sides])),
            "products bought again, difference of shares": abs(_difference([float(side["again"].mean()) for side in sides])),  # type: ignore[arg-type]
            "categories of the last visit bought again, difference of shares": abs(_difference([_carried(side) for side in sides])),
        },
    }  # fmt: skip


def transfer(real: pl.DataFrame, made: pl.DataFrame, facts: pl.DataFrame, *, seed: int) -> dict[str, dict[str, float]]:
    """Return the AUC on real members' newest four weeks of a churn model that learned from real or from made orders before."""
    end = _end(real)
    origin = end - HORIZON
    rows = rows_at(feature_lines(real, facts), origin, HORIZON)
    table, lapsed = matrix(rows), rows["lapsed"].to_numpy()
    found = {}
    for name, lines in (("made", made.with_columns(pl.col("at") + (end - _end(made)))), ("real", real)):
        model = fit_churn(feature_lines(lines, facts), until=origin, every=timedelta(days=28), seed=seed)
        found[name] = float(roc_auc_score(lapsed, model.score(table))) if model else float("nan")
    return {"AUC of lapse within 28 days": found}


def _end(lines: pl.DataFrame) -> datetime:
    end = lines["at"].max()
    assert isinstance(end, datetime)  # noqa: S101  the column is a time
    return end


def _features(lines: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    return batch(feature_lines(lines, facts), _end(lines))


def _variation(sides: list[pl.DataFrame], what: pl.Expr, *, lines: bool = False) -> float:
    """Return the total variation distance of a word's distribution over orders (or lines)."""
    shares: list[Mapping[Any, float]] = []
    for side in sides:
        rows = side if lines else side.unique("order_id")
        counted = rows.select(what.alias("x")).group_by("x").len()
        shares.append(dict(zip(counted["x"], (counted["len"] / counted["len"].sum()).to_list(), strict=True)))
    return 0.5 * sum(abs(shares[0].get(x, 0.0) - shares[1].get(x, 0.0)) for x in {*shares[0], *shares[1]})


def _lines_per_order(side: pl.DataFrame) -> Floats:
    return side.group_by("order_id").len()["len"].to_numpy()


def _ks(values: list[Any]) -> float:
    return float(ks_2samp(*values).statistic)


def _difference(values: list[float]) -> float:
    return values[0] - values[1]


def _memory(side: pl.DataFrame) -> float:
    own = pl.col("log_gap") - pl.col("log_gap").mean().over("member_id")
    x = (
        gaps(side)
        .with_columns(own.alias("x"))
        .with_columns(pl.col("x").shift(1).over("member_id").alias("y"))
        .drop_nulls()
    )
    return float(x.select(pl.corr("x", "y")).item() or 0.0)


def _carried(side: pl.DataFrame) -> float:
    """Return how many of a visit's categories were also bought on the visit before."""
    kinds = side.select("member_id", "day", "category").unique()
    visits = kinds.select("member_id", "day").unique().sort("member_id", "day")
    visits = visits.with_columns(pl.col("day").shift(1).over("member_id").alias("before")).drop_nulls()
    later = kinds.join(visits, on=["member_id", "day"])
    same = later.join(kinds.rename({"day": "before"}), on=["member_id", "before", "category"], how="semi")
    return same.height / max(later.height, 1)


def _lift_correlation(sides: list[pl.DataFrame]) -> float:
    """Return the correlation of the log lifts of category pairs that are common on the first side."""
    top = (
        sides[0]["category"]
        .value_counts()
        .sort("count", "category", descending=[True, False])["category"]
        .head(TOP_CATEGORIES)
        .to_list()
    )
    lifts = []
    for side in sides:
        baskets = side.filter(pl.col("category").is_in(top)).select("order_id", "category").unique()
        table = baskets.with_columns(pl.lit(1, dtype=pl.Int32).alias("one")).pivot(
            on="category", on_columns=top, index="order_id", values="one", aggregate_function="first"
        ).select(top).fill_null(0).to_numpy().astype(np.float32)  # fmt: skip
        both, n = (table.T @ table).astype(float), side["order_id"].n_unique()
        alone = np.diag(both)
        lifts.append((np.log(np.maximum(both, 0.5) * n / np.maximum(np.outer(alone, alone), 1.0)), both))
    pairs = np.triu_indices(len(top), 1)
    kept = lifts[0][1][pairs] >= LEAST_PAIR
    if kept.sum() < 3:
        return 1.0
    return float(np.corrcoef(lifts[0][0][pairs][kept], lifts[1][0][pairs][kept])[0, 1])
