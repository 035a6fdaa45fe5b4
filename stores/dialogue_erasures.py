"""Conversations that are deleted here and that the dialogue engine is still to forget."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select

from stores.database import Database
from stores.tables import dialogue_erasures


class SqlDialogueErasures:
    """What is left to do: written with the deletion, in its transaction, and taken out once it is done."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def due(self, limit: int) -> list[str]:
        """Return up to `limit` of them, oldest first."""
        query = select(dialogue_erasures.c.sender_id).order_by(dialogue_erasures.c.at).limit(limit)
        with self._db.read() as connection:
            return list(connection.scalars(query))

    def done(self, sender_ids: Collection[str], *, before: datetime) -> None:
        """Take out what was forgotten, and what is older than the engine can remember."""
        old = dialogue_erasures.c.at < before
        with self._db.write() as connection:
            connection.execute(delete(dialogue_erasures).where(dialogue_erasures.c.sender_id.in_(sender_ids) | old))
