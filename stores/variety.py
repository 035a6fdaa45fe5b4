"""How varied is what members are shown, week by week; who is shown too little is to be shown more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, case, delete, func, select

from personalization.trust.variety import LEAST_SLATES, ShopWeek, Week, alarm, week_of
from personalization.types import Subject
from stores.coupon_tables import coupons
from stores.database import Database, upsert
from stores.group_tables import variety
from stores.tables import candidate_sets, cursors

WEEK = timedelta(weeks=1)
TREND = 8
"""Weeks that a trend is read from, and that are kept."""
_MEMBERS = 500
_CONSUMER = "variety"
_MEANS = (variety.c.diversity, variety.c.novelty, variety.c.entropy)


def monday(at: datetime) -> datetime:
    """Return the start of the week that `at` is in."""
    return (at - timedelta(days=at.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


class SqlVariety:
    """Works out the weeks, and says whom to show more, and how many coupons somebody was offered lately."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def widened(self, subject: Subject, *, at: datetime) -> bool:
        """Return whether the member's last week was too narrow."""
        if subject.member_id is None:
            return False
        query = select(variety.c.widened).where(
            variety.c.member_id == subject.member_id, variety.c.week == monday(at) - WEEK
        )
        with self._db.read() as connection:
            return bool(connection.scalar(query))

    def narrow(self, *, at: datetime) -> int:
        """Return how many members' last week was too narrow."""
        with self._db.read() as connection:
            last = (variety.c.week == monday(at) - WEEK, variety.c.widened)
            return connection.scalar(select(func.count()).select_from(variety).where(*last)) or 0

    def weeks(self, member_id: str) -> list[tuple[datetime, Week, bool]]:
        """Return the member's weeks, oldest first: its Monday, its figures, and whether the week after was made more varied."""
        with self._db.read() as connection:
            rows = connection.execute(select(variety).where(variety.c.member_id == member_id).order_by(variety.c.week))
            return [(row.week, Week(row.slates, row.diversity, row.novelty, row.entropy), row.widened) for row in rows]

    def shop(self) -> list[ShopWeek]:
        """Return the weeks of all members together, oldest first."""
        told = [func.avg(case((variety.c.slates >= LEAST_SLATES, column))) for column in _MEANS]
        narrow = func.sum(case((variety.c.widened, 1), else_=0))
        query = select(variety.c.week, func.count(), narrow, *told).group_by(variety.c.week).order_by(variety.c.week)
        with self._db.read() as connection:
            return [
                ShopWeek(row[0].date(), row[1], row[2], row[3], row[4], row[5]) for row in connection.execute(query)
            ]

    def worked_out(self) -> date | None:
        """Return the Monday of the last week that is worked out for every member; None before the first."""
        query = select(cursors.c.watermark).where(cursors.c.consumer == _CONSUMER)
        with self._db.read() as connection:
            end = connection.scalar(query)
        return None if end is None else (end - WEEK).date()

    def offered(self, subject: Subject, *, since: datetime) -> int:
        """Return how many coupons the subject was given from `since` on, on any channel."""
        if subject.member_id is not None:
            mine = coupons.c.member_id == subject.member_id
        else:
            mine = (coupons.c.visitor_id == subject.visitor_id) & coupons.c.member_id.is_(None)
        query = select(func.count()).select_from(coupons).where(mine, coupons.c.issued_at >= since)
        with self._db.read() as connection:
            return connection.scalar(query) or 0

    def work_out(self, category: Mapping[str, str], *, now: datetime) -> int | None:
        """Write down the last whole week for every member, once; return how many members are to be shown more, None where it was done before."""
        end = monday(now)
        start = end - WEEK
        with self._db.read() as connection:
            done = connection.scalar(select(cursors.c.watermark).where(cursors.c.consumer == _CONSUMER))
            if done is not None and done >= end:
                return None
            # where a worker stopped that did not get to the end
            after = connection.scalar(select(func.max(variety.c.member_id)).where(variety.c.week == start)) or ""
        found = 0
        for rows in self._members(start, end, category, after):
            with self._db.write() as connection:
                upsert(connection, variety, rows)
            found += sum(row["widened"] for row in rows)
        with self._db.write() as connection:
            connection.execute(delete(variety).where(variety.c.week < end - TREND * WEEK))
            upsert(connection, cursors, [{"consumer": _CONSUMER, "seq": 0, "watermark": end, "position": None}])
        return found

    def _members(
        self, start: datetime, end: datetime, category: Mapping[str, str], after: str
    ) -> Iterator[list[dict[str, Any]]]:
        c = candidate_sets.c
        while True:
            here = (c.at >= start, c.at < end, c.member_id > after)
            ids = select(c.member_id).where(*here).distinct().order_by(c.member_id).limit(_MEMBERS)
            with self._db.read() as connection:
                members = [str(one) for one in connection.scalars(ids)]
                if not members:
                    return
                shown = connection.execute(
                    select(c.member_id, c.at, c.shown)
                    .where(c.member_id.in_(members), c.at >= start - (TREND - 1) * WEEK, c.at < end)
                    .order_by(c.member_id, c.at)
                ).all()
                past = connection.execute(
                    select(variety)
                    .where(variety.c.member_id.in_(members), variety.c.week < start)
                    .order_by(variety.c.week)
                ).all()
            weeks: dict[str, list[Week]] = {}
            for row in past:
                weeks.setdefault(row.member_id, []).append(Week(row.slates, row.diversity, row.novelty, row.entropy))
            rows = []
            for member, own in groupby(shown, key=lambda row: str(row.member_id)):
                slates = list(own)
                before = {item for row in slates if row.at < start for item in row.shown}
                week = week_of([row.shown for row in slates if row.at >= start], category, before)
                why = alarm([*weeks.get(member, []), week])
                rows.append(
                    {"member_id": member, "week": start, "slates": week.slates, "diversity": week.diversity, "novelty": week.novelty,
                     "entropy": week.entropy, "widened": why is not None, "why": why or ""}
                )  # fmt: skip
            yield rows
            after = members[-1]


def forget_weeks(connection: Connection, member_id: str) -> None:
    """Delete a member's weeks, whose consent to profiling has ended."""
    connection.execute(delete(variety).where(variety.c.member_id == member_id))
