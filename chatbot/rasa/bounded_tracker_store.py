"""Rasa's memory of conversations with an end: runs inside Rasa's own environment, named by endpoints.yml.

Rasa reads, replays, writes and sends to the action the whole history with every message, and `InMemoryTrackerStore` forgets
nothing (its `max_event_history` has no effect in 3.6). What matters lasts a few turns; the rest is in Aisle's own store.
A slot outlives the event that set it, so that a flow is taken up again however long its shopper talked of something else.
"""

from __future__ import annotations

import json
from typing import Any

from action_calls import install
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.events import SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

MOST_EVENTS = 20  # some three turns
MOST_CONVERSATIONS = 10_000
MEMORY = "dialogue_memory"


class BoundedTrackerStore(InMemoryTrackerStore):
    """Keeps the slots and the latest events of the latest conversations."""

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Save as the latest conversation, and let the one that was silent for longest go."""
        await self.stream_events(tracker)
        slots = [SlotSet(name, slot.value) for name, slot in tracker.slots.items() if slot.value != slot.initial_value]
        dialogue = tracker.as_dialogue()
        dialogue.events = [*slots, *list(dialogue.events)[-max(MOST_EVENTS - len(slots), 1) :]]
        self.store.pop(tracker.sender_id, None)
        self.store[tracker.sender_id] = json.dumps(_forgetting(dialogue.as_dict()))
        while len(self.store) > MOST_CONVERSATIONS:
            del self.store[next(iter(self.store))]


def _forgetting(value: Any) -> Any:
    """Return a dialogue without the memory that travels with its messages (`chatbot.actions.memory`): it has had its use."""
    if isinstance(value, dict):
        return {name: _forgetting(inner) for name, inner in value.items() if name != MEMORY}
    return [_forgetting(inner) for inner in value] if isinstance(value, list) else value


install()  # whoever serves loads this module, as endpoints.yml names it
