"""Rasa's custom actions. They run inside the api, ask the `ShopAssistant`, and answer by acts that the voice words.

A handler is registered with `@on("name")` for the action `action_name`. A flow that waits for an answer sets the slot `awaiting`
to its name; what could be that answer then goes to the flow's `@awaits("name")` handler. Anything else is a digression: it is
answered, and `NAME.reminder`, where there is such a response, takes the flow up again.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import structlog
from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher

from chatbot.actions import account, basket, conversation, coupon, orders, people, products, search, shop  # noqa: F401 - they register themselves
from chatbot.actions.meaning import meant
from chatbot.actions.registry import ANSWERS, NO_REMINDER, NOT_AN_ANSWER, Flow, Handler, flows, handlers
from chatbot.actions.say import ASK_MORE, HUMAN, Say
from chatbot.intents import INTENTS
from chatbot.once import running
from chatbot.ports import ShopAssistant
from chatbot.voice import Voice, default_voice
from personalization.types import Product

__all__ = ["AssistantAction", "build_executor"]
log = structlog.get_logger(__name__)
Events = list[dict[str, Any]]
LOST = {"action_clarify", "action_out_of_scope"}


class AssistantAction(Action):
    """One named action: runs its handler on a thread, since the assistant's calls block."""

    def __init__(self, name: str, handler: Handler, assistant: ShopAssistant, voice: Voice) -> None:
        self._name, self._handler, self._assistant, self._voice = name, handler, assistant, voice

    def name(self) -> str:
        """Return the name that the domain uses."""
        return self._name

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> Events:
        """Run the handler; when it fails the shopper reads that, and what to do, instead of nothing."""
        say = Say(dispatcher, tracker, self._voice, self._in_catalogue)
        events: Events = []
        try:
            with running((tracker.latest_message.get("metadata") or {}).get("message_id"), self._name):
                events = await asyncio.to_thread(self._turn, say)
        except Exception as error:
            log.exception("action failed", action=self._name, kind=type(error).__name__)
            say("conversation.failed", replies=[HUMAN])
        say.remember(events)
        return [*say.felt, *events]  # first, so that what forgets the conversation forgets it, too

    def _in_catalogue(self, word: str) -> bool:
        return self._assistant.knows(word)

    def _held(self, say: Say) -> list[Product]:
        return [line.product for line in self._assistant.basket(say.conversation_id).lines]

    def _names(self, text: str) -> list[tuple[str, str]]:
        return self._assistant.names(text)

    def _turn(self, say: Say) -> Events:
        name, handler = self._name, self._handler
        if (
            intent := meant(say, partial(self._held, say), self._names, self._in_catalogue)
        ) != say.intent and f"action_{intent}" in handlers():
            say.intent, name, handler = intent, f"action_{intent}", handlers()[f"action_{intent}"]
        waiting = say.slot("awaiting")
        flow = flows().get(str(waiting)) if waiting else None
        if flow is not None and (name in ANSWERS or name in flow.also):
            done = flow.handler(self._assistant, say)
            if done is not NOT_AN_ANSWER:
                return [*(done or []), SlotSet("misunderstood", 0.0)]
        events: Events = handler(self._assistant, say) or []
        if flow is not None and name not in NO_REMINDER and not _moves(events):
            events = [*events, *self._remind(say, flow)]
        understood = name not in LOST
        return [*events, *([SlotSet("misunderstood", 0.0)] if understood else [])]

    def _remind(self, say: Say, flow: Flow) -> Events:
        if flow.reminder is not None:
            return flow.reminder(self._assistant, say) or []
        if say.voice.knows(f"{flow.name}.reminder"):
            say(f"{flow.name}.reminder")
        return []


def _moves(events: Events) -> bool:
    """Whether a handler started, changed or ended a flow itself."""
    return any(event.get("event") == "slot" and event.get("name") == "awaiting" for event in events)


class _Executor(ActionExecutor):
    """Takes calls without the domain, which no action reads: Rasa leaves it out (`chatbot/rasa/endpoints.yml`)."""

    async def run(self, action_call: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Run the action that is called, and return its answer."""
        return await super().run({"domain": {}, **action_call}, *args, **kwargs)


def build_executor(assistant: ShopAssistant, voice: Voice | None = None) -> ActionExecutor:
    """Return an executor that knows every action of the domain; what has no handler yet says so."""
    executor = _Executor()
    for name, handler in ({f"action_{intent}": _not_yet for intent in INTENTS} | dict(handlers())).items():
        executor.register_action(AssistantAction(name, handler, assistant, voice or default_voice()))
    return executor


def _not_yet(assistant: ShopAssistant, say: Say) -> None:
    say("conversation.not_yet", replies=[HUMAN, *ASK_MORE[:2]])
