"""The request that is being answered under an `Idempotency-Key`, as transactions know it.

Its first transaction that counts says in the request's row, together with what it changes, that it was done, in part at least: whatever is
killed when, the row tells whether it may be done anew. A try that lost the row to another, since nobody heard of it for too long, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, update

from stores.api_tables import replies
from stores.errors import GivenUpError


@dataclass(slots=True)
class Asked:
    """`name` and `attempt`: its row, and the try at it. `request`: a hash of what is asked. `changed`: it has committed something. `over`: what comes now is not its work any more.

    `given_up`: another try has the row, and what this one would have changed was rolled back, whoever has caught that.
    """

    name: str
    attempt: str
    request: str
    changed: bool = False
    over: bool = False
    given_up: bool = False


_asked: ContextVar[Asked | None] = ContextVar(
    "asked", default=None
)  # threads of the pool get a copy, and so the same object
_MARK = (
    update(replies)
    .where(
        replies.c.name == bindparam("its_name"),
        replies.c.attempt == bindparam("its_attempt"),
        replies.c.status == "working",
    )
    .values(changed=True)
)


@contextmanager
def answering(asked: Asked) -> Iterator[None]:
    """Let what is committed meanwhile, on this task and what it calls, be this request's work."""
    token = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(token)


def current() -> Asked | None:
    """Return the request that is being answered, where it has a key."""
    return _asked.get()


def mark(connection: Connection) -> Asked | None:
    """Say in this transaction, its last statement, that the request has changed something; return it where that was not said before.

    GivenUpError where the row is another's by now: the transaction is to be rolled back.
    """
    asked = _asked.get()
    if asked is None or asked.changed or asked.over:
        return None
    if connection.execute(_MARK, {"its_name": asked.name, "its_attempt": asked.attempt}).rowcount == 0:
        asked.given_up = True
        raise GivenUpError("this request took so long to begin that it was begun anew; send it again for its answer")
    return asked
