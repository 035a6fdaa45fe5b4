"""What is done for a message is done once, though the message is answered again: by a second Rasa, or after a crash of the api."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Run:
    """One run of an action for a message; a later run for the same message has the same `key`."""

    key: str
    _changes: Counter[str] = field(default_factory=Counter)

    def name(self, what: str) -> str:
        """Return what the next change of `what` is called, 64 hex digits that tell nobody which: in a later run it has this name again."""
        self._changes[what] += 1
        told = f"{self.key}\n{what}\n{self._changes[what]}"
        return hashlib.blake2b(told.encode(), digest_size=32).hexdigest()


_running: ContextVar[Run | None] = ContextVar("running", default=None)


@contextmanager
def running(message_id: str | None, action: str) -> Iterator[None]:
    """Let what is done inside, in threads that are begun there, too, be done once for the message; without one, each time."""
    token = _running.set(Run(f"{message_id} {action}") if message_id else None)
    try:
        yield
    finally:
        _running.reset(token)


def change_of(what: str) -> str | None:
    """Return the name of the next change of `what` that the running action makes; None where any change is a new one."""
    run = _running.get()
    return run.name(what) if run else None
