"""News of conversations on their way to who follows them: in process, or through Redis when several api processes serve them."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import redis
import redis.asyncio
import structlog

from api.patience import PatientRedis
from stores.database import new_id

log = structlog.get_logger(__name__)
_CHANNEL = "aisle:talk:2:"  # processes of a release that said less share none with these
_RETRY_S = 1.0
_WAITING, _LATE_S = 1_000, 2.0  # what waits to be told to other processes, and how long it is news
DESK = "desk"
"""The channel that agents follow: something in the queue, or in a conversation of a person, has changed."""


class TalkBus(Protocol):
    """Tell from any thread; listen from the event loop. What is told is a hint: the store has the messages."""

    def tell(self, channel: str, event: str, data: dict[str, Any] | None = None) -> None:
        """Tell everybody who listens to the conversation, or to the desk."""
        ...

    def listen(self, channel: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Yield events from now on."""
        ...


class LocalTalk:
    """For one api process."""

    def __init__(self) -> None:
        self._listeners: dict[
            str, set[tuple[asyncio.AbstractEventLoop, asyncio.Queue[tuple[str, dict[str, Any]]]]]
        ] = {}

    def tell(self, channel: str, event: str, data: dict[str, Any] | None = None) -> None:
        """See TalkBus."""
        for loop, heard in list(self._listeners.get(channel, ())):
            with suppress(RuntimeError):  # a loop that has ended listens no more
                loop.call_soon_threadsafe(heard.put_nowait, (event, data or {}))

    async def listen(self, channel: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """See TalkBus."""
        with self.ear(channel) as heard:
            while True:
                yield await heard.get()

    @contextmanager
    def ear(self, channel: str) -> Iterator[asyncio.Queue[tuple[str, dict[str, Any]]]]:
        """Yield a queue into which comes what is told while the block runs."""
        entry = (asyncio.get_running_loop(), asyncio.Queue[tuple[str, dict[str, Any]]]())
        self._listeners.setdefault(channel, set()).add(entry)
        try:
            yield entry[1]
        finally:
            self._listeners[channel].discard(entry)
            if not self._listeners[channel]:
                del self._listeners[channel]


class RedisTalk:
    """For several api processes. While Redis is away every process hears itself only, and looks into the store now and then.

    A thread tells the others, so that nobody who tells waits for Redis; what it cannot pass on in time is dropped.
    """

    def __init__(self, url: str) -> None:
        self._url, self._own, self._me = url, LocalTalk(), new_id()
        self._redis = PatientRedis(url)
        self._due = queue.Queue[tuple[float, str, str]](_WAITING)
        threading.Thread(target=self._pass_on, name="talk", daemon=True).start()

    def tell(self, channel: str, event: str, data: dict[str, Any] | None = None) -> None:
        """See TalkBus."""
        self._own.tell(channel, event, data)
        with suppress(queue.Full):
            self._due.put_nowait((time.monotonic(), channel, json.dumps([self._me, event, data or {}])))

    def _pass_on(self) -> None:
        while True:
            told_at, channel, text = self._due.get()
            if time.monotonic() - told_at > _LATE_S:
                continue
            try:
                self._redis.do(lambda client, to=channel, what=text: client.publish(_CHANNEL + to, what))  # type: ignore[misc]
            except redis.RedisError as error:
                log.warning("who follows a conversation hears late", kind=type(error).__name__)

    async def listen(self, channel: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """See TalkBus."""
        with self._own.ear(channel) as heard:
            others = asyncio.create_task(self._hear_others(channel, heard))
            try:
                while True:
                    yield await heard.get()
            finally:
                others.cancel()

    async def _hear_others(self, channel: str, heard: asyncio.Queue[tuple[str, dict[str, Any]]]) -> None:
        while True:
            client = redis.asyncio.Redis.from_url(self._url, decode_responses=True)
            try:
                async with client.pubsub() as told:
                    await told.subscribe(_CHANNEL + channel)
                    async for message in told.listen():
                        if message["type"] == "message":
                            by, event, data = json.loads(message["data"])
                            if by != self._me:  # what is told here is heard already
                                heard.put_nowait((event, data))
            except redis.RedisError as error:
                log.warning("not listening to other processes", kind=type(error).__name__)
            finally:
                await client.aclose()
            await asyncio.sleep(_RETRY_S)
