"""Conversations and their messages; the texts are sealed at rest.

Every message has its place (`seq`) in the conversation, given out under the conversation's row lock: places are committed in
order and without gaps, so that a reader who goes on after the last place it saw misses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from stores.attachments import NewAttachment, attach
from stores.database import Database, new_id
from stores.errors import NotFoundError
from stores.events import Event, append
from stores.tables import conversations, handoffs, messages

HUMAN = "human"
_OURS = conversations.c.conversation_id == bindparam("of")
_ONE, _STATE = select(conversations).where(_OURS), select(conversations.c.state).where(_OURS).with_for_update()
_LATEST = (
    select(messages)
    .where(messages.c.conversation_id == bindparam("of"))
    .order_by(messages.c.seq.desc())
    .limit(bindparam("most"))
)
_TAKE_PLACES = (
    update(conversations).where(_OURS).values(last_seq=func.coalesce(conversations.c.last_seq, 0) + bindparam("more")).returning(conversations.c.last_seq)
)  # fmt: skip
_FELT = update(conversations).where(_OURS).values(affect=bindparam("now"))
"""What every message asks, put together once: that takes SQLAlchemy as long as to run it."""
LEASE = timedelta(seconds=2.5)  # how long after its maker was last heard of an answer may be made by somebody else
RENEW_S = 0.8
GO_ON_FOR = timedelta(days=1)  # how long after its last message a conversation is still gone on with


@dataclass(frozen=True, slots=True)
class Conversation:
    """A visitor's conversation; `affect` is the state that `chatbot.affect` keeps, `state` who has the conversation, `language` what it is in."""

    conversation_id: str
    visitor_id: str
    member_id: str | None
    affect: dict[str, Any] | None
    handoff: bool
    last_decision_id: str | None
    state: str = "bot"
    read_by_user: str | None = None
    read_by_agent: str | None = None
    language: str = "en"
    sealed_memory: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One message: `role` is "user", "bot" or "agent", `body` what the widget shows."""

    message_id: str
    role: str
    body: dict[str, Any]
    at: datetime
    seq: int
    client_message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A shopper's message as it stands: `mine` when the caller is to answer it, `outcome` when that was done before."""

    message_id: str
    state: str
    mine: bool
    outcome: dict[str, Any] | None = None


