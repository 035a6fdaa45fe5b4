"""`aisle evaluate chat`: scripted shoppers talk to the shop; what came of it as a table, as JSON lines, and word for word."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.data import steps
from api.settings import settings

if TYPE_CHECKING:
    from bench.conversations.outcomes import Outcomes
    from bench.conversations.play import Result
    from bench.conversations.score import Score


class Half(StrEnum):
    """Which scripts are played."""

    TUNE = "tune"
    HELD_OUT = "held_out"
    ALL = "all"


class ShopKind(StrEnum):
    """Which shop answers at an address."""

    GROCERIES = "groceries"
    ORDERS = "orders"


def chat(
    split: Annotated[Half, typer.Option(help="The half to tune on, the half that is held out, or all.")] = Half.TUNE,
    topic: Annotated[list[str] | None, typer.Option(help="Only this topic; may be repeated.")] = None,
    id: Annotated[list[str] | None, typer.Option(help="Only this script; may be repeated.")] = None,  # noqa: A002 - the option's name
    url: Annotated[str | None, typer.Option(help="A running shop. Without it one is started on a copy of the state.")] = None,
    key: Annotated[str | None, typer.Option(help="An API key of that shop with the scope widget-tokens; a demo needs none.")] = None,
    shop: Annotated[ShopKind, typer.Option(help="What kind of shop answers at that address.")] = ShopKind.GROCERIES,
    member: Annotated[list[str] | None, typer.Option(help="A member of that shop to sign in as; may be repeated.")] = None,
    scripts: Annotated[Path | None, typer.Option(help="Folder with scripts. Default: tests/e2e/conversations.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data of the shop with order management; ../shared/data when it exists.")] = None,
    at_once: Annotated[int, typer.Option(min=1, max=50, help="How many shoppers talk at the same time.")] = 4,
    verbose: Annotated[bool, typer.Option(help="Print every conversation, and what was wrong with it.")] = False,
) -> None:  # fmt: skip
    """Let scripted shoppers talk to the shop, and count how often they get what they came for.

    The table and the conversations are for people and go to standard error; one JSON object per script, and one for all, go to standard output.
    """
    from bench.conversations.live import Shop, ShopError
    from bench.conversations.outcomes import Outcomes
    from bench.conversations.run import chosen, play
    from bench.conversations.script import ScriptError, load
    from bench.conversations.shops import play_in_own_shops
    from bench.report import ROOT

    folder = scripts or ROOT / "tests" / "e2e" / "conversations"
    default = Path("../shared/data")
    bar, move = steps()
    try:
        outcomes = Outcomes.of(folder)
        wanted = chosen(load(folder, outcomes.names), split=split.value, topics=topic or (), ids=id or ())
        fitting = [script for script in wanted if url is None or script.shop == shop.value]
        if not fitting:
            sys.exit("aisle: no script fits; see --split, --topic, --id and --shop")
        if len(fitting) < len(wanted):
            _say(f"{len(wanted) - len(fitting)} scripts need another kind of shop and are left out")
        with bar:
            if url is not None:
                with Shop(url, key=key, members=member) as there:
                    results = play(fitting, there, outcomes, at_once=at_once, progress=move)
            else:
                found = data or (default if default.is_dir() else None)
                results = play_in_own_shops(
                    fitting, outcomes, settings().state_dir, found, at_once=at_once, progress=move, left_out=_say
                )
    except (ScriptError, ShopError) as error:
        sys.exit(f"aisle: {error}")
    for result in results if verbose else ():
        _transcript(result)
    _tell(results, outcomes)


def _say(told: str) -> None:
    print(f"aisle: {told}", file=sys.stderr)


def _tell(results: Sequence[Result], outcomes: Outcomes) -> None:
    from rich.console import Console
    from rich.table import Table

    from bench.conversations.score import by_topic, score

    table = Table(title=f"{len(results)} conversations", title_justify="left")
    table.add_column("Topic", no_wrap=True)
    for name in (
        "Scripts",
        "Success",
        "Turns",
        "Wrong",
        "Gave up",
        "Emotion",
        "Noticed",
        "Human in 2",
        "Loops",
        "p50 ms",
        "p95 ms",
    ):
        table.add_column(name, justify="right")
    for topic, of_topic in by_topic(results):
        table.add_row(topic, *_cells(score(of_topic, outcomes)))
    whole = score(results, outcomes)
    table.add_section()
    table.add_row("all", *_cells(whole))
    Console(stderr=True, width=140).print(table)
    for result in results:
        print(json.dumps(_line(result)))
    print(json.dumps({"all": _summary(whole)}))


def _cells(found: Score) -> list[str]:
    def share(value: float | None) -> str:
        return "–" if value is None else f"{value:.0%}"

    return [
        str(found.scripts), share(found.task_success), str(found.turns), share(found.wrong_rate), share(found.fallback_rate),
        share(found.emotion_accuracy), share(found.noticed_rate), share(found.handoff_within_2), str(found.loops),
        *("–" if ms is None else f"{ms:.0f}" for ms in (found.percentile_ms(50), found.percentile_ms(95))),
    ]  # fmt: skip


def _summary(found: Score) -> dict[str, Any]:
    return {
        "scripts": found.scripts, "task_success": found.task_success, "turns": found.turns, "wrong_answer_rate": found.wrong_rate,
        "fallback_rate": found.fallback_rate, "emotion_accuracy": found.emotion_accuracy, "emotion_turns": found.emotions,
        "upset": found.upset, "noticed_within_1": found.noticed_rate, "handoff_within_2": found.handoff_within_2,
        "turns_to_offer": list(found.to_offer), "loops": found.loops, "p50_ms": found.percentile_ms(50), "p95_ms": found.percentile_ms(95),
    }  # fmt: skip


def _line(result: Result) -> dict[str, Any]:
    script = result.script
    wrong = [{"turn": n, "sent": turn.heard.sent, "acts": turn.heard.acts, "wrong": list(turn.failures)}
             for n, turn in enumerate(result.turns, 1) if turn.failures]  # fmt: skip
    return {
        "script": script.id, "topic": script.topic, "split": script.split, "shop": script.shop, "persona": script.persona,
        "success": result.succeeded, "turns": len(result.turns), "failures": wrong,
        "seconds": round(sum(turn.heard.seconds for turn in result.turns), 3),
    }  # fmt: skip


def _transcript(result: Result) -> None:
    """Print one conversation, each failing turn with what is wrong with it."""
    from rich.console import Console

    console = Console(stderr=True, width=140, highlight=False)
    mark = "[green]✓[/]" if result.succeeded else "[red]✗[/]"
    console.print(
        f"\n{mark} [bold]{result.script.id}[/] ({result.script.persona} {result.script.who}, {result.script.split})"
    )
    for turn in result.turns:
        heard = turn.heard
        feeling = f"  [{heard.feeling}]" if heard.feeling else ""
        console.print(f"  shopper: {heard.sent}{feeling}", markup=False)
        for message in heard.messages:
            console.print(f"    {message.get('act') or '?'}: {message.get('text', '')}", markup=False)
            for item in message.get("items") or ():
                console.print(f"      · {item['name']}, {item['price']['text']}", markup=False)
            if message.get("coupon"):
                console.print(f"      · coupon: {message['coupon'].get('text', '')}", markup=False)
            if message.get("quick_replies"):
                console.print(
                    f"      ({' | '.join(reply['title'] for reply in message['quick_replies'])})", markup=False
                )
        for wrong in turn.failures:
            console.print(f"    ✗ {wrong}", style="red", markup=False)
