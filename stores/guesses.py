"""How often somebody was taken for somebody else today: counts under keyed hashes, so that they name nobody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select

from stores.database import Database, upsert
from stores.tables import counters

_PREFIX = "guess "


class SqlGuesses:
    """Counts of wrong proofs by who made them and whom they were about, each day anew."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def made(self, who: Iterable[str], *, at: datetime) -> int:
        """Return the highest of their counts of that day."""
        names = [self._name(one, at) for one in who]
        with self._db.read() as connection:
            found = connection.scalars(select(counters.c.value).where(counters.c.name.in_(names))).all()
        return max(found, default=0)

    def add(self, who: Iterable[str], count: int, *, at: datetime) -> None:
        """Count for each of them; what is of another day goes."""
        names = [self._name(one, at) for one in who]
        past = counters.c.name.startswith(_PREFIX) & ~counters.c.name.startswith(f"{_PREFIX}{at:%y%m%d}")
        with self._db.write(beside=True) as connection:
            connection.execute(delete(counters).where(past))
            mine = select(counters.c.name, counters.c.value).where(counters.c.name.in_(names)).with_for_update()
            known = {row.name: row.value for row in connection.execute(mine)}
            upsert(connection, counters, [{"name": name, "value": known.get(name, 0) + count} for name in names])

    def _name(self, one: str, at: datetime) -> str:
        return f"{_PREFIX}{at:%y%m%d} {self._db.fingerprint('contact', one)[:40]}"
