"""`aisle bench chat`: emotion, intents, order service, scripted conversations, load with crashes, the widget's size."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench import chat_load, chat_orders_live, chat_scripts
from bench.conversations.live import Shop, ShopError
from bench.conversations.shops import started
from bench.page import Bar, write_page
from bench.report import ROOT, Metric, progress
from bench.stack import Stack

SEED = 7
BARS = {
    "chat.goemotions28_f1": Bar(0.50, least=True), "chat.ekman_f1": Bar(0.65, least=True), "chat.groups_f1": Bar(0.71, least=True),
    "chat.emotion_ece": Bar(0.05), "chat.emotion_p95_ms": Bar(8), "chat.uss_sgd_auroc": Bar(0.82, least=True),
    "chat.uss_mwoz_auroc": Bar(0.70, least=True), "chat.uss_redial_auroc": Bar(0.80, least=True), "chat.intent_f1": Bar(0.93, least=True),
    "chat.intent_f1_second": Bar(0.93, least=True), "chat.intent_ece": Bar(0.05),
    "chat.hint3_accuracy": Bar(0.80, least=True), "chat.hint3_oos_auroc": Bar(0.86, least=True), "chat.oos_recall": Bar(0.80, least=True),
    "chat.oos_false_alarms": Bar(0.05), "chat.entity_f1": Bar(0.90, least=True), "chat.task_success": Bar(0.90, least=True), "chat.task_success_second": Bar(0.90, least=True),
    "chat.frustration_noticed": Bar(0.85, least=True), "chat.handoff_within_2": Bar(1.0, least=True), "chat.loops": Bar(0),
    "chat.order_tasks_solved": Bar(0.60, least=True), "chat.policy_breaches": Bar(0), "chat.load_p95_ms": Bar(800),
    "chat.lost_or_reordered": Bar(0), "chat.typing_p95_ms": Bar(200), "chat.widget_gzip_kb": Bar(150), "chat.widget_first_gzip_kb": Bar(12),
}  # fmt: skip
PARTS = {
    "bench.chat_emotion": (
        "goemotions28_f1", "ekman_f1", "groups_f1", "emotion_ece", "emotion_p95_ms", "uss_sgd_auroc", "uss_mwoz_auroc", "uss_redial_auroc",
    ),
    "bench.chat_nlu": ("intent_f1", "intent_f1_second", "intent_ece", "hint3_accuracy", "hint3_oos_auroc", "entity_f1"),
}  # fmt: skip
TITLES = {
    "chat.emotion_p95_ms": "How long does hearing the emotion of one message take?",
    "chat.load_p95_ms": "How long do 50 shoppers who write every 4 s wait, while Rasa and the api are killed?",
    "chat.typing_p95_ms": "How soon do they see that an answer is being made?",
}
WIDGET = ROOT / "web" / "dist"
PANEL = "src/widget/panel.ts"


def main(*, quick: bool, data: Path | None) -> None:
    """Print every metric of the chat. Without `quick` the full protocol runs and docs/benchmarks/chat.md is written."""
    found: list[Metric] = []
    for metric in _all(quick, data):
        metric.print()
        found.append(metric)
    if not quick:
        write_page("chat", "Chat", BARS, found, seed=SEED, titles=TITLES, after=_notes())


def _all(quick: bool, data: Path | None) -> Iterator[Metric]:
    """Measure alone what counts milliseconds; the shops start beside what only counts what is right."""
    yield from widget(WIDGET)
    shops = Shops(Path(os.environ.get("AISLE_STATE_DIR", ROOT / "var")), data)
    try:
        for module, names in PARTS.items():
            for metric in part(module, names, quick, data):
                yield metric
                if metric.metric == "chat.emotion_p95_ms":
                    shops.start()
        shops.start()
        yield from _running(shops, quick, data)
    finally:
        shops.close()


def part(module: str, names: tuple[str, ...], quick: bool, data: Path | None) -> Iterator[Metric]:
    """Yield a part's metrics; those that it does not give have no value, and the reason."""
    if find_spec(module) is None:
        for name in names:
            yield Metric(f"chat.{name}", None, "", 0, "", reason=f"{module} is not part of this checkout")
        return
    given = set()
    for metric in import_module(module).metrics(quick, data):
        given.add(metric.metric)
        yield metric
    for name in names:
        if f"chat.{name}" not in given:
            yield Metric(f"chat.{name}", None, "", 0, "", reason=f"{module} did not measure it")


