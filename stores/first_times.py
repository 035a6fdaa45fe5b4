"""What is done once for a database, whichever process comes first."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from stores.database import Database
from stores.tables import counters


def first_time(db: Database, name: str) -> bool:
    """Whether nobody has asked this of `name` before; of several who ask at once one is told so."""
    try:
        with db.write() as connection:
            connection.execute(insert(counters).values(name=name, value=1))
    except IntegrityError:
        return False
    return True
