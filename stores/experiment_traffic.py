"""What experiments can be planned from: who came lately, what they did, who was exposed day by day, and which segment they are in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Select, String, cast, func, literal, select, union_all

from personalization.types import Purpose
from stores.consents import latest_consents
from stores.database import Database
from stores.experiment_outcomes import measured
from stores.group_tables import member_groups
from stores.tables import UtcDateTime, decisions, exposures, order_lines

LATELY = timedelta(days=28)
MOST_DAYS = 400


class SqlExperimentTraffic:
    """Reads the past for power calculations, and running experiments day by day."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def past(self, *, window_days: int, at: datetime) -> pl.DataFrame:
        """Return one row per member who came in the weeks before a window that ends at `at`, measured in that window (columns: `outcomes`).

        Only who agrees to profiling now: nobody else would take part. Whether somebody came in the window is what is measured, so
        that it does not choose them.
        """
        start = at - timedelta(days=window_days)
        came = (
            select(
                order_lines.c.member_id.label("unit_id"),
                order_lines.c.member_id.label("visitor_id"),
                literal(start, UtcDateTime).label("at"),
            )
            .where(
                order_lines.c.at >= start - 2 * LATELY,
                order_lines.c.at < start,
                order_lines.c.member_id.in_(_agreeing()),
            )
            .distinct()
        )
        with self._db.read() as connection:
            units = pl.DataFrame(
                [(row.unit_id, "past", start, 1) for row in connection.execute(came.order_by(order_lines.c.member_id))],
                schema={"unit_id": pl.String, "arm": pl.String, "at": pl.Datetime("us", "UTC"), "member": pl.Int64}, orient="row",
            )  # fmt: skip
            return measured(connection, units, came, timedelta(days=window_days))

    def reached(self, *, at: datetime, days: int = 28) -> list[int]:
        """Return how many different members who agree to profiling came by the end of each of the last days: who asked for a decision, or ordered."""
        since = at - timedelta(days=days)
        asked = select(decisions.c.member_id, decisions.c.at).where(
            decisions.c.at >= since, decisions.c.at < at, decisions.c.member_id.is_not(None)
        )
        bought = select(order_lines.c.member_id, order_lines.c.at).where(
            order_lines.c.at >= since, order_lines.c.at < at
        )
        both = union_all(asked, bought).subquery()
        first = (
            select(func.min(both.c.at).label("at")).where(both.c.member_id.in_(_agreeing())).group_by(both.c.member_id)
        )
        fresh = [0] * days
        with self._db.read() as connection:
            for row in connection.execute(first):
                fresh[min(int((row.at - since) / timedelta(days=1)), days - 1)] += 1
        total, found = 0, []
        for one in fresh:
            total += one
            found.append(total)
        return found

    def daily(self, experiment_id: str) -> list[dict[str, Any]]:
        """Return how many units were first exposed on each day, by arm; days without any are left out."""
        utc = exposures.c.at if self._db.is_sqlite else func.timezone("UTC", exposures.c.at)
        day = func.substr(cast(utc, String), 1, 10)
        query = (
            select(day.label("day"), exposures.c.arm, func.count().label("units"))
            .where(exposures.c.experiment_id == experiment_id)
            .group_by(day, exposures.c.arm)
            .order_by(day.desc(), exposures.c.arm)
            .limit(MOST_DAYS)
        )
        with self._db.read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)][::-1]

    def segments(self, experiment_id: str, by: str) -> pl.DataFrame:
        """Return unit_id and segment: the cluster that a member was in at the first exposure, the channel of the first exposure, or a declared group."""
        mine = select(exposures.c.unit_id).where(exposures.c.experiment_id == experiment_id)
        if by == "channel":
            query = select(exposures.c.unit_id, exposures.c.channel).where(exposures.c.experiment_id == experiment_id)
        elif by == "cluster":
            e = exposures.c  # not today's cluster: what an arm does moves people between clusters
            query = select(e.unit_id, e.cluster).where(e.experiment_id == experiment_id, e.cluster.is_not(None))
        else:
            groups = member_groups.c
            query = select(groups.member_id, groups.value).where(groups.attribute == by, groups.member_id.in_(mine))
        with self._db.read() as connection:
            return pl.DataFrame(
                [tuple(row) for row in connection.execute(query)],
                schema={"unit_id": pl.String, "segment": pl.String}, orient="row",
            )  # fmt: skip


def _agreeing() -> Select[tuple[str]]:
    agreed = latest_consents(Purpose.PROFILING)
    return select(agreed.c.member_id).where(agreed.c.granted)
