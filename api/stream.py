"""Events through a broker: producers publish batches, workers of one group append them to the log.

The log in the database stays the source of truth, so the handlers behind it are the same with and without a broker.
A message is acknowledged after its transaction; one that is delivered again finds its event ids in the log and changes
nothing, and the transaction also notes the message's position. Redis Streams and NATS JetStream, by the URL's scheme.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import structlog
from pydantic import ValidationError

from api.schemas import EventIn
from personalization.profiling.sources import SourceError
from stores.database import new_id
from stores.events import Event, SqlEvents

log = structlog.get_logger(__name__)
STREAM, SUBJECT, GROUP = "aisle.events", "aisle.events", "aisle"
CLAIM_AFTER_MS = 30_000  # a message of a worker that died goes to another after this
T = TypeVar("T")


class StreamError(Exception):
    """The broker cannot be used; the message says which and what to do."""


class Transport(Protocol):
    """One kind of broker. `deliver` stores a batch and returns when that is committed."""

    async def connect(self) -> None: ...  # noqa: D102

    async def consume(self, deliver: Callable[[list[dict[str, Any]], str], Coroutine[Any, Any, None]]) -> None: ...  # noqa: D102

    async def publish(self, batch: list[dict[str, Any]]) -> None: ...  # noqa: D102

    async def forget(self, names: Callable[[bytes], bool]) -> int: ...  # noqa: D102

    async def close(self) -> None: ...  # noqa: D102


class RedisTransport:
    """Redis Streams with a consumer group."""

    def __init__(self, url: str, name: str = STREAM, claim_after_ms: int = CLAIM_AFTER_MS) -> None:
        from faststream.redis import RedisBroker  # noqa: PLC0415

        self._url, self._name, self._claim_after = url, name, claim_after_ms
        self._broker = RedisBroker(url, logger=None)  # type: ignore[arg-type]

    async def connect(self) -> None:
        """Open the connection and make the group, which starts with the oldest message."""
        from redis.asyncio import Redis  # noqa: PLC0415
        from redis.exceptions import RedisError, ResponseError  # noqa: PLC0415

        client = Redis.from_url(self._url)
        try:
            await client.xgroup_create(self._name, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise StreamError(f"Redis refuses the group {GROUP}: {error}") from error
        except (RedisError, OSError) as error:
            raise StreamError("Redis does not answer; check AISLE_BROKER_URL") from error
        finally:
            await client.aclose()
        await self._broker.connect()

    async def consume(self, deliver: Callable[[list[dict[str, Any]], str], Coroutine[Any, Any, None]]) -> None:
        """Deliver new messages, and those that another worker took and never finished."""
        from faststream import AckPolicy  # noqa: PLC0415
        from faststream.redis import RedisStreamMessage, StreamSub  # noqa: PLC0415

        me = f"{socket.gethostname()}-{new_id()[-8:]}"

        async def handle(body: list[dict[str, Any]], message: RedisStreamMessage) -> None:
            await deliver(body, message.raw_message["message_ids"][0].decode())

        fresh = StreamSub(self._name, group=GROUP, consumer=me, last_id=">", polling_interval=50)
        left = StreamSub(self._name, group=GROUP, consumer=me, min_idle_time=self._claim_after, polling_interval=1000)
        for source in (fresh, left):
            self._broker.subscriber(stream=source, ack_policy=AckPolicy.NACK_ON_ERROR)(handle)
        await self._broker.start()

    async def publish(self, batch: list[dict[str, Any]]) -> None:
        """Append one message with the whole batch."""
        await self._broker.publish(batch, stream=self._name)

    async def forget(self, names: Callable[[bytes], bool]) -> int:
        """Delete what `names` somebody, stored in the log or not; return how many messages. A batch's other events are sent again."""
        from redis.asyncio import Redis  # noqa: PLC0415

        found = 0
        async with Redis.from_url(self._url) as client:
            stored: Any = await client.xrange(self._name)
            for message, fields in stored:
                if not any(map(names, fields.values())):
                    continue
                rest = [event for event in _events(fields) if not names(json.dumps(event).encode())]
                if rest:
                    await self.publish(rest)
                await client.xack(self._name, GROUP, message)
                found += await client.xdel(self._name, message)
        return found

    async def close(self) -> None:
        """Let go of the connection."""
        await self._broker.stop()


def _events(fields: dict[bytes, bytes]) -> list[dict[str, Any]]:
    """Return the events of one of Redis's messages, as FastStream packs them: JSON, behind a binary header in newer versions."""
    raw = fields.get(b"__data__", b"")
    start = raw.find(b"[{")
    try:
        found: list[dict[str, Any]] = json.loads(raw[start:]) if start >= 0 else []
    except ValueError:
        return []
    return found


