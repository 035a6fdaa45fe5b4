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
from concurrent.futures import Future
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
PAGE = 500  # messages that are looked at together
FORGET_WAIT_S, AGAIN_S, MOST_AGAIN_S = 10.0, 1.0, 60.0
T = TypeVar("T")
Named = Callable[[Any], bool]
"""Whether an event, as its message has it, is of somebody."""


class StreamError(Exception):
    """The broker cannot be used; the message says which and what to do."""


class Transport(Protocol):
    """One kind of broker. `deliver` stores a batch and returns when that is committed."""

    async def connect(self) -> None: ...  # noqa: D102

    async def consume(self, deliver: Callable[[list[dict[str, Any]], str], Coroutine[Any, Any, None]]) -> None: ...  # noqa: D102

    async def publish(self, batch: list[dict[str, Any]]) -> None: ...  # noqa: D102

    async def forget(self, names: Named) -> int: ...  # noqa: D102

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

    async def forget(self, names: Named) -> int:
        """Delete what `names` somebody, stored in the log or not; return how many messages. A batch's other events are sent again."""
        from redis.asyncio import Redis  # noqa: PLC0415

        found, after = 0, "-"
        async with Redis.from_url(self._url) as client:
            while True:
                stored: Any = await client.xrange(self._name, min=after, count=PAGE)
                if not stored:
                    return found
                after = f"({stored[-1][0].decode()}"
                for message, fields in stored:
                    batch = _events(fields.get(b"__data__", b""), message.decode())
                    if not any(map(names, batch)):
                        continue
                    rest = [event for event in batch if not names(event)]
                    if rest:
                        await self.publish(rest)
                    await client.xack(self._name, GROUP, message)
                    found += await client.xdel(self._name, message)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._broker.stop()


def _events(raw: bytes, position: str) -> list[Any]:
    """Return the events of a message: JSON, in Redis behind FastStream's binary header. One that cannot be read has none, and stays."""
    start = raw.find(b"[{")
    try:
        found = json.loads(raw[start:]) if start >= 0 else None
    except ValueError:
        found = None
    if not isinstance(found, list):
        log.warning("a message in the broker cannot be read; it is left as it is", position=position)
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

    async def forget(self, names: Named) -> int:
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
            batch = _events(body, str(number))
            if any(map(names, batch)):
                rest = [event for event in batch if not names(event)]
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
        self._over, self._forgetting = over, set[Future[int]]()
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

    def forget(self, ids: Iterable[str], *, wait_s: float = FORGET_WAIT_S) -> int | None:
        """Delete events whose member or visitor is any of `ids`; return how many messages held some.

        None when the broker takes longer than `wait_s` or does not answer: it is gone on with in the background until it
        is done or this process ends.
        """
        whose = frozenset(one for one in ids if one)

        def names(event: Any) -> bool:
            return isinstance(event, dict) and any(
                isinstance(event.get(who), str) and event[who] in whose for who in ("member_id", "visitor_id")
            )

        work = asyncio.run_coroutine_threadsafe(self._insist(names), self._loop)
        try:
            return work.result(timeout=wait_s)
        except TimeoutError:
            log.warning("the broker is slow to forget somebody; that goes on in the background")
            self._forgetting.add(work)
            work.add_done_callback(self._forgot)
            return None

    async def _insist(self, names: Named) -> int:
        wait = AGAIN_S
        while True:
            try:
                return await self._over.forget(names)
            except Exception as error:  # noqa: BLE001  the database has erased already, so this must follow
                log.warning("the broker cannot forget somebody yet", kind=type(error).__name__, again_in_s=wait)
            await asyncio.sleep(wait)
            wait = min(2 * wait, MOST_AGAIN_S)

    def _forgot(self, work: Future[int]) -> None:
        self._forgetting.discard(work)
        if work.cancelled():
            log.error("this process ended before the broker had forgotten somebody; its messages may still name them")
        else:
            log.info("the broker has forgotten somebody", messages=work.result())

    def close(self) -> None:
        """Stop taking messages; what was taken and not stored goes to another worker."""
        for work in list(self._forgetting):
            work.cancel()
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
