"""`aisle evaluate ranking`: how good ranking is on the shop's own last weeks, before anybody relies on it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.data import TrainingProfile, steps
from api.settings import settings

app = typer.Typer(no_args_is_help=True, help="Judge models on weeks that were held out.")
COLUMNS = ("ndcg10", "recall10", "mrr", "next_basket_recall10", "novel_ndcg10", "gauc_purchase", "gauc_repeat", "gauc_redeem", "iput_gauc",
           "ild", "novelty_bits", "serendipity", "miscalibration", "coverage", "gini", "member_coverage")  # fmt: skip
SHOWN = ("ndcg10", "next_basket_recall10", "novel_ndcg10", "ild", "serendipity", "coverage", "gini")


@app.callback()
def main() -> None:
    """Judge models on weeks that were held out."""


@app.command()
def ranking(
    days: Annotated[int, typer.Option(min=7, max=90, help="Days at the end that are held out.")] = 28,
    seeds: Annotated[int, typer.Option(min=1, max=10, help="How many trainings, each with its own seed.")] = 2,
    profile: Annotated[
        TrainingProfile, typer.Option(help="How much each training learns from.")
    ] = TrainingProfile.DEMO,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report. Default: reports/ranking in the state folder.")
    ] = None,
) -> None:
    """Train on the orders before the last DAYS and judge popularity, repeat purchase, EASE, the predictors, EMER and the slate on what came after.

    Intervals are 95 % bootstrap intervals over members, paired where methods are compared. Writes a report with plots.
    """
    from api.wiring import open_database
    from personalization.ranking.learning import DEMO, Plan
    from personalization.ranking.study import StudyError, of_orders
    from stores.purchases import SqlTrainingSource

    plan = replace(DEMO if profile is TrainingProfile.DEMO else Plan(), horizon=float(days))
    bar, move = steps()
    try:
        with bar:
            studies = of_orders(
                SqlTrainingSource(open_database(settings())), days, plan, range(7, 7 + seeds), progress=move
            )
    except StudyError as error:
        sys.exit(f"aisle: {error}")
    _print(studies)
    folder = out or settings().state_dir / "reports" / "ranking"
    _write(folder, studies, days)
    print(f"the report is {folder / 'ranking.md'}")


def _print(studies: list[Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*("method", *SHOWN), title=f"{len(studies[0].methods[0].rows):,} members, {len(studies)} seeds")
    for number, method in enumerate(studies[0].methods):
        table.add_row(
            method.name, *(f"{sum(s.methods[number].mean(c) for s in studies) / len(studies):.4f}" for c in SHOWN)
        )
    Console(width=140).print(table)


def _write(folder: Path, studies: list[Any], days: int) -> None:
    from bench.plot import points_svg
    from personalization.ranking import metrics

    folder.mkdir(parents=True, exist_ok=True)
    first = studies[0]
    ours = next(m for m in first.methods if m.name == first.best)
    lines = [
        "# Ranking", "", f"The last {days} days were held out; {len(first.methods[0].rows):,} members, {len(studies)} seeds (means; intervals of the first).", "",
        "| method | " + " | ".join(COLUMNS) + f" | NDCG@10 of {first.best} less this |", "|---" * (len(COLUMNS) + 2) + "|",
    ]  # fmt: skip
    for number, method in enumerate(first.methods):
        cells = [f"{sum(s.methods[number].mean(c) for s in studies) / len(studies):.4f}" for c in COLUMNS]
        mean, low, high = metrics.paired(ours.values["ndcg10"], method.values["ndcg10"], seed=7)
        told = "" if method is ours else f"{mean:+.4f} ({low:+.4f} to {high:+.4f})"
        lines.append(f"| {method.name} | " + " | ".join(cells) + f" | {told} |")
    knobs = [
        (m.mean("coverage"), m.mean("ndcg10"), m.name.removeprefix("slate, "))
        for m in first.methods
        if m.name.startswith("slate")
    ]
    others = [(m.mean("coverage"), m.mean("ndcg10"), m.name) for m in first.methods if not m.name.startswith("slate")]
    plot = points_svg(
        "Accuracy and coverage", {"slates": knobs, "others": others}, "catalogue coverage", "NDCG@10", joined={"slates"}
    )
    (folder / "frontier.svg").write_text(plot)
    (folder / "ranking.md").write_text("\n".join([*lines, "", "![Accuracy and coverage](frontier.svg)", ""]))
