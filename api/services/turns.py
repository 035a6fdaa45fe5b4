"""One thing at a time for each key, such as a conversation: whoever comes second waits, or gets the first one's answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

MOST_KEPT = 2_000


class Turns:
    """Locks by key, which exist only while somebody holds one or waits for it."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        """Hold the turn of `key`; turns are given in the order in which they are asked for."""
        lock, wanted = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = lock, wanted + 1
        try:
            async with lock:
                yield
        finally:
            lock, wanted = self._locks.pop(key)
            if wanted > 1:
                self._locks[key] = lock, wanted - 1


class Once:
    """Does what it is asked for once per key, and remembers the latest answers: whoever asks again gets the same one.

    It knows of its own process only; what must not be done twice whatever happens has a name of its own (`chatbot.once`).
    """

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[Any]] = {}

    async def do(self, key: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """Return what `work` returned when it was first asked for; it goes on when who asked has gone. What failed is tried anew."""
        task = self._tasks.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._tasks[key] = asyncio.ensure_future(work())
            while len(self._tasks) > MOST_KEPT:
                del self._tasks[next(iter(self._tasks))]
        return await asyncio.shield(task)
