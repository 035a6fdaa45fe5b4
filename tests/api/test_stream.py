"""Events through real brokers: Redis Streams and NATS JetStream."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

import api.stream
from api.stream import EventStream, NatsTransport, RedisTransport, StreamError, append_message, transport
from personalization.types import EventType
from stores.database import Database, new_id
from stores.events import Event, SqlEvents
from stores.tables import cursors, events
from tests.small_shop import NOW


def nats_url() -> str:
    url = os.environ.get("AISLE_TEST_NATS_URL", "nats://127.0.0.1:4222")
    place = urlsplit(url)
    try:
        socket.create_connection((place.hostname or "", place.port or 4222), timeout=1).close()
    except OSError:
        pytest.skip(f"no NATS server answers at {url}; start one with JetStream or set AISLE_TEST_NATS_URL")
    return url


@pytest.fixture(params=["redis", "nats"])
def make_stream(request: pytest.FixtureRequest) -> Iterator[Callable[[], EventStream]]:
    """Streams on one fresh name; each call is another process's side."""
    name, made = f"aisle-test-{new_id()}", list[EventStream]()
    url = request.getfixturevalue("redis_url") if request.param == "redis" else nats_url()

    def make() -> EventStream:
        over = RedisTransport(url, name, claim_after_ms=200) if request.param == "redis" else NatsTransport(url, name)
        made.append(EventStream(over))
        return made[-1]

    yield make
    for stream in made:
        stream.close()
    _remove(request.param, url, name)


def _remove(kind: str, url: str, name: str) -> None:
    if kind == "redis":
        import redis

        with redis.Redis.from_url(url) as client:
            client.delete(name)
        return

    async def drop() -> None:
        import nats

        client = await nats.connect(url)
        await client.jetstream().delete_stream(name)
        await client.close()

    asyncio.run(drop())


def clicks(count: int) -> list[Event]:
    return [Event(new_id(), EventType.CLICKED, NOW, "widget", visitor_id="v") for _ in range(count)]


def stored(db: Database) -> int:
    with db.read() as connection:
        return connection.scalar(select(func.count()).select_from(events)) or 0


def wait_for(db: Database, count: int) -> None:
    """Wait until the log has `count` events; each append wakes us."""
    until = time.monotonic() + 60
    while stored(db) != count:
        assert time.monotonic() < until, f"{stored(db)} events instead of {count} after a minute"
        db.appended.wait(1)
        db.appended.clear()


def test_what_is_published_is_in_the_log_once(database: Database, make_stream: Callable[[], EventStream]) -> None:
    publisher, batch = make_stream(), clicks(5)
    worker = make_stream()
    worker.consume(SqlEvents(database))
    publisher.publish(batch)
    publisher.publish(batch)  # a producer that did not see the answer sends again
    publisher.publish(clicks(1))
    wait_for(database, 6)
    with database.read() as connection:
        assert connection.scalar(select(cursors.c.position).where(cursors.c.consumer == "broker"))


def test_workers_of_one_group_share_the_messages(database: Database, make_stream: Callable[[], EventStream]) -> None:
    publisher = make_stream()
    for _ in range(2):
        make_stream().consume(SqlEvents(database))
    for _ in range(20):
        publisher.publish(clicks(3))
    wait_for(database, 60)


def test_a_message_whose_transaction_failed_is_delivered_again(
    sqlite_database: Database, make_stream: Callable[[], EventStream], monkeypatch: pytest.MonkeyPatch
) -> None:
    log, failures = SqlEvents(sqlite_database), []
    real = log.append_batch

    def failing(*args: object, **kwargs: object) -> list[str]:
        if not failures:
            failures.append(1)
            raise OSError("the disk is full for a moment")
        return real(*args, **kwargs)  # type: ignore[arg-type,return-value]

    monkeypatch.setattr(log, "append_batch", failing)
    publisher, worker = make_stream(), make_stream()
    worker.consume(log)
    publisher.publish(clicks(4))
    wait_for(sqlite_database, 4)
    assert failures == [1]


def test_nonsense_from_another_producer_is_passed_over(database: Database) -> None:
    good = {"event_id": "e1", "type": "clicked", "at": NOW.isoformat(), "channel": "widget"}
    append_message(SqlEvents(database), [{"type": "unheard of"}, good, {"event_id": 5}], "7-0")
    assert stored(database) == 1


def test_an_address_that_is_no_broker_is_told_in_one_line() -> None:
    with pytest.raises(StreamError, match="use redis:// or nats://"):
        transport("http://127.0.0.1:1")
    with pytest.raises(StreamError, match="AISLE_BROKER_URL"):
        EventStream(transport("redis://127.0.0.1:1/0"))


def test_what_a_broker_holds_about_somebody_is_forgotten_and_the_rest_stays(
    make_stream: Callable[[], EventStream], sqlite_database: Database
) -> None:
    stream = make_stream()
    stream.consume(SqlEvents(sqlite_database))
    batch = [Event(new_id(), EventType.CLICKED, NOW, "widget", visitor_id=who) for who in ("gone", "here", "gone")]
    stream.publish(batch)
    stream.publish(batch[:1])
    wait_for(sqlite_database, 3)
    assert stream.forget(["gone", ""]) == 2
    assert stream.forget(["gone"]) == 0
    assert stream.forget(["here"]) == 1, "what others did was sent on"
    assert stored(sqlite_database) == 3, "under its own id, so the log has it once"


def test_a_short_id_forgets_nobody_else(
    make_stream: Callable[[], EventStream], sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.stream, "PAGE", 2)
    stream = make_stream()
    stream.consume(SqlEvents(sqlite_database))
    for who in ("at", "a-42", "42", "1", "at"):
        stream.publish([Event(new_id(), EventType.CLICKED, NOW, "widget", visitor_id=who, product_id="42")])
    wait_for(sqlite_database, 5)
    assert stream.forget(["42", "at"]) == 3, "of every page"
    assert stream.forget(["a-42", "1"]) == 2


def test_a_message_that_cannot_be_read_is_left(redis_url: str) -> None:
    import redis

    name = f"aisle-test-{new_id()}"
    stream = EventStream(RedisTransport(redis_url, name))
    with redis.Redis.from_url(redis_url) as client:
        client.xadd(name, {"__data__": b'[{"visitor_id": "gone"'})
        client.xadd(name, {"other": "gone"})
        assert stream.forget(["gone"]) == 0
        assert client.xlen(name) == 2
        stream.close()
        client.delete(name)


class Unsteady:
    """A broker that fails once, and then takes until it is let go on."""

    def __init__(self) -> None:
        self.go_on, self.asked = asyncio.Event(), 0

    async def connect(self) -> None: ...

    async def close(self) -> None: ...

    async def consume(self, deliver: object) -> None: ...

    async def publish(self, batch: list[dict[str, Any]]) -> None: ...

    async def forget(self, names: Callable[[Any], bool]) -> int:
        self.asked += 1
        if self.asked == 1:
            raise OSError("no route")
        await self.go_on.wait()
        return int(names({"member_id": "gone"}))


def test_an_erasure_does_not_wait_for_a_slow_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.stream, "AGAIN_S", 0.0)
    over = Unsteady()
    stream = EventStream(over)
    assert stream.forget(["gone"], wait_s=0.01) is None
    (work,) = stream._forgetting
    stream._loop.call_soon_threadsafe(over.go_on.set)
    assert work.result(timeout=10) == 1
    over.go_on.clear()
    assert stream.forget(["gone"], wait_s=0.01) is None
    stream.close()
    assert not stream._forgetting, "what is not done when the process ends is given up, and logged"