class NatsTransport:
    """NATS JetStream with a durable consumer."""

    def __init__(self, url: str, name: str = STREAM) -> None:
        from faststream.nats import JStream, NatsBroker  # noqa: PLC0415

        self._stream = JStream(name.replace(".", "-"), subjects=[name])
        self._subject = name
        self._broker = NatsBroker(url, logger=None, connect_timeout=3, max_reconnect_attempts=-1, allow_reconnect=True)

    async def connect(self) -> None:
        """Open the connection."""
        try:
            await self._broker.connect()
        except Exception as error:  # whatever the client raises, the worker cannot go on without it
            raise StreamError("NATS does not answer; check AISLE_BROKER_URL") from error

    async def consume(self, deliver: Callable[[list[dict[str, Any]], str], Coroutine[Any, Any, None]]) -> None:
        """Deliver messages; one that fails is delivered again."""
        from faststream import AckPolicy  # noqa: PLC0415
        from faststream.nats import NatsMessage, PullSub  # noqa: PLC0415

        async def handle(body: list[dict[str, Any]], message: NatsMessage) -> None:
            await deliver(body, str(message.raw_message.metadata.sequence.stream))

        self._broker.subscriber(
            self._subject, stream=self._stream, durable=GROUP, pull_sub=PullSub(batch_size=1, timeout=1.0),
            ack_policy=AckPolicy.NACK_ON_ERROR,
        )(handle)  # fmt: skip
        await self._broker.start()

    async def publish(self, batch: list[dict[str, Any]]) -> None:
        """Append one message with the whole batch, and wait until JetStream has it."""
        await self._broker.publish(batch, self._subject, stream=self._stream.name)

    async def forget(self, names: Callable[[bytes], bool]) -> int:
        """Delete what `names` somebody; return how many messages. A batch's other events are sent again."""
        from nats.js.errors import NotFoundError  # noqa: PLC0415

        found, stream, js = 0, str(self._stream.name), (await self._broker.connect()).jetstream()
        try:
            state = (await js.stream_info(stream)).state
        except NotFoundError:
            return 0
        for number in range(state.first_seq, state.last_seq + 1):
            try:
                body = (await js.get_msg(stream, number)).data or b""
            except NotFoundError:
                continue
            if names(body):
                rest = [event for event in json.loads(body) if not names(json.dumps(event).encode())]
                if rest:
                    await self.publish(rest)
                found += await js.delete_msg(stream, number)
        return found

    async def close(self) -> None:
        """Let go of the connection."""
        await self._broker.stop()


def transport(url: str, name: str = STREAM) -> Transport:
    """Return the transport for a URL. Raises StreamError for a scheme that is not known."""
    scheme = url.partition("://")[0]
    if scheme in {"redis", "rediss"}:
        return RedisTransport(url, name)
    if scheme in {"nats", "tls"}:
        return NatsTransport(url, name)
    raise StreamError(f"AISLE_BROKER_URL starts with {scheme}://; use redis:// or nats://")


class EventStream:
    """The broker's side of one process, on an event loop of its own. Close with `close()`."""

    def __init__(self, over: Transport) -> None:
        self._over = over
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="stream")
        self._thread.start()
        self._run(over.connect())

    def publish(self, batch: Sequence[Event]) -> None:
        """Hand a batch to the broker; returns when it is stored there."""
        if batch:
            self._run(self._over.publish([_message(event) for event in batch]))

    def consume(self, events: SqlEvents) -> None:
        """Append what arrives to the log, until closed."""

        async def deliver(body: list[dict[str, Any]], position: str) -> None:
            await asyncio.to_thread(append_message, events, body, position)

        self._run(self._over.consume(deliver))

    def forget(self, ids: Iterable[str]) -> int:
        """Delete what the broker holds about whom any of `ids` names; return how many messages were deleted."""
        needles = [one.encode() for one in ids if one]
        return self._run(self._over.forget(lambda body: any(needle in body for needle in needles)))

    def close(self) -> None:
        """Stop taking messages; what was taken and not stored goes to another worker."""
        self._run(self._over.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)


def append_message(events: SqlEvents, body: Sequence[dict[str, Any]], position: str) -> None:
    """Append one message's events with its position. What does not fit is passed over and logged: it would never fit."""
    good = []
    for raw in body:
        try:
            good.append(Event(**EventIn.model_validate(raw).model_dump()))
        except ValidationError as error:
            log.warning("an event from the broker was passed over", position=position, errors=error.error_count())
    try:
        events.append_batch(good, received_at=datetime.now(UTC), position=position)
    except SourceError as error:
        log.warning("a message from the broker was passed over", position=position, reason=str(error))


def _message(event: Event) -> dict[str, Any]:
    return {name: value for name, value in asdict(event).items() if value is not None} | {"at": event.at.isoformat()}
