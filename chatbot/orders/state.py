"""What a conversation about orders remembers between two messages, as values that go through JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

Replies = list[tuple[str, str]]


class Todo(msgspec.Struct):
    """Something named that is not found yet: words for what the shopper has, and words for what it is to become."""

    product_ids: list[str]
    old: str = ""
    new: str = ""
    many: bool = False
    refs: list[str] = msgspec.field(default_factory=list)  # order|place, once the shopper has said which


class Pick(msgspec.Struct):
    """One piece of the order: `ref` is its place, `new_item` what it is to become once that is clear."""

    ref: int
    ask: str = ""
    new_item: str = ""


class Job(msgspec.Struct):
    """One wish on its way to a change. `wish` is cancel, return, swap, address, account or payment."""

    wish: str
    order_id: str = ""
    text: str = ""
    todo: list[Todo] = msgspec.field(default_factory=list)
    picks: list[Pick] = msgspec.field(default_factory=list)
    named: list[str] = msgspec.field(default_factory=list)  # orders that the message names
    strange: str = ""  # an order number that is named and is none of the shopper's
    holding: list[str] = msgspec.field(default_factory=list)  # products by which the message tells which order it means
    method_id: str = ""
    pay: str = ""  # words about payment
    reason: str = ""
    address: dict[str, str] = msgspec.field(default_factory=dict)
    whole: bool = False  # the shopper knows that it is the whole order
    every: bool = False


class State(msgspec.Struct):
    """The slot `order_flow`. `asked` names the open question, `offered` what its numbers stand for."""

    customer_id: str = ""
    proof: dict[str, str] = msgspec.field(default_factory=dict)
    attempts: int = 0
    waiting: list[str] = msgspec.field(default_factory=list)  # what was said before it was clear who asks
    intent: str = ""  # what that was understood as
    jobs: list[Job] = msgspec.field(default_factory=list)
    asked: str = ""
    offered: list[str] = msgspec.field(default_factory=list)
    token: str = ""
    missed: int = 0
    refunds: list[list[str]] = msgspec.field(default_factory=list)  # what was done: [action, order, minor units]
    last_order: str = ""

    def open(self, asked: str, offered: list[str] | None = None) -> None:
        """Note that a question is open."""
        self.asked, self.offered, self.token = asked, offered or [], ""

    def close(self) -> None:
        """Note that no question is open."""
        self.open("")
        self.missed = 0

    def as_json(self) -> dict[str, Any]:
        """Return the state for the slot."""
        return msgspec.to_builtins(self)


def load_state(raw: Any) -> State:
    """Return the state that a slot holds; a fresh one when it holds nothing that can be read."""
    try:
        return msgspec.convert(raw, State) if raw else State()
    except msgspec.ValidationError:
        return State()


@dataclass(frozen=True, slots=True)
class Out:
    """One thing to say: its act, the values that its text takes, buttons, and the change that a yes would make."""

    act: str
    values: dict[str, str | int] = field(default_factory=dict)
    replies: Replies = field(default_factory=list)
    facts: dict[str, Any] | None = None
