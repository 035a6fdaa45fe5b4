"""Changes of orders: proposed, confirmed, made in one transaction with an audit entry, and never twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from chatbot.orders.operations import (
    Cancel,
    ChangeAccountAddress,
    ChangeAddress,
    ChangeItems,
    ChangePayment,
    Exchange,
    Operation,
    Return,
    items_of,
)
from chatbot.orders.policy import Case, Policy, Verdict
from personalization.orders import (
    Change,
    Customer,
    Draft,
    OrderBook,
    OrderItem,
    Payment,
    Requested,
    Variant,
    add,
)
from personalization.types import Money


class ForbiddenError(Exception):
    """The policy does not allow the change; the message says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.why)
        self.verdict = verdict


class OutdatedError(Exception):
    """Something changed since the proposal was made; nothing was done."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An allowed change that waits for a yes. `amount` is paid by the shopper when positive, and refunded when negative."""

    token: str
    operation: Operation
    amount: Money


class Guesses(Protocol):
    """Wrong proofs of today, over all conversations."""

    def made(self, conversation_id: str, proof: Mapping[str, str]) -> int:
        """Return how many were made by whoever writes there, or at whom the proof names, whichever is more."""
        ...

    def wrong(self, conversation_id: str, proof: Mapping[str, str], count: int) -> None:
        """Count wrong ones."""
        ...


class OrderService:
    """The only way to change an order. `propose` checks, `confirm` checks again and changes."""

    def __init__(self, book: OrderBook, policy: Policy, guesses: Guesses | None = None) -> None:
        self.book = book
        self.policy = policy
        self.guesses = guesses

    def propose(self, customer_id: str, operation: Operation) -> Proposal:
        """Return what a yes would do; ForbiddenError says why not. Nothing is changed."""
        customer = self.book.customer(customer_id)
        if customer is None:
            raise ForbiddenError(Verdict(False, "identity", "I do not know yet who you are."))
        order = next((order for order in self.book.orders(customer_id) if order.order_id == operation.order_id), None)
        items = {item.item_id: item for item in order.items} if order else {}
        products = {items[item_id].product_id for item_id in items_of(operation) if item_id in items}
        variants = {v.item_id: v for product_id in products for v in self.book.variants(product_id)}
        return self._proposal(Case(operation, customer, order, variants))

    def confirm(self, customer_id: str, operation: Operation, token: str, *, conversation_id: str = "") -> Change:
        """Make the change that was proposed under `token`; a repeated confirmation returns what was done the first time.

        Raises
        ------
        ForbiddenError
            The policy does not allow it (any more).
        OutdatedError
            The order or the account is not what it was when this was proposed.
        """
        with self.book.change(customer_id) as draft:
            before = draft.done(token)
            if before is not None:
                return before
            order = None if operation.order_id is None else draft.order(operation.order_id)
            new = [swap.new_item_id for swap in getattr(operation, "swaps", ())]
            variants = {item_id: variant for item_id in new if (variant := draft.variant(item_id)) is not None}
            case = Case(operation, draft.customer(), order, variants)
            proposal = self._proposal(case)
            if proposal.token != token:
                raise OutdatedError
            self._apply(draft, case)
            change = Change(
                token, operation.action, customer_id, operation.order_id, datetime.now(UTC), conversation_id,
                {**asdict(operation), "amount": proposal.amount.minor_units},
            )  # fmt: skip
            draft.record(change)
            return change

    def _proposal(self, case: Case) -> Proposal:
        verdict = self.policy.judge(case)
        if not verdict.allowed:
            raise ForbiddenError(verdict)
        amount = _amount(case)
        state = (
            case.customer.customer_id,
            case.customer.version,
            case.order.version if case.order else -1,
            case.operation.action,
            asdict(case.operation),
            amount.minor_units,
        )
        return Proposal(hashlib.sha256(repr(state).encode()).hexdigest()[:48], case.operation, amount)

    def _apply(self, draft: Draft, case: Case) -> None:
        operation, customer, order = case.operation, case.customer, case.order
        if isinstance(operation, ChangeAccountAddress):
            draft.save_customer(replace(customer, address=operation.address))
            return
        if order is None:  # the policy has refused it before
            raise ForbiddenError(Verdict(False, "own_order"))
        after = replace(order, status=self.policy.becomes(operation.action) or order.status)
        moved: list[Payment] = []
        match operation:
            case Cancel(reason=reason):
                moved = [replace(paid, kind="refund") for paid in order.payments if paid.kind == "payment"]
                after = replace(after, cancel_reason=reason)
            case ChangeAddress(address=address):
                after = replace(after, address=address)
            case ChangePayment(method_id=method_id):
                first = order.payments[0]
                moved = [replace(first, method_id=method_id), replace(first, kind="refund")]
            case ChangeItems():
                moved = [_settled(case.difference, operation.method_id)]
                after = replace(after, items=_swapped(order.items, case))
            case Return(item_ids=item_ids, method_id=method_id):
                after = replace(after, requested=Requested("return", tuple(sorted(item_ids)), method_id))
            case Exchange():
                asked = Requested(
                    "exchange", tuple(sorted(swap.item_id for swap in operation.swaps)), operation.method_id,
                    tuple(sorted(swap.new_item_id for swap in operation.swaps)), case.difference,
                )  # fmt: skip
                after = replace(after, requested=asked)
        draft.save_order(replace(after, payments=(*order.payments, *moved)))
        if balances := _balances(customer, moved):
            draft.save_customer(balances)


