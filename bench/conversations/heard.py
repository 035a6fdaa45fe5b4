"""What the shopper got for one message, and what a conversation has shown so far."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_WORD = re.compile(r"[^\W_]+")
_PERSON = re.compile(r"\b(human|person|people|colleague|someone|somebody|team|agent|staff)\b", re.IGNORECASE)
STATES = {False: "bot", True: "queued", None: "bot"}


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer: its messages, how the shopper seemed to feel, who answered, and how long it took."""

    sent: str
    messages: Sequence[Mapping[str, Any]]
    affect: Mapping[str, Any]
    engine: str
    handoff: str
    seconds: float
    basket: Mapping[str, Any] | None = None
    trouble: str | None = None

    @property
    def acts(self) -> list[str]:
        """The acts of the messages, in their order."""
        return [message["act"] for message in self.messages if message.get("act")]

    @property
    def text(self) -> str:
        """All words of the answer."""
        return "\n".join(str(message.get("text", "")) for message in self.messages)

    @property
    def items(self) -> list[Mapping[str, Any]]:
        """The products that came with it."""
        return [item for message in self.messages for item in message.get("items") or ()]

    @property
    def coupon(self) -> bool:
        """Whether a coupon came with it."""
        return any(message.get("coupon") for message in self.messages)

    @property
    def replies(self) -> list[Mapping[str, str]]:
        """The buttons, the newest message's first."""
        return [reply for message in reversed(self.messages) for reply in message.get("quick_replies") or ()]

    @property
    def offers_human(self) -> bool:
        """Whether a button leads to a person, or one was called."""
        return self.handoff != "bot" or any(_PERSON.search(f"{r['title']} {r['text']}") for r in self.replies)

    @property
    def feeling(self) -> str:
        """The state that the assistant heard."""
        return str(self.affect.get("state") or self.affect.get("mood") or "")

    def everything(self) -> str:
        """Words and cards as one lower-case text."""
        return json.dumps(list(self.messages), ensure_ascii=False).casefold()


@dataclass(slots=True)
class Memory:
    """What a conversation has shown: the last list of products, and the answer before."""

    shown: list[Mapping[str, Any]] = field(default_factory=list)
    before: Heard | None = None

    def at(self, place: int) -> Mapping[str, Any] | None:
        """Return the product at a place of the last list, counted from 1 or from the end; None when there is none."""
        index = place - 1 if place > 0 else len(self.shown) + place
        return self.shown[index] if 0 <= index < len(self.shown) else None

    def keep(self, heard: Heard) -> None:
        """Go on after an answer."""
        if heard.items:
            self.shown = list(heard.items)
        if heard.messages:
            self.before = heard


def price(item: Mapping[str, Any]) -> float:
    """Return an item's price in its currency's major unit."""
    return float(item["price"]["minor_units"]) / 100


def about(item: Mapping[str, Any], words: Sequence[str]) -> bool:
    """Whether an item's name or category has one of the words, in singular or plural."""
    told = {_stem(word) for word in _WORD.findall(f"{item.get('name', '')} {item.get('category', '')}".casefold())}
    return any(_stem(word.casefold()) in told for word in words)


def _stem(word: str) -> str:
    """Return a word in the form that its singular and its plural share ("tomatoes", "cookie")."""
    for ending, kept in (("ies", "y"), ("ie", "y"), ("oes", "o")):
        if word.endswith(ending) and len(word) > 4:
            return word.removesuffix(ending) + kept
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
