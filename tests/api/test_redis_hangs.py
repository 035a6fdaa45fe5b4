"""A Redis that takes connections and never answers holds nobody up, and a process goes on hearing itself."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from api.bus import RedisBus
from api.patience import PATIENCE_S
from api.talk import RedisTalk, TalkBus


@pytest.fixture
def silent() -> Iterator[str]:
    """An address where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


async def told(bus: TalkBus, by: TalkBus, events: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Return what who listens to one hears of what the other is told."""
    listening = bus.listen("c")
    upcoming = asyncio.ensure_future(anext(listening))
    await asyncio.sleep(0)  # listens from here on
    for event in events:
        by.tell("c", event, {"n": 1})
    heard = [await upcoming]
    heard += [await anext(listening) for _ in events[1:]]
    await listening.aclose()  # type: ignore[attr-defined]
    return heard


def test_who_tells_waits_for_nothing_and_hears_themselves(silent: str) -> None:
    talk, events = RedisTalk(silent), [f"event-{number}" for number in range(50)]
    began = time.monotonic()
    heard = asyncio.run(told(talk, talk, events))
    assert time.monotonic() - began < PATIENCE_S, "not even for one answer of Redis"
    assert [event for event, _ in heard] == events


def test_what_nobody_takes_is_dropped_and_does_not_pile_up(silent: str) -> None:
    talk = RedisTalk(silent)
    for _ in range(3_000):
        talk.tell("c", "typing")
    assert talk._due.qsize() <= 1_000


def test_a_kiosks_display_waits_for_a_silent_redis_once_and_not_each_time(silent: str) -> None:
    bus, began = RedisBus(silent), time.monotonic()
    for number in range(20):
        bus.publish("k", {"revision": number}, members={"m"})
        assert bus.current("k") == {"revision": number}
        assert bus.shows("k") == {"m"}
    assert time.monotonic() - began < 2 * PATIENCE_S


def test_through_redis_another_process_is_heard_and_oneself_once(redis_url: str) -> None:
    here, there = RedisTalk(redis_url), RedisTalk(redis_url)

    async def story() -> list[str]:
        listening = here.listen("c")
        upcoming = asyncio.ensure_future(anext(listening))
        for number in range(200):  # until it has subscribed
            there.tell("c", f"there-{number}")
            if (await asyncio.wait({upcoming}, timeout=0.02))[0]:
                break
        heard = [upcoming.result()[0]]
        here.tell("c", "here")
        there.tell("c", "end")
        while heard[-1] != "end":
            heard.append((await anext(listening))[0])
        await listening.aclose()  # type: ignore[attr-defined]
        return heard

    heard = asyncio.run(story())
    assert heard[0].startswith("there-")
    assert heard.count("here") == 1
