"""What the chatbot says, and whom it asks: the shapes that the widget shows, and the assistant behind the actions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from chatbot.affect import AffectState
from chatbot.orders.service import OrderService
from chatbot.shopping.wish import Wish
from personalization.offers import Coupon
from personalization.types import Money, Product, Reason

MEMORY = "dialogue_memory"
"""What a message carries for the dialogue to remember, on its way to the actions and back (`chatbot.actions.memory`)."""


@dataclass(frozen=True, slots=True)
class QuickReply:
    """A button: `title` is shown, `text` is sent."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class BotMessage:
    """One bubble: words, and what comes with them. `items`, `coupon` and `basket` are JSON-ready cards that the api made.

    `act` tells what the words are for ("search.found"): the key of the response that they were picked from.
    """

    text: str
    items: list[dict[str, Any]] = field(default_factory=list)
    coupon: dict[str, Any] | None = None
    quick_replies: list[QuickReply] = field(default_factory=list)
    decision_id: str | None = None
    act: str | None = None
    basket: dict[str, Any] | None = None
    table: dict[str, Any] | None = None
    worded_by: Literal["template", "language_model"] = "template"

    def as_json(self) -> dict[str, Any]:
        """Return the message as the widget gets it."""
        return {
            "act": self.act,
            "text": self.text,
            "items": self.items,
            "coupon": self.coupon,
            "decision_id": self.decision_id,
            "basket": self.basket,
            "table": self.table,
            "quick_replies": [{"title": reply.title, "text": reply.text} for reply in self.quick_replies],
            **({} if self.worded_by == "template" else {"worded_by": self.worded_by}),
        }


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a shopper, with the mood of the conversation so far.

    `memory` is what the reply before left to be remembered; `message_id` names the message, so that nothing is done twice for it.
    `language` is the conversation's, in which is answered; `reads` the message's own: a button sends English. `sells` says whether
    anything may be offered that was not asked for, `already_said` what the shopper was told lately, oldest first.
    """

    conversation_id: str
    text: str
    affect: AffectState
    memory: Mapping[str, Any] | None = None
    message_id: str = ""
    language: str = "en"
    reads: str = "en"
    sells: bool = True
    already_said: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered, by whom, and what the dialogue wants to remember of it; None: nothing new."""

    messages: list[BotMessage]
    engine: Literal["rasa", "fallback", "human"]
    memory: Mapping[str, Any] | None = None


class DialogueEngine(Protocol):
    """Turns a message into an answer; Rasa is one, and another may take its place."""

    async def respond(self, turn: Turn) -> Reply:
        """Return the answer; EngineUnavailableError when there is none to be had now."""
        ...


class EngineUnavailableError(Exception):
    """The dialogue engine did not answer, or not in time."""


