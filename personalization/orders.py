"""The words of the order service, and what it needs stored. Plain, frozen dataclasses; money in minor units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from personalization.types import Money

GIFT_CARD = "gift_card"


@dataclass(frozen=True, slots=True)
class Address:
    """Where something is sent."""

    line1: str
    line2: str
    city: str
    region: str
    postcode: str
    country: str

    def __str__(self) -> str:
        place = " ".join(part for part in (self.region, self.postcode) if part)
        return ", ".join(part for part in (self.line1, self.line2, self.city, place, self.country) if part)


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A way to pay that the customer keeps with the shop. `balance` is what a gift card holds, None for others."""

    method_id: str
    kind: str
    label: str = ""
    balance: Money | None = None

    @property
    def is_gift_card(self) -> bool:
        """Whether it is paid from, and refunded to, at once."""
        return self.kind == GIFT_CARD


@dataclass(frozen=True, slots=True)
class Customer:
    """Someone with orders: a member, with what the order service knows beside the membership."""

    customer_id: str
    first_name: str
    last_name: str
    email: str
    address: Address
    methods: tuple[PaymentMethod, ...]
    version: int = 0

    def method(self, method_id: str) -> PaymentMethod | None:
        """Return one of the customer's own payment methods, or None."""
        return next((method for method in self.methods if method.method_id == method_id), None)


@dataclass(frozen=True, slots=True)
class Variant:
    """One kind of a product that can be bought: its options, price, and whether it is available now."""

    item_id: str
    product_id: str
    name: str
    options: Mapping[str, str]
    price: Money
    available: bool


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One piece in an order, at the price that was paid."""

    item_id: str
    product_id: str
    name: str
    options: Mapping[str, str]
    price: Money


@dataclass(frozen=True, slots=True)
class Shipment:
    """A parcel: its tracking numbers and what is in it."""

    tracking_ids: tuple[str, ...]
    item_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that moved for an order: `kind` is "payment" or "refund"."""

    kind: str
    amount: Money
    method_id: str


@dataclass(frozen=True, slots=True)
class Requested:
    """A return or an exchange that was asked for; `difference` is to pay when positive."""

    kind: str
    item_ids: tuple[str, ...]
    method_id: str
    new_item_ids: tuple[str, ...] = ()
    difference: Money | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order with everything that happened to it; `version` counts the changes."""

    order_id: str
    customer_id: str
    status: str
    address: Address
    items: tuple[OrderItem, ...]
    payments: tuple[Payment, ...]
    shipments: tuple[Shipment, ...] = ()
    placed_at: datetime | None = None
    cancel_reason: str | None = None
    requested: Requested | None = None
    version: int = 0

    @property
    def total(self) -> Money:
        """What the items cost together."""
        return add([item.price for item in self.items])

    @property
    def paid_with(self) -> str:
        """The payment method that the order was paid with first."""
        return self.payments[0].method_id if self.payments else ""


@dataclass(frozen=True, slots=True)
class Change:
    """The audit entry of one change; `token` is the proposal that was confirmed, and unique."""

    token: str
    kind: str
    customer_id: str
    order_id: str | None
    at: datetime
    conversation_id: str
    details: Mapping[str, Any] = field(default_factory=dict)


def add(amounts: Sequence[Money]) -> Money:
    """Return the sum; of nothing, zero without a currency."""
    currency = amounts[0].currency if amounts else ""
    return Money(sum(amount.minor_units for amount in amounts), currency)


class Draft(Protocol):
    """One transaction on a customer's orders: what is saved in it is stored together, or not at all."""

    def customer(self) -> Customer:
        """Return the customer as the transaction sees them."""
        ...

    def order(self, order_id: str) -> Order | None:
        """Return the customer's own order, locked for the transaction; None for another's."""
        ...

    def variant(self, item_id: str) -> Variant | None:
        """Return an item of the catalogue."""
        ...

    def done(self, token: str) -> Change | None:
        """Return the change that was made under `token`, if any."""
        ...

    def save_order(self, order: Order) -> None:
        """Store an order anew; its version goes up by one."""
        ...

    def save_customer(self, customer: Customer) -> None:
        """Store address and payment methods anew; the version goes up by one."""
        ...

    def record(self, change: Change) -> None:
        """Append to the audit log."""
        ...


class OrderBook(Protocol):
    """Orders, their customers and the items that they can be changed to, as they are stored."""

    def find_by_email(self, email: str) -> str | None:
        """Return the customer with this address of e-mail."""
        ...

    def find_by_name(self, first_name: str, last_name: str, postcode: str) -> str | None:
        """Return the customer with this name and postcode."""
        ...

    def customer(self, customer_id: str) -> Customer | None:
        """Return a customer."""
        ...

    def orders(self, customer_id: str) -> Sequence[Order]:
        """Return the customer's orders, in the order in which they were placed as far as that is known."""
        ...

    def products(self) -> Mapping[str, str]:
        """Return every product that has variants: id to name."""
        ...

    def variants(self, product_id: str) -> Sequence[Variant]:
        """Return the kinds of a product."""
        ...

    def change(self, customer_id: str) -> AbstractContextManager[Draft]:
        """Open a transaction on the customer's orders; committed when the block ends, rolled back when it raises."""
        ...
