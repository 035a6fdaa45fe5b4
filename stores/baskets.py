"""Baskets: what a shopper means to buy, kept until it is bought or taken out again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from personalization.types import DecisionId, ProductId, Subject
from stores.api_tables import changes_made
from stores.database import Check, Database, upsert
from stores.tables import basket_lines

MOST_LINES, MOST_PIECES = 200, 999
RESENT_FOR = timedelta(days=1)  # as long as a chat is gone on with
_LOCK = 0x4241534B


@dataclass(frozen=True, slots=True)
class BasketLine:
    """So many pieces of one product; `decision_id` is the decision that showed it."""

    product_id: ProductId
    quantity: int
    decision_id: DecisionId | None = None


class SqlBaskets:
    """One basket for each member, on whatever device, and one for each visitor; oldest line first."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def lines(self, subject: Subject) -> list[BasketLine]:
        """Return what is in the basket."""
        with self._db.read() as connection:
            return _lines(connection, subject)

    def add(
        self, subject: Subject, product_id: ProductId, quantity: int, *, at: datetime, decision_id: DecisionId | None = None,
        change: str | None = None,
    ) -> int:  # fmt: skip
        """Put `quantity` more in; return how many there are now, at most MOST_PIECES. 0: the basket holds no more lines.

        change : what this change is called (`chatbot.once`): one of this name is made once, and later ones change nothing
        """
        return self._put(subject, product_id, quantity, at=at, decision_id=decision_id, more=True, change=change)

    def put(
        self, subject: Subject, product_id: ProductId, quantity: int, *, at: datetime, decision_id: DecisionId | None = None,
        check: Check[list[BasketLine]] = None, change: str | None = None,
    ) -> int:  # fmt: skip
        """Make it `quantity` pieces, none takes the line out; return how many there are now (see `add`)."""
        return self._put(
            subject, product_id, quantity, at=at, decision_id=decision_id, more=False, check=check, change=change
        )

    def _put(
        self, subject: Subject, product_id: ProductId, quantity: int, *, at: datetime, decision_id: DecisionId | None, more: bool,
        check: Check[list[BasketLine]] = None, change: str | None = None,
    ) -> int:  # fmt: skip
        with self._db.write() as connection:
            _look(connection, subject, check)
            if change is not None and not _first(connection, change, at):
                held = (line.quantity for line in _lines(connection, subject) if line.product_id == product_id)
                return next(held, 0)
            return _put(connection, subject, BasketLine(product_id, quantity, decision_id), at, more=more)

    def clear(self, subject: Subject, *, check: Check[list[BasketLine]] = None) -> int:
        """Take everything out; return how many lines that were."""
        with self._db.write() as connection:
            _look(connection, subject, check)
            return connection.execute(delete(basket_lines).where(basket_lines.c.owner_id == _owner(subject))).rowcount

    def bring_along(self, visitor: Subject, member: Subject, *, at: datetime) -> None:
        """Move what a visitor gathered into the basket of the member that they turned out to be; each line once."""
        theirs = basket_lines.c.owner_id == _owner(visitor)
        with self._db.read() as connection:
            if connection.scalar(select(basket_lines.c.product_id).where(theirs).limit(1)) is None:
                return
        with self._db.write() as connection:  # a page and its chat sign in at the same moment
            taken = connection.execute(delete(basket_lines).where(theirs).returning(basket_lines)).all()
            for row in sorted(taken, key=lambda row: (row.at, row.product_id)):
                line = BasketLine(ProductId(row.product_id), row.quantity, row.decision_id)
                _put(connection, member, line, at, more=True)

    def purge(self, *, now: datetime) -> int:
        """Forget what was done for messages that nobody sends again; return how many changes."""
        with self._db.write() as connection:
            return connection.execute(delete(changes_made).where(changes_made.c.at < now - RESENT_FOR)).rowcount


def _first(connection: Connection, change: str, at: datetime) -> bool:
    """Note a change; return False where it was made before."""
    statement = (sqlite_insert if connection.dialect.name == "sqlite" else pg_insert)(changes_made)
    noted = statement.values(name=change, at=at).on_conflict_do_nothing().returning(changes_made.c.name)
    return connection.scalar(noted) is not None


def _lines(connection: Connection, subject: Subject) -> list[BasketLine]:
    columns = basket_lines.c
    query = select(basket_lines).where(columns.owner_id == _owner(subject)).order_by(columns.at, columns.product_id)
    rows = connection.execute(query).all()
    return [BasketLine(ProductId(row.product_id), row.quantity, row.decision_id) for row in rows]


def _look(connection: Connection, subject: Subject, check: Check[list[BasketLine]]) -> None:
    """Have two who change one basket come one after the other, an empty one too, and let `check` see it."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK, func.hashtext(_owner(subject)))))
    if check:
        check(_lines(connection, subject))


def _put(connection: Connection, subject: Subject, line: BasketLine, at: datetime, *, more: bool) -> int:
    mine = basket_lines.c.owner_id == _owner(subject)
    there = mine & (basket_lines.c.product_id == line.product_id)
    held = dict(connection.execute(select(basket_lines.c.product_id, basket_lines.c.quantity).where(mine)).all())
    count = min((held.get(line.product_id, 0) if more else 0) + line.quantity, MOST_PIECES)
    if count <= 0:
        connection.execute(delete(basket_lines).where(there))
        return 0
    if line.product_id in held:
        connection.execute(update(basket_lines).where(there).values(quantity=count))
        return count
    if len(held) >= MOST_LINES:
        return 0
    known = subject.member_id is not None
    row = {
        "owner_id": _owner(subject), "product_id": line.product_id, "member_id": subject.member_id,
        "visitor_id": None if known else subject.visitor_id, "quantity": count, "decision_id": line.decision_id, "at": at,
    }  # fmt: skip
    upsert(connection, basket_lines, [row])
    return count


def _owner(subject: Subject) -> str:
    return str(subject.member_id or subject.visitor_id)