class SqlConversations:
    """Start, read and continue conversations."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def start(self, visitor_id: str, member_id: str | None, *, at: datetime, language: str = "en") -> Conversation:
        """Store a new conversation."""
        conversation = Conversation(new_id(), visitor_id, member_id, None, False, None, language=language)
        with self._db.write() as connection:
            connection.execute(
                insert(conversations).values(
                    conversation_id=conversation.conversation_id,
                    visitor_id=visitor_id,
                    member_id=member_id,
                    created_at=at,
                    handoff=False,
                    language=language,
                )
            )
        return conversation

    def get(self, conversation_id: str) -> Conversation | None:
        """Return a conversation, or None."""
        with self._db.read() as connection:
            row = connection.execute(_ONE, {"of": conversation_id}).first()
        if row is None:
            return None
        return Conversation(
            row.conversation_id, row.visitor_id, row.member_id, row.affect, row.handoff, row.last_decision_id, row.state,
            row.read_by_user, row.read_by_agent, row.language, row.memory,
        )  # fmt: skip

    def memory(self, conversation: Conversation) -> dict[str, Any] | None:
        """Return what the dialogue remembers, or None."""
        sealed_ = conversation.sealed_memory
        if sealed_ is None:
            return None
        found: dict[str, Any] = json.loads(self._db.open("memory", bytes(sealed_), conversation.conversation_id))
        return found

    def latest_of_member(self, member_id: str, *, since: datetime) -> str | None:
        """Return the member's conversation with the newest message, where that came after `since`."""
        query = (
            select(messages.c.conversation_id)
            .join(conversations, conversations.c.conversation_id == messages.c.conversation_id)
            .where(conversations.c.member_id == member_id, messages.c.at > since)
            .order_by(messages.c.at.desc())
            .limit(1)
        )
        with self._db.read() as connection:
            found = connection.scalar(query)
        return None if found is None else str(found)

    def messages(self, conversation_id: str, *, after: str | None = None) -> list[Message]:
        """Return the conversation's messages, oldest first; with `after`, those behind that message."""
        query = select(messages).where(messages.c.conversation_id == conversation_id).order_by(messages.c.seq)
        if after is not None:
            place = select(messages.c.seq).where(messages.c.message_id == after).scalar_subquery()
            query = query.where(messages.c.seq > place)
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        return [self._message(row) for row in rows]

    def before(self, conversation_id: str, message_id: str, most: int) -> list[Message]:
        """Return the newest messages of those before a message of the conversation, oldest first; none where it has no such message."""
        ours = messages.c.conversation_id == conversation_id
        place = select(messages.c.seq).where(ours, messages.c.message_id == message_id).scalar_subquery()
        query = select(messages).where(ours, messages.c.seq < place).order_by(messages.c.seq.desc()).limit(most)
        with self._db.read() as connection:
            return [self._message(row) for row in reversed(connection.execute(query).all())]

    def latest(self, conversation_id: str, most: int) -> list[Message]:
        """Return the newest messages, oldest first."""
        with self._db.read() as connection:
            rows = connection.execute(_LATEST, {"of": conversation_id, "most": most}).all()
        return [self._message(row) for row in reversed(rows)]

    def message(self, conversation_id: str, message_id: str) -> Message | None:
        """Return one message of the conversation, or None."""
        ours = (messages.c.conversation_id == conversation_id) & (messages.c.message_id == message_id)
        with self._db.read() as connection:
            row = connection.execute(select(messages).where(ours)).first()
        return None if row is None else self._message(row)

    def has(self, conversation_id: str, message_id: str) -> bool:
        """Whether the message belongs to the conversation."""
        ours = (messages.c.conversation_id == conversation_id) & (messages.c.message_id == message_id)
        with self._db.read() as connection:
            return connection.scalar(select(messages.c.message_id).where(ours)) is not None

    def receive(
        self,
        conversation_id: str,
        body: dict[str, Any],
        *,
        client_message_id: str | None,
        at: datetime,
        files: Sequence[NewAttachment] = (),
    ) -> Received:
        """Store a shopper's message with its files before it is answered, or find it again; NotFoundError without its conversation.

        One that is neither answered nor claimed within LEASE is the caller's to answer. ConflictError: too many files.
        """  # fmt: skip
        rows = sealed(self._db, [("user", body)])
        with self._db.write() as connection:
            state = lock(connection, conversation_id)
            same = (messages.c.conversation_id == conversation_id) & (messages.c.client_message_id == client_message_id)
            row = None if client_message_id is None else connection.execute(select(messages).where(same)).first()
            if row is None:
                [message_id] = place(
                    connection, conversation_id, rows, at, client_message_id=client_message_id, claimed_at=at
                )
                attach(connection, conversation_id, message_id, files, at)
                return Received(message_id, state, True)
            if row.outcome is not None or row.role != "user":
                return Received(row.message_id, state, False, row.outcome or {})
            mine = row.claimed_at is None or row.claimed_at + LEASE < at
            if mine:
                claim = update(messages).where(messages.c.message_id == row.message_id)
                connection.execute(claim.values(claimed_at=at))
            return Received(row.message_id, state, mine)

    def renew(self, message_id: str, *, at: datetime) -> None:
        """Keep a claim: its maker is still at it."""
        claim = update(messages).where(messages.c.message_id == message_id, messages.c.outcome.is_(None))
        with self._db.write() as connection:
            connection.execute(claim.values(claimed_at=at))

    def answer(
        self,
        conversation_id: str,
        message_id: str,
        bodies: Sequence[dict[str, Any]],
        outcome: dict[str, Any],
        *,
        at: datetime,
        memory: Mapping[str, Any] | None = None,
    ) -> list[str] | None:
        """Store the bot's answer to a message, once, and what the dialogue is to remember; return its message ids.

        None, and nothing is stored as said: a person took over meanwhile, or the message has its answer already.
        NotFoundError when the conversation is gone.
        """  # fmt: skip
        rows = sealed(self._db, [("bot", body) for body in bodies])
        kept = None if memory is None else self._db.seal("memory", json.dumps(memory).encode(), conversation_id)
        with self._db.write() as connection:
            state = lock(connection, conversation_id)
            open_ = (messages.c.message_id == message_id) & messages.c.outcome.is_(None)
            taken = state == HUMAN and bool(bodies)
            done = {**outcome, "engine": "human"} if taken else outcome
            changed = connection.execute(update(messages).where(open_).values(outcome=done)).rowcount
            if taken or not changed:
                return None
            if kept is not None:
                ours = conversations.c.conversation_id == conversation_id
                connection.execute(update(conversations).where(ours).values(memory=kept))
            return place(connection, conversation_id, rows, at, reply_to=message_id)

    def answers(self, message_id: str) -> list[Message]:
        """Return what was answered to a message."""
        query = select(messages).where(messages.c.reply_to == message_id).order_by(messages.c.seq)
        with self._db.read() as connection:
            return [self._message(row) for row in connection.execute(query)]

    def append(self, conversation_id: str, entries: list[tuple[str, dict[str, Any]]], *, at: datetime) -> list[str]:
        """Store (role, body) entries in one transaction; return their message ids."""
        if not entries:
            return []
        rows = sealed(self._db, entries)
        with self._db.write() as connection:
            lock(connection, conversation_id)
            return place(connection, conversation_id, rows, at)

    def append_agents(
        self, conversation_id: str, agent_id: str, body: dict[str, Any], *, client_message_id: str, at: datetime
    ) -> str | None:
        """Store what an agent says, once per `client_message_id`; None unless the agent has the conversation."""
        rows = sealed(self._db, [("agent", body)])
        with self._db.write() as connection:
            state = lock(connection, conversation_id)
            same = (messages.c.conversation_id == conversation_id) & (messages.c.client_message_id == client_message_id)
            if (known := connection.scalar(select(messages.c.message_id).where(same))) is not None:
                return str(known)
            theirs = (
                (handoffs.c.conversation_id == conversation_id)
                & (handoffs.c.state == HUMAN)
                & (handoffs.c.agent_id == agent_id)
            )
            if state != HUMAN or connection.scalar(select(handoffs.c.handoff_id).where(theirs)) is None:
                return None
            [message_id] = place(connection, conversation_id, rows, at, client_message_id=client_message_id)
            return message_id

    def set(self, conversation_id: str, **changes: Any) -> None:
        """Set `affect`, `last_decision_id`, `language`, or how far a side has read."""
        change = update(conversations).where(conversations.c.conversation_id == conversation_id).values(**changes)
        with self._db.write() as connection:
            connection.execute(change)

    def felt(self, conversation_id: str, affect: dict[str, Any], events: Sequence[Event] = (), *, at: datetime) -> None:
        """Set `affect`, and log the events that tell of it with the same transaction."""
        with self._db.write() as connection:
            connection.execute(_FELT, {"of": conversation_id, "now": affect})
            if events:
                append(connection, events, received_at=at)
        if events:
            self._db.appended.set()

    def read_up_to(self, conversation_id: str, message_id: str, *, side: Literal["user", "agent"]) -> bool:
        """Note how far a side has read; False when that is no message of here, or was read before."""
        column = conversations.c[f"read_by_{side}"]
        ours, place = messages.c.conversation_id == conversation_id, select(messages.c.seq)
        new = place.where(ours, messages.c.message_id == message_id).scalar_subquery()
        old = place.where(ours, messages.c.message_id == column).correlate(conversations).scalar_subquery()
        further = update(conversations).where(
            conversations.c.conversation_id == conversation_id, new > func.coalesce(old, 0)
        )
        with self._db.write() as connection:
            return bool(connection.execute(further.values({column: message_id})).rowcount)

    def _message(self, row: Row[Any]) -> Message:
        body: dict[str, Any] = json.loads(self._db.open("messages", bytes(row.sealed), row.message_id))
        return Message(row.message_id, row.role, body, row.at, row.seq, row.client_message_id)


