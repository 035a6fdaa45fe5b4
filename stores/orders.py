"""The `OrderBook` of the order service in the database: one transaction for each change, with its audit entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, exists, insert, select, update

from personalization.orders import Change, Customer, Order, Variant
from personalization.types import Money
from stores.database import Database
from stores.errors import NotFoundError
from stores.order_tables import customer_accounts, order_changes, service_orders, variants

PURPOSE = "orders"  # of the data key


def email_key(db: Database, email: str) -> str:
    """Return what an address of e-mail is found by."""
    return db.fingerprint(PURPOSE, f"email:{email.strip().lower()}")


def name_key(db: Database, first_name: str, last_name: str, postcode: str) -> str:
    """Return what a name with its postcode is found by."""
    parts = (first_name, last_name, postcode)
    return db.fingerprint(PURPOSE, "name:" + "|".join(part.strip().lower() for part in parts))


def account_row(db: Database, customer: Customer, *, at: datetime) -> dict[str, Any]:
    """Return the row that holds a customer as they are since `at`."""
    plain = msgspec.json.encode(customer)
    return {
        "member_id": customer.customer_id, "email_key": email_key(db, customer.email),
        "name_key": name_key(db, customer.first_name, customer.last_name, customer.address.postcode),
        "sealed": db.seal(PURPOSE, plain, customer.customer_id), "version": customer.version, "at": at,
    }  # fmt: skip


def order_row(db: Database, order: Order, position: int, *, at: datetime) -> dict[str, Any]:
    """Return the row that holds an order as it is since `at`."""
    return {
        "order_id": order.order_id, "member_id": order.customer_id, "status": order.status, "placed_at": order.placed_at,
        "position": position, "sealed": db.seal(PURPOSE, msgspec.json.encode(order), order.order_id), "version": order.version,
        "at": at,
    }  # fmt: skip


def open_order(db: Database, row: Row[Any]) -> Order:
    """Return the order that a row holds."""
    return msgspec.json.decode(db.open(PURPOSE, bytes(row.sealed), row.order_id), type=Order)


def open_account(db: Database, row: Row[Any]) -> Customer:
    """Return the customer that a row holds."""
    return msgspec.json.decode(db.open(PURPOSE, bytes(row.sealed), row.member_id), type=Customer)


def open_change(db: Database, row: Row[Any]) -> Change:
    """Return the audit entry that a row holds."""
    return msgspec.json.decode(db.open(PURPOSE, bytes(row.sealed), row.token), type=Change)


class SqlDraft:
    """One transaction on one customer's orders; other writers of the same customer wait."""

    def __init__(self, db: Database, connection: Connection, customer_id: str) -> None:
        self._db, self._connection, self._customer_id = db, connection, customer_id
        self._row = self._lock()

    def _lock(self) -> Row[Any]:
        mine = select(customer_accounts).where(customer_accounts.c.member_id == self._customer_id)
        row = self._connection.execute(mine.with_for_update()).first()
        if row is None:
            raise NotFoundError("there is no such customer")
        return row

    def customer(self) -> Customer:
        """Return the customer."""
        return open_account(self._db, self._row)

    def order(self, order_id: str) -> Order | None:
        """Return an own order."""
        columns = service_orders.c
        mine = select(service_orders).where(columns.order_id == order_id, columns.member_id == self._customer_id)
        row = self._connection.execute(mine.with_for_update()).first()
        return None if row is None else open_order(self._db, row)

    def variant(self, item_id: str) -> Variant | None:
        """Return an item."""
        row = self._connection.execute(select(variants).where(variants.c.item_id == item_id)).first()
        return None if row is None else _variant(row)

    def done(self, token: str) -> Change | None:
        """Return what was done under a token."""
        columns = order_changes.c
        mine = select(order_changes).where(columns.token == token, columns.member_id == self._customer_id)
        row = self._connection.execute(mine).first()
        return None if row is None else open_change(self._db, row)

    def save_order(self, order: Order) -> None:
        """Store an order anew."""
        order = replace(order, version=order.version + 1)
        row = order_row(self._db, order, 0, at=datetime.now(UTC))
        values = {name: row[name] for name in ("status", "sealed", "version", "at")}
        mine = (service_orders.c.order_id == order.order_id, service_orders.c.member_id == self._customer_id)
        self._connection.execute(update(service_orders).where(*mine).values(values))

    def save_customer(self, customer: Customer) -> None:
        """Store a customer anew."""
        row = account_row(self._db, replace(customer, version=customer.version + 1), at=datetime.now(UTC))
        mine = customer_accounts.c.member_id == self._customer_id
        self._connection.execute(update(customer_accounts).where(mine).values(row))

    def record(self, change: Change) -> None:
        """Append to the audit log."""
        self._connection.execute(
            insert(order_changes).values(
                token=change.token,
                member_id=change.customer_id,
                order_id=change.order_id,
                kind=change.kind,
                at=change.at,
                conversation_id=change.conversation_id or None,
                sealed=self._db.seal(PURPOSE, msgspec.json.encode(change), change.token),
            )
        )


