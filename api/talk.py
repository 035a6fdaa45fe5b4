"""News of conversations on their way to who follows them: in process, or through Redis when several api processes serve them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Protocol

import redis
import redis.asyncio
import structlog

log = structlog.get_logger(__name__)
_CHANNEL = "aisle:talk:"
_PATIENCE_S = 1.0
_RETRY_S = 1.0
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
        for loop, queue in list(self._listeners.get(channel, ())):
            with suppress(RuntimeError):  # a loop that has ended listens no more
                loop.call_soon_threadsafe(queue.put_nowait, (event, data or {}))

    async def listen(self, channel: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """See TalkBus."""
        entry = (asyncio.get_running_loop(), asyncio.Queue[tuple[str, dict[str, Any]]]())
        self._listeners.setdefault(channel, set()).add(entry)
        try:
            while True:
                yield await entry[1].get()
        finally:
            self._listeners[channel].discard(entry)
            if not self._listeners[channel]:
                del self._listeners[channel]


class RedisTalk:
    """For several api processes. While Redis is away every process hears itself only, and looks into the store now and then."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._redis = redis.Redis.from_url(url, socket_connect_timeout=_PATIENCE_S, socket_timeout=_PATIENCE_S)

    def tell(self, channel: str, event: str, data: dict[str, Any] | None = None) -> None:
        """See TalkBus."""
        try:
            self._redis.publish(_CHANNEL + channel, json.dumps([event, data or {}]))
        except redis.RedisError as error:
            log.warning("who follows a conversation hears late", kind=type(error).__name__)

    async def listen(self, channel: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """See TalkBus."""
        while True:
            client = redis.asyncio.Redis.from_url(self._url, decode_responses=True)
            try:
                async with client.pubsub() as heard:
                    await heard.subscribe(_CHANNEL + channel)
                    async for message in heard.listen():
                        if message["type"] == "message":
                            event, data = json.loads(message["data"])
                            yield event, data
            except redis.RedisError as error:
                log.warning("not listening to other processes", kind=type(error).__name__)
            finally:
                await client.aclose()
            await asyncio.sleep(_RETRY_S)
