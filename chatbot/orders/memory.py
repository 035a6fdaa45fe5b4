"""An `OrderBook` that lives in memory: for trying a policy, for simulations and for tests."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from personalization.orders import Change, Customer, Order, Variant


class MemoryDraft:
    """One transaction on copies; the book takes them over when it ends well."""

    def __init__(self, book: MemoryOrderBook, customer_id: str) -> None:
        self._book, self._customer_id = book, customer_id
        self.orders: dict[str, Order] = {}
        self.customers: dict[str, Customer] = {}
        self.changes: list[Change] = []

    def customer(self) -> Customer:
        """Return the customer."""
        return self._book.customers[self._customer_id]

    def order(self, order_id: str) -> Order | None:
        """Return an own order."""
        order = self._book.by_id.get(order_id)
        return order if order is not None and order.customer_id == self._customer_id else None

    def variant(self, item_id: str) -> Variant | None:
        """Return an item."""
        return self._book.items.get(item_id)

    def done(self, token: str) -> Change | None:
        """Return what was done under a token."""
        return next((c for c in self._book.changes if c.token == token and c.customer_id == self._customer_id), None)

    def save_order(self, order: Order) -> None:
        """Keep an order."""
        self.orders[order.order_id] = replace(order, version=order.version + 1)

    def save_customer(self, customer: Customer) -> None:
        """Keep a customer."""
        self.customers[customer.customer_id] = replace(customer, version=customer.version + 1)

    def record(self, change: Change) -> None:
        """Keep an audit entry."""
        self.changes.append(change)


class MemoryOrderBook:
    """Everything in dictionaries, one writer at a time."""

    def __init__(self, customers: Iterable[Customer], orders: Iterable[Order], variants: Iterable[Variant]) -> None:
        self.customers = {customer.customer_id: customer for customer in customers}
        self.by_id = {order.order_id: order for order in orders}
        self.items = {variant.item_id: variant for variant in variants}
        self.changes: list[Change] = []
        self._lock = threading.Lock()
        self._kinds: dict[str, list[Variant]] = {}
        for variant in self.items.values():
            self._kinds.setdefault(variant.product_id, []).append(variant)

    def find_by_email(self, email: str) -> str | None:
        """Return a customer's id."""
        return next((c.customer_id for c in self.customers.values() if c.email.lower() == email.strip().lower()), None)

    def find_by_name(self, first_name: str, last_name: str, postcode: str) -> str | None:
        """Return a customer's id."""
        wanted = (first_name.lower(), last_name.lower(), postcode.strip())
        return next(
            (
                c.customer_id
                for c in self.customers.values()
                if (c.first_name.lower(), c.last_name.lower(), c.address.postcode) == wanted
            ),
            None,
        )

    def customer(self, customer_id: str) -> Customer | None:
        """Return a customer."""
        return self.customers.get(customer_id)

    def orders(self, customer_id: str) -> Sequence[Order]:
        """Return a customer's orders."""
        return [order for order in self.by_id.values() if order.customer_id == customer_id]

    def products(self) -> Mapping[str, str]:
        """Return the products' names."""
        return {product_id: kinds[0].name for product_id, kinds in self._kinds.items()}

    def variants(self, product_id: str) -> Sequence[Variant]:
        """Return the kinds of a product."""
        return self._kinds.get(product_id, [])

    @contextmanager
    def change(self, customer_id: str) -> Iterator[MemoryDraft]:
        """Open a transaction."""
        with self._lock:
            draft = MemoryDraft(self, customer_id)
            yield draft
            self.by_id.update(draft.orders)
            self.customers.update(draft.customers)
            self.changes.extend(draft.changes)
