"""The rollup behind the console's figures: whole days, made anew from the log, the ledger and the decisions (decision 111).

The worker takes it on: the days that new events fall on, and today. A day is made anew as a whole, so nothing is counted twice,
whatever stops half way. Days from which the log may have lost events by their retention are closed: only orders still change them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from personalization.figures import EVERY_CHANNEL, FIGURES
from stores.database import Database, upsert
from stores.events import advance, position
from stores.figures_now import now_rows
from stores.figures_of_day import ORDERS, VISITS, Row, of_day, people_of
from stores.insight_tables import figures
from stores.tables import counters, cursors, decisions, events, order_lines

CONSUMER = "figures"
BITE = 200_000  # positions of the log that one pass looks at
OPEN_DAYS = 28  # what events are kept for at least, less two days
_LOCK = 0x46494752
_PEOPLE = ("members", "visitors")
_MENDED = "figures of people over all channels"
Counted = tuple[Collection[str], Sequence[Row]]
Progress = Callable[[int, int], None]
_SHOWN_LATER = timedelta(hours=2)  # yesterday is made anew for so long


@dataclass(frozen=True, slots=True)
class Daily:
    """One number of the rollup."""

    day: date
    name: str
    channel: str
    part: str
    value: int


class SqlFigures:
    """Keeps and reads the rollup."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def update(self, *, now: datetime, stop: Callable[[], bool] = lambda: False) -> int:
        """Make the days anew that new events fall on, and today; return how many days. Once `stop` says so it leaves the rest."""
        today = now.astimezone(UTC).date()
        with self._db.write() as connection:
            last = position(connection, CONSUMER)
        with self._db.read() as connection:
            end = min(last + BITE, connection.scalar(select(func.max(events.c.seq))) or 0)
            touched = _days(connection, last, end)
            known = _with_rows(connection, touched)
        days = {day for day in touched if day <= today} | {today}
        if now - datetime.combine(today, time(), UTC) < _SHOWN_LATER:
            days.add(today - timedelta(days=1))
        oldest = today - timedelta(days=OPEN_DAYS)
        for day in sorted(days, reverse=True):  # the newest are looked at most
            if stop():
                return 0
            self._make(day, (ORDERS,) if day < oldest and day in known else (VISITS, ORDERS))
        if end > last:
            with self._db.write() as connection:
                if position(connection, CONSUMER) == last:
                    advance(connection, CONSUMER, end)
        return len(days)

    def rebuild(self, *, now: datetime, progress: Progress = lambda *_: None) -> int:
        """Make every day anew that anything is left of, oldest first; return how many days. Safe beside a worker, and to repeat.

        Of a closed day that is known only orders and coupons are made anew: its visits may be past their retention.
        """
        today = now.astimezone(UTC).date()
        with self._db.read() as connection:
            end = connection.scalar(select(func.max(events.c.seq))) or 0
            first = [connection.scalar(select(func.min(t.c.at))) for t in (events, order_lines, decisions)]
            begun = min((at.astimezone(UTC).date() for at in first if at is not None), default=today)
            days = [begun + timedelta(days=n) for n in range((today - begun).days + 1)]
            known = _with_rows(connection, days)
        oldest = today - timedelta(days=OPEN_DAYS)
        for number, day in enumerate(days, start=1):
            self._make(day, (ORDERS,) if day < oldest and day in known else (VISITS, ORDERS))
            progress(number, len(days))
        self.snapshot(now=now)
        with self._db.write() as connection:
            if position(connection, CONSUMER) < end:
                advance(connection, CONSUMER, end)
        return len(days)

    def snapshot(self, *, now: datetime) -> None:
        """Write down how things stand: sizes of segments, expected spend, risk, consents."""

        def count(connection: Connection) -> Counted:
            rows = now_rows(connection, now)
            return {row.name for row in rows} | {"churn", "value_bin", "segment_size"}, rows

        self._replace(now.astimezone(UTC).date(), count)

    def mend(self, *, stop: Callable[[], bool] = lambda: False) -> int:
        """Count people over all channels on days from before that was done; return of how many days. Done once, and safe to repeat.

        A day on one channel says it itself. Of a day on several the log has to have everybody that was counted; where its
        retention took some, the day stays as it is, and its channels are added up.
        """
        with self._db.read() as connection:
            if connection.scalar(select(counters.c.value).where(counters.c.name == _MENDED)):
                return 0
            days = _without_all(connection)
        mended = 0
        for day in days:
            if stop():
                return mended
            mended += self._replace(day, partial(_people_of_day, day=day))
        with self._db.write() as connection:
            upsert(connection, counters, [{"name": _MENDED, "value": 1}])
        return mended

    def put_drift(self, psi: Iterable[tuple[str, float]], *, now: datetime) -> None:
        """Write down how far members are from those that segments were trained on, by feature."""
        rows = [Row("drift", "", part, round(value * 1000)) for part, value in psi]
        self._replace(now.astimezone(UTC).date(), lambda _: ({"drift"}, rows))

    def read(self, names: Collection[str], since: date, until: date) -> list[Daily]:
        """Return the numbers of some rows from `since` to `until`, both included, by day."""
        f = figures.c
        query = select(figures).where(f.name.in_(sorted(names)), f.day >= since, f.day <= until)
        with self._db.read() as connection:
            return [Daily(*row) for row in connection.execute(query.order_by(f.day, f.channel, f.part))]

    def latest(self, name: str, *, until: date) -> list[Daily]:
        """Return the rows of a name on the last day up to `until` that has any."""
        f = figures.c
        newest = select(func.max(f.day)).where(f.name == name, f.day <= until).scalar_subquery()
        with self._db.read() as connection:
            query = select(figures).where(f.name == name, f.day == newest)
            return [Daily(*row) for row in connection.execute(query.order_by(f.part))]

    def complete_until(self) -> int:
        """Return the position of the log up to which the rollup has had it."""
        with self._db.read() as connection:
            return connection.scalar(select(cursors.c.seq).where(cursors.c.consumer == CONSUMER)) or 0

    def _make(self, day: date, kinds: Sequence[str]) -> None:
        start = datetime.combine(day, time(), UTC)
        for kind in kinds:
            self._replace(day, partial(of_day, kind=kind, start=start, end=start + timedelta(days=1)))

    def _replace(self, day: date, count: Callable[[Connection], Counted]) -> bool:
        """Count a day's rows of some names, and write them in the place of those that are there; return whether they were others.

        On PostgreSQL who makes a day waits for who makes it already, so that an older count never replaces a newer one.
        """
        if self._db.is_sqlite:  # one process works there, and its readers are not to wait while it counts
            with self._db.read() as connection:
                names, rows = count(connection)
                changed = _changed(connection, day, names, rows)
            if changed:
                with self._db.write() as connection:
                    _put(connection, day, names, rows)
            return changed
        with self._db.write() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK, day.toordinal())))
            names, rows = count(connection)
            changed = _changed(connection, day, names, rows)
            if changed:
                _put(connection, day, names, rows)
            return changed


