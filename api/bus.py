"""Displays on their way to kiosks: in process, or through Redis when several api processes serve the same kiosks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from typing import Any, Protocol

import redis
import redis.asyncio
import structlog

from api.patience import PatientRedis

log = structlog.get_logger(__name__)
_PREFIX = "aisle:display:"
_SHOWS = "aisle:shows:"
_KEPT_S = 86_400
_RETRY_S = 1.0


class DisplayBus(Protocol):
    """Publish from any thread; listen from the event loop."""

    def publish(self, kiosk_id: str, display: dict[str, Any], *, members: Collection[str] = ()) -> None:
        """Make `display`, on which these members' own things are, the kiosk's current one and tell everybody who listens."""
        ...

    def current(self, kiosk_id: str) -> dict[str, Any] | None:
        """Return the kiosk's current display."""
        ...

    def shows(self, kiosk_id: str) -> frozenset[str]:
        """Return who is known on the current display, whichever process published it."""
        ...

    def listen(self, kiosk_id: str) -> AsyncIterator[dict[str, Any]]:
        """Yield displays from now on."""
        ...


class LocalBus:
    """For one api process."""

    def __init__(self) -> None:
        self._current: dict[str, tuple[dict[str, Any], frozenset[str]]] = {}
        self._listeners: dict[str, set[tuple[asyncio.AbstractEventLoop, asyncio.Queue[dict[str, Any]]]]] = {}

    def publish(self, kiosk_id: str, display: dict[str, Any], *, members: Collection[str] = ()) -> None:
        """See DisplayBus."""
        self._current[kiosk_id] = display, frozenset(members)
        for loop, queue in list(self._listeners.get(kiosk_id, ())):
            loop.call_soon_threadsafe(queue.put_nowait, display)

    def current(self, kiosk_id: str) -> dict[str, Any] | None:
        """See DisplayBus."""
        return self._current[kiosk_id][0] if kiosk_id in self._current else None

    def shows(self, kiosk_id: str) -> frozenset[str]:
        """See DisplayBus."""
        return self._current[kiosk_id][1] if kiosk_id in self._current else frozenset()

    async def listen(self, kiosk_id: str) -> AsyncIterator[dict[str, Any]]:
        """See DisplayBus."""
        entry = (asyncio.get_running_loop(), asyncio.Queue[dict[str, Any]]())
        self._listeners.setdefault(kiosk_id, set()).add(entry)
        try:
            while True:
                yield await entry[1].get()
        finally:
            self._listeners[kiosk_id].discard(entry)


class RedisBus:
    """For several api processes: the current display is a key, changes go through a channel.

    While Redis is away every process goes on with what it published itself.
    """

    def __init__(self, url: str) -> None:
        self._url, self._own = url, LocalBus()
        self._redis = PatientRedis(url)

    def publish(self, kiosk_id: str, display: dict[str, Any], *, members: Collection[str] = ()) -> None:
        """See DisplayBus."""
        self._own.publish(kiosk_id, display, members=members)
        text = json.dumps(display)

        def keep(client: redis.Redis) -> None:
            with client.pipeline() as pipe:
                pipe.set(_PREFIX + kiosk_id, text, ex=_KEPT_S)
                pipe.set(_SHOWS + kiosk_id, " ".join(members), ex=_KEPT_S)
                pipe.publish(_PREFIX + kiosk_id, text)
                pipe.execute()

        try:
            self._redis.do(keep)
        except redis.RedisError as error:
            log.warning("other processes do not hear of this display", kind=type(error).__name__)

    def current(self, kiosk_id: str) -> dict[str, Any] | None:
        """See DisplayBus."""
        try:
            text = self._redis.do(lambda client: client.get(_PREFIX + kiosk_id))
        except redis.RedisError:
            return self._own.current(kiosk_id)
        return None if text is None else json.loads(str(text))

    def shows(self, kiosk_id: str) -> frozenset[str]:
        """See DisplayBus."""
        try:
            found = self._redis.do(lambda client: client.get(_SHOWS + kiosk_id))
        except redis.RedisError:
            return self._own.shows(kiosk_id)
        return frozenset(str(found or "").split())

    async def listen(self, kiosk_id: str) -> AsyncIterator[dict[str, Any]]:
        """See DisplayBus."""
        while True:
            client = redis.asyncio.Redis.from_url(self._url, decode_responses=True)
            try:
                async with client.pubsub() as channel:
                    await channel.subscribe(_PREFIX + kiosk_id)
                    async for message in channel.listen():
                        if message["type"] == "message":
                            yield json.loads(message["data"])
            except redis.RedisError as error:
                log.warning("not listening to other processes", kind=type(error).__name__)
            finally:
                await client.aclose()
            await asyncio.sleep(_RETRY_S)
