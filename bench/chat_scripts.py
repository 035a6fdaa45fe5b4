"""The scripted conversations as metrics: how many of the held-out half succeed, how soon frustration is noticed and a person offered, loops."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from bench.conversations.live import Shop
from bench.conversations.outcomes import Outcomes
from bench.conversations.play import Result
from bench.conversations.run import chosen, play
from bench.conversations.score import UPSET, by_topic, score
from bench.conversations.script import Script, load
from bench.conversations.shops import opened
from bench.report import ROOT, Metric, progress
from bench.stack import Stack
from chatbot.voice.states import DISTRESSED

FOLDER = ROOT / "tests" / "e2e" / "conversations"
SECOND = ROOT / "tests" / "e2e" / "conversations_second"
TEMPERS = ROOT / "tests" / "e2e" / "conversations_tempers"
DATA, DATA_SECOND = (
    "scripted conversations, held-out half",
    "a second set of scripted conversations, by a stranger to the assistant",
)
DATA_TEMPERS = f"{DATA}, and of the set about patience"
DATA_CALM = "turns of shoppers who only sound upset, held-out half of the set about patience"
FIRST_NOTICED, FIRST_OFFERED = "53 % of 38", "79 % of 38"
"""How its half fared when it was first played (2026-11-27, commit ee76949), before the end of patience was learned anew."""
UNITS = {
    "task_success": "share", "frustration_noticed": "share", "handoff_within_2": "share", "loops": "turns", "wrong_answer_rate": "share",
    "false_alarms": "share", "fallback_rate": "share", "emotion_turn_accuracy": "share", "turns_to_offer": "turns", "answer_p95_ms": "ms",
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
    tempers = [] if quick else _tempers(stack, orders_shop, outcomes)
    yield from counted(results, tempers, outcomes, note)
    if not quick:
        yield _second(stack, outcomes)


def _second(stack: Stack, outcomes: Outcomes) -> Metric:
    scripts = load(SECOND, outcomes.names)
    progress(f"{len(scripts)} strangers talk to the grocery shop")
    with opened(stack) as shop:
        found = score(play(scripts, shop, outcomes, at_once=AT_ONCE), outcomes)
    return Metric("chat.task_success_second", found.task_success, "share", found.scripts, DATA_SECOND)


def _tempers(stack: Stack, orders_shop: Shop | str, outcomes: Outcomes) -> list[Result]:
    scripts = chosen(load(TEMPERS, outcomes.names), split="held_out")
    progress(f"{len(scripts)} shoppers lose their patience, or sound like it")
    with opened(stack) as shop:
        found = play([one for one in scripts if one.shop == "groceries"], shop, outcomes, at_once=AT_ONCE)
    if isinstance(orders_shop, str):
        return found
    return found + play([one for one in scripts if one.shop == "orders"], orders_shop, outcomes, at_once=AT_ONCE)


def counted(
    results: Sequence[Result], tempers: Sequence[Result], outcomes: Outcomes, note: str = ""
) -> Iterator[Metric]:
    """Yield the metrics of scripts that were played; `tempers` tell of patience only."""
    found, upset = score(results, outcomes), score([*results, *tempers], outcomes)
    calm = [turn for one in tempers if one.script.id.startswith("calm") for turn in one.turns]
    alarms = [turn for turn in calm if turn.heard.feeling in DISTRESSED]
    topics = {topic: f"{score(of, outcomes).succeeded}/{len(of)}" for topic, of in by_topic(results)}
    offers = sum(found.to_offer) / len(found.to_offer) if found.to_offer else None
    values = {
        "task_success": (found.task_success, found.scripts),
        "frustration_noticed": (upset.noticed_rate, upset.upset),
        "handoff_within_2": (upset.handoff_within_2, upset.upset),
        "false_alarms": (round(len(alarms) / len(calm), 4) if calm else None, len(calm)),
        "loops": (found.loops, found.turns),
        "wrong_answer_rate": (found.wrong_rate, found.turns),
        "fallback_rate": (found.fallback_rate, found.turns),
        "emotion_turn_accuracy": (found.emotion_accuracy, found.emotions),
        "turns_to_offer": (None if offers is None else round(offers, 2), len(found.to_offer)),
        "answer_p95_ms": (found.percentile_ms(95), found.turns),
    }
    about = {"false_alarms": DATA_CALM}
    beside: dict[str, dict[str, Any]] = {"task_success": topics}
    if tempers:
        about |= dict.fromkeys(("frustration_noticed", "handoff_within_2"), DATA_TEMPERS)
        beside["frustration_noticed"] = {DATA: f"{found.noticed}/{found.upset}", "that set before": FIRST_NOTICED}
        beside["handoff_within_2"] = {DATA: f"{found.offered}/{found.upset}", "that set before": FIRST_OFFERED}
    for name, (value, n) in values.items():
        yield Metric(
            f"chat.{name}", value, UNITS[name], n, about.get(name, DATA) + note, baseline=beside.get(name),
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
