"""The sign that an answer is being made: on as soon as a message has come, off when nothing is in the making any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from api.talk import TalkBus


class TypingSign:
    """Tells who follows a conversation. Of several messages at once the last one that is answered takes the sign away."""

    def __init__(self, talk: TalkBus) -> None:
        self._talk, self._making = talk, Counter[str]()

    @contextmanager
    def shown(self, conversation_id: str) -> Iterator[None]:
        """Show the sign while the block runs. Begin it before anything is read, stored or waited for."""
        self._making[conversation_id] += 1
        self._talk.tell(conversation_id, "typing", {"role": "bot", "on": True})
        try:
            yield
        finally:
            self._making[conversation_id] -= 1
            if not self._making[conversation_id]:
                del self._making[conversation_id]
                self._talk.tell(conversation_id, "typing", {"role": "bot", "on": False})
