"""The changes that a shopper can ask for, as values; each says which action of the policy it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from personalization.orders import Address


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel a whole order."""

    action: ClassVar[str] = "cancel"
    order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ChangeAddress:
    """Send an order elsewhere."""

    action: ClassVar[str] = "change_address"
    order_id: str
    address: Address


@dataclass(frozen=True, slots=True)
class ChangePayment:
    """Pay an order another way."""

    action: ClassVar[str] = "change_payment"
    order_id: str
    method_id: str


@dataclass(frozen=True, slots=True)
class Swap:
    """Another kind for one piece of an order."""

    item_id: str
    new_item_id: str


@dataclass(frozen=True, slots=True)
class ChangeItems:
    """Other kinds of the products in an order that is not sent yet."""

    action: ClassVar[str] = "change_items"
    order_id: str
    swaps: tuple[Swap, ...]
    method_id: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """Other kinds of the products in an order that arrived."""

    action: ClassVar[str] = "exchange"
    order_id: str
    swaps: tuple[Swap, ...]
    method_id: str


@dataclass(frozen=True, slots=True)
class Return:
    """Send items back for the money."""

    action: ClassVar[str] = "return"
    order_id: str
    item_ids: tuple[str, ...]
    method_id: str


@dataclass(frozen=True, slots=True)
class ChangeAccountAddress:
    """Change the address of the account itself."""

    action: ClassVar[str] = "change_account_address"
    address: Address
    order_id: ClassVar[None] = None


Operation = Cancel | ChangeAddress | ChangePayment | ChangeItems | Exchange | Return | ChangeAccountAddress


def items_of(operation: Operation) -> tuple[str, ...]:
    """Return the items of the order that the operation is about, one entry a piece."""
    if isinstance(operation, ChangeItems | Exchange):
        return tuple(swap.item_id for swap in operation.swaps)
    return operation.item_ids if isinstance(operation, Return) else ()
