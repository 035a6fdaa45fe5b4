"""The event log: append-only, idempotent by event id, read by consumers that remember where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from personalization.types import EventType
from stores.database import Database
from stores.tables import cursors, events

Status = Literal["accepted", "duplicate"]
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


class SqlEvents:
    """Append to the log, and read from it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def append_batch(self, batch: Sequence[Event], *, received_at: datetime) -> list[Status]:
        """Store new events, all or none; an event id that is there already is left alone and reported as a duplicate."""
        if not batch:
            return []
        with self._db.write() as connection:
            return append(connection, batch, received_at=received_at)


def append(connection: Connection, batch: Sequence[Event], *, received_at: datetime) -> list[Status]:
    """Do what `SqlEvents.append_batch` does, in the caller's transaction."""
    in_order(connection)
    insert_ = sqlite_insert if connection.dialect.name == "sqlite" else pg_insert
    statuses: list[Status] = []
    for event in batch:
        row = insert_(events).values(
            event_id=event.event_id,
            type=event.type.value,
            at=event.at,
            received_at=received_at,
            channel=event.channel,
            member_id=event.member_id,
            visitor_id=event.visitor_id,
            decision_id=event.decision_id,
            product_id=event.product_id,
            payload=dict(event.payload),
        )
        fresh = row.on_conflict_do_nothing(index_elements=["event_id"]).returning(events.c.seq)
        statuses.append("duplicate" if connection.execute(fresh).first() is None else "accepted")
    return statuses


def in_order(connection: Connection) -> None:
    """Let one transaction at a time append, so that positions appear in the order in which they were given.

    Else a consumer could pass a position whose transaction had not ended, and never see that event. SQLite has one
    writer anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _APPEND_LOCK})


def read_after(connection: Connection, consumer: str, limit: int) -> list[tuple[int, Event]]:
    """Return up to `limit` (position, event) pairs that `consumer` has not had yet."""
    last = connection.scalar(select(cursors.c.seq).where(cursors.c.consumer == consumer).with_for_update()) or 0
    rows = connection.execute(select(events).where(events.c.seq > last).order_by(events.c.seq).limit(limit))
    return [
        (
            row.seq,
            Event(
                row.event_id,
                EventType(row.type),
                row.at,
                row.channel,
                row.member_id,
                row.visitor_id,
                row.decision_id,
                row.product_id,
                row.payload,
            ),
        )
        for row in rows
    ]


def advance(connection: Connection, consumer: str, seq: int) -> None:
    """Remember that `consumer` has had everything up to `seq`; in the transaction of its effects, so each has one effect."""
    moved = connection.execute(update(cursors).where(cursors.c.consumer == consumer).values(seq=seq))
    if moved.rowcount == 0:
        connection.execute(insert(cursors).values(consumer=consumer, seq=seq))
