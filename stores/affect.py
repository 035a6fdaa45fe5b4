"""What is left of a member's mood between conversations; kept only with consent to profiling, and short-lived."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from stores.database import Database, upsert
from stores.tables import member_affect

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
        """Keep the state in place of the one before."""
        with self._db.write() as connection:
            upsert(connection, member_affect, [{"member_id": member_id, "state": state, "at": at}])

    def forget(self, member_id: str) -> None:
        """Delete the state: the consent was withdrawn."""
        with self._db.write() as connection:
            connection.execute(delete(member_affect).where(member_affect.c.member_id == member_id))
