"""Audits of fairness that were run from the console: one at a time, whichever process runs it, and what each found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, and_, insert, select, text, update

from stores.database import Database, new_id
from stores.group_tables import fairness_reports

ABANDONED = timedelta(minutes=15)
_LOCK = 0x46414952


@dataclass(frozen=True, slots=True)
class FairnessReport:
    """One audit. `body` is what it found; None while it runs, and where it failed."""

    report_id: str
    state: Literal["running", "done", "failed"]
    at: datetime
    days: int
    author: str
    ended_at: datetime | None
    body: Mapping[str, Any] | None


class SqlFairnessReports:
    """Begin an audit, end it, and read the latest."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(self, days: int, author: str, *, at: datetime) -> str | None:
        """Return the id of a new audit; None while another runs. One whose process was killed counts as failed after a while."""
        running = and_(fairness_reports.c.state == "running", fairness_reports.c.at > at - ABANDONED)
        row = {"report_id": new_id(), "state": "running", "at": at, "days": days, "author": author}
        with self._db.write() as connection:
            if not self._db.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            if connection.execute(select(fairness_reports.c.report_id).where(running)).first() is not None:
                return None
            connection.execute(insert(fairness_reports).values(row))
        return str(row["report_id"])

    def end(self, report_id: str, body: Mapping[str, Any] | None, *, at: datetime) -> None:
        """Keep what an audit found; None: it failed."""
        values = {"state": "failed" if body is None else "done", "body": body, "ended_at": at}
        with self._db.write() as connection:
            connection.execute(update(fairness_reports).where(fairness_reports.c.report_id == report_id).values(values))

    def latest(self, *, now: datetime) -> tuple[FairnessReport | None, FairnessReport | None]:
        """Return the newest audit that found something, and the newest of all."""
        newest = select(fairness_reports).order_by(fairness_reports.c.report_id.desc()).limit(1)
        with self._db.read() as connection:
            last = connection.execute(newest).first()
            done = connection.execute(newest.where(fairness_reports.c.state == "done")).first()
        return _report(done, now), _report(last, now)


def _report(row: Row[Any] | None, now: datetime) -> FairnessReport | None:
    if row is None:
        return None
    state: Any = "failed" if row.state == "running" and row.at <= now - ABANDONED else row.state
    return FairnessReport(row.report_id, state, row.at, row.days, row.author, row.ended_at, row.body)
