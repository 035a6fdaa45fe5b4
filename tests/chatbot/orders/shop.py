"""A small shop with an order service, made up for tests and the demo: four customers, eight orders, five products."""

from __future__ import annotations

from pathlib import Path

from chatbot.orders.flow import OrderFlow
from chatbot.orders.memory import MemoryOrderBook
from chatbot.orders.state import Out, State, load_state
from stores.importing.tau2 import read_tau2

FOLDER = Path(__file__).parents[3] / "docs" / "examples" / "order_service"


def small_book() -> MemoryOrderBook:
    shop = read_tau2(FOLDER, currency="USD")
    return MemoryOrderBook(shop.customers, shop.orders, shop.variants)


class Talk:
    """A conversation with the order service; the state goes through JSON between two messages, as in Rasa's slot."""

    def __init__(self, book: MemoryOrderBook | None = None, *, signed_in: str = "") -> None:
        self.book = book or small_book()
        self.flow, self.slot, self.signed_in = OrderFlow(self.book), State().as_json(), signed_in
        self.last: list[Out] = []

    def say(self, text: str, intent: str = "") -> list[str]:
        """Say something; return the acts of the answer."""
        state = load_state(self.slot)
        self.last = self.flow.respond(state, text, intent=intent, signed_in=self.signed_in)
        self.slot = state.as_json()
        return [out.act for out in self.last]

    @property
    def told(self) -> str:
        """Every value of the last answer."""
        return " ".join(str(value) for out in self.last for value in out.values.values())


def nora() -> Talk:
    """A conversation in which Nora Fields has said who she is."""
    talk = Talk()
    talk.say("hello, it is about my orders")
    talk.say("nora.fields@example.com")
    return talk


def omar() -> Talk:
    talk = Talk()
    talk.say("hello, it is about my orders")
    talk.say("Omar Stone, 73301")
    return talk
