"""The scripted conversations as metrics: how many of the held-out half succeed, how soon frustration is noticed and a person offered, loops."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from bench.conversations.live import Shop
from bench.conversations.outcomes import Outcomes
from bench.conversations.play import Result
from bench.conversations.run import chosen, play
from bench.conversations.score import UPSET, by_topic, score
from bench.conversations.script import Script, load
from bench.conversations.shops import opened
from bench.report import ROOT, Metric, progress
from bench.stack import Stack

FOLDER = ROOT / "tests" / "e2e" / "conversations"
SECOND = ROOT / "tests" / "e2e" / "conversations_second"
DATA, DATA_SECOND = (
    "scripted conversations, held-out half",
    "a second set of scripted conversations, by a stranger to the assistant",
)
UNITS = {
    "task_success": "share", "frustration_noticed": "share", "handoff_within_2": "share", "loops": "turns", "wrong_answer_rate": "share",
    "fallback_rate": "share", "emotion_turn_accuracy": "share", "turns_to_offer": "turns", "answer_p95_ms": "ms",
}  # fmt: skip
QUICK, QUICK_UPSET, AT_ONCE = 20, 6, 4


def metrics(stack: Stack, orders_shop: Shop | str, quick: bool) -> Iterator[Metric]:
    """Yield what came of the held-out scripts; without `quick` those of the shop with order management too, or why it is not there."""
    outcomes = Outcomes.of(FOLDER)
    scripts = chosen(load(FOLDER, outcomes.names), split="held_out")
    groceries = [script for script in scripts if script.shop == "groceries"]
    if quick:
        groceries = _sample(groceries)
    progress(f"{len(groceries)} scripted shoppers talk to the grocery shop")
    with opened(stack) as shop:
        results = play(groceries, shop, outcomes, at_once=AT_ONCE)
    note = "; without the scripts of order management" if quick else ""
    if not quick:
        orders = [script for script in scripts if script.shop == "orders"]
        if isinstance(orders_shop, str):
            note = f"; {len(orders)} scripts are left out: {orders_shop}"
        else:
            progress(f"{len(orders)} scripted shoppers talk to the shop with order management")
            results += play(orders, orders_shop, outcomes, at_once=AT_ONCE)
    yield from counted(results, outcomes, note)
    if not quick:
        yield _second(stack, outcomes)


def _second(stack: Stack, outcomes: Outcomes) -> Metric:
    scripts = load(SECOND, outcomes.names)
    progress(f"{len(scripts)} strangers talk to the grocery shop")
    with opened(stack) as shop:
        found = score(play(scripts, shop, outcomes, at_once=AT_ONCE), outcomes)
    return Metric("chat.task_success_second", found.task_success, "share", found.scripts, DATA_SECOND)


def counted(results: Sequence[Result], outcomes: Outcomes, note: str = "") -> Iterator[Metric]:
    """Yield the metrics of scripts that were played."""
    found = score(results, outcomes)
    topics = {topic: f"{score(of, outcomes).succeeded}/{len(of)}" for topic, of in by_topic(results)}
    offers = sum(found.to_offer) / len(found.to_offer) if found.to_offer else None
    values = {
        "task_success": (found.task_success, found.scripts),
        "frustration_noticed": (found.noticed_rate, found.upset),
        "handoff_within_2": (found.handoff_within_2, found.upset),
        "loops": (found.loops, found.turns),
        "wrong_answer_rate": (found.wrong_rate, found.turns),
        "fallback_rate": (found.fallback_rate, found.turns),
        "emotion_turn_accuracy": (found.emotion_accuracy, found.emotions),
        "turns_to_offer": (None if offers is None else round(offers, 2), len(found.to_offer)),
        "answer_p95_ms": (found.percentile_ms(95), found.turns),
    }
    for name, (value, n) in values.items():
        yield Metric(
            f"chat.{name}", value, UNITS[name], n, DATA + note, baseline=topics if name == "task_success" else None,
            reason="no script came to it" if value is None else None,
        )  # fmt: skip


def missing(reason: str) -> Iterator[Metric]:
    """Yield every metric without a value."""
    for name, unit in UNITS.items():
        yield Metric(f"chat.{name}", None, unit, 0, DATA, reason=reason)


def _sample(scripts: Sequence[Script]) -> list[Script]:
    """Return a few scripts, chosen by their ids alone; some of them of shoppers who become upset, for there is something to count."""
    drawn = sorted(scripts, key=lambda script: hashlib.sha256(f"quick {script.id}".encode()).digest())
    upset = [script for script in drawn if any(set(UPSET) & set(step.emotion) for step in script.steps)]
    calm = [script for script in drawn if script not in upset]
    upset = upset[:QUICK_UPSET]
    return [*calm[: QUICK - len(upset)], *upset]
