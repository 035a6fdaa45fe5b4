"""Actions: what a waiting flow hears, what a digression leads back to, and what someone in distress is spared."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from chatbot.actions import AssistantAction
from chatbot.actions.registry import NOT_AN_ANSWER, _flows, awaits, handlers
from chatbot.actions.say import Say
from chatbot.ports import MEMORY, Answer, ShopAssistant
from chatbot.voice import Voice
from chatbot.voice.responses import Line

VOICE = Voice(
    {
        "shop.hours": (Line("Open {hours}!"),),
        "conversation.deny": (Line("All right."),),
        "conversation.failed": (Line("That did not work."),),
        "people.feedback": (Line("Thank you. Pass it on, and our staff read it."),),
        "parcel.take": (Line("Number {number} it is."),),
        "parcel.reminder": (Line("Back to your parcel: which number?"),),
    }
)


class Shop:
    """Knows when it is open."""

    def store_hours(self) -> str:
        return "always"

    def knows(self, _: str) -> bool:
        return False

    def recommend(self, *_: Any, **__: Any) -> Answer:
        raise ConnectionError


@pytest.fixture(autouse=True)
def parcel() -> Iterator[None]:
    @awaits("parcel", also=("coupon",))
    def _take(assistant: ShopAssistant, say: Say) -> Any:
        if not say.text.isdigit():
            return NOT_AN_ANSWER
        say("parcel.take", number=say.text)
        return [SlotSet("awaiting", None)]

    yield
    del _flows["parcel"]


def run(action: str, text: str = "", *, awaiting: str | None = None, state: str = "neutral", **metadata: Any) -> Any:
    """Return the messages and the slots that the action sets."""
    dispatcher = CollectingDispatcher()
    tracker = Tracker(
        "c",
        {"awaiting": awaiting},
        {"text": text, "metadata": {"state": state, **metadata}},
        [],
        False,
        None,
        {},
        action,
    )
    assistant: Any = Shop()
    done = asyncio.run(AssistantAction(action, handlers()[action], assistant, VOICE).run(dispatcher, tracker, {}))
    said = [message["custom"] for message in dispatcher.messages]
    return said, {event["name"]: event["value"] for event in done}


@pytest.mark.parametrize("action", ["action_inform", "action_clarify", "action_out_of_scope", "action_coupon"])
def test_a_waiting_flow_hears_the_answer_however_it_was_understood(action: str) -> None:
    said, slots = run(action, "4711", awaiting="parcel")
    assert [message["act"] for message in said] == ["parcel.take"]
    assert slots == {"mood": "neutral", "awaiting": None, "misunderstood": 0.0}


def test_a_digression_is_answered_and_the_flow_taken_up_again() -> None:
    said, _ = run("action_store_hours", "when are you open", awaiting="parcel")
    assert [message["text"] for message in said] == ["Open always!", "Back to your parcel: which number?"]


def test_what_does_not_answer_the_question_is_handled_as_a_digression() -> None:
    said, _ = run("action_deny", "no", awaiting="parcel")
    assert [message["act"] for message in said] == ["conversation.deny", "parcel.reminder"]


def test_without_a_flow_nothing_is_taken_up() -> None:
    said, _ = run("action_store_hours")
    assert [message["act"] for message in said] == ["shop.hours"]


def test_someone_in_distress_is_not_shouted_at_and_is_offered_a_human() -> None:
    [message], _ = run("action_store_hours", state="angry")
    assert message["text"] == "Open always."
    assert message["quick_replies"][-1] == {"title": "Talk to a human", "text": "talk to a human"}


def test_when_the_shop_fails_the_shopper_is_told() -> None:
    [message], slots = run("action_recommend")
    assert (message["act"], slots) == ("conversation.failed", {"mood": "neutral"})


def test_what_a_dialogue_remembers_comes_with_the_message_whichever_rasa_hears_it() -> None:
    memory: Any = {MEMORY: {"slots": {"awaiting": "parcel"}, "said": ["Hello."]}}
    [taken], _ = run("action_deny", "7", awaiting="stale", **memory)
    assert taken["act"] == "parcel.take"
    assert taken[MEMORY] == {
        "slots": {"misunderstood": 0.0},
        "said": ["Hello.", "Number 7 it is."],
        "act": "parcel.take",
    }


def test_an_opinion_can_be_passed_on_to_staff_in_the_shoppers_own_words() -> None:
    wrote = "Ich finde die Auswahl etwas klein"
    [message], _ = run("action_feedback", wrote, said=wrote, reads="de")
    replies = {reply["title"]: reply["text"] for reply in message["quick_replies"]}
    assert replies["Pass it on"] == f"/leave_message {wrote}"


def test_rasa_is_told_how_the_shopper_feels_with_every_message_that_says_so() -> None:
    memory: Any = {MEMORY: {"slots": {"mood": "content"}, "said": ["Hello."]}}
    [message], slots = run("action_store_hours", state="angry", **memory)
    assert slots["mood"] == "angry"
    assert "mood" not in message[MEMORY]["slots"]
    _, slots = run("action_store_hours", state="")
    assert "mood" not in slots


def test_without_a_gateway_that_remembers_the_tracker_counts() -> None:
    [taken], _ = run("action_deny", "7", awaiting="parcel")
    assert MEMORY not in taken
