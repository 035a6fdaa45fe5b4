"""Hand-offs of conversations to people, and who of the people is there. Summaries and comments are sealed at rest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, or_, select, update

from personalization.types import Subject
from stores.conversations import lock, place, sealed
from stores.database import Database, new_id, upsert
from stores.outbox import Topic, tell
from stores.tables import agents, conversations, handoffs

_RECENT = 20
_NEWEST = (
    select(handoffs)
    .where(handoffs.c.conversation_id == bindparam("of"))
    .order_by(handoffs.c.handoff_id.desc())
    .limit(1)
)
_ACTIVE = ("queued", "human")


@dataclass(frozen=True, slots=True)
class Handoff:
    """One hand-off: why, how urgent, who took it, how it ended. `told` holds summary, left message and comment."""

    handoff_id: str
    conversation_id: str
    state: str
    reason: str
    urgency: int
    wants_message: bool
    queued_at: datetime
    claimed_at: datetime | None
    ended_at: datetime | None
    agent_id: str | None
    agent_name: str | None
    score: int | None
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Agent:
    """A person who answers shoppers, and when they were last there."""

    agent_id: str
    name: str
    seen_at: datetime


class SqlHandoffs:
    """Hand-offs by conversation; every change of state is a comparison and a swap, so that only one can win."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def queue(
        self,
        conversation_id: str,
        *,
        reason: str,
        urgency: int,
        wants_message: bool,
        told: Mapping[str, Any],
        at: datetime,
    ) -> tuple[Handoff, bool]:
        """Queue the conversation; return its hand-off, and whether it is new: one that waits or is served stays as it is."""  # fmt: skip
        handoff_id = new_id()
        about = self._seal(handoff_id, told)
        with self._db.write() as connection:
            lock(connection, conversation_id)
            if (row := self._active(connection, conversation_id)) is not None:
                return self._handoff(row), False
            connection.execute(
                insert(handoffs).values(
                    handoff_id=handoff_id, conversation_id=conversation_id, state="queued", reason=reason, urgency=urgency,
                    wants_message=wants_message, queued_at=at, sealed=about,
                )
            )  # fmt: skip
            connection.execute(_conversation(conversation_id).values(state="queued", handoff=True))
            row = self._active(connection, conversation_id)
            facts = {"handoff_id": handoff_id, "conversation_id": conversation_id, "reason": reason, "urgency": urgency,
                     "wants_message": wants_message}  # fmt: skip
            tell(self._db, connection, Topic.HANDOFF_REQUESTED, _shopper(connection, conversation_id), facts, at=at,
                 about=handoff_id)  # fmt: skip
        assert row is not None  # noqa: S101 - it was inserted above
        return self._handoff(row), True

    def move(
        self,
        handoff: Handoff,
        to: str,
        *,
        conversation: str,
        at: datetime,
        agent: Agent | None = None,
        says: Mapping[str, Any] | None = None,
    ) -> Handoff | None:
        """Take the hand-off from the state that `handoff` shows to another; None when it is there no more.

        `conversation` is the state that its conversation then has; `agent` takes it, or must have it; `says` is what the bot
        says at that moment, before anything else.
        """
        changes: dict[str, Any] = {"state": to}
        same = (handoffs.c.handoff_id == handoff.handoff_id) & (handoffs.c.state == handoff.state)
        if to == "human" and agent is not None:
            changes |= {"claimed_at": at, "agent_id": agent.agent_id, "agent_name": agent.name}
        elif to == "queued":
            changes |= {"claimed_at": None, "agent_id": None, "agent_name": None}
        else:
            changes["ended_at"] = at
        if to != "human" and agent is not None:
            same &= handoffs.c.agent_id == agent.agent_id
        rows = sealed(self._db, [("bot", dict(says))]) if says else []
        with self._db.write() as connection:
            lock(connection, handoff.conversation_id)
            if not connection.execute(update(handoffs).where(same).values(**changes)).rowcount:
                return None
            change = _conversation(handoff.conversation_id)
            connection.execute(change.values(state=conversation, handoff=to in _ACTIVE))
            place(connection, handoff.conversation_id, rows, at)
        return self.get(handoff.handoff_id)

    def get(self, handoff_id: str) -> Handoff | None:
        """Return a hand-off, or None."""
        with self._db.read() as connection:
            row = connection.execute(select(handoffs).where(handoffs.c.handoff_id == handoff_id)).first()
        return None if row is None else self._handoff(row)

    def of(self, conversation_id: str) -> Handoff | None:
        """Return the conversation's latest hand-off, or None."""
        with self._db.read() as connection:
            row = connection.execute(_NEWEST, {"of": conversation_id}).first()
        return None if row is None else self._handoff(row)

    def waiting(self) -> list[Handoff]:
        """Return what waits, the most urgent first, and then the oldest."""
        query = select(handoffs).where(handoffs.c.state == "queued")
        return self._list(query.order_by(handoffs.c.urgency.desc(), handoffs.c.queued_at, handoffs.c.handoff_id))

    def served(self, agent_id: str | None = None) -> list[Handoff]:
        """Return what people have now; with `agent_id`, that one person."""
        query = select(handoffs).where(handoffs.c.state == "human")
        query = query if agent_id is None else query.where(handoffs.c.agent_id == agent_id)
        return self._list(query.order_by(handoffs.c.claimed_at))

    def tell(self, handoff: Handoff, **more: Any) -> None:
        """Add to what is told of the hand-off; `score` and `wants_message` are kept beside it."""
        columns = {name: more.pop(name) for name in ("score", "wants_message") if name in more}
        about = self._seal(handoff.handoff_id, {**handoff.told, **more})
        change = update(handoffs).where(handoffs.c.handoff_id == handoff.handoff_id)
        with self._db.write() as connection:
            connection.execute(change.values(sealed=about, **columns))

    def usual_wait_s(self) -> float | None:
        """Return the median wait of those that were taken lately; None without any."""
        query = (
            select(handoffs.c.queued_at, handoffs.c.claimed_at)
            .where(handoffs.c.claimed_at.is_not(None))
            .order_by(handoffs.c.claimed_at.desc())
            .limit(_RECENT)
        )
        with self._db.read() as connection:
            waits = [(claimed - queued).total_seconds() for queued, claimed in connection.execute(query)]
        return median(waits) if waits else None

    def seen(self, agent: Agent) -> None:
        """Note that an agent is there."""
        row = {"agent_id": agent.agent_id, "name": agent.name, "seen_at": agent.seen_at}
        with self._db.write() as connection:
            upsert(connection, agents, [row])

    def there(self, *, since: datetime) -> list[Agent]:
        """Return the agents that were seen since."""
        with self._db.read() as connection:
            rows = connection.execute(select(agents).where(agents.c.seen_at >= since)).all()
        return [Agent(row.agent_id, row.name, row.seen_at) for row in rows]

    def _active(self, connection: Connection, conversation_id: str) -> Row[Any] | None:
        mine = handoffs.c.conversation_id == conversation_id
        state = or_(*(handoffs.c.state == one for one in _ACTIVE))
        return connection.execute(select(handoffs).where(mine, state)).first()

    def _list(self, query: Any) -> list[Handoff]:
        with self._db.read() as connection:
            rows: Sequence[Row[Any]] = connection.execute(query).all()
        return [self._handoff(row) for row in rows]

    def _seal(self, handoff_id: str, told: Mapping[str, Any]) -> bytes:
        return self._db.seal("handoffs", json.dumps(dict(told)).encode(), handoff_id)

    def _handoff(self, row: Row[Any]) -> Handoff:
        told = json.loads(self._db.open("handoffs", bytes(row.sealed), row.handoff_id))
        return Handoff(
            row.handoff_id, row.conversation_id, row.state, row.reason, row.urgency, row.wants_message, row.queued_at, row.claimed_at,
            row.ended_at, row.agent_id, row.agent_name, row.score, told,
        )  # fmt: skip


def _shopper(connection: Connection, conversation_id: str) -> Subject:
    query = select(conversations.c.member_id, conversations.c.visitor_id)
    row = connection.execute(query.where(conversations.c.conversation_id == conversation_id)).one()
    return Subject(row.member_id, row.visitor_id)


def _conversation(conversation_id: str) -> Any:
    return update(conversations).where(conversations.c.conversation_id == conversation_id)
