"""The order service as Rasa's actions: what a waiting question hears, and what is a digression from it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from chatbot.actions import AssistantAction
from chatbot.actions.registry import handlers
from chatbot.orders.policy import load_policy
from chatbot.orders.service import OrderService
from chatbot.ports import Answer
from chatbot.voice import default_voice
from tests.chatbot.orders.shop import small_book


class Shop:
    """A shop with the small order book, or with none."""

    def __init__(self, *, managed: bool = True, signed_in: str = "") -> None:
        self.book = small_book()
        self._service = OrderService(self.book, load_policy()) if managed else None
        self._signed_in = signed_in

    def order_service(self, _: str) -> OrderService | None:
        return self._service

    def customer(self, _: str) -> str:
        return self._signed_in

    def names(self, _: str) -> list[tuple[str, str]]:
        return []

    def orders(self, _: str) -> Answer:
        return Answer("You bought milk.")

    def store_hours(self) -> str:
        return "always"

    def handoff(self, _: str) -> Answer:
        return Answer("Somebody comes.")


class Chat:
    """Runs one action after the other with the slots that the last one left."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.slots = shop, dict[str, Any]()

    def hear(self, intent: str, text: str) -> list[str]:
        dispatcher = CollectingDispatcher()
        latest = {"text": text, "intent": {"name": intent}, "metadata": {"conversation_id": "c"}}
        action = f"action_{intent}"
        tracker = Tracker("c", dict(self.slots), latest, [], False, None, {}, action)
        assistant: Any = self.shop
        step = AssistantAction(action, handlers()[action], assistant, default_voice())
        for event in asyncio.run(step.run(dispatcher, tracker, {})):
            self.slots[event["name"]] = event["value"]
        return [message["custom"]["act"] for message in dispatcher.messages]


def test_an_order_is_cancelled_over_several_turns() -> None:
    chat = Chat(Shop())
    assert chat.hear("order_cancel", "cancel my order #A100001") == ["order.identify.ask"]
    assert chat.hear("inform", "nora.fields@example.com") == ["order.identified", "order.reason"]
    assert chat.hear("inform", "no longer needed") == ["order.cancel.confirm"]
    assert chat.hear("affirm", "yes") == ["order.cancel.done", "order.anything_else"]
    assert chat.shop.book.by_id["#A100001"].status == "cancelled"


@pytest.mark.parametrize("intent", ["refine_search", "product_search", "chitchat", "clarify", "basket_add"])
def test_an_answer_is_heard_however_it_was_understood(intent: str) -> None:
    chat = Chat(Shop(signed_in="nora_fields_1001"))
    chat.hear("order_return", "return the mug from A100002")
    assert chat.slots["awaiting"] == "order"
    assert chat.hear(intent, "visa card please") == ["order.return.confirm"]


def test_a_digression_is_answered_and_the_question_comes_again() -> None:
    chat = Chat(Shop(signed_in="nora_fields_1001"))
    chat.hear("order_cancel", "cancel my order #A100001")
    assert chat.hear("store_hours", "by the way, when are you open?") == ["shop.hours", "order.reason"]


def test_before_the_shopper_is_known_a_digression_does_not_count_as_a_wrong_proof() -> None:
    chat = Chat(Shop())
    chat.hear("order_status", "where is my parcel")
    assert chat.hear("store_hours", "when are you open?") == ["shop.hours", "order.identify.again"]


def test_a_shop_without_connected_orders_says_so() -> None:
    chat = Chat(Shop(managed=False))
    assert chat.hear("order_cancel", "cancel my order") == ["order.unmanaged"]
    assert chat.hear("order_history", "what did I buy?") == ["order.history"]


def test_a_no_after_everything_is_done_belongs_to_the_conversation() -> None:
    chat = Chat(Shop(signed_in="nora_fields_1001"))
    chat.hear("order_status", "where is order A100003?")
    assert chat.hear("deny", "no thanks") == ["conversation.deny"]


def test_the_wish_that_was_said_before_the_proof_is_gone_on_with() -> None:
    chat = Chat(Shop())
    assert chat.hear("order_change_items", "in A100001 I'd rather have the lamp in black") == ["order.identify.ask"]
    [first, second, *_] = chat.hear("inform", "nora.fields@example.com")
    assert first == "order.identified"
    assert second not in {"order.unclear.start", "order.ready"}


def test_wish_and_proof_may_come_in_one_message_that_was_taken_for_something_else() -> None:
    for text in (
        "my mail is nora.fields@example.com, please cancel order #A100001",
        "cancel A100001 - nora.fields@example.com",
    ):
        chat = Chat(Shop())
        assert chat.hear("inform", text) == ["order.identified", "order.reason"]


def test_who_gives_only_their_address_is_asked_what_for() -> None:
    chat = Chat(Shop())
    assert chat.hear("inform", "it's nora.fields@example.com") == ["order.identified", "order.ready"]
    assert chat.hear("inform", "A100003") == ["order.told.status"]


@pytest.mark.parametrize("text", ["ah never mind", "leave it please", "i changed my mind"])
def test_an_end_is_an_end_before_and_after_the_proof(text: str) -> None:
    chat = Chat(Shop())
    chat.hear("order_return", "send back the mug")
    assert chat.hear("inform", text) == ["order.dropped"]
    assert chat.slots["awaiting"] is None
    chat = Chat(Shop(signed_in="nora_fields_1001"))
    chat.hear("order_return", "return the mug from A100002")
    assert "order.dropped" in chat.hear("refine_search", text)
    assert not chat.shop.book.changes


def test_an_order_that_is_not_theirs_is_not_taken_for_one_that_is() -> None:
    chat = Chat(Shop(signed_in="nora_fields_1001"))
    assert chat.hear("order_cancel", "cancel order #B999999") == ["order.unknown_order"]
    assert chat.hear("inform", "sorry, A100001") == ["order.reason"]


def test_a_person_is_fetched_out_of_an_open_question() -> None:
    chat = Chat(Shop(signed_in="nora_fields_1001"))
    chat.hear("order_return", "return the mug from A100002")
    assert chat.hear("inform", "no. let me talk to somebody from your team") == ["handoff.told"]
