"""What a message means after the answer before it."""

from __future__ import annotations

from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from chatbot.actions.meaning import meant
from chatbot.actions.say import Say
from chatbot.voice import default_voice

SHOWN = {"wish": {"query": "soap"}, "pages": [["1", "2", "3"]]}


def heard(text: str, taken: str, last: str, *, confidence: float = 0.9, shown: bool = False) -> str:
    """Return what a message means that was taken for something, after an answer with the act `last`."""
    told = {"event": "bot", "data": {"custom": {"act": last, "text": "…"}}}
    latest = {"text": text, "intent": {"name": taken, "confidence": confidence}}
    slots: dict[str, Any] = {"search_state": SHOWN} if shown else {}
    return meant(
        Say(CollectingDispatcher(), Tracker("c", slots, latest, [told], False, None, {}, None), default_voice())
    )


@pytest.mark.parametrize(
    ("last", "text", "taken", "intent"),
    [
        ("shop.hours", "what about saturdays", "coupon", "store_hours"),
        ("shop.delivery", "how much is that?", "basket_show", "delivery_info"),
        ("coupon.given", "until when?", "product_details", "coupon_status"),
        ("coupon.status.one", "the code is XK7", "inform", "coupon_problem"),
        ("basket.added", "what have i got so far", "what_do_you_know", "basket_show"),
        ("basket.shown", "clear it all", "forget_everything", "basket_remove"),
        ("basket.added", "make the rice 4", "product_search", "basket_add"),
        ("account.knowledge", "erase all that", "basket_remove", "forget_me"),
        ("order.unmanaged", "how many days do i have for that", "what_do_you_know", "return_policy"),
        ("conversation.greet", "what about saturdays", "coupon", "coupon"),
    ],
)  # fmt: skip
def test_the_answer_before_says_what_is_meant(last: str, text: str, taken: str, intent: str) -> None:
    assert heard(text, taken, last) == intent


@pytest.mark.parametrize(
    ("text", "taken", "intent"),
    [
        ("I'd like the third", "pick_item", "basket_add"),
        ("how much is number two", "basket_show", "product_details"),
        ("not Palmolive", "clarify", "refine_search"),
        ("no problem", "affirm", "affirm"),
        ("does it come in another colour", "stock", "refine_search"),
        ("tell me about the last one", "pick_item", "pick_item"),
    ],
)
def test_what_is_said_of_what_is_shown(text: str, taken: str, intent: str) -> None:
    assert heard(text, taken, "search.found", shown=True) == intent
    if intent == "basket_add":
        assert heard(text, taken, "conversation.greet") == taken


@pytest.mark.parametrize("taken", ["pick_item", "inform", "affirm", "stock", "compare"])
@pytest.mark.parametrize(
    "text",
    [
        "I'll take it back to the shop", "can I get it delivered", "can I have that in writing", "can I have that explained", "I'll take it tomorrow", "I'd like it gift wrapped", "I want that refunded",
        "I get it", "I have this at home already", "I take it you are closed", "I want it to be cheaper", "can I get it by friday", "I'll have it checked first", "can i have them for free", "I want the first refunded",
        "could I get the second delivered on sunday", "I'd like this fixed", "can I get that by email", "i'll buy that elsewhere", "I'll take the first one next time", "give me it in writing",
    ],
)  # fmt: skip
def test_what_is_only_spoken_of_is_not_taken(text: str, taken: str) -> None:
    assert heard(text, taken, "search.found", shown=True) != "basket_add"


@pytest.mark.parametrize(
    "text",
    [
        "I'll take it", "yes I'll take it please", "ok, I'll have that one then", "give me those", "I'd like the third", "can I have the second please", "I'll go with the cheaper one", "I want this", "great, I'll buy that",
        "could I get two of those, thanks", "I'll take both of them", "I'll have it for my mum", "we'll take them", "fine, I want the last one",
    ],
)  # fmt: skip
def test_what_is_taken_goes_into_the_basket(text: str) -> None:
    assert heard(text, "pick_item", "search.found", shown=True) == "basket_add"
