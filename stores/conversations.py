"""Conversations and their messages; the texts are sealed at rest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from stores.database import Database, new_id
from stores.tables import conversations, messages


@dataclass(frozen=True, slots=True)
class Conversation:
    """A visitor's conversation; `affect` is the state that `chatbot.affect` keeps."""

    conversation_id: str
    visitor_id: str
    member_id: str | None
    affect: dict[str, Any] | None
    handoff: bool
    last_decision_id: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """One message: `role` is "user" or "bot", `body` what the widget shows."""

    message_id: str
    role: str
    body: dict[str, Any]
    at: datetime


class SqlConversations:
    """Start, read and continue conversations."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def start(self, visitor_id: str, member_id: str | None, *, at: datetime) -> Conversation:
        """Store a new conversation."""
        conversation = Conversation(new_id(), visitor_id, member_id, None, False, None)
        with self._db.write() as connection:
            connection.execute(
                insert(conversations).values(
                    conversation_id=conversation.conversation_id,
                    visitor_id=visitor_id,
                    member_id=member_id,
                    created_at=at,
                    handoff=False,
                )
            )
        return conversation

    def get(self, conversation_id: str) -> Conversation | None:
        """Return a conversation, or None."""
        with self._db.read() as connection:
            row = connection.execute(
                select(conversations).where(conversations.c.conversation_id == conversation_id)
            ).first()
        if row is None:
            return None
        return Conversation(
            row.conversation_id,
            row.visitor_id,
            row.member_id,
            row.affect,
            row.handoff,
            row.last_decision_id,
        )

    def messages(self, conversation_id: str) -> list[Message]:
        """Return the conversation's messages, oldest first."""
        query = select(messages).where(messages.c.conversation_id == conversation_id).order_by(messages.c.message_id)
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        return [Message(row.message_id, row.role, self._open(row.sealed, row.message_id), row.at) for row in rows]

    def append(self, conversation_id: str, entries: list[tuple[str, dict[str, Any]]], *, at: datetime) -> list[str]:
        """Store (role, body) entries in one transaction; return their message ids."""
        rows = []
        for role, body in entries:
            message_id = new_id()
            sealed = self._db.seal("messages", json.dumps(body).encode(), message_id)
            row = {
                "message_id": message_id,
                "conversation_id": conversation_id,
                "role": role,
                "sealed": sealed,
                "at": at,
            }
            rows.append(row)
        if rows:
            with self._db.write() as connection:
                connection.execute(insert(messages), rows)
        return [str(row["message_id"]) for row in rows]

    def set(self, conversation_id: str, **changes: Any) -> None:
        """Set `affect`, `handoff` or `last_decision_id`."""
        change = update(conversations).where(conversations.c.conversation_id == conversation_id).values(**changes)
        with self._db.write() as connection:
            connection.execute(change)

    def _open(self, sealed: bytes, message_id: str) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self._db.open("messages", bytes(sealed), message_id))
        return body
