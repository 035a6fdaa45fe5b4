"""Hand-offs of conversations to people, and who of the people is there. Summaries and comments are sealed at rest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, or_, select, update

from personalization.types import Subject
from stores.conversations import lock, place, sealed
from stores.database import Database, new_id, upsert
from stores.outbox import Topic, tell
from stores.tables import agents, conversations, handoffs, messages

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
    first_claimed_at: datetime | None
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
        changes: dict[str, Any] = {"state": to, "wants_message": False}  # a message is left where nobody is there
        same = (handoffs.c.handoff_id == handoff.handoff_id) & (handoffs.c.state == handoff.state)
        if to == "human" and agent is not None:
            first = func.coalesce(handoffs.c.first_claimed_at, at)  # who goes back into the queue has waited once
            changes |= {
                "claimed_at": at,
                "first_claimed_at": first,
                "agent_id": agent.agent_id,
                "agent_name": agent.name,
            }
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

    def transfer(self, handoff: Handoff, agent: Agent, to: Agent) -> Handoff | None:
        """Give what `agent` has to another agent; None when it is theirs no more."""
        same = (
            (handoffs.c.handoff_id == handoff.handoff_id)
            & (handoffs.c.state == "human")
            & (handoffs.c.agent_id == agent.agent_id)
        )
        with self._db.write() as connection:
            lock(connection, handoff.conversation_id)
            change = update(handoffs).where(same).values(agent_id=to.agent_id, agent_name=to.name)
            if not connection.execute(change).rowcount:
                return None
        return self.get(handoff.handoff_id)

    def between(self, start: datetime, end: datetime) -> list[Handoff]:
        """Return what was queued from `start` to `end`, oldest first, without what was told of it."""
        query = (
            select(*(column for column in handoffs.c if column.name != "sealed"))
            .where(handoffs.c.queued_at >= start, handoffs.c.queued_at < end)
            .order_by(handoffs.c.queued_at)
        )
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        return [_bare(row) for row in rows]

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

    def tell(
        self,
        handoff: Handoff,
        *,
        left: str | None = None,
        wants_message: bool | None = None,
        score: int | None = None,
        comment: str | None = None,
    ) -> bool:
        """Add a left message, a wish to leave one, or a rating; False when it was rated before.

        What is told is read again under the conversation's lock, so that of two at once none is lost.
        """  # fmt: skip
        mine = handoffs.c.handoff_id == handoff.handoff_id
        with self._db.write() as connection:
            lock(connection, handoff.conversation_id)
            row = connection.execute(select(handoffs).where(mine)).one()
            if score is not None and row.score is not None:
                return False
            told = dict(self._handoff(row).told)
            told |= {"left": [*told.get("left", []), left]} if left is not None else {}
            told |= {"comment": comment} if score is not None else {}
            columns = {"score": score, "wants_message": wants_message}
            changes = {name: value for name, value in columns.items() if value is not None}
            connection.execute(update(handoffs).where(mine).values(sealed=self._seal(row.handoff_id, told), **changes))
        return True

    def press(self, handoff: Handoff, *, reason: str, urgency: int, summary: Sequence[str]) -> bool:
        """Make one that waits more urgent, for a graver reason; False when it is as urgent already, or waits no more."""
        mine = handoffs.c.handoff_id == handoff.handoff_id
        with self._db.write() as connection:
            lock(connection, handoff.conversation_id)
            row = connection.execute(select(handoffs).where(mine)).one()
            if row.state != "queued" or row.urgency >= urgency:
                return False
            about = self._seal(row.handoff_id, {**self._handoff(row).told, "summary": list(summary)})
            connection.execute(update(handoffs).where(mine).values(reason=reason, urgency=urgency, sealed=about))
        return True

    def left_alone(self, *, since: datetime) -> list[Handoff]:
        """Return what agents have who were not seen since."""
        here = select(agents.c.agent_id).where(agents.c.seen_at >= since)
        alone = select(handoffs).where(handoffs.c.state == "human", handoffs.c.agent_id.not_in(here))
        return self._list(alone.order_by(handoffs.c.claimed_at))

    def silent(self, *, since: datetime) -> list[Handoff]:
        """Return what waits though its shopper has written nothing since, nor left a message."""
        wrote = select(messages.c.conversation_id).where(messages.c.role == "user", messages.c.at >= since)
        still = select(handoffs).where(
            handoffs.c.state == "queued",
            handoffs.c.queued_at < since,
            handoffs.c.conversation_id.not_in(wrote),
        )
        return [one for one in self._list(still.order_by(handoffs.c.queued_at)) if not one.told.get("left")]

    def usual_wait_s(self) -> float | None:
        """Return the median wait of those that were taken lately; None without any."""
        query = (
            select(handoffs.c.queued_at, handoffs.c.first_claimed_at)
            .where(handoffs.c.first_claimed_at.is_not(None))
            .order_by(handoffs.c.first_claimed_at.desc())
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
        return _bare(row, json.loads(self._db.open("handoffs", bytes(row.sealed), row.handoff_id)))


def _bare(row: Row[Any], told: Mapping[str, Any] | None = None) -> Handoff:
    return Handoff(
        row.handoff_id, row.conversation_id, row.state, row.reason, row.urgency, row.wants_message, row.queued_at, row.claimed_at,
        row.first_claimed_at, row.ended_at, row.agent_id, row.agent_name, row.score, told or {},
    )  # fmt: skip


def _shopper(connection: Connection, conversation_id: str) -> Subject:
    query = select(conversations.c.member_id, conversations.c.visitor_id)
    row = connection.execute(query.where(conversations.c.conversation_id == conversation_id)).one()
    return Subject(row.member_id, row.visitor_id)


def _conversation(conversation_id: str) -> Any:
    return update(conversations).where(conversations.c.conversation_id == conversation_id)
