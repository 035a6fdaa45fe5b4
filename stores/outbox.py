"""The outbox: what other systems are to be told, written in the very transaction of the change that it tells of.

A change that is rolled back is not told, and one that is committed is, whatever is killed when (transactional outbox).
Who is told of is known here by a keyed hash only, and the event is sealed, so that no byte at rest leads to a person.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, exists, select, text
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from personalization.types import Purpose, Subject
from stores.database import Database, new_id
from stores.outbox_tables import webhook_deliveries, webhook_endpoints
from stores.tables import members

SEALED_AS = "webhooks"
RETRIED_FOR = timedelta(days=3)
_IDS = uuid.UUID("6d0b7f0a-5a55-5f0e-8a5b-6e7f1f1d2c90")
_TELL_LOCK = 0x41_49_53_4C_46
_LISTENING = select(*(webhook_endpoints.c[name] for name in ("endpoint_id", "kind", "topics", "status")))


class Topic(StrEnum):
    """What other systems can be told of."""

    MEMBER_UPDATED = "member.updated"
    LABEL_ADDED = "label.added"
    CHURN_WARNING = "churn.warning"
    DECISION_MADE = "decision.made"
    COUPON_ISSUED = "coupon.issued"
    COUPON_REDEEMED = "coupon.redeemed"
    HANDOFF_REQUESTED = "handoff.requested"
    CONSENT_CHANGED = "consent.changed"
    MEMBER_ERASED = "member.erased"


PROFILED = frozenset({Topic.LABEL_ADDED, Topic.CHURN_WARNING, Topic.DECISION_MADE})
"""Topics that tell what was concluded about a member: told only of those who agree to profiling."""


OBLIGE = frozenset({Topic.CONSENT_CHANGED, Topic.MEMBER_ERASED})
"""Topics that others have to act upon: kept for whoever is disabled, too, and no CRM that holds members can do without them."""


def topics_of(kind: str, chosen: Iterable[str]) -> tuple[str, ...]:
    """Return what an endpoint of this kind is told of, `chosen` first."""
    return tuple(dict.fromkeys([*chosen, *(sorted(OBLIGE) if kind != "webhook" else [])]))


def subscribed(connection: Connection, topic: Topic) -> list[str]:
    """Return the endpoints that are to hear of `topic`: now, or, where one is paused or disabled, when it is active again."""
    return [
        row.endpoint_id
        for row in connection.execute(_LISTENING)
        if topic in topics_of(row.kind, row.topics) and (row.status != "disabled" or topic in OBLIGE)
    ]


def tell(
    db: Database, connection: Connection, topic: Topic, who: Subject, data: Mapping[str, Any], *, at: datetime,
    about: str | None = None,
) -> None:  # fmt: skip
    """Tell whoever wants to hear that this happened to `who`; written if `connection`'s transaction is committed.

    about : what it is about (a coupon's id): told again, it is the same event. Call it last in a transaction, since on
    PostgreSQL one transaction at a time tells, so that events have the order of their commits.
    """
    wanted = subscribed(connection, topic)
    if not wanted or (topic in PROFILED and not agrees(connection, who)):
        return
    event_id = new_id() if about is None else str(uuid.uuid5(_IDS, f"{topic} {about}"))
    named = {"member_id": who.member_id, "external_id": _external_id(connection, who), "visitor_id": who.visitor_id}
    body = {
        "id": event_id,
        "topic": topic,
        "at": at.isoformat(),
        "data": {**{key: value for key, value in named.items() if value is not None}, **data},
    }
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TELL_LOCK})
    # of an erased member nothing is kept by which the next erasure would find it: it is the last word about them
    person = None if topic is Topic.MEMBER_ERASED else _person(db, who)
    sealed = db.seal(SEALED_AS, json.dumps(body).encode(), event_id)
    rows = [
        {
            "event_id": event_id, "endpoint_id": endpoint_id, "topic": topic.value, "person": person, "sealed": sealed,
            "status": "pending", "attempts": 0, "at": at, "due_at": at, "give_up_at": at + RETRIED_FOR,
        }
        for endpoint_id in wanted
    ]  # fmt: skip
    fresh: Any = (sqlite_insert if connection.dialect.name == "sqlite" else pg_insert)(webhook_deliveries)
    connection.execute(fresh.on_conflict_do_nothing(), rows)


def forget(
    db: Database, connection: Connection, people: Iterable[str], *, topics: Collection[Topic] = frozenset(Topic)
) -> int:
    """Delete what is kept of these members and visitors (by id), told or not; return how much there was."""
    if not connection.scalar(select(exists().where(webhook_endpoints.c.endpoint_id.is_not(None)))):
        return 0  # nobody was ever told anything
    hashes = [db.fingerprint(SEALED_AS, one) for one in people]
    theirs = (webhook_deliveries.c.person.in_(hashes), webhook_deliveries.c.topic.in_([one.value for one in topics]))
    return connection.execute(delete(webhook_deliveries).where(*theirs)).rowcount


def _person(db: Database, who: Subject) -> str:
    return db.fingerprint(SEALED_AS, str(who.member_id or who.visitor_id))


def agrees(connection: Connection, who: Subject, *, at: datetime | None = None) -> bool:
    """Whether what is concluded about `who` may be told at `at` (None: now): a visitor is nobody known."""
    from stores.consents import granted_to  # noqa: PLC0415  the ledger of consents tells, too

    if who.member_id is None:
        return True
    return Purpose.PROFILING in granted_to(connection, [who.member_id], at=at).get(who.member_id, frozenset())


def _external_id(connection: Connection, who: Subject) -> str | None:
    if who.member_id is None:
        return None
    return connection.scalar(select(members.c.external_id).where(members.c.member_id == who.member_id))
