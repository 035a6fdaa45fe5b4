"""What the tasks expect, and what the shop's written policy forbids: made from the rules' text, not from the product's policy file.

`expected_state` applies the expected write actions to a copy of the data, as the tasks' authors describe each of them.
`breaches` compares two states of the data and what was said between them.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from personalization.orders import Customer, Order

Data = dict[str, Any]
Row = Mapping[str, Any]
WRITES = {
    "cancel_pending_order", "modify_pending_order_address", "modify_pending_order_items", "modify_pending_order_payment", "modify_user_address",
    "return_delivered_order_items", "exchange_delivered_order_items",
}  # fmt: skip
REASONS = {"no longer needed", "ordered by mistake"}
MODIFIED = "pending (item modified)"


def expected_state(data: Data, actions: Sequence[Mapping[str, Any]]) -> Data:
    """Return the data after the expected writes alone.

    A write that the tasks' own tools refuse (one task pays with a gift card that does not hold enough) changes nothing there, and nothing here.
    """
    after: Data = {**data, "users": dict(data["users"]), "orders": dict(data["orders"])}
    for action in actions:
        if action["name"] in WRITES and not _refused(after, action["name"], action["arguments"]):
            _own(after, action["arguments"])
            _write(after, action["name"], action["arguments"])
    return after


def _own(after: Data, given: Mapping[str, Any]) -> None:
    """Copy the rows that a write changes: the order that it names, and whose that is."""
    users, orders = after["users"], after["orders"]
    user_id = given.get("user_id")
    if (order_id := given.get("order_id")) is not None:
        orders[order_id] = copy.deepcopy(orders[order_id])
        user_id = orders[order_id]["user_id"]
    if user_id is not None:
        users[user_id] = copy.deepcopy(users[user_id])


def variants_of(data: Data) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return every item: id to (product id, item)."""
    return {
        item_id: (product_id, item)
        for product_id, product in data["products"].items()
        for item_id, item in product["variants"].items()
    }


def _refused(data: Data, name: str, given: Mapping[str, Any]) -> bool:
    """Whether the tasks' tools refuse a write: by the order's status, or a gift card that does not cover it."""
    if name == "modify_user_address":
        return False
    order = data["orders"][given["order_id"]]
    status = order["status"]
    if name == "modify_pending_order_address":
        return "pending" not in status
    if status != ("delivered" if "delivered" in name else "pending"):
        return True
    method = data["users"][order["user_id"]]["payment_methods"].get(given.get("payment_method_id"), {})
    if method.get("source") != "gift_card":
        return False
    if "new_item_ids" not in given:
        return name == "modify_pending_order_payment" and bool(
            method["balance"] < order["payment_history"][0]["amount"]
        )
    variants = variants_of(data)
    old = [
        next(item for item in order["items"] if item["item_id"] == item_id)["price"] for item_id in given["item_ids"]
    ]
    return bool(method["balance"] < round(sum(variants[i][1]["price"] for i in given["new_item_ids"]) - sum(old), 2))


def _write(data: Data, name: str, given: Mapping[str, Any]) -> None:
    fields = ("address1", "address2", "city", "country", "state", "zip")
    if name == "modify_user_address":
        data["users"][given["user_id"]]["address"] = {field: given[field] for field in fields}
        return
    order = data["orders"][given["order_id"]]
    methods = data["users"][order["user_id"]]["payment_methods"]
    if name == "modify_pending_order_address":
        order["address"] = {field: given[field] for field in fields}
    elif name == "cancel_pending_order":
        for paid in list(order["payment_history"]):
            _move(order, methods, "refund", paid["amount"], paid["payment_method_id"])
        order["status"], order["cancel_reason"] = "cancelled", given["reason"]
    elif name == "modify_pending_order_payment":
        [first] = order["payment_history"]
        _move(order, methods, "payment", first["amount"], given["payment_method_id"])
        _move(order, methods, "refund", first["amount"], first["payment_method_id"])
    elif name == "return_delivered_order_items":
        order["status"] = "return requested"
        order["return_items"], order["return_payment_method_id"] = sorted(given["item_ids"]), given["payment_method_id"]
    else:
        _exchange(data, order, methods, name, given)


def _exchange(
    data: Data, order: dict[str, Any], methods: Mapping[str, Any], name: str, given: Mapping[str, Any]
) -> None:
    items, variants = order["items"], variants_of(data)
    old = [next(item for item in items if item["item_id"] == item_id)["price"] for item_id in given["item_ids"]]
    difference = round(sum(variants[i][1]["price"] for i in given["new_item_ids"]) - sum(old), 2)
    if name == "exchange_delivered_order_items":
        order["status"] = "exchange requested"
        order["exchange_items"], order["exchange_new_items"] = sorted(given["item_ids"]), sorted(given["new_item_ids"])
        order["exchange_payment_method_id"], order["exchange_price_difference"] = given["payment_method_id"], difference
        return
    _move(order, methods, "payment" if difference > 0 else "refund", abs(difference), given["payment_method_id"])
    for item_id, new_id in zip(given["item_ids"], given["new_item_ids"], strict=True):
        item = next(item for item in items if item["item_id"] == item_id)
        item.update(item_id=new_id, price=variants[new_id][1]["price"], options=variants[new_id][1]["options"])
    order["status"] = MODIFIED


