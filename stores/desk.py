"""What agents write for each other: notes about conversations, sealed at rest, and answers that all of them use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from stores.conversations import lock
from stores.database import Check, Database, new_id
from stores.desk_tables import canned_answers, handoff_notes
from stores.errors import ConflictError, NotFoundError
from stores.tables import messages

ANSWERED_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Note:
    """What an agent noted about a conversation; shoppers never see it, except in their export."""

    note_id: str
    conversation_id: str
    agent_id: str
    agent_name: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CannedAnswer:
    """Words that agents use again and again; `version` counts its changes from 1."""

    answer_id: str
    title: str
    text: str
    language: str
    version: int
    by: str
    at: datetime


class SqlDesk:
    """Notes by conversation, and canned answers."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def note(self, conversation_id: str, text: str, *, agent_id: str, agent_name: str, at: datetime) -> Note:
        """Keep a note about a conversation; NotFoundError when it is gone: what is noted after an erasure would stay for good."""
        made = Note(new_id(), conversation_id, agent_id, agent_name, text, at)
        row = {
            "note_id": made.note_id, "conversation_id": conversation_id, "agent_id": agent_id, "agent_name": agent_name,
            "sealed": self._db.seal("handoff_notes", text.encode(), made.note_id), "at": at,
        }  # fmt: skip
        with self._db.write() as connection:
            lock(connection, conversation_id)
            connection.execute(insert(handoff_notes).values(row))
        return made

    def notes(self, conversation_id: str) -> list[Note]:
        """Return a conversation's notes, oldest first."""
        query = select(handoff_notes).where(handoff_notes.c.conversation_id == conversation_id)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(handoff_notes.c.note_id)).all()
        return [_note(self._db, row) for row in rows]

    def remove_note(self, note_id: str, *, agent_id: str) -> None:
        """Delete a note; NotFoundError unless it is there and this agent's."""
        theirs = (handoff_notes.c.note_id == note_id) & (handoff_notes.c.agent_id == agent_id)
        with self._db.write() as connection:
            if not connection.execute(delete(handoff_notes).where(theirs)).rowcount:
                raise NotFoundError(f"there is no note {note_id} of yours")

    def affect_line(self, conversation_id: str, *, limit: int = 60) -> list[tuple[datetime, float]]:
        """Return when the shopper wrote in this conversation and the valence then, in [-1, 1], oldest first."""
        m = messages.c
        theirs = (m.conversation_id == conversation_id) & (m.role == "user") & m.outcome.is_not(None)
        query = select(m.at, m.outcome).where(theirs).order_by(m.seq.desc()).limit(limit)
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        felt = [(row.at, row.outcome.get("affect") or {}) for row in reversed(rows)]
        return [(at, float(affect["valence"])) for at, affect in felt if "valence" in affect]

    def answers(self) -> list[CannedAnswer]:
        """Return every canned answer, by title."""
        with self._db.read() as connection:
            rows = connection.execute(
                select(canned_answers).order_by(canned_answers.c.title, canned_answers.c.answer_id)
            ).all()
        return [CannedAnswer(**row._mapping) for row in rows]

    def add_answer(self, title: str, text: str, language: str, *, by: str, at: datetime) -> CannedAnswer:
        """Keep a new canned answer."""
        made = CannedAnswer(new_id(), title, text, language, 1, by, at)
        with self._db.write() as connection:
            connection.execute(insert(canned_answers).values(_columns(made)))
        return made

    def change_answer(
        self, answer_id: str, version: int | None, *, title: str, text: str, language: str, by: str, at: datetime,
        check: Check[CannedAnswer] = None,
    ) -> CannedAnswer:  # fmt: skip
        """Change a canned answer that is at `version`, or at any; NotFoundError, or ConflictError when somebody else was faster."""
        with self._db.write() as connection:
            before = _locked_answer(connection, answer_id, check)
            if version is not None and before.version != version:
                raise ConflictError("somebody else has just changed this answer; read it again")
            made = CannedAnswer(answer_id, title, text, language, before.version + 1, by, at)
            mine = canned_answers.c.answer_id == answer_id
            connection.execute(update(canned_answers).where(mine).values(_columns(made)))
        return made

    def remove_answer(self, answer_id: str, *, check: Check[CannedAnswer] = None) -> None:
        """Delete a canned answer; NotFoundError when there is none."""
        with self._db.write() as connection:
            _locked_answer(connection, answer_id, check)
            connection.execute(delete(canned_answers).where(canned_answers.c.answer_id == answer_id))


def _locked_answer(connection: Connection, answer_id: str, check: Check[CannedAnswer]) -> CannedAnswer:
    query = select(canned_answers).where(canned_answers.c.answer_id == answer_id).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        raise NotFoundError(f"there is no canned answer {answer_id}")
    found = CannedAnswer(**row._mapping)
    if check:
        check(found)
    return found


def _columns(answer: CannedAnswer) -> dict[str, Any]:
    return {column.name: getattr(answer, column.name) for column in canned_answers.c}


def _note(db: Database, row: Row[Any]) -> Note:
    text = db.open("handoff_notes", bytes(row.sealed), row.note_id).decode()
    return Note(row.note_id, row.conversation_id, row.agent_id, row.agent_name, text, row.at)
