"""The shop itself: when it is open."""

from __future__ import annotations

from chatbot.actions.registry import on
from chatbot.actions.say import ASK_MORE, Say
from chatbot.ports import ShopAssistant


@on("store_hours")
def _hours(assistant: ShopAssistant, say: Say) -> None:
    say("shop.hours", replies=ASK_MORE[:1], hours=assistant.store_hours())
