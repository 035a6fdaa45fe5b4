"""Where people come in: complaints, opinions, and the wish to talk to somebody."""

from __future__ import annotations

from typing import Any

from rasa_sdk.events import SlotSet

from chatbot.actions.registry import on
from chatbot.actions.say import ASK_MORE, HUMAN, Say
from chatbot.handoff import LEAVE_MESSAGE
from chatbot.ports import ShopAssistant
from chatbot.shopping.amounts import rating


@on("complaint")
def _complaint(assistant: ShopAssistant, say: Say) -> Any:
    say("people.complaint", replies=[HUMAN, ("No, go on", "no thanks")])
    return [SlotSet("asked", "human")]


@on("feedback")
def _feedback(assistant: ShopAssistant, say: Say) -> None:
    score = rating(say.text)
    if score is None:
        replies = [("Five stars", "5 stars"), ("Three stars", "3 stars"), ("One star", "1 star")]
        say("people.feedback", replies=[("Pass it on", f"{LEAVE_MESSAGE} {say.wrote}"), *replies])
        return
    assistant.rate(say.conversation_id, score, "chat")
    if score <= 2:
        say("people.feedback.low", replies=[HUMAN], score=score)
    else:
        say("people.feedback.rated", replies=ASK_MORE[:1], score=score)


@on("human")
def _human(assistant: ShopAssistant, say: Say) -> None:
    hand_over(assistant, say)


def hand_over(assistant: ShopAssistant, say: Say) -> None:
    """Fetch a person, and tell what that takes."""
    told = assistant.handoff(say.conversation_id)
    if told.act:
        say(told.act, told, list(told.replies), **told.values)
    else:
        say("handoff.told", told, outcome=told.text)
