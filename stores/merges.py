"""Who is who: a visitor of whom a system says that they are a member. Every merge is logged and can be undone.

A merge names the member in the visitor's earlier events, as far as the member agrees to it, and in later ones that
name the visitor alone. Orders and redemptions keep whom they named. What was undone is not merged again.
A merge has a term (`personalization/trust/retention.yml`); past it, it is deleted and can no longer be undone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from personalization.profiling.sources import may_store
from personalization.types import EventType, MemberId, Purpose
from stores.consents import granted_to
from stores.console_tables import experiment_gatherings
from stores.database import Database, alone, new_id
from stores.erasure_plan import SEEN_WITH_NAMES, Whose, tables
from stores.errors import ConflictError, NotFoundError, PastTermError
from stores.events import in_order
from stores.experiment_units import gather_anew
from stores.exposing import give_back, identify
from stores.merge_tables import merges
from stores.tables import events, exposures

_NEVER = (EventType.BOUGHT, EventType.REDEEMED, EventType.ROLLED_BACK, EventType.ALERTED)


@dataclass(frozen=True, slots=True)
class Merge:
    """That a visitor is a member, says `source`; `events` events name the member by it (undone: did)."""

    merge_id: str
    member_id: MemberId
    visitor_id: str
    source: str
    events: int
    at: datetime
    undone_at: datetime | None
    undone_by: str | None


class SqlMerges:
    """Merges, and their end."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def merge(self, visitor_id: str, member_id: MemberId, *, at: datetime, source: str) -> Merge | None:
        """Merge the two, or return the merge that there is, undone or not; None without consent to profiling.

        Of a device that several members use only the first merge takes earlier events along: they may be anybody's.
        """
        with self._db.write() as connection:
            mine = (merges.c.visitor_id == visitor_id, merges.c.member_id == member_id)
            row = connection.execute(select(merges).where(*mine)).first()
            if row is not None:
                return _merge(row, 0)
            granted = granted_to(connection, [member_id]).get(member_id, frozenset())
            if Purpose.PROFILING not in granted:
                return None
            shared = connection.scalar(select(merges.c.merge_id).where(merges.c.visitor_id == visitor_id).limit(1))
            made: dict[str, Any] = {
                "merge_id": new_id(),
                "member_id": member_id,
                "visitor_id": visitor_id,
                "source": source,
                "at": at,
            }
            fresh: Any = (sqlite_insert if connection.dialect.name == "sqlite" else pg_insert)(merges)
            connection.execute(fresh.values(**made).on_conflict_do_nothing())
            row = connection.execute(select(merges).where(*mine)).first()
            if row is None or row.merge_id != made["merge_id"]:  # somebody was faster
                return None if row is None else _merge(row, 0)
            if not shared:
                identify(connection, visitor_id, member_id, merge_id=made["merge_id"])
            taken = 0 if shared else _take(connection, made["merge_id"], visitor_id, member_id, granted)
        return _merge(row, taken)

    def member_of(self, visitor_ids: Collection[str]) -> dict[str, Merge]:
        """Return by which merge visitors stand for a member; one that several members share stands for nobody."""
        query = select(merges).where(merges.c.visitor_id.in_(sorted(visitor_ids)), merges.c.undone_at.is_(None))
        found = dict[str, list[Merge]]()
        with self._db.read() as connection:
            for row in connection.execute(query):
                found.setdefault(row.visitor_id, []).append(_merge(row, 0))
        return {visitor: standing[0] for visitor, standing in found.items() if len(standing) == 1}

    def page(self, *, member_id: str | None = None, after: str = "", limit: int = 50) -> list[Merge]:
        """Return up to `limit` merges behind `after`, oldest first."""
        query = select(merges).where(merges.c.merge_id > after).order_by(merges.c.merge_id).limit(limit)
        if member_id is not None:
            query = query.where(merges.c.member_id == member_id)
        with self._db.read() as connection:
            rows = connection.execute(query).all()
            mine = events.c.merge_id.in_([row.merge_id for row in rows])
            named = select(events.c.merge_id, func.count()).where(mine).group_by(events.c.merge_id)
            counts = {row[0]: row[1] for row in connection.execute(named)}
        return [_merge(row, counts.get(row.merge_id, 0)) for row in rows]

    def undo(self, merge_id: str, *, at: datetime, by: str, kept_days: int | None = None) -> Merge:
        """Take a merge back: events that it named are nobody's again, and exposures the visitor's. NotFoundError, ConflictError, PastTermError.

        `kept_days` : the schedule's term for merges, days; None where there is none.
        """
        mine = merges.c.merge_id == merge_id
        before = None if kept_days is None else at - timedelta(days=kept_days)
        with self._db.write() as connection:
            in_order(connection)  # as a withdrawal has it,
            alone(connection, experiment_gatherings)  # and an erasure: so nobody who holds the row waits for us
            row = connection.execute(select(merges).where(mine).with_for_update()).first()
            if before is not None and (_as_old(merge_id, before) if row is None else _due(connection, row, before)):
                raise PastTermError(
                    f"merges are kept for {kept_days} days: one as old as {merge_id} is past its term and cannot be undone any more"
                )
            if row is None:
                raise NotFoundError(f"there is no merge {merge_id}; GET /v1/merges lists them")
            if row.undone_at is not None:
                raise ConflictError(f"the merge {merge_id} was undone before")
            nobodys = update(events).where(events.c.merge_id == merge_id).values(member_id=None, merge_id=None)
            taken = connection.execute(nobodys).rowcount
            give_back(connection, merge_id)
            gather_anew(connection, [row.member_id, row.visitor_id])
            connection.execute(update(merges).where(mine).values(undone_at=at, undone_by=by[:120]))
            return _merge(connection.execute(select(merges).where(mine)).one(), taken)


