"""What the conversation may look at: one customer's orders, and the kinds of the products in them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from personalization.orders import Customer, Order, OrderBook, OrderItem, Variant

Line = tuple[Order, int, OrderItem]


class World:
    """A view for one message; nothing of another customer can be reached through it."""

    def __init__(self, book: OrderBook, customer: Customer) -> None:
        self._book = book
        self.customer = customer
        self.orders: Sequence[Order] = book.orders(customer.customer_id)
        self._variants: dict[str, Sequence[Variant]] = {}

    @cached_property
    def products(self) -> dict[str, str]:
        """Names of all products, the customer's own included."""
        own = {item.product_id: item.name for order in self.orders for item in order.items}
        return {**self._book.products(), **own}

    @property
    def lines(self) -> list[Line]:
        """Every piece of every order."""
        return [(order, at, item) for order in self.orders for at, item in enumerate(order.items)]

    def order(self, order_id: str) -> Order | None:
        """Return an own order."""
        return next((order for order in self.orders if order.order_id == order_id), None)

    def variants(self, product_id: str) -> Sequence[Variant]:
        """Return the kinds of a product."""
        if product_id not in self._variants:
            self._variants[product_id] = self._book.variants(product_id)
        return self._variants[product_id]

    def variant(self, item_id: str) -> Variant | None:
        """Return a kind of one of the products that the customer ordered."""
        own = dict.fromkeys(item.product_id for order in self.orders for item in order.items)
        return next((kind for product_id in own for kind in self.variants(product_id) if kind.item_id == item_id), None)
