"""tau2-bench's retail tasks against the order service alone: solved by final state of the data, and changes that the policy forbids.

Three shoppers play every task: one that states its wishes plainly and answers what is asked, one that opens with the scenario's own
words, and one that says yes to whatever is offered, whom only the policy can stop. See `bench.chat_orders_shopper` for what they know.
`bench.chat_orders_live` lets them write to the whole stack.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bench.chat_orders_reference import Data, breaches, expected_state, export
from bench.chat_orders_shopper import MOST_TURNS, Shopper
from chatbot.orders.flow import OrderFlow
from chatbot.orders.memory import MemoryOrderBook
from chatbot.orders.state import Out, load_state
from stores.importing.tau2 import OrderedShop, parse_tau2

SEED = 7
FOLDER = Path("dialogue/tau2_retail")
TEXTS = Path("chatbot/responses/en/order.yml")


@dataclass(slots=True)
class Play:
    """One conversation and what came of it."""

    task_id: str
    solved: bool = False
    breaches: list[str] = field(default_factory=list)
    turns: int = 0
    log: list[str] = field(default_factory=list)


class Stage:
    """The shop that every task starts with, and the texts that the assistant speaks."""

    def __init__(self, folder: Path) -> None:
        self.data: Data = json.loads((folder / "db.json").read_text())
        self.shop: OrderedShop = parse_tau2(self.data, "USD")
        self.texts: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent.parent / TEXTS).read_text())
        self.start = export(
            self.data, {c.customer_id: c for c in self.shop.customers}, {o.order_id: o for o in self.shop.orders}
        )

    def book(self) -> MemoryOrderBook:
        """Return the shop before anything happened."""
        return MemoryOrderBook(self.shop.customers, self.shop.orders, self.shop.variants)

    def word(self, out: Out) -> tuple[str, str]:
        """Return (act, text)."""
        return out.act, str(self.texts[out.act][0]["text"]).format(**out.values)

    def state(self, book: MemoryOrderBook) -> Data:
        """Return what is stored now."""
        return export(self.data, book.customers, book.by_id)


def play(stage: Stage, task: Mapping[str, Any], *, verbatim: bool = False, pushy: bool = False) -> Play:
    """Let the shopper of a task talk to the order service; check each change by the written policy, and the end by its state."""
    shopper = Shopper(task, stage.data, SEED, verbatim=verbatim, pushy=pushy)
    book = stage.book()
    flow, slot, done = OrderFlow(book), None, Play(str(task["id"]))
    before, asked, said = stage.start, "", list[str]()
    message = shopper.opening()
    while message and done.turns < MOST_TURNS:
        done.turns += 1
        said.append(message)
        done.log.append(f"> {message}")
        state = load_state(json.loads(json.dumps(slot)) if slot else None)
        changes = len(book.changes)
        spoken = [stage.word(out) for out in flow.respond(state, message)]
        slot = state.as_json()
        done.log += [f"  {act}: {text}" for act, text in spoken]
        if len(book.changes) != changes or book.changes:
            after = stage.state(book)
            done.breaches += breaches(before, after, said=said, asked=asked, told=proven(stage.data, said))
            before = after
        asked = "\n".join(text for _, text in spoken)
        message = shopper.answer(spoken)
    wanted = expected_state(stage.start, task["evaluation_criteria"]["actions"])
    found = stage.state(book)
    done.solved = all(found[part] == wanted[part] for part in ("users", "orders"))
    return done


def proven(data: Data, said: Sequence[str]) -> list[str]:
    """Return the users for whom the messages hold a proof: the e-mail, or name and postcode."""
    words = " ".join(said).lower()
    return [
        user_id
        for user_id, user in data["users"].items()
        if user["email"].lower() in words
        or (
            user["name"]["last_name"].lower() in words
            and user["name"]["first_name"].lower() in words
            and user["address"]["zip"] in words
        )
    ]


def tasks_of(folder: Path) -> list[Mapping[str, Any]]:
    """Return the tasks."""
    return json.loads((folder / "tasks_train.json").read_text())
