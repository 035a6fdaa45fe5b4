"""What the chatbot says, and whom it asks: the shapes that the widget shows, and the assistant behind the actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from chatbot.affect import AffectState


@dataclass(frozen=True, slots=True)
class QuickReply:
    """A button: `title` is shown, `text` is sent."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class BotMessage:
    """One bubble: words, and what comes with them. `items` and `coupon` are JSON-ready cards that the api made.

    `act` tells what the words are for ("search.found"): the key of the response that they were picked from.
    """

    text: str
    items: list[dict[str, Any]] = field(default_factory=list)
    coupon: dict[str, Any] | None = None
    quick_replies: list[QuickReply] = field(default_factory=list)
    decision_id: str | None = None
    act: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the message as the widget gets it."""
        return {
            "act": self.act,
            "text": self.text,
            "items": self.items,
            "coupon": self.coupon,
            "decision_id": self.decision_id,
            "quick_replies": [{"title": reply.title, "text": reply.text} for reply in self.quick_replies],
        }


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a shopper, with the mood of the conversation so far."""

    conversation_id: str
    text: str
    affect: AffectState


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered, and by whom."""

    messages: list[BotMessage]
    engine: Literal["rasa", "fallback", "human"]


class DialogueEngine(Protocol):
    """Turns a message into an answer; Rasa is one, and another may take its place."""

    async def respond(self, turn: Turn) -> Reply:
        """Return the answer; EngineUnavailableError when there is none to be had now."""
        ...


class EngineUnavailableError(Exception):
    """The dialogue engine did not answer, or not in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the assistant found: cards to show, and the sentence that explains them.

    Where the assistant itself knows what is to be said, `act` names it, and `values` fills its words.
    """

    text: str = ""
    items: list[dict[str, Any]] = field(default_factory=list)
    coupon: dict[str, Any] | None = None
    decision_id: str | None = None
    act: str = ""
    values: Mapping[str, str | int] = field(default_factory=dict)
    replies: Sequence[tuple[str, str]] = ()


class ShopAssistant(Protocol):
    """What the actions ask the rest of Aisle; every call is about one conversation and answers from its own rights."""

    def is_member(self, conversation_id: str) -> bool:
        """Whether the shopper is known."""
        ...

    def recommend(self, conversation_id: str, *, query: str | None = None, wants_coupon: bool = False) -> Answer:
        """Ask the core for a slate; `query` makes it a search."""
        ...

    def why(self, conversation_id: str) -> Answer:
        """Explain the last slate of the conversation, item by item; an empty answer when there was none."""
        ...

    def orders(self, conversation_id: str) -> Answer:
        """Tell of the last orders."""
        ...

    def knowledge(self, conversation_id: str) -> Answer:
        """Tell what is stored about the shopper."""
        ...

    def conclusions(self, conversation_id: str) -> list[tuple[str, str]]:
        """Return the name of each label of the shopper, and what it says in a few words."""
        ...

    def veto(self, conversation_id: str, label: str) -> Answer:
        """Delete a label of the shopper and keep it from coming back."""
        ...

    def link_code(self, conversation_id: str) -> Answer:
        """Make a one-time code for the kiosk."""
        ...

    def forget_face(self, conversation_id: str) -> Answer:
        """Withdraw the consent to face recognition and delete the templates."""
        ...

    def erase(self, conversation_id: str) -> Answer:
        """Delete the member and everything about them."""
        ...

    def grant_profiling(self, conversation_id: str) -> Answer:
        """Record consent to profiling and personal offers."""
        ...

    def handoff(self, conversation_id: str) -> Answer:
        """Queue the conversation for a person; the answer's `act` tells how long that takes."""
        ...

    def store_hours(self) -> str:
        """Tell when the store is open."""
        ...
