"""What a database is asked while a block runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from stores.database import Database


@contextmanager
def statements(db: Database) -> Iterator[list[str]]:
    """Yield a list that grows by every statement, those that begin a transaction left out."""
    asked = list[str]()
    listen = lambda _c, _cur, statement, *_: asked.append(statement)  # noqa: E731
    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        yield asked
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)
