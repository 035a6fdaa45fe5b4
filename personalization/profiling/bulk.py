"""Segments and risks of many members at once, from tables: what a nightly run over a warehouse does."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl

from personalization.profiling.churn.dataset import active_rows, matrix
from personalization.profiling.churn.model import ChurnModel
from personalization.profiling.features import snapshot
from personalization.profiling.segments import CLUSTERED, SegmentModel


def score(lines: pl.DataFrame, at: datetime, segments: SegmentModel, churn: ChurnModel) -> pl.DataFrame:
    """Return member_id, segment_id, clear and lapse_risk of the members who were active at `at`.

    lines : the columns that `features.batch` reads. Members are independent: cut them into parts to bound the memory.
    """
    seen = snapshot(lines, at)
    rows = active_rows(seen, at)
    shares = seen.shares(segments.categories)
    shares = rows.select("member_id").join(shares, on="member_id", how="left", maintain_order="left")
    columns = {name: rows[name].to_numpy() for name in CLUSTERED}
    numbers, clear = segments.assign(columns, shares.select(pl.exclude("member_id")).fill_null(0.0).to_numpy())
    ids = np.array([segment.segment_id for segment in segments.segments])
    return rows.select("member_id").with_columns(
        pl.Series("segment_id", ids[numbers]),
        pl.Series("clear", clear),
        pl.Series("lapse_risk", churn.score(matrix(rows))),
    )
