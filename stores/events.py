"""The event log: append-only, idempotent by event id, read by consumers that remember where they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from personalization.profiling.sources import SOURCES, admitted, may_store
from personalization.types import EventType, Purpose
from stores.consents import granted_to
from stores.database import Database, new_id, rows_where, upsert
from stores.tables import cursors, events, members

Status = Literal["accepted", "duplicate"]
BROKER = "broker"
LONGEST_DAYS = max(source.retention_days for source in SOURCES.values())
_APPEND_LOCK = 0x41_49_53_4C_45  # "AISLE"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at `at`. Outcomes name the decision that they follow from."""

    event_id: str
    type: EventType
    at: datetime
    channel: str
    member_id: str | None = None
    visitor_id: str | None = None
    decision_id: str | None = None
    product_id: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    merge_id: str | None = None  # names the member by a merge (`stores.merges`), not by itself


class SqlEvents:
    """Append to the log, and read from it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def append_batch(
        self, batch: Sequence[Event], *, received_at: datetime, position: str | None = None
    ) -> list[Status]:
        """Store new events, all or none; an event id that is there already is left alone and reported as a duplicate.

        position : where a broker's message stands, noted in the same transaction.

        Payloads are cut down to what their source may bring, and of a member who did not agree to the source's purpose
        neither name nor device is kept (`personalization.profiling.sources`). Raises SourceError for a payload that does not fit.
        """
        if not batch:
            return []
        payloads = [admitted(event.type, event.payload) for event in batch]
        with self._db.write() as connection:
            statuses = _append(connection, batch, payloads, received_at)
            if position is not None:
                upsert(
                    connection,
                    cursors,
                    [{"consumer": BROKER, "seq": 0, "watermark": received_at, "position": position}],
                )
        self._db.appended.set()
        return statuses


def append(connection: Connection, batch: Sequence[Event], *, received_at: datetime) -> list[Status]:
    """Do what `SqlEvents.append_batch` does, in the caller's transaction."""
    return _append(connection, batch, [admitted(event.type, event.payload) for event in batch], received_at)


def _append(
    connection: Connection, batch: Sequence[Event], payloads: Sequence[Mapping[str, Any]], received_at: datetime
) -> list[Status]:
    in_order(connection)  # nobody else appends until the end of this transaction: what is not there now will not be
    known = {
        row.event_id
        for row in rows_where(connection, events, "event_id", (e.event_id for e in batch), only=("event_id",))
    }
    granted = _members(connection, {event.member_id for event in batch if event.member_id})
    statuses: list[Status] = []
    rows = []
    for event, payload in zip(batch, payloads, strict=True):
        if event.event_id in known:
            statuses.append("duplicate")
            continue
        known.add(event.event_id)
        statuses.append("accepted")
        # nobody is named who is not, or no longer, a member, or who did not agree to it
        named = event.member_id in granted and may_store(event.type, granted[event.member_id])
        unnamed = (
            event.member_id is not None and not named
        )  # nor is their device: it leads to them, and no table would tell
        rows.append(
            {
                "event_id": event.event_id, "type": event.type.value, "at": event.at, "received_at": received_at,
                "channel": event.channel, "member_id": event.member_id if named else None,
                "visitor_id": None if unnamed else event.visitor_id,
                "decision_id": event.decision_id, "product_id": event.product_id,
                "payload": {} if unnamed and SOURCES[event.type].felt else payload,
                "merge_id": event.merge_id if named else None,
            }
        )  # fmt: skip
    if rows:
        connection.execute(insert(events), rows)
    return statuses


def _members(connection: Connection, member_ids: Collection[str]) -> dict[str | None, frozenset[Purpose]]:
    """Return those of `member_ids` that are members, with what they agree to."""
    consents = granted_to(connection, member_ids)
    rows = rows_where(connection, members, "member_id", member_ids, only=("member_id",))
    return {row.member_id: consents.get(row.member_id, frozenset()) for row in rows}


