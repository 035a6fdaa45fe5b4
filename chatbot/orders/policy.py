"""The interpreter of `policy.yml`: is this change allowed, and if not, why, in a sentence for the shopper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chatbot.orders.operations import Cancel, ChangeItems, ChangePayment, Exchange, Operation, Return, Swap, items_of
from chatbot.written import read_yaml
from personalization.orders import Customer, Order, PaymentMethod, Variant, add
from personalization.types import Money

FILE = Path(__file__).with_name("policy.yml")
PROOFS = frozenset({"email", "first_name", "last_name", "postcode"})
ACTIONS = ("cancel", "change_address", "change_payment", "change_items", "return", "exchange", "change_account_address")


class PolicyError(Exception):
    """The policy file says something that cannot be interpreted."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something is allowed; `rule` is the one that forbids it and `why` its sentence."""

    allowed: bool
    rule: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """What a rule is checked on: one wish, whose it is, and how things stand. `order` is None for the account itself."""

    operation: Operation
    customer: Customer
    order: Order | None
    variants: Mapping[str, Variant]

    @property
    def swaps(self) -> tuple[Swap, ...]:
        """The items that are to become others."""
        return self.operation.swaps if isinstance(self.operation, ChangeItems | Exchange) else ()

    @property
    def method(self) -> PaymentMethod | None:
        """The payment method that is named, if it is the customer's own."""
        return self.customer.method(getattr(self.operation, "method_id", ""))

    @property
    def difference(self) -> Money:
        """What the new items cost more than the old; negative when they cost less."""
        return difference(self.order, self.swaps, self.variants)


def difference(order: Order | None, swaps: Sequence[Swap], variants: Mapping[str, Variant]) -> Money:
    """Return what `swaps` cost; items that are unknown count nothing."""
    old = {item.item_id: item.price for item in order.items} if order else {}
    known = [swap for swap in swaps if swap.item_id in old and swap.new_item_id in variants]
    if not known:
        return Money(0, order.total.currency if order else "")
    new = add([variants[swap.new_item_id].price for swap in known])
    return Money(new.minor_units - add([old[swap.item_id] for swap in known]).minor_units, new.currency)


Check = Callable[[Case, Any], bool]


def _order_is(case: Case, statuses: Any) -> bool:
    return case.order is not None and case.order.status in statuses


def _reason_is(case: Case, reasons: Any) -> bool:
    return isinstance(case.operation, Cancel) and case.operation.reason in reasons


def _items(case: Case, _: Any) -> bool:
    wanted = Counter(items_of(case.operation))
    return case.order is not None and bool(wanted) and wanted <= Counter(item.item_id for item in case.order.items)


def _new_items(case: Case, wanted: Any) -> bool:
    return all(not _wrong_with(case, swap, wanted) for swap in case.swaps)


def _wrong_with(case: Case, swap: Swap, wanted: Any) -> bool:
    old = next((item for item in case.order.items if item.item_id == swap.item_id), None) if case.order else None
    new = case.variants.get(swap.new_item_id)
    if old is None or new is None:
        return True
    wrong = {
        "same_product": new.product_id != old.product_id,
        "available": not new.available,
        "different": new.item_id == old.item_id or dict(new.options) == dict(old.options),
    }
    return any(wrong[name] for name in wanted)


def _method(case: Case, kinds: Any) -> bool:
    method, original = case.method, case.order.paid_with if case.order else ""
    if method is None:
        return False
    fits = {
        "own": True,
        "original": method.method_id == original,
        "gift_card": method.is_gift_card,
        "other_than_original": method.method_id != original,
    }
    return any(fits[kind] for kind in kinds)


def _gift_card_covers(case: Case, what: Any) -> bool:
    method = case.method
    if method is None or method.balance is None:
        return True
    return method.balance.minor_units >= _needed(case, what).minor_units


def _needed(case: Case, what: Any) -> Money:
    if what == "difference" or case.order is None:
        return case.difference
    return case.order.payments[0].amount if case.order.payments else case.order.total


def _paid_once(case: Case, _: Any) -> bool:
    return case.order is not None and [payment.kind for payment in case.order.payments] == ["payment"]


_CHECKS: Mapping[str, tuple[Check, frozenset[str] | None]] = {
    "order_is": (_order_is, None),
    "reason_is": (_reason_is, None),
    "items": (_items, frozenset({"of_the_order"})),
    "new_items": (_new_items, frozenset({"same_product", "available", "different"})),
    "method": (_method, frozenset({"own", "original", "gift_card", "other_than_original"})),
    "gift_card_covers": (_gift_card_covers, frozenset({"difference", "total"})),
    "paid_once": (_paid_once, frozenset({"True"})),
}