class EmptyAnswerError(EngineUnavailableError):
    """The dialogue engine is there, and said nothing to this message."""


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
    basket: dict[str, Any] | None = None
    table: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: the cards and their products, and how many fit in all, those not shown included.

    `exact` says that every word of the question stands on something that is shown; `untold` are limits that nothing found can be held
    against, since the catalogue does not tell ("brand").
    """

    answer: Answer
    products: tuple[Product, ...] = ()
    total: int = 0
    exact: bool = False
    untold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BasketLine:
    """So many pieces of a product."""

    product: Product
    quantity: int


@dataclass(frozen=True, slots=True)
class Basket:
    """What a shopper gathered; `total` at today's prices, None when empty."""

    lines: tuple[BasketLine, ...] = ()
    total: Money | None = None
    card: dict[str, Any] | None = None

    @property
    def pieces(self) -> int:
        """How many pieces there are."""
        return sum(line.quantity for line in self.lines)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was bought before, to be bought again; `missing` are products that cannot be had now.

    refused : "unknown" (nobody is signed in), "no_consent", or "nothing" (bought yet); empty where there is something.
    """

    lines: tuple[BasketLine, ...] = ()
    missing: tuple[str, ...] = ()
    at: datetime | None = None
    refused: Literal["", "unknown", "no_consent", "nothing"] = ""


@dataclass(frozen=True, slots=True)
class HeldCoupon:
    """A coupon of the shopper: `status` is "open", "redeemed" or "expired"; `products` are some that it is for."""

    coupon: Coupon
    status: str
    card: dict[str, Any]
    products: tuple[Product, ...] = ()


@dataclass(frozen=True, slots=True)
class CouponCheck:
    """What the till would say to a code now: `reason` is None when it works; `off` is what it takes off the basket."""

    code: str
    reason: Reason | None
    held: HeldCoupon | None = None
    off: Money | None = None
    basket: Money | None = None


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """What the retailer tells of the shop; empty is not told."""

    retailer: str = ""
    hours: str = ""
    contact: str = ""
    address: str = ""
    directions: str = ""
    phone: str = ""
    email: str = ""
    website: str = ""
    delivery: str = ""
    payment: tuple[str, ...] = ()
    returns: str = ""
    membership: str = ""
    languages: tuple[str, ...] = ("English",)


class ProductTalk(Protocol):
    """Products: found, shown, told of."""

    def recommend(self, conversation_id: str, *, query: str | None = None, wants_coupon: bool = False) -> Answer:
        """Ask the core for a slate; `query` makes it a search."""
        ...

    def search(self, conversation_id: str, wish: Wish, *, seen: frozenset[str] = frozenset(), size: int = 5) -> Found:
        """Return what fits the wish, without what was `seen`."""
        ...

    def show(self, conversation_id: str, product_ids: Sequence[str]) -> Answer:
        """Return cards of these products, as far as they may be shown, in this order."""
        ...

    def products(self, product_ids: Sequence[str]) -> list[Product]:
        """Return the products that exist, in this order."""
        ...

    def knows(self, word: str) -> bool:
        """Whether a word stands in the catalogue as it is written."""
        ...

    def names(self, text: str) -> list[tuple[str, str]]:
        """Return what the text names of the catalogue: ("product", "category" or "brand", the name), typos mended."""
        ...

    def promotion(self, conversation_id: str, product_id: str) -> str | None:
        """Return how a product is promoted now ("display", "mailer"), None when it is not."""
        ...

    def why(self, conversation_id: str) -> Answer:
        """Explain the last slate of the conversation, item by item; an empty answer when there was none."""
        ...


class BasketTalk(Protocol):
    """The basket of the shopper, which the shop's page shows too."""

    def basket(self, conversation_id: str) -> Basket:
        """Return what is in it."""
        ...

    def basket_add(self, conversation_id: str, product_id: str, quantity: int = 1) -> Basket:
        """Put more in."""
        ...

    def basket_put(self, conversation_id: str, product_id: str, quantity: int) -> Basket:
        """Make it so many pieces; none takes it out."""
        ...

    def basket_clear(self, conversation_id: str) -> Basket:
        """Take everything out."""
        ...

    def last_order(self, conversation_id: str) -> Remembered:
        """Return what was in the last order."""
        ...

    def usual(self, conversation_id: str) -> Remembered:
        """Return what is bought again and again."""
        ...


class CouponTalk(Protocol):
    """Coupons that the shopper holds, and why one does not work."""

    def coupons(self, conversation_id: str) -> list[HeldCoupon]:
        """Return the shopper's coupons, newest first."""
        ...

    def check_coupon(self, conversation_id: str, code: str) -> CouponCheck:
        """Return what the till would say to this code and the basket as it is."""
        ...


class AccountTalk(Protocol):
    """The member, what is stored, and what they agreed to."""

    def is_member(self, conversation_id: str) -> bool:
        """Whether the shopper is known."""
        ...

    def granted(self, conversation_id: str) -> frozenset[str]:
        """Return the purposes that the member agreed to; none for a visitor."""
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

    def forget_chat(self, conversation_id: str) -> str:
        """Delete this conversation; return the receipt's number."""
        ...

    def erase(self, conversation_id: str) -> Answer:
        """Delete the member and everything about them."""
        ...

    def grant_profiling(self, conversation_id: str) -> Answer:
        """Record consent to profiling and personal offers."""
        ...

    def withdraw(self, conversation_id: str, purposes: Collection[str]) -> None:
        """Take consents back, and what follows from them."""
        ...

    def rate(self, conversation_id: str, score: int, about: str) -> None:
        """Keep a rating from 1 to 5 as an event."""
        ...


class OrderTalk(Protocol):
    """The order service."""

    def order_service(self, conversation_id: str) -> OrderService | None:
        """Return the shop's order service; None when the shop has connected no orders that can be changed."""
        ...

    def customer(self, conversation_id: str) -> str:
        """Return the customer who is signed in; "" for nobody, and for a member without an account at the order service."""
        ...


class ShopAssistant(ProductTalk, BasketTalk, CouponTalk, AccountTalk, OrderTalk, Protocol):
    """What the actions ask the rest of Aisle; every call is about one conversation and answers from its own rights."""

    def handoff(self, conversation_id: str) -> Answer:
        """Queue the conversation for a person; the answer's `act` tells how long that takes."""
        ...

    def shop(self) -> ShopFacts:
        """Return what the retailer tells of the shop."""
        ...

    def store_hours(self) -> str:
        """Tell when the store is open."""
        ...
