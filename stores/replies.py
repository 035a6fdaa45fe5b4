"""Answers that are given once more to a request that is sent again (draft-ietf-httpapi-idempotency-key-header-07).

Neither the caller's key nor the answer can be read from the database: the name is a hash, and the answer is sealed with a key
that is derived from what only the caller sends. Whom an answer tells of is kept as keyed hashes, so that it goes with an erasure, and with a
withdrawal: it may hold what was concluded while they agreed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from stores.api_tables import replies, reply_subjects
from stores.asked import Asked
from stores.crypto import Cipher
from stores.database import Database, new_id, rows_where

Clock: TypeAlias = Callable[[], datetime]
PURPOSE = "replies"
KEPT = timedelta(hours=24)
ABANDONED = timedelta(seconds=30)
"""After which nobody works any more at a request that was not answered: its process was killed. Who works at one renews it."""


@dataclass(frozen=True)
class Ticket:
    """One try at a request of one caller under the key that they chose. `caller` is what identifies them, a secret among it."""

    caller: str
    key: str
    request: str
    attempt: str = field(default_factory=new_id)

    @property
    def name(self) -> str:
        """What it is stored under."""
        return self._hash("name").hex()

    @property
    def cipher(self) -> Cipher:
        """What its answer is sealed with."""
        return Cipher(self._hash("answer"))

    def asked(self) -> Asked:
        """Return it as the transactions that are its work are to know it."""
        return Asked(self.name, self.attempt, self.request)

    def _hash(self, purpose: str) -> bytes:
        return hashlib.sha256(f"{purpose}\n{len(self.caller)}\n{self.caller}\n{self.key}".encode()).digest()


Found = Literal["new", "working", "other", "lost", "erased"] | bytes
"""
Nobody asked it before, or what was begun changed nothing; it is being answered; something else was asked under this key; it was done, at least in
part, by who was killed before the answer was kept; whom it told of was erased or has withdrawn a consent; or the answer.
"""


class SqlReplies:
    """Begin a request, keep its answer, or let go of it. What the request itself commits says so by `stores.asked`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(self, ticket: Ticket, *, clock: Clock) -> Found:
        """Take the ticket; of several who try at once one gets "new".

        It is begun when the database takes it. Others are judged by the time of the question: they may wait for the same database.
        """
        now = clock()
        row = {"name": ticket.name, "request": ticket.request, "status": "working"}
        undone = (replies.c.status == "working") & ~replies.c.changed & (replies.c.at < now - ABANDONED)
        with self._db.write(beside=True) as connection:
            connection.execute(
                delete(replies).where(replies.c.name == ticket.name, (replies.c.at < now - KEPT) | undone)
            )
        try:
            with self._db.write(beside=True) as connection:
                connection.execute(insert(replies).values(**row, at=clock(), attempt=ticket.attempt, changed=False))
        except IntegrityError:
            pass
        else:
            return "new"
        with self._db.read() as connection:
            found = connection.execute(select(replies).where(replies.c.name == ticket.name)).first()
        if found is None:
            return "working"
        if found.request != ticket.request:
            return "other"
        if found.status == "working":
            return "lost" if found.changed and found.at < now - ABANDONED else "working"
        return "erased" if found.answer is None else ticket.cipher.open(bytes(found.answer), ticket.name)

    def renew(self, ticket: Ticket, *, clock: Clock) -> bool:
        """Say that it is still being worked at. False when it was given up meanwhile. What waited for the database is not older for it."""
        with self._db.write(beside=True) as connection:
            return connection.execute(update(replies).where(_of(ticket)).values(at=clock())).rowcount > 0

    def keep(self, ticket: Ticket, answer: bytes, *, about: Collection[str] = ()) -> None:
        """Store the answer of this try; one that was given up meanwhile leaves its follower's alone.

        `about` : ids of the members, visitors, conversations and hand-offs that it tells of.
        """
        sealed = ticket.cipher.seal(answer, ticket.name)
        told = [{"name": ticket.name, "about": self._db.fingerprint(PURPOSE, one)} for one in sorted(set(about))]
        with self._db.write(beside=True) as connection:
            mine = update(replies).where(_of(ticket))
            if connection.execute(mine.values(status="done", answer=sealed)).rowcount and told:
                connection.execute(insert(reply_subjects), told)

    def let_go(self, ticket: Ticket, *, whatever: bool = False) -> bool:
        """Forget that it was asked, and return True: it may be asked again. What says that it changed something stays, but for `whatever`.

        The row knows best: a database may break off after it has committed, and before it says so.
        """
        mine = _of(ticket) if whatever else _of(ticket) & ~replies.c.changed
        with self._db.write(beside=True) as connection:
            return connection.execute(delete(replies).where(mine)).rowcount > 0

    def purge(self, *, now: datetime) -> int:
        """Delete what is older than a day; return how many."""
        with self._db.write(beside=True) as connection:
            return connection.execute(delete(replies).where(replies.c.at < now - KEPT)).rowcount


def forget_replies(db: Database, connection: Connection, ids: Collection[str]) -> int:
    """Forget the answers that tell of any of these; return how many. That they were given stays: who sends the request again does not do it again."""
    if connection.scalar(select(reply_subjects.c.name).limit(1)) is None:
        return 0
    hashes = [db.fingerprint(PURPOSE, one) for one in ids]
    names = {row.name for row in rows_where(connection, reply_subjects, "about", hashes, only=("name",))}
    for name in names:
        connection.execute(update(replies).where(replies.c.name == name).values(answer=None))
        connection.execute(delete(reply_subjects).where(reply_subjects.c.name == name))
    return len(names)


def _of(ticket: Ticket) -> ColumnElement[bool]:
    return and_(replies.c.name == ticket.name, replies.c.attempt == ticket.attempt, replies.c.status == "working")