def _without_all(connection: Connection) -> list[date]:
    """Return the days that have people by channel and none over all of them, newest first."""
    f, whole = figures.c, figures.alias().c
    over_all = select(whole.day).where(whole.day == f.day, whole.name == f.name, whole.channel == EVERY_CHANNEL)
    missing = select(f.day).where(f.name.in_(_PEOPLE), f.channel != EVERY_CHANNEL, ~over_all.exists())
    return list(connection.scalars(missing.distinct().order_by(f.day.desc())))


def _people_of_day(connection: Connection, day: date) -> Counted:
    """Return the people of a day as they are kept, with those over all channels where they can still be told."""
    kept = select(figures).where(figures.c.day == day, figures.c.name.in_(_PEOPLE))
    rows = [Row(row.name, row.channel, row.part, row.value) for row in connection.execute(kept)]
    by_channel = [row for row in rows if row.channel != EVERY_CHANNEL]
    if len({row.channel for row in by_channel}) == 1:
        return _PEOPLE, [*by_channel, *(row._replace(channel=EVERY_CHANNEL) for row in by_channel)]
    start = datetime.combine(day, time(), UTC)
    counted = [row for row in people_of(connection, start, start + timedelta(days=1)) if row.value]
    left = {row for row in counted if row.channel != EVERY_CHANNEL}
    return _PEOPLE, counted if left == set(by_channel) else rows


def _changed(connection: Connection, day: date, names: Collection[str], rows: Sequence[Row]) -> bool:
    query = select(figures).where(figures.c.day == day, figures.c.name.in_(sorted(names)))
    old = {(row.name, row.channel, row.part): row.value for row in connection.execute(query)}
    return old != {(row.name, row.channel, row.part): row.value for row in rows if row.value}


def _put(connection: Connection, day: date, names: Collection[str], rows: Sequence[Row]) -> None:
    connection.execute(delete(figures).where(figures.c.day == day, figures.c.name.in_(sorted(names))))
    new = {(row.name, row.channel, row.part): row.value for row in rows if row.value}
    if new:
        made = [{"day": day, "name": n, "channel": c, "part": p, "value": v} for (n, c, p), v in new.items()]
        connection.execute(insert(figures), made)


def rows_of(names: Iterable[str]) -> set[str]:
    """Return the rows that figures are computed from."""
    return {row for name in names for row in FIGURES[name].rows}


def utc_day(connection: Connection, at: Any) -> Any:
    """Return the day of UTC of a time, as the database tells it."""
    return func.date(at) if connection.dialect.name == "sqlite" else func.date(func.timezone("UTC", at))


def _days(connection: Connection, last: int, end: int) -> set[date]:
    day = utc_day(connection, events.c.at)
    found = connection.scalars(select(day).where(events.c.seq > last, events.c.seq <= end).distinct())
    return {one if isinstance(one, date) else date.fromisoformat(one) for one in found}


def _with_rows(connection: Connection, days: Collection[date]) -> set[date]:
    if not days:
        return set()
    query = select(figures.c.day).where(figures.c.day >= min(days), figures.c.day <= max(days))
    return set(connection.scalars(query.distinct()))
