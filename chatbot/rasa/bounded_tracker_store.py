"""Rasa's memory of conversations with an end: runs inside Rasa's own environment, named by endpoints.yml.

Rasa reads, replays, writes and sends to the action the whole history with every message, and `InMemoryTrackerStore` forgets
nothing (its `max_event_history` has no effect in 3.6). What matters lasts a few turns; the rest is in Aisle's own store.
"""

from __future__ import annotations

from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.trackers import DialogueStateTracker

MOST_EVENTS = 20  # some three turns
MOST_CONVERSATIONS = 10_000


class BoundedTrackerStore(InMemoryTrackerStore):
    """Keeps the latest events of the latest conversations."""

    def init_tracker(self, sender_id: str) -> DialogueStateTracker:
        """Return an empty tracker that lets go of its oldest events."""
        return DialogueStateTracker(sender_id, self.domain.slots, max_event_history=MOST_EVENTS)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Save as the latest conversation, and let the one that was silent for longest go."""
        self.store.pop(tracker.sender_id, None)
        await super().save(tracker)
        while len(self.store) > MOST_CONVERSATIONS:
            del self.store[next(iter(self.store))]
