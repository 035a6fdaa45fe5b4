"""What is left of a member's mood between conversations; kept only with consent to profiling, and short-lived."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, null, select, update

from personalization.types import FACE, TEXT, Purpose
from stores.consents import granted_to
from stores.database import Database, upsert
from stores.tables import conversations, member_affect, messages

KEPT = timedelta(days=14)  # beyond, nothing of it is left to use


class SqlMemberAffect:
    """One state per member. Who calls has checked the consent."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, member_id: str, *, at: datetime) -> dict[str, Any] | None:
        """Return the state, or None when there is none or it is too old."""
        mine = (member_affect.c.member_id == member_id) & (member_affect.c.at > at - KEPT)
        with self._db.read() as connection:
            state: dict[str, Any] | None = connection.scalar(select(member_affect.c.state).where(mine))
        return state

    def put(self, member_id: str, state: dict[str, Any], *, at: datetime) -> None:
        """Keep the state in place of the one before, unless a consent that it needs has just been withdrawn."""
        needed = {Purpose.PROFILING} | ({Purpose.EXPRESSION} if state.get("source") == FACE else set())
        with self._db.write() as connection:
            if not needed <= granted_to(connection, [member_id]).get(member_id, frozenset()):
                return
            upsert(connection, member_affect, [{"member_id": member_id, "state": state, "at": at}])

    def forget(self, member_id: str) -> None:
        """Delete the state: the consent was withdrawn."""
        with self._db.write() as connection:
            connection.execute(delete(member_affect).where(member_affect.c.member_id == member_id))


def withdraw_moods(connection: Connection, member_id: str, purposes: Collection[Purpose]) -> None:
    """Forget the moods that only a purpose which was withdrawn had allowed to keep: what came of a face in conversations, too.

    What was kept before it had a source may be of a face.
    """
    mine = member_affect.c.member_id == member_id
    if Purpose.PROFILING in purposes:
        connection.execute(delete(member_affect).where(mine))
    if Purpose.EXPRESSION not in purposes:
        return
    state = connection.scalar(select(member_affect.c.state).where(mine))
    if state is not None and state.get("source") != TEXT:
        connection.execute(delete(member_affect).where(mine))
    felt = select(conversations.c.conversation_id, conversations.c.affect).where(
        conversations.c.member_id == member_id, conversations.c.affect.is_not(None)
    )
    for row in connection.execute(felt).all():
        if row.affect is not None and row.affect.get("source") == FACE:
            this = conversations.c.conversation_id == row.conversation_id
            connection.execute(update(conversations).where(this).values(affect=null()))
            _forget_turns(connection, row.conversation_id)


def _forget_turns(connection: Connection, conversation_id: str) -> None:
    """Forget the mood at each message of a conversation in which a face was read; how it was answered stays."""
    here = (messages.c.conversation_id == conversation_id) & (messages.c.role == "user")
    for row in connection.execute(select(messages.c.message_id, messages.c.outcome).where(here)).all():
        if row.outcome:
            left = {name: value for name, value in row.outcome.items() if name not in {"affect", "fallen"}}
            this = messages.c.message_id == row.message_id
            connection.execute(update(messages).where(this).values(outcome=left))
