"""Orders, items and changes in words that fit into a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from chatbot.orders.operations import (
    Cancel,
    ChangeAccountAddress,
    ChangeAddress,
    ChangeItems,
    ChangePayment,
    Exchange,
    Operation,
    Return,
)
from chatbot.orders.options import described
from chatbot.orders.policy import Policy
from chatbot.orders.service import Proposal, describe
from chatbot.orders.world import Line, World
from personalization.orders import Address, Order, OrderItem, PaymentMethod, Variant
from personalization.types import Money

_VERBS = {
    "cancel": "cancel", "return": "return", "swap": "change", "address": "send elsewhere", "payment": "pay another way", "account": "change",
}  # fmt: skip
_KINDS = {"gift_card": "gift card", "paypal": "PayPal", "credit_card": "credit card"}


def verb(wish: str) -> str:
    """Return what is done, as a verb."""
    return _VERBS.get(wish, wish)


def numbered(lines: Sequence[str]) -> str:
    """Return a numbered list, one line each."""
    return "\n".join(f"{at}. {line}" for at, line in enumerate(lines, 1))


def either(words: Sequence[str]) -> str:
    """Return "a, b or c"."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def item(one: OrderItem | Variant) -> str:
    """Return a piece with its options."""
    return f"{one.name} ({described(one.options)})" if one.options else one.name


def kind(one: Variant) -> str:
    """Return a kind with its price."""
    return f"{described(one.options)}: {one.price}"


def same(line: Line) -> tuple[str, str]:
    """Return what makes two pieces the same to a shopper."""
    return line[0].order_id, line[2].item_id


def piece(line: Line) -> str:
    """Return a piece with its order and price."""
    return f"{item(line[2])}, {line[2].price}, in order {line[0].order_id} ({line[0].status})"


def order_line(order: Order) -> str:
    """Return an order with what is in it."""
    names = ", ".join(
        f"{count} x {name}" if count > 1 else name for name, count in Counter(i.name for i in order.items).items()
    )
    return f"{order.order_id} ({order.status}): {names}, {order.total}"


def method(one: PaymentMethod) -> str:
    """Return a payment method as a shopper knows it."""
    name = _KINDS.get(one.kind, one.kind)
    if one.balance is not None:
        return f"{name} (holds {one.balance})"
    brand, _, digits = one.label.partition(" ")
    return f"{brand} {name} ending in {digits}" if digits else name


def option_values(kinds: Sequence[Variant]) -> str:
    """Return the options in which kinds differ, with their values."""
    found: dict[str, list[str]] = {}
    for one in kinds:
        for name, value in one.options.items():
            if value not in found.setdefault(name, []):
                found[name].append(value)
    return "; ".join(f"{name}: {', '.join(sorted(values))}" for name, values in found.items())


def address_json(address: Address) -> dict[str, str]:
    """Return an address as JSON-ready values."""
    return {
        "line1": address.line1, "line2": address.line2, "city": address.city, "region": address.region, "postcode": address.postcode,
        "country": address.country,
    }  # fmt: skip


def plain(amount: Money) -> Money:
    """Return an amount without its sign."""
    return Money(abs(amount.minor_units), amount.currency)


def proposal(
    found: Proposal, order: Order | None, world: World, policy: Policy
) -> tuple[dict[str, str | int], dict[str, Any]]:
    """Return the values of the question that asks for a yes, and the change itself for machines."""
    operation, values = found.operation, dict[str, str | int]()
    values["order"] = order.order_id if order else ""
    values["amount"] = str(plain(found.amount))
    paid = world.customer.method(getattr(operation, "method_id", order.paid_with if order else ""))
    values["method"] = method(paid) if paid else ""
    values["time"] = policy.refund_time(paid)
    if isinstance(operation, Cancel) and order:
        values["items"] = ", ".join(one.name for one in order.items)
        values["reason"] = operation.reason
    elif isinstance(operation, ChangeAddress | ChangeAccountAddress):
        values["address"] = str(operation.address)
    elif isinstance(operation, ChangePayment) and order:
        first = world.customer.method(order.paid_with)
        values["amount"] = str(order.payments[0].amount)
        values["before"] = method(first) if first else ""
        values["time"] = policy.refund_time(first)
    elif isinstance(operation, Return) and order:
        items = {one.item_id: one for one in order.items}
        values["items"] = numbered(
            [f"{item(items[item_id])}, {items[item_id].price}" for item_id in operation.item_ids]
        )
    elif order:
        values["items"] = numbered(_swaps(operation, order, world))
        values["money"] = _money(found.amount, values)
    return values, describe(operation)


def _swaps(operation: Any, order: Order, world: World) -> list[str]:
    items = {one.item_id: one for one in order.items}
    lines = []
    for swap in operation.swaps:
        new = world.variant(swap.new_item_id)
        old = items[swap.item_id]
        lines.append(f"{item(old)}, {old.price}, becomes {described(new.options)}, {new.price}" if new else item(old))
    return lines


def _money(amount: Money, values: dict[str, str | int]) -> str:
    if amount.minor_units == 0:
        return f"The price stays the same ({values['method']})."
    if amount.minor_units > 0:
        return f"You pay {plain(amount)} more, by {values['method']}."
    return f"You get {plain(amount)} back, to your {values['method']}, {values['time']}."


def operation(facts: dict[str, Any]) -> Operation:
    """Return the operation that `describe` wrote."""
    kinds: tuple[type[Operation], ...] = (
        Cancel, ChangeAddress, ChangePayment, ChangeItems, Exchange, Return, ChangeAccountAddress,
    )  # fmt: skip
    kind = next(one for one in kinds if one.action == facts["action"])
    values = {name: value for name, value in facts.items() if name != "action"}
    return msgspec.convert(values, kind)