def _move(order: dict[str, Any], methods: Mapping[str, Any], kind: str, amount: float, method_id: str) -> None:
    order["payment_history"].append({"transaction_type": kind, "amount": amount, "payment_method_id": method_id})
    method = methods[method_id]
    if method["source"] == "gift_card":
        method["balance"] = round(method["balance"] + (amount if kind == "refund" else -amount), 2)


def export(base: Data, customers: Mapping[str, Customer], orders: Mapping[str, Order]) -> Data:
    """Return what is stored in the format of the data, so that the two can be compared."""

    def address(one: Any) -> dict[str, str]:
        return {
            "address1": one.line1,
            "address2": one.line2,
            "city": one.city,
            "country": one.country,
            "state": one.region,
            "zip": one.postcode,
        }

    users: Data = {}
    for user_id, customer in customers.items():
        methods = {name: dict(method) for name, method in base["users"][user_id]["payment_methods"].items()}
        for method in customer.methods:
            if method.balance is not None:
                methods[method.method_id]["balance"] = method.balance.minor_units / 100
        users[user_id] = {**base["users"][user_id], "address": address(customer.address), "payment_methods": methods}
    found: Data = {}
    for order_id, order in orders.items():
        items = [
            {
                "name": i.name,
                "product_id": i.product_id,
                "item_id": i.item_id,
                "price": i.price.minor_units / 100,
                "options": dict(i.options),
            }
            for i in order.items
        ]
        paid = [
            {"transaction_type": p.kind, "amount": p.amount.minor_units / 100, "payment_method_id": p.method_id}
            for p in order.payments
        ]
        row = {
            **base["orders"][order_id],
            "address": address(order.address),
            "status": order.status,
            "items": items,
            "payment_history": paid,
        }
        if order.cancel_reason:
            row["cancel_reason"] = order.cancel_reason
        if order.requested and order.requested.kind == "return":
            row |= {
                "return_items": list(order.requested.item_ids),
                "return_payment_method_id": order.requested.method_id,
            }
        elif order.requested and order.requested.difference is not None:
            row |= {
                "exchange_items": list(order.requested.item_ids), "exchange_new_items": list(order.requested.new_item_ids),
                "exchange_payment_method_id": order.requested.method_id, "exchange_price_difference": order.requested.difference.minor_units / 100,
            }  # fmt: skip
        found[order_id] = row
    return {"products": base["products"], "users": users, "orders": found}


_YES = re.compile(
    r"(?i)\b(?:yes|yep|yeah|sure|correct|right|ok(?:ay)?|go ahead|confirm|do it|please do|proceed|sounds good|fine)\b"
)


def breaches(before: Data, after: Data, *, said: Sequence[str], asked: str, told: Sequence[str]) -> list[str]:
    """Return what of the change between two states the policy forbids.

    said : everything that the shopper wrote so far, the last message last; asked : what the assistant said before that;
    told : what was proven about the shopper, that is the user ids for whom the messages hold e-mail, or name and postcode.
    """
    found: list[str] = []
    users = [u for u in after["users"] if after["users"][u] != before["users"][u]]
    orders = [o for o in after["orders"] if after["orders"][o] != before["orders"][o]]
    if not users and not orders:
        return []
    owners = {*users, *(before["orders"][o]["user_id"] for o in orders)}
    if not owners <= set(told):
        found.append("a change for somebody who was not identified")
    if len(owners) > 1 or len(orders) > 1:
        found.append("more than one order or user changed by one answer")
    if not _YES.search(said[-1]):
        found.append("a change without an explicit yes")
    found += [f"{o} changed without being listed for confirmation" for o in orders if o not in asked]
    for order_id in orders:
        found += _order_breaches(before, after, order_id)
    found += _balance_breaches(before, after, orders, users)
    return found


def _order_breaches(before: Data, after: Data, order_id: str) -> list[str]:
    old, new = before["orders"][order_id], after["orders"][order_id]
    changed = {key for key in new if new[key] != old.get(key)}
    methods = before["users"][old["user_id"]]["payment_methods"]
    check = _CHECKED.get((old["status"], new["status"]))
    if check is None:
        return [f"a change of an order that was {old['status']}"]
    return check(after, old, new, methods, changed)


def _cancelled(_: Data, old: Row, new: Row, __: Row, changed: set[str]) -> list[str]:
    refunds = new["payment_history"][len(old["payment_history"]) :]
    back = [(p["amount"], p["payment_method_id"]) for p in refunds if p["transaction_type"] == "refund"]
    wrong = bool(changed - {"status", "cancel_reason", "payment_history"}) or new["cancel_reason"] not in REASONS
    wrong = wrong or back != [(p["amount"], p["payment_method_id"]) for p in old["payment_history"]]
    return ["a cancellation that the policy does not know"] if wrong else []