def _amount(case: Case) -> Money:
    """Return what the shopper pays (positive) or gets back (negative) in sum."""
    operation, order = case.operation, case.order
    if order is None:
        return Money(0, "")
    if isinstance(operation, Cancel):
        return _negative(add([paid.amount for paid in order.payments if paid.kind == "payment"]))
    if isinstance(operation, Return):
        prices = {item.item_id: item.price for item in order.items}
        return _negative(add([prices[item_id] for item_id in operation.item_ids]))
    if isinstance(operation, ChangeItems | Exchange):
        return case.difference
    return Money(0, order.total.currency)


def _negative(amount: Money) -> Money:
    return Money(-amount.minor_units, amount.currency)


def _settled(amount: Money, method_id: str) -> Payment:
    kind = "payment" if amount.minor_units > 0 else "refund"
    return Payment(kind, Money(abs(amount.minor_units), amount.currency), method_id)


def _swapped(items: Sequence[OrderItem], case: Case) -> tuple[OrderItem, ...]:
    """Return the items with each swap made on one piece that is not swapped yet."""
    found = list(items)
    taken: set[int] = set()
    for swap in case.swaps:
        at = next(i for i, item in enumerate(found) if i not in taken and item.item_id == swap.item_id)
        new: Variant = case.variants[swap.new_item_id]
        found[at] = OrderItem(new.item_id, new.product_id, found[at].name, new.options, new.price)
        taken.add(at)
    return tuple(found)


def _balances(customer: Customer, moved: Sequence[Payment]) -> Customer | None:
    """Return the customer with gift cards that paid or were refunded at once; None when none was."""
    change: Mapping[str, int] = {
        method.method_id: sum(
            paid.amount.minor_units * (1 if paid.kind == "refund" else -1)
            for paid in moved
            if paid.method_id == method.method_id
        )
        for method in customer.methods
        if method.balance is not None
    }
    if not any(change.values()):
        return None
    methods = tuple(
        replace(method, balance=Money(method.balance.minor_units + change[method.method_id], method.balance.currency))
        if method.balance is not None
        else method
        for method in customer.methods
    )
    return replace(customer, methods=methods)


def describe(operation: Operation) -> dict[str, Any]:
    """Return the operation as JSON-ready values, its action included."""
    return {"action": operation.action, **asdict(operation)}
