"""Rolling origins: who was active at a moment, what was known then, and who stayed away afterwards.

Active: an order in the ACTIVE days before the origin. Lapsed: no order in the `horizon` days after it. Everything that a
row knows lies at or before its origin; a training origin's horizon ends before the origin that is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personalization.profiling.churn.rhythm import RHYTHM, rhythm
from personalization.profiling.features.definitions import FEATURES

if TYPE_CHECKING:
    from personalization.profiling.features.tables import Snapshot

ACTIVE = timedelta(days=84)
HISTORY = timedelta(days=84)  # what a first origin needs behind it
COLUMNS = (*FEATURES, *RHYTHM)
Floats = NDArray[np.float64]


def origins(first: datetime, last: datetime, *, every: timedelta) -> list[datetime]:
    """Return origins from `last` backwards, at least HISTORY after the `first` order, oldest first."""
    found = []
    while last >= first + HISTORY:
        found.append(last)
        last -= every
    return found[::-1]


def rows_at(lines: pl.DataFrame, origin: datetime, horizon: timedelta | None) -> pl.DataFrame:
    """Return member_id, origin, COLUMNS and (with a `horizon`) `lapsed` of the members who were active at `origin`.

    lines : the columns that `features.batch` reads; what lies after `origin` is used for `lapsed` alone.
    """
    from personalization.profiling.features import snapshot  # noqa: PLC0415  serving needs the columns, and not Ibis

    found = active_rows(snapshot(lines, origin), origin)
    found = found.with_columns(pl.lit(origin).alias("origin"))
    if horizon is None:
        return found
    after = lines.filter((pl.col("at") > origin) & (pl.col("at") <= origin + horizon)).select("member_id").unique()
    return found.with_columns((~pl.col("member_id").is_in(after["member_id"].implode())).alias("lapsed"))


def active_rows(seen: Snapshot, origin: datetime) -> pl.DataFrame:
    """Return member_id and COLUMNS of the members who were active at `origin`, sorted by member."""
    active = seen.features.filter(pl.col("recency_days") < ACTIVE.days)
    visits = seen.orders.join(active, on="member_id", how="semi")
    return active.join(rhythm(visits, origin), on="member_id", how="left").sort("member_id")


def matrix(rows: pl.DataFrame) -> Floats:
    """Return COLUMNS as (n, k) with NaN where something is not known; LightGBM reads that as missing."""
    table: Floats = rows.select(pl.col(name).cast(pl.Float64) for name in COLUMNS).to_numpy()
    table[~np.isfinite(table)] = np.nan
    return table


def training_rows(lines: pl.DataFrame, at: Sequence[datetime], horizon: timedelta) -> pl.DataFrame:
    """Return the rows of several origins, one below the other."""
    return pl.concat([rows_at(lines, origin, horizon) for origin in at])
