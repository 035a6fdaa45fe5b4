"""Face templates whose time is over are deleted, with a record in numbers.

Storage limitation, GDPR article 5(1)(e); 740 ILCS 14/15(a) (BIPA): within three years of the last interaction; Texas Bus. & Com. Code
503.001(c)(3) (CUBI): at most a year after the purpose expired, which is when cameras were switched off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select

from stores.database import Database
from stores.erasure import receipt
from stores.kiosks import bump_gallery
from stores.switches import LONGEST_RETENTION_DAYS, SqlSwitches
from stores.tables import templates
from stores.templates import Kind, consenting

AFTER_SWITCHED_OFF = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class _Term:
    """Until when a store's templates may stay: `days` after the last visit, and none beyond `end`."""

    days: int
    end: datetime | None = None


def purge_templates(db: Database, *, now: datetime, most_days: int | None = None) -> dict[str, Any] | None:
    """Delete the templates that are due; return the record that was written, None when nothing was due.

    Due are templates of members who did not come for longer than their store's retention, of a store whose cameras have been off for a
    year, of members whose consent does not stand, and adapted ones whose enrolled ones are gone.
    """
    terms = _terms(SqlSwitches(db))
    if most_days is not None:  # the schedule's, where that is shorter than a store's own
        terms = {store: _Term(min(term.days, most_days), term.end) for store, term in terms.items()}
    with db.read() as connection:
        if not any(_counts(connection, terms, now).values()):
            return None
    with db.write() as connection:
        bump_gallery(connection)
        counts = {
            name: connection.execute(delete(templates).where(due)).rowcount for name, due in _due(terms, now).items()
        }
        made = receipt(connection, "retention", counts, now)
    return {**made, "files_scrubbed": db.scrub([], rewrite=[templates.name])}


def _terms(switches: SqlSwitches) -> dict[str | None, _Term]:
    """Return each store's term; that of None is for templates of which no store is known: the strictest of all."""
    found = dict[str | None, _Term]()
    for last in switches.all():
        days = [one.terms.retention_days for one in switches.history(last.store_id) if one.terms is not None][-1]
        found[last.store_id] = _Term(days, None if last.terms else last.at + AFTER_SWITCHED_OFF)
    found[None] = _Term(min((term.days for term in found.values()), default=LONGEST_RETENTION_DAYS))
    return found


def _due(terms: dict[str | None, _Term], now: datetime) -> dict[str, ColumnElement[bool]]:
    """Return which rows are due, by the reason; a row is deleted for the first that applies."""
    table = templates
    last_visit = func.coalesce(table.c.seen_at, table.c.created_at)
    known = [store_id for store_id in terms if store_id is not None]
    late = [
        and_(
            table.c.store_id == store_id if store_id is not None else or_(table.c.store_id.is_(None), table.c.store_id.not_in(known)),
            last_visit < now - timedelta(days=term.days),
        )
        for store_id, term in terms.items()
    ]  # fmt: skip
    off = [store_id for store_id, term in terms.items() if term.end is not None and term.end <= now]
    other = table.alias()
    vouched = exists().where(
        other.c.member_id == table.c.member_id, other.c.model == table.c.model, other.c.kind == Kind.ENROLLED.value
    )
    return {
        "no visit for the retention": or_(*late),
        "cameras off for a year": table.c.store_id.in_(off),
        "no consent": table.c.member_id.not_in(consenting()),
        "adapted without enrolled": and_(table.c.kind == Kind.ADAPTED.value, ~vouched),
    }


def _counts(connection: Connection, terms: dict[str | None, _Term], now: datetime) -> dict[str, int]:
    return {
        name: connection.scalar(select(func.count()).select_from(templates).where(due)) or 0
        for name, due in _due(terms, now).items()
    }