class Policy:
    """What a shop allows. Immutable; made from the parsed file."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        try:
            self._actions: Mapping[str, Any] = raw["actions"]
            identity = raw["identity"]
            self.proofs: tuple[tuple[str, ...], ...] = tuple(tuple(proof) for proof in identity["proofs"])
            self.most_attempts = int(identity["most_attempts"])
            self.signed_in_is_enough = bool(identity["signed_in_is_enough"])
            self._times: Mapping[str, str] = raw["refund_times"]
            self._validate()
        except (KeyError, TypeError, AttributeError) as error:
            raise PolicyError(f"the policy file lacks or misspells {error}") from error

    def judge(self, case: Case) -> Verdict:
        """Return whether the change is allowed. What is not about an own order or own method is never allowed."""
        operation = case.operation
        if operation.order_id is not None and (
            case.order is None
            or case.order.order_id != operation.order_id
            or case.order.customer_id != case.customer.customer_id
        ):
            return Verdict(False, "own_order", "I find no such order in your account.")
        if hasattr(operation, "method_id") and case.method is None:
            return Verdict(False, "own_method", "That payment method is not in your account.")
        for rule in self._actions[operation.action]["rules"]:
            for name, wanted in rule.items():
                if name != "because" and not _CHECKS[name][0](case, wanted):
                    return Verdict(False, name, self._because(rule, case))
        return Verdict(True)

    def may_start(self, action: str, order: Order) -> Verdict:
        """Return whether `action` is worth asking about for this order: its status, and whether it was paid once."""
        for rule in self._actions[action]["rules"]:
            if "order_is" in rule and order.status not in rule["order_is"]:
                why = str(rule["because"]).format(order=order.order_id, status=order.status)
                return Verdict(False, "order_is", why)
            if "paid_once" in rule and [payment.kind for payment in order.payments] != ["payment"]:
                return Verdict(False, "paid_once", str(rule["because"]).format(order=order.order_id))
        return Verdict(True)

    def reasons(self) -> tuple[str, ...]:
        """Return the reasons for which an order can be cancelled."""
        return tuple(self._first("cancel", "reason_is") or ())

    def whole_orders_only(self, action: str) -> bool:
        """Whether single items cannot be taken out."""
        return self._actions[action].get("parts") == "whole_order"

    def once(self, action: str) -> bool:
        """Whether this closes the order for further changes."""
        return bool(self._actions[action].get("once"))

    def becomes(self, action: str) -> str | None:
        """Return the status that the order has after it, None when that stays."""
        return self._actions[action].get("becomes")

    def methods(self, action: str, customer: Customer, order: Order) -> list[PaymentMethod]:
        """Return the customer's payment methods that `action` may use."""
        kinds = self._first(action, "method")
        if kinds is None:
            return []
        operation = Return(order.order_id, (), "")
        cases = (
            Case(Return(operation.order_id, (), method.method_id), customer, order, {}) for method in customer.methods
        )
        return [case.method for case in cases if case.method is not None and _method(case, kinds)]

    def refund_time(self, method: PaymentMethod | None) -> str:
        """Return how soon money is back on a payment method."""
        return self._times.get(method.kind if method else "other", self._times["other"])

    def _first(self, action: str, name: str) -> Any:
        return next((rule[name] for rule in self._actions[action]["rules"] if name in rule), None)

    def _because(self, rule: Mapping[str, Any], case: Case) -> str:
        wanted = rule.get("new_items", ())
        odd = next((swap.item_id for swap in case.swaps if wanted and _wrong_with(case, swap, wanted)), None)
        order = case.order
        name = next((item.name for item in order.items if item.item_id == odd), "That item") if order else ""
        needed = _needed(case, rule.get("gift_card_covers", "difference"))
        return str(rule["because"]).format(
            order=order.order_id if order else "",
            status=order.status if order else "",
            item=name,
            method=case.method.kind if case.method else "",
            needed=needed,
            reasons=", ".join(rule.get("reason_is", ())),
        )

    def _validate(self) -> None:
        if set(self._actions) != set(ACTIONS):
            raise PolicyError(f"the policy file needs exactly these actions: {', '.join(ACTIONS)}")
        if not self.proofs or not all(proof and set(proof) <= PROOFS for proof in self.proofs):
            raise PolicyError(f"a proof of identity consists of {', '.join(sorted(PROOFS))}")
        for action, body in self._actions.items():
            for rule in body["rules"]:
                names = set(rule) - {"because"}
                if len(names) != 1 or not names <= set(_CHECKS) or "because" not in rule:
                    raise PolicyError(f"{action}: {rule} is not one rule with its `because`")
                [name] = names
                allowed = _CHECKS[name][1]
                given = rule[name] if isinstance(rule[name], list) else [rule[name]]
                if allowed is not None and not {str(value) for value in given} <= allowed:
                    raise PolicyError(f"{action}: {name} takes {', '.join(sorted(allowed))}, not {rule[name]}")


def load_policy(path: Path = FILE) -> Policy:
    """Return the policy that a file states; PolicyError says what is wrong with it."""
    try:
        raw = read_yaml(path)
    except (OSError, yaml.YAMLError) as error:
        told = " ".join(str(error).split())
        raise PolicyError(f"the order policy {path} cannot be read: {told}") from error
    if not isinstance(raw, Mapping):
        raise PolicyError(f"the order policy {path} holds no rules")
    try:
        return Policy(raw)
    except PolicyError as error:
        raise PolicyError(f"the order policy {path}: {error}") from error


__all__ = ["Case", "ChangePayment", "Policy", "PolicyError", "Verdict", "difference", "load_policy"]
