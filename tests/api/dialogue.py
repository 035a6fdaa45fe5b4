"""A conversation with the real actions and the real assistant; the intent of each message is given instead of understood."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from api.services.assistant import Assistant
from api.services.privacy import Privacy
from chatbot.actions import AssistantAction
from chatbot.actions.registry import handlers
from chatbot.voice import default_voice
from tests.api.conftest import Api


class Dialogue:
    """Keeps slots and what was said, as Rasa's tracker does."""

    def __init__(self, api: Api, external_id: str | None = None, visitor: str = "device") -> None:
        self.assistant = Assistant(api.services, Privacy(api.services, lambda _: None))
        member = api.member(external_id).member_id if external_id else None
        self.id = api.services.conversations.start(visitor, member, at=datetime.now(UTC)).conversation_id
        self.slots: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []

    def say(self, intent: str, text: str, state: str = "neutral", **entities: str) -> dict[str, Any]:
        """Return the first message of the answer."""
        return self.all(intent, text, state, **entities)[0]

    def all(self, intent: str, text: str, state: str = "neutral", **entities: str) -> list[dict[str, Any]]:
        latest = {
            "text": text, "intent": {"name": intent}, "metadata": {"state": state, "conversation_id": self.id, **self.metadata},
            "entities": [{"entity": name, "value": value} for name, value in entities.items()],
        }  # fmt: skip
        name = f"action_{intent}" if f"action_{intent}" in handlers() else "action_clarify"
        dispatcher = CollectingDispatcher()
        tracker = Tracker(self.id, dict(self.slots), latest, list(self.events), False, None, {}, name)
        action = AssistantAction(name, handlers()[name], self.assistant, default_voice())
        for event in asyncio.run(action.run(dispatcher, tracker, {})):
            if event["event"] == "slot":
                self.slots[event["name"]] = event["value"]
            elif event["event"] == "restart":
                self.slots, self.events = {}, []
        said = [message["custom"] for message in dispatcher.messages]
        self.events += [{"event": "bot", "data": {"custom": custom}} for custom in said]
        assert said, f"no answer to {text!r}"
        return said

    @staticmethod
    def names(message: dict[str, Any]) -> list[str]:
        return [item["name"] for item in message["items"]]