class Shops:
    """The grocery shop with two Rasas and the shop with order management, started at the same time in the background."""

    def __init__(self, state: Path, data: Path | None) -> None:
        self._state, self._data = state, data
        self._pool, self._open = ThreadPoolExecutor(2), dict[str, Future[tuple[Any, Any]]]()

    def start(self) -> None:
        """Begin, unless they were started before."""
        if not self._open:
            progress("starting everything")
            for kind, rasas in (("groceries", 2), ("orders", 1)):
                self._open[kind] = self._pool.submit(self._enter, kind, rasas)

    def _enter(self, kind: str, rasas: int) -> tuple[Any, Any]:
        shop = started(kind, self._state, self._data, rasas=rasas)
        return shop, shop.__enter__()

    def get(self, kind: str) -> tuple[Stack, Shop] | str:
        """Wait for a shop; return it, or why there is none."""
        try:
            found: tuple[Stack, Shop] = self._open[kind].result()[1]
        except ShopError as error:
            return str(error).splitlines()[0]
        return found

    def stop(self, kind: str) -> None:
        """Stop a shop, so that it does not disturb what comes next."""
        if (opening := self._open.pop(kind, None)) is not None and opening.exception() is None:
            opening.result()[0].__exit__(None, None, None)

    def close(self) -> None:
        """Stop what is still there."""
        for kind in list(self._open):
            self.stop(kind)
        self._pool.shutdown()


def _running(shops: Shops, quick: bool, data: Path | None) -> Iterator[Metric]:
    """Talk to the running shops, to one at a time."""
    orders, groceries = shops.get("orders"), shops.get("groceries")
    if isinstance(orders, str) or data is None:
        yield from chat_orders_live.missing(str(orders))
    else:
        yield from chat_orders_live.metrics(*orders, quick, data)
    if isinstance(groceries, str):
        yield from chat_scripts.missing(groceries)
        yield from chat_load.missing(groceries)
        return
    yield from chat_scripts.metrics(groceries[0], orders if isinstance(orders, str) else orders[1], quick)
    shops.stop("orders")
    yield from chat_load.metrics(groceries[0], quick)


def widget(dist: Path) -> Iterator[Metric]:
    """Yield what the chat weighs: what every page loads before the first click, and all that it can ever load, gzipped."""
    first, manifest = dist / "widget.js", dist / ".vite" / "manifest.json"
    names = ("chat.widget_first_gzip_kb", "chat.widget_gzip_kb")
    if not first.exists() or not manifest.exists():
        for name in names:
            yield Metric(name, None, "kB", 0, "web/dist", reason="the web pages are not built; run `make web`")
        return
    chunks: dict[str, Any] = json.loads(manifest.read_text())
    files, waiting, seen = {"widget.js"}, [PANEL], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in chunks:
            continue
        seen.add(name)
        chunk = chunks[name]
        files |= {chunk["file"], *chunk.get("css", ()), *chunk.get("assets", ())}
        waiting += [*chunk.get("imports", ()), *chunk.get("dynamicImports", ())]
    sizes = {file: len(gzip.compress((dist / file).read_bytes(), 9)) / 1000 for file in files}
    yield Metric(names[0], round(sizes["widget.js"], 2), "kB", 1, "web/dist/widget.js, gzip -9")
    largest = dict(sorted(((file, round(size, 1)) for file, size in sizes.items()), key=lambda pair: -pair[1])[:4])
    yield Metric(
        names[1], round(sum(sizes.values()), 2), "kB", len(files), "web/dist, the widget and every chunk it can load, gzip -9", baseline=largest
    )  # fmt: skip


def _notes() -> list[str]:
    return [
        "", "## How it was measured", "",
        "Scripted conversations: `tests/e2e/conversations/`, written before the assistant was tuned; the half that counts is chosen by the hash"
        " of each script's id, less 57 that were opened on 2026-11-27 (docs/evaluating-chat.md). A script succeeds when every turn does what was expected. Noticed: distress was heard in the turn in which the"
        " shopper, by the script, became angry or frustrated, or in the one after. Handed over: a person was offered within two turns of it.", "",
        "Order tasks: a scripted shopper writes to the api of a shop made from tau2-bench's retail data, says its wish in the words that the"
        " task's scenario allows, answers what it is asked, and agrees only to what it wants. A task is solved when afterwards every row of its"
        " customers is what the task expects. Each change is compared with the shop's written policy, also for a shopper who agrees to everything.", "",
        "Load: two Rasas and one api, each killed as a crash would; their supervisor starts them again. Every shopper writes every 4 s whatever happens; waiting is counted from the moment that a message was meant to be sent, so"
        " messages that pile up during a crash count in full. A message that gets no answer is sent again with the same id. Afterwards the"
        " stored conversation must hold every message once, in order, each with its answer.", "",
    ]  # fmt: skip