def past_term(before: datetime) -> ColumnElement[bool]:
    """Return which merges are past their term: of a device all or none, since one alone would stand for what several share.

    None while the device is in use, or anything of nobody's is kept of it: the next merge would be its first, and take that for one person's.
    """
    other, device = merges.alias(), merges.c.visitor_id
    lately = func.coalesce(other.c.undone_at, other.c.at) >= before
    keeping = (
        exists().where(other.c.visitor_id == device, lately),
        exists().where(events.c.visitor_id == device, events.c.received_at >= before),
        *(exists().where(seen.c.visitor_id == device, seen.c.member_id.is_(None)) for seen in SEEN_WITH_NAMES),
        *(exists().where(unit.c.unit_id == device) for unit in tables(Whose.UNIT)),
    )
    return and_(merges.c.at < before, ~or_(*keeping))


def forget_merges(connection: Connection, member_id: str) -> None:
    """Delete what is known of the member's devices, after they withdrew the consent that merges rest on.

    What these did without a name loses them, too: without the merge no erasure would find it.
    """
    mine = select(merges.c.visitor_id).where(merges.c.member_id == member_id, merges.c.undone_at.is_(None))
    if devices := connection.scalars(mine).all():
        nobodys = (events.c.member_id.is_(None), events.c.visitor_id.in_(devices))
        connection.execute(update(events).where(*nobodys).values(visitor_id=None))
    connection.execute(update(exposures).where(exposures.c.unit_id == member_id).values(merge_id=None))
    connection.execute(delete(merges).where(merges.c.member_id == member_id))


def _due(connection: Connection, row: Row[Any], before: datetime) -> bool:
    due = select(merges.c.merge_id).where(merges.c.merge_id == row.merge_id, past_term(before))
    return connection.scalar(due) is not None


def _as_old(merge_id: str, before: datetime) -> bool:
    """Whether an id was made before this time, as a UUIDv7 tells: its row may be gone, and that it was one is not kept."""
    try:
        made = UUID(merge_id)
    except ValueError:
        return False
    return made.version == 7 and datetime.fromtimestamp((made.int >> 80) / 1000, UTC) < before


def _take(connection: Connection, merge_id: str, visitor_id: str, member_id: str, granted: frozenset[Purpose]) -> int:
    """Make the visitor's events, as far as they are nobody's and the member agrees, the member's; return how many."""
    types = [type_.value for type_ in EventType if type_ not in _NEVER and may_store(type_, granted)]
    theirs = (events.c.visitor_id == visitor_id, events.c.member_id.is_(None), events.c.type.in_(types))
    return connection.execute(update(events).where(*theirs).values(member_id=member_id, merge_id=merge_id)).rowcount


def _merge(row: Row[Any], named: int) -> Merge:
    return Merge(
        row.merge_id, MemberId(row.member_id), row.visitor_id, row.source, named, row.at, row.undone_at, row.undone_by
    )
