"""How a member's visits follow each other: what lapses are foreseen from, beside the features that everything shares.

A visit is a day (24 hours, counted back from the moment of the question) with at least one order. One implementation
serves tables and one member alike; it sees order times only, and none after the moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

DAY_S = 86_400
HISTORY_DAYS = 364
WEEKS = 12
HALF_LIVES = (14, 42)
_QUANTILES = {"gap_median": 0.5, "gap_p90": 0.9}

RHYTHM: tuple[str, ...] = (
    "visits_14d", "visits_28d", "visits_56d", "visits_84d", "visits_182d", "weeks_active_12", "weeks_active_4",
    *(f"week_{week}" for week in range(1, WEEKS + 1)),
    *(f"visits_decayed_{days}d" for days in HALF_LIVES),
    "gap_median", "gap_p90", "gap_longest", "gap_last", "gap_log_std", "recency", "recency_over_median",
    "recency_over_p90", "longer_gaps_share", "gaps_over_28_share", "known_days", "trend_28_84", "trend_84_182",
)  # fmt: skip

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def rhythm(orders: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Return member_id and RHYTHM (Float64) for each member with an order in the year before `at`.

    orders : member_id and second (since 1970), one row per order up to `at`.
    """
    ages = orders.select("member_id", ((int(at.timestamp()) - pl.col("second")) // DAY_S).alias("age"))
    visits = ages.filter(pl.col("age") < HISTORY_DAYS).unique().sort("member_id", "age", descending=[False, True])
    starts = visits["member_id"].rle_id().to_numpy()
    first = np.flatnonzero(np.diff(starts, prepend=-1)) if len(starts) else np.zeros(0, np.int64)
    found = _measure(visits["age"].to_numpy().astype(np.int64), first.astype(np.int64))
    members = visits["member_id"].unique(maintain_order=True)
    return pl.DataFrame({"member_id": members} | {name: found[:, i] for i, name in enumerate(RHYTHM)})


def rhythm_of_many(orders: Sequence[Ints], at: datetime) -> Floats:
    """Return RHYTHM as (m, k) from each member's order times (seconds since 1970, any order); NaN without a visit."""
    moment, ages = int(at.timestamp()), list[Ints]()
    for seconds in orders:
        days = np.unique((moment - seconds[seconds <= moment]) // DAY_S)[::-1]
        ages.append(days[days < HISTORY_DAYS])
    found = np.full((len(orders), len(RHYTHM)), np.nan)
    some = np.array([len(mine) > 0 for mine in ages], dtype=bool)
    if some.any():
        sizes = np.array([len(mine) for mine in ages if len(mine)])
        found[some] = _measure(np.concatenate(ages), np.cumsum(sizes) - sizes)
    return found


def _measure(ages: Ints, first: Ints) -> Floats:
    """Return (m, k) from visits' ages in days, oldest first within a member; member i begins at `first[i]`."""
    if not len(first):
        return np.zeros((0, len(RHYTHM)))
    owner = np.repeat(np.arange(len(first)), np.diff(first, append=len(ages)))
    recency = ages[np.append(first[1:], len(ages)) - 1].astype(np.float64)
    columns = _counts(ages, owner, len(first)) | _gaps(ages, owner, first, recency)
    columns["recency"], columns["known_days"] = recency, ages[first].astype(np.float64)
    table: Floats = np.column_stack([columns[name] for name in RHYTHM])
    return table


def _counts(ages: Ints, owner: Ints, members: int) -> dict[str, Floats]:
    def total(weights: NDArray[Any]) -> Floats:
        return np.bincount(owner, weights=weights, minlength=members).astype(np.float64)

    found = {f"visits_{days}d": total(ages < days) for days in (14, 28, 56, 84, 182)}
    weekly = np.column_stack([total(ages // 7 == week) for week in range(WEEKS)])
    found |= {f"week_{week + 1}": weekly[:, week] for week in range(WEEKS)}
    found |= {f"visits_decayed_{days}d": total(0.5 ** (ages / days)) for days in HALF_LIVES}
    found["weeks_active_12"] = (weekly > 0).sum(axis=1).astype(np.float64)
    found["weeks_active_4"] = (weekly[:, :4] > 0).sum(axis=1).astype(np.float64)
    # one visit added to each side keeps the ratio of small counts calm
    found["trend_28_84"] = (found["visits_28d"] + 1) / (found["visits_84d"] / 3 + 1)
    found["trend_84_182"] = (found["visits_84d"] + 1) / (found["visits_182d"] * 84 / 182 + 1)
    return found


def _gaps(ages: Ints, owner: Ints, first: Ints, recency: Floats) -> dict[str, Floats]:
    """Return measures of the days between visits; NaN where a member has a single visit."""
    same = owner[1:] == owner[:-1]
    gap, whose = (ages[:-1] - ages[1:])[same].astype(np.float64), owner[1:][same]
    members = len(first)
    n = np.bincount(whose, minlength=members)
    empty = n == 0
    divisor = np.where(empty, np.nan, n)
    ordered = gap[np.lexsort((gap, whose))]
    begin = np.cumsum(n) - n
    found = {name: _quantile(ordered, begin, n, q) for name, q in _QUANTILES.items()}
    found["gap_longest"] = _quantile(ordered, begin, n, 1.0)
    last = np.where(empty, np.nan, 0.0)
    last[whose] = gap  # the newest gap is written last
    found["gap_last"] = last
    log = np.log(gap)
    mean = np.bincount(whose, log, members) / divisor
    found["gap_log_std"] = np.sqrt(np.maximum(np.bincount(whose, log**2, members) / divisor - mean**2, 0.0))
    found["longer_gaps_share"] = np.bincount(whose, gap > recency[whose], members) / divisor
    found["gaps_over_28_share"] = np.bincount(whose, gap > 28, members) / divisor
    found["recency_over_median"] = recency / found["gap_median"]
    found["recency_over_p90"] = recency / found["gap_p90"]
    return found


def _quantile(ordered: Floats, begin: Ints, n: Ints, q: float) -> Floats:
    """Return each member's q-quantile (linear, Hyndman and Fan type 7) of values sorted within members."""
    found = np.full(len(n), np.nan)
    some = n > 0
    place = (n[some] - 1) * q
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, n[some] - 1)
    start = begin[some]
    found[some] = ordered[start + low] + (place - low) * (ordered[start + high] - ordered[start + low])
    return found
