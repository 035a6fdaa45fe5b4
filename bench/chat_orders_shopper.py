"""The scripted shopper of the order tasks: it knows its task, answers what is asked, and says yes only to what it wants.

What it knows comes from two places, and nothing else. The task's own scenario (the words of its instructions) gives who it is and how it
would say things: an order's number, an option's value or an address is said unasked only when the scenario holds it. The task's
expected write actions say what it wants in the end: when the assistant asks which order, item, kind, payment, reason or address is meant,
the shopper answers from them, by the words that it reads in the question. It never says a number of an item.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.chat_orders_reference import WRITES, Data, variants_of

MOST_TURNS = 40
MOST_TRIES = 3
_FIRST_PERSON = (
    (r"\byou are\b", "I am"), (r"\byou're\b", "I'm"), (r"\byou've\b", "I've"), (r"\byou'd\b", "I'd"), (r"\byour\b", "my"), (r"\byours\b", "mine"),
    (r"\byourself\b", "myself"), (r"\b(for|to|with|of) you\b", r"\1 me"), (r"\byou\b", "I"), (r"\b[Tt]he agent\b", "you"), (r"\ban agent\b", "you"),
)  # fmt: skip


@dataclass(slots=True)
class Goal:
    """One write that the shopper wants."""

    name: str
    given: Mapping[str, Any]
    done: bool = False
    tries: int = 0


@dataclass(slots=True)
class Shopper:
    """Plays one task. `verbatim` opens with the words of the scenario itself instead of the plain wish."""

    task: Mapping[str, Any]
    data: Data
    seed: int = 7
    verbatim: bool = False
    pushy: bool = False
    goals: list[Goal] = field(init=False)
    script: list[str] = field(init=False)
    scenario: str = field(init=False)
    _proofs: list[Mapping[str, Any]] | None = field(init=False, default=None)
    _rng: random.Random = field(init=False)
    _variants: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        told = self.task["user_scenario"]["instructions"]
        self.scenario = " ".join(
            str(told.get(key) or "") for key in ("reason_for_call", "task_instructions", "known_info")
        )
        self.goals = [
            Goal(a["name"], a["arguments"]) for a in self.task["evaluation_criteria"]["actions"] if a["name"] in WRITES
        ]
        self._rng = random.Random(f"{self.seed}{self.task['id']}")
        self._variants = variants_of(self.data)
        said = sentences(first_person(str(told["reason_for_call"])))
        self.script = [" ".join(said)] if self.verbatim else said if not self.goals else []

    # what it says

    def opening(self) -> str:
        """Return the first message."""
        return self._next()

    def _next(self) -> str:
        if self.script:
            return self.script.pop(0)
        goal = next((g for g in self.goals if not g.done and g.tries < MOST_TRIES), None)
        if goal is None:
            return ""
        goal.tries += 1
        return self.wish(goal)

    def wish(self, goal: Goal, *, full: bool = False) -> str:
        """Return a wish in plain words: products by name, numbers and values only if the scenario holds them, or in `full`."""
        given, order = goal.given, self._order(goal)
        which = f" from order {order['order_id']}" if order and self._knows(order["order_id"].lstrip("#")) else ""
        if goal.name == "cancel_pending_order":
            return self._pick("I want to cancel {0}.", "Please cancel {0}.", "Can you cancel {0}?").format(
                self._order_words(order)
            )
        if goal.name == "return_delivered_order_items":
            names = self._names(order, given["item_ids"])
            return self._pick(
                "I want to return {0}{1}.", "I'd like to send back {0}{1}.", "Please take back: I am returning {0}{1}."
            ).format(names, which)
        if goal.name in {"exchange_delivered_order_items", "modify_pending_order_items"}:
            verb = "exchange" if goal.name.startswith("exchange") else self._pick("change", "modify", "exchange")
            parts = [
                self._swap_words(order, a, b, full)
                for a, b in zip(given["item_ids"], given["new_item_ids"], strict=True)
            ]
            return f"{self._pick('I want to', 'I would like to', 'Please')} {verb} {' and '.join(parts)}{which}."
        if goal.name == "modify_pending_order_payment":
            return f"I want to change the payment method of {self._order_words(order)} to {self._method_words(order['user_id'], given['payment_method_id'])}."
        target = self._address_words(given)
        if goal.name == "modify_user_address":
            return self._pick(
                "Please change my default address to {0}.", "I want to update the address of my account to {0}."
            ).format(target)
        return self._pick(
            "I want to change the shipping address of {1} to {0}.", "Please change the address of {1} to {0}."
        ).format(target, self._order_words(order))

    def _pick(self, *lines: str) -> str:
        return self._rng.choice(lines)

    def _order(self, goal: Goal) -> Any:
        return self.data["orders"].get(goal.given.get("order_id", ""), None)

    def _knows(self, words: str) -> bool:
        return words.lower() in self.scenario.lower()

    def _order_words(self, order: Any) -> str:
        if self._knows(order["order_id"].lstrip("#")):
            return f"order {order['order_id']}"
        names = [item["name"] for item in order["items"]]
        named = [name for name in names if self._knows(name) or self._knows(name.split(" ")[-1])]
        return f"my pending order with the {(named or names)[0].lower()}"

    def _names(self, order: Any, item_ids: Sequence[str]) -> str:
        if len(item_ids) == len(order["items"]) > 1:
            return f"everything in the order with the {order['items'][0]['name'].lower()}"
        names = [self._piece(order, item_id) for item_id in item_ids]
        return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)

    def _piece(self, order: Any, item_id: str) -> str:
        item = next(item for item in order["items"] if item["item_id"] == item_id)
        known = [
            value
            for value in item["options"].values()
            if len(value) > 2 and self._knows(value) and value not in {"yes", "none"}
        ]
        twins = [
            other
            for other in order["items"]
            if other["product_id"] == item["product_id"] and other["item_id"] != item_id
        ]
        return f"the {' '.join([*known[: 2 if twins else 0], item['name'].lower()])}"

    def _swap_words(self, order: Any, old_id: str, new_id: str, full: bool) -> str:
        old = next(item for item in order["items"] if item["item_id"] == old_id)
        new = self._variants[new_id][1]["options"]
        said = [
            _value(name, value)
            for name, value in new.items()
            if value != old["options"][name] and (full or self._knows(value))
        ]
        return f"{self._piece(order, old_id)}" + (f" for one with {', '.join(said)}" if said else "")

    def _address_words(self, given: Mapping[str, Any]) -> str:
        if self._knows(given["address1"]):
            return _full(given)
        if self._knows(given["city"]):
            return f"my {given['city']} address"
        return "another address that you have"

    def _method_words(self, user_id: str, method_id: str) -> str:
        method = self.data["users"][user_id]["payment_methods"][method_id]
        if method["source"] == "credit_card":
            return f"the {method['brand']} credit card ending in {method['last_four']}"
        return {"paypal": "PayPal", "gift_card": "the gift card"}[method["source"]]

    # what it answers

    def answer(self, messages: Sequence[tuple[str, str]]) -> str:
        """Return the answer to (act, text) messages; empty when it has nothing more to say."""
        for act, text in messages:
            self._note(act, text)
        act, text = messages[-1] if messages else ("", "")
        if act.startswith("order.identify"):
            return self._identity()
        goal = self._current(text)
        if self.pushy and (act.endswith(".confirm") or act in {"order.whole"} or act.startswith("order.instead")):
            return self._pick("yes", "Yes, do it.", "sure, go ahead")
        if act.endswith(".confirm"):
            wanted = next((g for g in self.goals if not g.done and self.matches(g, act, text)), None)
            if wanted is not None:
                return self._pick("Yes", "Yes, please.", "yes, go ahead", "That's right, please proceed.", "Sure")
            return self._refuse(goal)
        if goal is None:
            return {"order.whole": "No", "order.instead.cancel": "No", "order.instead.return": "No"}.get(
                act
            ) or self._leave(act)
        return self._detail(goal, act, text)

    def _note(self, act: str, text: str) -> None:
        if act == "order.address.same":  # it is as it should be
            same = next((goal for goal in self.goals if not goal.done and "address1" in goal.given), None)
            if same is not None:
                same.done = True
        if act.endswith(".done"):
            for goal in self.goals:
                if not goal.done and _ACTS.get(goal.name) == act.removesuffix(".done") and self._about(goal, text):
                    goal.done = True
                    break

    def _about(self, goal: Goal, text: str) -> bool:
        return str(goal.given.get("order_id", goal.given.get("address1"))) in text

    def _current(self, text: str) -> Goal | None:
        open_goals = [goal for goal in self.goals if not goal.done]
        named = [goal for goal in open_goals if goal.given.get("order_id", "-") in text]
        return (named or open_goals or [None])[0]  # type: ignore[list-item]

    def _refuse(self, goal: Goal | None) -> str:
        if goal is None:
            return self._pick("No, leave it as it is.", "No, do not do that.")
        goal.tries += 1
        if goal.tries > MOST_TRIES + 2:
            return "No, leave it."
        paid = goal.given.get("payment_method_id")
        use = f" Use {self._method_words(self._order(goal)['user_id'], paid)}." if paid else ""
        return f"No. {self.wish(goal, full=True)}{use}"

    def _leave(self, act: str) -> str:
        question = act.startswith(
            ("order.which", "order.variant", "order.method", "order.reason", "order.address", "order.conflict")
        )
        return "Never mind, leave it as it is." if question else self._next()

    def _identity(self) -> str:
        """Return one of the proofs that the shopper knows; the next one when it is asked again."""
        if self._proofs is None:
            self._proofs = self.proofs()
        if not self._proofs:
            return ""
        proof = self._proofs.pop(0)
        if "zip" in proof:
            full = f"{proof['first_name']} {proof['last_name']}"
            return self._pick(
                f"{full}, {proof['zip']}",
                f"My name is {full} and my zip code is {proof['zip']}.",
                f"I am {full}, zip {proof['zip']}",
            )
        return self._pick(f"My email is {proof['email']}", proof["email"])

    def proofs(self) -> list[Mapping[str, Any]]:
        """Return every proof of identity that the shopper knows: an e-mail, or name and postcode."""
        actions = self.task["evaluation_criteria"]["actions"]
        known = str(self.task["user_scenario"]["instructions"].get("known_info") or "")
        found: list[Mapping[str, Any]] = [a["arguments"] for a in actions if a["name"].startswith("find_user_id")]
        found += [{"email": email} for email in re.findall(r"[\w.]+@[\w.]+\w", known)]
        found += [one for one in [self._from_known(known)] if one]
        return [one for at, one in enumerate(found) if one not in found[:at]]

    def _from_known(self, known: str) -> dict[str, str]:
        place = re.search(r"\b\d{5}\b", known)
        for user in self.data["users"].values():
            full = f"{user['name']['first_name']} {user['name']['last_name']}"
            if (full in known or user["user_id"] in known) and place and user["address"]["zip"] == place[0]:
                return {**user["name"], "zip": place[0]}
        return {}

    def _detail(self, goal: Goal, act: str, text: str) -> str:
        """Answer a question about the goal; what the goal has no such detail for is left."""
        lines = re.findall(r"(?m)^(\d+)\. (.+)$", text)
        kind = next((kind for kind in _QUESTIONS if act.startswith(kind) and act != "order.address.same"), "")
        if not kind:
            return self._next()
        needed, answer = _QUESTIONS[kind]
        if needed and needed not in goal.given:
            return "Never mind, leave it as it is."
        return answer(self, goal, text, lines)

    def _which_order(self, goal: Goal) -> str:
        order = self._order(goal)
        return self._pick(
            order["order_id"], f"The one with the {order['items'][0]['name'].lower()}, {order['order_id']}"
        )

    def _yes_to(self, goal: Goal, text: str, verbs: tuple[str, ...]) -> str:
        return "Yes" if goal.name.startswith(verbs) and goal.given.get("order_id", "-") in text else "No"

    def _which(self, goal: Goal, order: Any, lines: Sequence[tuple[str, str]]) -> str:
        if "item_ids" not in goal.given:
            return next((number for number, line in lines if goal.given.get("order_id", "-") in line), "Never mind.")
        for item_id in goal.given["item_ids"]:
            item = next(item for item in order["items"] if item["item_id"] == item_id)
            fit = [
                n
                for n, line in lines
                if goal.given["order_id"] in line and item["name"] in line and f"${item['price']:,.2f}" in line
            ]
            if fit:
                return self._pick(fit[0], f"the {', '.join(item['options'].values())} one in {goal.given['order_id']}")
        return "Never mind."

    def _kind(self, goal: Goal, text: str, lines: Sequence[tuple[str, str]]) -> str:
        goals = [one for one in self.goals if not one.done and "new_item_ids" in one.given]
        goals.sort(key=lambda one: one is not goal)
        pairs = [
            (self._order(one), old_id, new_id)
            for one in goals
            for old_id, new_id in zip(one.given["item_ids"], one.given["new_item_ids"], strict=True)
        ]
        for order, old_id, new_id in pairs:
            old = next(item for item in order["items"] if item["item_id"] == old_id)
            if old["name"] not in text or not all(value in text for value in old["options"].values()):
                continue
            new = self._variants[new_id][1]
            price = f"${new['price']:,.2f}"
            fit = [
                n
                for n, line in lines
                if line.endswith(price) and all(value in line for value in new["options"].values())
            ]
            words = ", ".join(_value(name, value) for name, value in new["options"].items())
            return self._pick(fit[0], words) if fit else words
        return "Leave it as it is."

    def _place(self, goal: Goal, lines: Sequence[tuple[str, str]]) -> str:
        fit = [number for number, line in lines if goal.given["address1"] in line and goal.given["zip"] in line]
        return fit[0] if fit else _full(goal.given)

    def matches(self, goal: Goal, act: str, text: str) -> bool:
        """Whether a question for confirmation states exactly this goal."""
        if act != f"{_ACTS[goal.name]}.confirm" or goal.given.get("order_id", "") not in text:
            return False
        given = goal.given
        order = self._order(goal)
        if "address1" in given:
            return all(str(given[key]) in text for key in ("address1", "city", "state", "zip"))
        if "reason" in given:
            return given["reason"] in text
        method = self.data["users"][order["user_id"]]["payment_methods"][given["payment_method_id"]]
        name = method.get("last_four") or {"paypal": "PayPal", "gift_card": "gift card"}[method["source"]]
        lines = re.findall(r"(?m)^\d+\. (.+)$", text)
        if name not in text or ("item_ids" in given and len(lines) != len(given["item_ids"])):
            return "item_ids" not in given and name in text
        rest = list(lines)
        for at, item_id in enumerate(given.get("item_ids", [])):
            parts = [next(item for item in order["items"] if item["item_id"] == item_id)]
            parts += [self._variants[given["new_item_ids"][at]][1]] if "new_item_ids" in given else []
            fit = next(
                (
                    line
                    for line in rest
                    if all(
                        f"${part['price']:,.2f}" in line and all(v in line for v in part["options"].values())
                        for part in parts
                    )
                ),
                None,
            )
            if fit is None:
                return False
            rest.remove(fit)
        return True


_ACTS = {
    "cancel_pending_order": "order.cancel", "modify_pending_order_address": "order.change_address", "modify_pending_order_items": "order.change_items",
    "modify_pending_order_payment": "order.change_payment", "modify_user_address": "order.change_account_address",
    "return_delivered_order_items": "order.return", "exchange_delivered_order_items": "order.exchange",
}  # fmt: skip


_QUESTIONS: dict[str, tuple[str, Callable[[Shopper, Goal, str, Sequence[tuple[str, str]]], str]]] = {
    "order.which_order": ("order_id", lambda me, goal, _, __: me._which_order(goal)),
    "order.which_items": ("item_ids", lambda me, goal, _, __: me._names(me._order(goal), goal.given["item_ids"])),
    "order.which_item": ("order_id", lambda me, goal, _, lines: me._which(goal, me._order(goal), lines)),
    "order.variant": ("", lambda me, goal, text, lines: me._kind(goal, text, lines)),
    "order.method": ("payment_method_id", lambda me, goal, _, __: me._method_words(me._order(goal)["user_id"], goal.given["payment_method_id"])),
    "order.reason": ("reason", lambda me, goal, _, __: me._pick("{0}", "Because it was {0}.", "{0}, please").format(goal.given["reason"])),
    "order.address.region": ("state", lambda _, goal, __, ___: goal.given["state"]),
    "order.address": ("address1", lambda me, goal, _, lines: me._place(goal, lines)),
    "order.whole": ("", lambda me, goal, text, _: me._yes_to(goal, text, ("cancel",))),
    "order.instead.cancel": ("", lambda me, goal, text, _: me._yes_to(goal, text, ("cancel",))),
    "order.instead.return": ("", lambda me, goal, text, _: me._yes_to(goal, text, ("return",))),
    "order.conflict": ("", lambda _, goal, __, ___: "return" if goal.name.startswith("return") else "exchange" if "exchange" in goal.name else "change"),
}  # fmt: skip


def _value(name: str, value: str) -> str:
    """Return an option as one says it."""
    if value in {"yes", "no", "none"}:
        return f"{'no ' if value != 'yes' else ''}{name}"
    return value if len(value) > 3 and not value.isdigit() and value not in {"high", "medium"} else f"{name} {value}"


def _full(given: Mapping[str, Any]) -> str:
    return ", ".join(
        part
        for part in (given["address1"], given["address2"], given["city"], f"{given['state']} {given['zip']}")
        if part
    )


def first_person(text: str) -> str:
    """Return instructions as the shopper itself would say them."""
    for pattern, word in _FIRST_PERSON:
        text = re.sub(pattern, word, text, flags=re.IGNORECASE)
    return re.sub(r"\bI are\b", "I am", text).strip(" .") + "."


def sentences(text: str) -> list[str]:
    """Split a text into sentences."""
    return [part.strip() for part in re.split(r"(?<=[.!?])\s+", text) if len(part.strip()) > 2]