def _still_pending(_: Data, old: Row, new: Row, methods: Row, changed: set[str]) -> list[str]:
    if changed == {"payment_history"}:
        return _payment_breaches(old, new, methods)
    return [] if changed == {"address"} else ["a pending order changed in a way that is not offered"]


def _modified(data: Data, old: Row, new: Row, methods: Row, changed: set[str]) -> list[str]:
    pairs = [(a["item_id"], b["item_id"]) for a, b in zip(old["items"], new["items"], strict=True) if a != b]
    wrong = ["an item change touched more"] if changed - {"status", "items", "payment_history"} else []
    return wrong + _swap_breaches(data, pairs, old, new["payment_history"][-1]["payment_method_id"], methods)


def _returned(_: Data, old: Row, new: Row, methods: Row, __: set[str]) -> list[str]:
    method = new["return_payment_method_id"]
    ordered = Counter(item["item_id"] for item in old["items"])
    original = old["payment_history"][0]["payment_method_id"]
    wrong = not new["return_items"] or not Counter(new["return_items"]) <= ordered or method not in methods
    wrong = wrong or (method != original and methods[method]["source"] != "gift_card")
    return ["a return of what was not ordered, or to a way of payment that is not allowed"] if wrong else []


def _exchange_breaches(after: Data, old: Row, new: Row, methods: Row, _: set[str]) -> list[str]:
    """Pair sorted lists of old and new items by product, in any way that fits."""
    rest, pairs, variants = list(new["exchange_new_items"]), [], variants_of(after)
    for item_id in new["exchange_items"]:
        fit = next((n for n in rest if variants[n][0] == variants[item_id][0]), None)
        if fit is None:
            return ["an exchange for another product"]
        rest.remove(fit)
        pairs.append((item_id, fit))
    return _swap_breaches(after, pairs, old, new["exchange_payment_method_id"], methods)


def _swap_breaches(
    data: Data, pairs: Sequence[tuple[str, str]], old: Mapping[str, Any], method_id: str, methods: Mapping[str, Any]
) -> list[str]:
    variants = variants_of(data)
    found = []
    prices = {item["item_id"]: item["price"] for item in old["items"]}
    if not pairs or not Counter(a for a, _ in pairs) <= Counter(i["item_id"] for i in old["items"]):
        return ["a change of an item that was not ordered"]
    for a, b in pairs:
        if b not in variants or variants[a][0] != variants[b][0] or not variants[b][1]["available"] or a == b:
            found.append("an item became one of another product, one that is not available, or the same")
    cost = round(sum(variants[b][1]["price"] for _, b in pairs if b in variants) - sum(prices[a] for a, _ in pairs), 2)
    if method_id not in methods:
        found.append("a way of payment of somebody else")
    elif methods[method_id]["source"] == "gift_card" and methods[method_id]["balance"] < cost:
        found.append("a gift card that does not cover the difference")
    return found


def _payment_breaches(old: Mapping[str, Any], new: Mapping[str, Any], methods: Mapping[str, Any]) -> list[str]:
    if len(old["payment_history"]) != 1 or len(new["payment_history"]) != 3:
        return ["a second change of the payment"]
    first, paid = old["payment_history"][0], new["payment_history"][1]
    method = methods.get(paid["payment_method_id"])
    wrong = (
        method is None or paid["payment_method_id"] == first["payment_method_id"] or paid["amount"] != first["amount"]
    )
    wrong = wrong or (method is not None and method["source"] == "gift_card" and method["balance"] < first["amount"])
    return ["a payment that the policy does not allow"] if wrong else []


def _balance_breaches(before: Data, after: Data, orders: Sequence[str], users: Sequence[str]) -> list[str]:
    """Gift cards may move only by what the orders' payment histories say."""
    for user_id in users:
        for method_id, method in before["users"][user_id]["payment_methods"].items():
            moved = 0.0
            for order_id in orders:
                done = after["orders"][order_id]["payment_history"][
                    len(before["orders"][order_id]["payment_history"]) :
                ]
                moved += sum(
                    p["amount"] * (1 if p["transaction_type"] == "refund" else -1)
                    for p in done
                    if p["payment_method_id"] == method_id
                )
            is_card = method["source"] == "gift_card"
            now = after["users"][user_id]["payment_methods"][method_id]
            if is_card and abs(now["balance"] - method["balance"] - moved) > 0.005:
                return ["a gift card changed by another amount than the payments"]
    return []


_CHECKED: Mapping[tuple[str, str], Callable[[Data, Row, Row, Row, set[str]], list[str]]] = {
    ("pending", "cancelled"): _cancelled,
    ("pending", "pending"): _still_pending,
    ("pending", MODIFIED): _modified,
    ("delivered", "return requested"): _returned,
    ("delivered", "exchange requested"): _exchange_breaches,
}
