"""Many shoppers who write at a steady pace while Rasa and the api are killed: how long answers take, and whether any message is lost.

Waiting counts from the moment that a message was meant to be sent, over the whole run. Beside that figure stand those of the messages
that were due while everything ran, and while something was away: from its death until it answers again.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.conversations.live import ShopError
from bench.report import Metric, percentile_with_ci, progress
from bench.stack import Stack
from stores.database import new_id

SEED = 7
EVERY_S = 4.0
PATIENCE_S, PAUSE_S = (
    6.0,
    0.25,
)  # until a shopper's widget sends a message again, and between tries while nothing answers
GIVE_UP_S = 90.0
FOLLOWED = 8  # shoppers whose widget follows the conversation, for the typing state
SAYINGS = (
    "hello", "do you have milk", "cheaper please", "when are you open", "what do you recommend", "why this?", "any coupons for me",
    "do you have cheese", "the second one", "do you deliver", "can i pay by card", "show me coffee", "something else", "what is in my basket",
    "thank you", "do you have bread without nuts", "where are you", "are you a bot", "tell me a joke", "what can you do",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """How many shoppers write for how long, and when what is killed, in seconds from the start."""

    shoppers: int
    seconds: float
    rasa_dies_at: tuple[float, ...]
    api_dies_at: tuple[float, ...]


FULL = Plan(50, 300.0, (60.0, 210.0), (135.0,))
QUICK = Plan(50, 8.0, (1.0,), ())  # starting the api again takes half of it


@dataclass(slots=True)
class Said:
    """A message, when it was meant to be sent, and how long its answer took from then."""

    text: str
    client_id: str
    due: float = 0.0  # seconds from the start of the run
    seconds: float | None = None
    typing_s: float | None = None
    engine: str = ""
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Away:
    """A process that was killed, and from when to when it did not answer, in seconds from the start of the run."""

    name: str
    since: float
    until: float


@dataclass(slots=True)
class Shopper:
    """One conversation: what was sent in it, in order, and what the shop remembers of it."""

    token: str
    conversation_id: str
    said: list[Said] = field(default_factory=list)
    stored: list[dict[str, Any]] = field(default_factory=list)
    sent_at: float = 0.0

    def typing(self, at: float) -> None:
        """Note that the shop is seen to type; only the first time after a message was sent counts."""
        if self.said and self.said[-1].typing_s is None and self.said[-1].tries:
            self.said[-1].typing_s = at - self.sent_at


def metrics(stack: Stack, quick: bool) -> Iterator[Metric]:
    """Yield the waiting time and the messages that were lost or reordered."""
    plan = QUICK if quick else FULL
    about = (
        f"{plan.shoppers} conversations, a message every {EVERY_S:g} s each for {plan.seconds:g} s, "
        f"{len(plan.rasa_dies_at)} restarts of Rasa and {len(plan.api_dies_at)} of the api in the middle"
    )
    progress(about)
    began, busy, spent, own = time.monotonic(), _busy_s(), stack.spent_s(), time.process_time()
    try:
        shoppers, away = asyncio.run(_run(stack, plan))
    except ShopError as error:
        yield from missing(str(error))
        return
    messages = [said for shopper in shoppers for said in shopper.said]
    waits = _waits(messages)
    value, interval = percentile_with_ci(waits, 95, seed=SEED)
    more = {
        "p50_ms": _percentile(waits, 50),
        "p99_ms": _percentile(waits, 99),
        "p95_ms while everything ran": _percentile(_waits([said for said in messages if not _during(said, away)]), 95),
    }
    for name in dict.fromkeys(one.name for one in away):
        of_it = [one for one in away if one.name == name]
        more[f"p95_ms while {name} was away"] = _percentile(_waits([s for s in messages if _during(s, of_it)]), 95)
        more[f"seconds that {name} was away"] = round(sum(one.until - one.since for one in of_it), 1)
    spent, own = stack.spent_s() - spent, time.process_time() - own
    more["processor ms per message"] = round(1000 * spent / len(messages), 1)
    more["processor ms per message of the shoppers, who share the cores"] = round(1000 * own / len(messages), 1)
    others = max(_busy_s() - busy - spent - own, 0) / (time.monotonic() - began) / (os.cpu_count() or 1)
    more["share of the cores that others took"] = round(others, 2)
    more["answered_by_fallback"] = sum(said.engine == "fallback" for said in messages)
    more["sent_again"] = sum(max(said.tries - 1, 0) for said in messages)
    yield Metric(
        "chat.load_p95_ms", value, "ms", len(waits), about, ci=interval, baseline=more, seed=SEED, samples=waits
    )
    wrong = sum(lost_or_reordered(shopper.said, shopper.stored) for shopper in shoppers)
    yield Metric("chat.lost_or_reordered", wrong, "messages", len(messages), about)
    typing = [1000 * said.typing_s for said in messages if said.typing_s is not None]
    if typing:
        value, interval = percentile_with_ci(typing, 95, seed=SEED)
        yield Metric(
            "chat.typing_p95_ms", value, "ms", len(typing), f"{FOLLOWED} of them, from sending to reading the typing state on the stream",
            ci=interval, seed=SEED, samples=typing,
        )  # fmt: skip
    else:
        yield Metric("chat.typing_p95_ms", None, "ms", 0, about, reason="no stream told of typing")


def _busy_s() -> float:
    """Return for how long the machine's cores were busy so far, in seconds."""
    user, nice, system, *_ = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def _waits(messages: Sequence[Said]) -> list[float]:
    return [1000 * said.seconds for said in messages if said.seconds is not None]


def _percentile(waits: Sequence[float], q: float) -> float | str:
    return percentile_with_ci(waits, q, seed=SEED, resamples=10)[0] if waits else "no message"