def in_order(connection: Connection) -> None:
    """Let one transaction at a time append, so that positions appear in the order in which they were given.

    Else a consumer could pass a position whose transaction had not ended, and never see that event. SQLite has one
    writer anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _APPEND_LOCK})


def position(connection: Connection, consumer: str) -> int:
    """Return the position up to which `consumer` has had the log; locks it until the end of the transaction."""
    mine = cursors.c.consumer == consumer
    found = connection.scalar(select(cursors.c.seq).where(mine).with_for_update())
    if found is None:  # a row that is not there cannot be locked
        fresh = (sqlite_insert if connection.dialect.name == "sqlite" else pg_insert)(cursors)
        connection.execute(fresh.values(consumer=consumer, seq=0).on_conflict_do_nothing())
        found = connection.scalar(select(cursors.c.seq).where(mine).with_for_update())
    return found or 0


def read_after(
    connection: Connection, consumer: str, limit: int, wanted: ColumnElement[bool]
) -> tuple[int, int, list[Event]]:
    """Return where `consumer` stands, up to `limit` positions further on, and the `wanted` events between the two."""
    last = position(connection, consumer)
    newest = connection.scalar(select(func.max(events.c.seq))) or 0
    end = max(min(last + limit, newest), last)
    query = select(events).where(events.c.seq > last, events.c.seq <= end, wanted).order_by(events.c.seq)
    return last, end, [_event(row) for row in connection.execute(query)]


def _event(row: Row[Any]) -> Event:
    return Event(
        row.event_id, EventType(row.type), row.at, row.channel, row.member_id, row.visitor_id, row.decision_id, row.product_id,
        row.payload,
    )  # fmt: skip


def advance(connection: Connection, consumer: str, seq: int) -> None:
    """Remember that `consumer` has had everything up to `seq`; in the transaction of its effects, so each has one effect."""
    connection.execute(update(cursors).where(cursors.c.consumer == consumer).values(seq=seq))


def interrupt(connection: Connection, consumer: str) -> None:
    """Tell `consumer` that what it is working on rests on something that has just changed."""
    position(connection, consumer)
    connection.execute(update(cursors).where(cursors.c.consumer == consumer).values(position=new_id()))


def alerts_after(db: Database, after: int, limit: int) -> list[dict[str, Any]]:
    """Return up to `limit` alerts behind position `after`, oldest first."""
    query = select(events).where(events.c.seq > after, events.c.type == EventType.ALERTED.value)
    with db.read() as connection:
        return [
            {
                "position": row.seq, "event_id": row.event_id, "at": row.at.isoformat(), "member_id": row.member_id,
                **{name: row.payload.get(name) for name in ("kind", "value", "before")},
                "sentence": row.payload.get("sentence", ""),
            }
            for row in connection.execute(query.order_by(events.c.seq).limit(limit))
        ]  # fmt: skip


def outlived(before: datetime, now: datetime) -> ColumnElement[bool]:
    """Return which events were received before `before`, or are older than their source's own retention."""
    received, day = events.c.received_at, timedelta(days=1)
    types: dict[int, list[str]] = {}
    for type_, source in SOURCES.items():
        types.setdefault(source.retention_days, []).append(type_.value)
    return or_(
        received < before, *((received < now - days * day) & events.c.type.in_(own) for days, own in types.items())
    )


def withdraw(connection: Connection, member_id: str, purposes: Collection[Purpose]) -> None:
    """Take back what a withdrawn purpose had allowed: what only it allows is deleted, other events lose the member's name and device, and how they felt."""
    for type_, source in SOURCES.items():
        if source.purpose not in purposes:
            continue
        mine = (events.c.member_id == member_id, events.c.type == type_.value)
        if source.purpose is Purpose.PROFILING:
            bare: dict[str, Any] = {"payload": {}} if source.felt else {}
            nobodys: dict[str, Any] = dict.fromkeys(("member_id", "visitor_id", "merge_id"))
            connection.execute(update(events).where(*mine).values(**nobodys, **bare))
        else:
            connection.execute(delete(events).where(*mine))
