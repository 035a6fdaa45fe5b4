"""What a dialogue remembers from one message to the next. It travels with the messages, not with a process.

The gateway keeps it beside the conversation and sends it with the next message, so that any Rasa can take that one: another, or
the same after a restart. Whoever talks to Rasa without a gateway sends none, and Rasa's own tracker counts.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker

from chatbot.ports import MEMORY

MOOD = "mood"  # a slot that every message tells anew
SAID = 6  # of the assistant's latest texts, so that it does not repeat its words


def recall(tracker: Tracker) -> list[tuple[str, str]] | None:
    """Set the tracker's slots to what came with the message; return what was said before as (act, text), or None when nothing came.

    Of the acts only the last one is kept.

    A second action of the same turn goes on with the slots that the first one left.
    """
    memory = (tracker.latest_message.get("metadata") or {}).get(MEMORY)
    if memory is None or _acted(tracker):
        return None
    slots = memory.get("slots", {})
    tracker.slots = {name: slots.get(name) for name in {*tracker.slots, *slots}}
    said, act = list(memory.get("said", [])), str(memory.get("act") or "")
    return [(act if at == len(said) - 1 else "", text) for at, text in enumerate(said)]


def remember(tracker: Tracker, events: list[dict[str, Any]], said: list[str], act: str) -> dict[str, Any]:
    """Return what the next message is to bring along, after an action that led to `events`."""
    slots = dict(tracker.slots)
    for event in events:
        if event.get("event") == "restart":
            slots, said, act = {}, [], ""
        elif event.get("event") == "slot":
            slots[event["name"]] = event["value"]
    anew = {MOOD, "session_started_metadata"}
    kept = {name: value for name, value in slots.items() if value is not None and name not in anew}
    return {"slots": kept, "said": said[-SAID:], "act": act}


def _acted(tracker: Tracker) -> bool:
    for event in reversed(tracker.events or []):
        if event.get("event") == "user":
            return False
        if event.get("event") in {"slot", "bot"}:
            return True
    return False