def _during(said: Said, away: Sequence[Away]) -> bool:
    return any(one.since <= said.due <= one.until for one in away)


def lost_or_reordered(said: Sequence[Said], stored: Sequence[dict[str, Any]]) -> int:
    """Count messages that are missing, stored twice, out of their order, or followed by no answer before the next one."""
    own = [number for number, message in enumerate(stored) if message["role"] == "user"]
    texts = [stored[number]["text"] for number in own]
    left, kept = [message.text for message in said], list[str]()
    wrong = 0
    for text in texts:  # stored more often than sent
        if text in left:
            left.remove(text)
            kept.append(text)
        else:
            wrong += 1
    wrong += len(left)  # sent and not stored
    sent = [message.text for message in said]
    for text in left:
        sent.remove(text)
    wrong += sum(one != other for one, other in zip(sent, kept, strict=True))
    ends = [*own, len(stored)][1:]
    return wrong + sum(end == start + 1 for start, end in zip(own, ends, strict=True))


async def _run(stack: Stack, plan: Plan) -> tuple[list[Shopper], list[Away]]:
    limits = httpx.Limits(max_connections=plan.shoppers + FOLLOWED + 4, max_keepalive_connections=plan.shoppers)
    async with httpx.AsyncClient(base_url=stack.url, timeout=PATIENCE_S, limits=limits) as client:
        shoppers = [await _start(client) for _ in range(plan.shoppers)]
        followers = [asyncio.create_task(_follow(client, shopper)) for shopper in shoppers[:FOLLOWED]]
        began = time.perf_counter()
        talks = [
            _talk(client, shopper, began, EVERY_S * number / plan.shoppers, plan.seconds, number)
            for number, shopper in enumerate(shoppers)
        ]
        killing = asyncio.create_task(_kill(stack, plan, began))
        await asyncio.gather(killing, *talks)
        for follower in followers:
            follower.cancel()
        for shopper in shoppers:
            answer = await client.get(f"/v1/conversations/{shopper.conversation_id}", headers=_headers(shopper.token))
            shopper.stored = answer.raise_for_status().json()["messages"]
    return shoppers, killing.result()


async def _start(client: httpx.AsyncClient) -> Shopper:
    token = (await client.get("/demo/session")).raise_for_status().json()["token"]
    answer = await client.post("/v1/conversations", headers=_headers(token))
    return Shopper(token, answer.raise_for_status().json()["conversation_id"])


async def _kill(stack: Stack, plan: Plan, began: float) -> list[Away]:
    """Kill what the plan says when it says so; return what was away when, once everything is back."""

    async def killed(name: str, at: float, kill: Callable[[], None], back: Callable[[], None]) -> Away:
        await asyncio.sleep(max(began + at - time.perf_counter(), 0))
        since = time.perf_counter() - began
        await asyncio.to_thread(kill)
        await asyncio.to_thread(back)
        return Away(name, since, time.perf_counter() - began)

    return list(
        await asyncio.gather(
            *(killed("the first Rasa", at, stack.kill_rasa, stack.wait_for_rasa) for at in plan.rasa_dies_at),
            *(killed("the api", at, stack.kill_api, stack.wait_for_api) for at in plan.api_dies_at),
        )
    )


async def _talk(
    client: httpx.AsyncClient, shopper: Shopper, began: float, first: float, until: float, number: int
) -> None:
    """Write at the planned times; what could not be sent waits, and is sent first."""
    due = first
    while due < until:
        await asyncio.sleep(max(began + due - time.perf_counter(), 0))
        said = Said(SAYINGS[(len(shopper.said) + number) % len(SAYINGS)], new_id(), due)
        shopper.said.append(said)
        answer = await _send(client, shopper, said, began + due)
        if answer is not None:
            said.seconds, said.engine = time.perf_counter() - began - due, answer["engine"]
        due += EVERY_S


async def _follow(client: httpx.AsyncClient, shopper: Shopper) -> None:
    """Read the conversation's stream, as the widget does, and note when it tells that an answer is being made."""
    address = f"/v1/conversations/{shopper.conversation_id}/stream"
    while True:
        with suppress(httpx.HTTPError):
            async with client.stream("GET", address, params={"token": shopper.token}, timeout=None) as answer:
                event = ""
                async for line in answer.aiter_lines():
                    if line.startswith("event:"):
                        event = line.removeprefix("event:").strip()
                    elif line.startswith("data:") and event == "typing" and json.loads(line[5:])["on"]:
                        shopper.typing(time.perf_counter())
        await asyncio.sleep(PAUSE_S)


async def _send(client: httpx.AsyncClient, shopper: Shopper, said: Said, at: float) -> dict[str, Any] | None:
    """Send a message until it is answered; ShopError when the api does not know how to take a message twice."""
    body = {"text": said.text, "client_message_id": said.client_id}
    address = f"/v1/conversations/{shopper.conversation_id}/messages"
    while time.perf_counter() - at < GIVE_UP_S:
        said.tries, shopper.sent_at = said.tries + 1, time.perf_counter()
        try:
            answer = await client.post(address, json=body, headers=_headers(shopper.token))
        except httpx.HTTPError:
            await asyncio.sleep(PAUSE_S)
            continue
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            raise ShopError(f"the api does not take client_message_id: {answer.text[:200]}")
        if answer.is_success:
            found: dict[str, Any] = answer.json()
            return found
        await asyncio.sleep(PAUSE_S)
    return None


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def missing(reason: str) -> Iterator[Metric]:
    """Yield every metric without a value."""
    for name, unit in (("load_p95_ms", "ms"), ("lost_or_reordered", "messages"), ("typing_p95_ms", "ms")):
        yield Metric(f"chat.{name}", None, unit, 0, "", reason=reason)