class SqlOrderBook:
    """The `OrderBook` that the order service uses."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def manages_orders(self) -> bool:
        """Whether this shop has connected its orders at all."""
        with self._db.read() as connection:
            return bool(connection.scalar(select(exists().select_from(service_orders))))

    def find_by_email(self, email: str) -> str | None:
        """Return the customer with this address of e-mail, None also when there are several."""
        return self._one(customer_accounts.c.email_key == email_key(self._db, email))

    def find_by_name(self, first_name: str, last_name: str, postcode: str) -> str | None:
        """Return the customer with this name and postcode, None also when there are several."""
        return self._one(customer_accounts.c.name_key == name_key(self._db, first_name, last_name, postcode))

    def _one(self, condition: Any) -> str | None:
        with self._db.read() as connection:
            found = connection.scalars(select(customer_accounts.c.member_id).where(condition).limit(2)).all()
        return found[0] if len(found) == 1 else None

    def customer(self, customer_id: str) -> Customer | None:
        """Return a customer."""
        with self._db.read() as connection:
            mine = select(customer_accounts).where(customer_accounts.c.member_id == customer_id)
            row = connection.execute(mine).first()
        return None if row is None else open_account(self._db, row)

    def orders(self, customer_id: str) -> Sequence[Order]:
        """Return a customer's orders."""
        columns = service_orders.c
        mine = select(service_orders).where(columns.member_id == customer_id)
        with self._db.read() as connection:
            rows = connection.execute(mine.order_by(columns.placed_at, columns.position)).all()
        return [open_order(self._db, row) for row in rows]

    def changes(self, customer_id: str) -> Sequence[Change]:
        """Return the audit log of a customer, oldest first."""
        columns = order_changes.c
        with self._db.read() as connection:
            mine = select(order_changes).where(columns.member_id == customer_id)
            rows = connection.execute(mine.order_by(columns.at, columns.token)).all()
        return [open_change(self._db, row) for row in rows]

    def products(self) -> Mapping[str, str]:
        """Return the products' names."""
        with self._db.read() as connection:
            rows = connection.execute(select(variants.c.product_id, variants.c.name).distinct())
            return {row.product_id: row.name for row in rows}

    def variants(self, product_id: str) -> Sequence[Variant]:
        """Return the kinds of a product."""
        of_product = select(variants).where(variants.c.product_id == product_id)
        with self._db.read() as connection:
            rows = connection.execute(of_product.order_by(variants.c.position, variants.c.item_id)).all()
        return [_variant(row) for row in rows]

    @contextmanager
    def change(self, customer_id: str) -> Iterator[SqlDraft]:
        """Open a transaction."""
        self._db.fingerprint(PURPOSE, "")  # makes the data key now: inside the transaction it would wait for itself
        with self._db.write() as connection:
            yield SqlDraft(self._db, connection, customer_id)


def _variant(row: Row[Any]) -> Variant:
    price = Money(row.price_minor, row.currency)
    return Variant(row.item_id, row.product_id, row.name, row.options, price, row.available)
