"""Many shoppers who write at a steady pace while Rasa and the api are killed: how long answers take, and whether any message is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
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
QUICK = Plan(50, 20.0, (5.0,), (11.0,))


@dataclass(slots=True)
class Said:
    """A message, when it was meant to be sent, and how long its answer took from then."""

    text: str
    client_id: str
    seconds: float | None = None
    engine: str = ""
    tries: int = 0


@dataclass(slots=True)
class Shopper:
    """One conversation: what was sent in it, in order, and what the shop remembers of it."""

    token: str
    conversation_id: str
    said: list[Said] = field(default_factory=list)
    stored: list[dict[str, Any]] = field(default_factory=list)


def metrics(stack: Stack, quick: bool) -> Iterator[Metric]:
    """Yield the waiting time and the messages that were lost or reordered."""
    plan = QUICK if quick else FULL
    about = (
        f"{plan.shoppers} conversations, a message every {EVERY_S:g} s each for {plan.seconds:g} s, "
        f"{len(plan.rasa_dies_at)} restarts of Rasa and {len(plan.api_dies_at)} of the api in the middle"
    )
    progress(about)
    try:
        shoppers = asyncio.run(_run(stack, plan))
    except ShopError as error:
        yield Metric("chat.load_p95_ms", None, "ms", 0, about, reason=str(error))
        yield Metric("chat.lost_or_reordered", None, "messages", 0, about, reason=str(error))
        return
    waits = [1000 * said.seconds for shopper in shoppers for said in shopper.said if said.seconds is not None]
    value, interval = percentile_with_ci(waits, 95, seed=SEED)
    engines = [said.engine for shopper in shoppers for said in shopper.said]
    more = {
        "p50_ms": percentile_with_ci(waits, 50, seed=SEED, resamples=10)[0],
        "p99_ms": percentile_with_ci(waits, 99, seed=SEED, resamples=10)[0],
        "answered_by_fallback": engines.count("fallback"),
        "sent_again": sum(max(said.tries - 1, 0) for shopper in shoppers for said in shopper.said),
    }
    yield Metric(
        "chat.load_p95_ms", value, "ms", len(waits), about, ci=interval, baseline=more, seed=SEED, samples=waits
    )
    wrong = sum(lost_or_reordered(shopper.said, shopper.stored) for shopper in shoppers)
    yield Metric("chat.lost_or_reordered", wrong, "messages", len(engines), about)


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


async def _run(stack: Stack, plan: Plan) -> list[Shopper]:
    limits = httpx.Limits(max_connections=plan.shoppers + 4, max_keepalive_connections=plan.shoppers)
    async with httpx.AsyncClient(base_url=stack.url, timeout=PATIENCE_S, limits=limits) as client:
        shoppers = [await _start(client) for _ in range(plan.shoppers)]
        began = time.perf_counter()
        talks = [
            _talk(client, shopper, began + EVERY_S * number / plan.shoppers, began + plan.seconds, number)
            for number, shopper in enumerate(shoppers)
        ]
        await asyncio.gather(_kill(stack, plan, began), *talks)
        for shopper in shoppers:
            answer = await client.get(f"/v1/conversations/{shopper.conversation_id}", headers=_headers(shopper.token))
            shopper.stored = answer.raise_for_status().json()["messages"]
    return shoppers


async def _start(client: httpx.AsyncClient) -> Shopper:
    token = (await client.get("/demo/session")).raise_for_status().json()["token"]
    answer = await client.post("/v1/conversations", headers=_headers(token))
    return Shopper(token, answer.raise_for_status().json()["conversation_id"])


async def _kill(stack: Stack, plan: Plan, began: float) -> None:
    """Kill what the plan says when it says so, and go on when everything is back."""
    deaths = sorted(
        [(at, stack.kill_rasa) for at in plan.rasa_dies_at] + [(at, stack.kill_api) for at in plan.api_dies_at],
        key=lambda death: death[0],
    )
    for at, kill in deaths:
        await asyncio.sleep(max(began + at - time.perf_counter(), 0))
        await asyncio.to_thread(kill)
    await asyncio.to_thread(stack.wait_for_api)
    await asyncio.to_thread(stack.wait_for_rasa)


async def _talk(client: httpx.AsyncClient, shopper: Shopper, first: float, until: float, number: int) -> None:
    """Write at the planned times; what could not be sent waits, and is sent first."""
    at = first
    while at < until:
        await asyncio.sleep(max(at - time.perf_counter(), 0))
        said = Said(SAYINGS[(len(shopper.said) + number) % len(SAYINGS)], new_id())
        shopper.said.append(said)
        answer = await _send(client, shopper, said, at)
        if answer is not None:
            said.seconds, said.engine = time.perf_counter() - at, answer["engine"]
        at += EVERY_S


async def _send(client: httpx.AsyncClient, shopper: Shopper, said: Said, at: float) -> dict[str, Any] | None:
    """Send a message until it is answered; ShopError when the api does not know how to take a message twice."""
    body = {"text": said.text, "client_message_id": said.client_id}
    address = f"/v1/conversations/{shopper.conversation_id}/messages"
    while time.perf_counter() - at < GIVE_UP_S:
        said.tries += 1
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
    """Yield both metrics without a value."""
    yield Metric("chat.load_p95_ms", None, "ms", 0, "", reason=reason)
    yield Metric("chat.lost_or_reordered", None, "messages", 0, "", reason=reason)


def state_missing(state: Path) -> str | None:
    """Return why the product cannot be started, or None."""
    if not (state / "artifacts" / "manifest.json").exists():
        return "nothing is set up here; run `make demo` once"
    return None