def lock(connection: Connection, conversation_id: str) -> str:
    """Hold the conversation's row until the end of the transaction; return its state, or raise NotFoundError."""
    state = connection.scalar(_STATE, {"of": conversation_id})
    if state is None:
        raise NotFoundError("there is no such conversation")
    return str(state)


def bring_along(connection: Connection, visitor_id: str, member_id: str, *, since: datetime) -> None:
    """Make the visitor's conversations since then the member's that they turned out to be; one that has a member keeps them."""
    lately = select(messages.c.message_id).where(
        messages.c.conversation_id == conversations.c.conversation_id, messages.c.at > since
    )
    nobodys = (conversations.c.visitor_id == visitor_id) & conversations.c.member_id.is_(None)
    theirs = update(conversations).where(nobodys, lately.exists())
    connection.execute(theirs.values(member_id=member_id))


def sealed(db: Database, entries: Sequence[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return rows of (role, body) entries, with ids; before any transaction, since a first seal writes its key."""
    rows = []
    for role, body in entries:
        message_id = new_id()
        row = {"message_id": message_id, "role": role}
        rows.append({**row, "sealed": db.seal("messages", json.dumps(body).encode(), message_id)})
    return rows


def place(
    connection: Connection, conversation_id: str, rows: Sequence[dict[str, Any]], at: datetime, **more: Any
) -> list[str]:
    """Give the rows their places and store them; the conversation must be locked."""
    if not rows:
        return []
    last = connection.scalar(_TAKE_PLACES, {"of": conversation_id, "more": len(rows)}) - len(rows)
    placed = [
        {**row, "conversation_id": conversation_id, "at": at, "seq": place, **more}
        for place, row in enumerate(rows, start=last + 1)
    ]
    connection.execute(insert(messages), placed)
    return [str(row["message_id"]) for row in rows]
