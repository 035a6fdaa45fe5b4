"""What auditors read of the record: lines of the audit log, consents in numbers, receipts of what was deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, case, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from stores.audit import Entry, entry_of
from stores.audit_tables import audit_log
from stores.database import Database
from stores.tables import consents, erasures, members


@dataclass(frozen=True, slots=True)
class Standing:
    """How many members' last word on a purpose, given by this text on this channel, is what."""

    purpose: str
    text_version: str
    channel: str
    granted: int
    withdrawn: int
    expired: int


@dataclass(frozen=True, slots=True)
class DayOfConsents:
    """What was said on a day about a purpose."""

    day: str
    purpose: str
    granted: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Job:
    """A deletion, in numbers. `proof`: of the schedule, what was due and left afterwards: nothing."""

    receipt_id: str
    at: datetime
    scope: str
    deleted: dict[str, int]
    proof: dict[str, Any] | None


class SqlTrustFigures:
    """Reads only."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def log(
        self, *, who: str = "", actors: Sequence[str] = (), what: str = "", since: datetime | None = None, until: datetime | None = None,
        before: int | None = None, limit: int = 50,
    ) -> list[Entry]:  # fmt: skip
        """Return up to `limit` lines, newest first; `who` and `what` are parts of actor and of action or target, capitals or not.

        `actors` are taken beside those that `who` is a part of.
        """
        columns, wanted = audit_log.c, list[ColumnElement[bool]]()
        if who:
            wanted.append(or_(columns.actor.icontains(who, autoescape=True), columns.actor.in_(actors)))
        if what:
            wanted.append(
                or_(columns.action.icontains(what, autoescape=True), columns.target.icontains(what, autoescape=True))
            )
        if since is not None:
            wanted.append(columns.at >= since)
        if until is not None:
            wanted.append(columns.at < until)
        if before is not None:
            wanted.append(columns.seq < before)
        query = select(audit_log).where(*wanted).order_by(columns.seq.desc()).limit(limit)
        with self._db.read() as connection:
            return [entry_of(row) for row in connection.execute(query)]

    def lines(self) -> int:
        """Return how many lines the log has."""
        with self._db.read() as connection:
            return connection.scalar(select(func.max(audit_log.c.seq))) or 0

    def members(self) -> int:
        """Return how many members there are."""
        with self._db.read() as connection:
            return connection.scalar(select(func.count()).select_from(members)) or 0

    def standing(self, *, now: datetime) -> list[Standing]:
        """Return members' last words, counted by purpose, text and channel."""
        last = self._last_words()
        over = and_(last.c.granted, last.c.expires_at.is_not(None), last.c.expires_at <= now)
        names = (last.c.purpose, last.c.text_version, last.c.channel)
        query = (
            select(
                *names,
                func.count(case((and_(last.c.granted, ~over), 1))),
                func.count(case((~last.c.granted, 1))),
                func.count(case((over, 1))),
            )
            .group_by(*names)
            .order_by(*names)
        )
        with self._db.read() as connection:
            return [Standing(*row) for row in connection.execute(query)]

    def _last_words(self) -> Subquery:
        """Return each member's last word on each purpose: on PostgreSQL by its index, read backwards; a third of the time of a window."""
        c = consents.c
        columns = (c.purpose, c.text_version, c.channel, c.granted, c.expires_at)
        if not self._db.is_sqlite:
            order = (c.member_id.desc(), c.purpose.desc(), c.at.desc(), c.consent_id.desc())
            return select(*columns).ext(distinct_on(c.member_id, c.purpose)).order_by(*order).subquery()
        newest_first = func.row_number().over(
            partition_by=(c.member_id, c.purpose), order_by=(c.at.desc(), c.consent_id.desc())
        )
        ranked = select(*columns, newest_first.label("age")).subquery()
        return select(ranked).where(ranked.c.age == 1).subquery()

    def days(self, *, since: datetime, until: datetime) -> list[DayOfConsents]:
        """Return what was said each day, by purpose; days without a word are left out."""
        c = consents.c
        day = func.date(c.at) if self._db.is_sqlite else func.to_char(func.timezone("UTC", c.at), "YYYY-MM-DD")
        named = day.label("day")
        query = (
            select(named, c.purpose, func.count(case((c.granted, 1))), func.count(case((~c.granted, 1))))
            .where(c.at >= since, c.at < until)
            .group_by(named, c.purpose)
            .order_by(named, c.purpose)
        )
        with self._db.read() as connection:
            return [DayOfConsents(str(row[0]), *row[1:]) for row in connection.execute(query)]

    def jobs(self, *, before: str | None = None, limit: int = 50) -> list[Job]:
        """Return up to `limit` receipts, newest first."""
        query = select(erasures).order_by(erasures.c.at.desc(), erasures.c.receipt_id.desc()).limit(limit)
        if before is not None:
            last = select(erasures.c.at).where(erasures.c.receipt_id == before).scalar_subquery()
            query = query.where(or_(erasures.c.at < last, and_(erasures.c.at == last, erasures.c.receipt_id < before)))
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        return [Job(row.receipt_id, row.at, row.scope, row.counts, row.proof) for row in rows]
