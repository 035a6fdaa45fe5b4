"""`aisle evaluate ranking`: how good ranking is on the shop's own last weeks, before anybody relies on it."""

from __future__ import annotations

import math
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli import evaluate_chat
from api.cli.data import TrainingProfile, steps
from api.settings import settings

app = typer.Typer(no_args_is_help=True, help="Judge models on weeks that were held out.")
COLUMNS = {
    "ndcg10": "NDCG@10", "recall10": "Recall@10", "mrr": "MRR", "next_basket_recall10": "Next basket, recall@10",
    "novel_ndcg10": "New items, NDCG@10", "gauc_purchase": "Purchase, AUC", "gauc_repeat": "Repeat, AUC", "gauc_redeem": "Coupon, AUC",
    "iput_gauc": "Purchases per day, AUC", "ild": "Variety", "novelty_bits": "Novelty, bits", "serendipity": "Serendipity",
    "miscalibration": "Miscalibration", "coverage": "Coverage", "gini": "Gini", "member_coverage": "Members served",
}  # fmt: skip
SHOWN = ("ndcg10", "next_basket_recall10", "novel_ndcg10", "ild", "serendipity", "coverage", "gini")
FIRST = ("ndcg10", "next_basket_recall10", "novel_ndcg10", "coverage", "ild")


@app.callback()
def main() -> None:
    """Judge models on weeks that were held out."""


app.command("chat")(evaluate_chat.chat)


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
    from api.opening import open_database
    from personalization.ranking.learning import DEMO, Plan
    from personalization.ranking.study import StudyError, of_orders
    from stores.purchases import SqlTrainingSource

    folder = out or settings().state_dir / "reports" / "ranking"
    folder.mkdir(parents=True, exist_ok=True)  # now, and not after minutes of work
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
    _write(folder, studies, days)
    print(f"the report is {folder / 'ranking.md'}")


def _mean(studies: list[Any], number: int, column: str) -> str:
    """Return a metric's mean over trainings, a dash where nobody could be judged by it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing
        found = sum(study.methods[number].mean(column) for study in studies) / len(studies)
    return "–" if math.isnan(found) else f"{found:.4f}"


def _trainings(studies: list[Any]) -> str:
    return "one training" if len(studies) == 1 else f"means of {len(studies)} trainings"


def _print(studies: list[Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{len(studies[0].methods[0].rows):,} members, {_trainings(studies)}", title_justify="left")
    table.add_column("Method", no_wrap=True)
    for column in SHOWN:
        table.add_column(COLUMNS[column], justify="right")
    for number, method in enumerate(studies[0].methods):
        table.add_row(method.name, *(_mean(studies, number, column) for column in SHOWN))
    Console(width=120).print(table)


def _write(folder: Path, studies: list[Any], days: int) -> None:
    from bench.plot import points_svg
    from personalization.ranking import metrics

    first = studies[0]
    ours = next(m for m in first.methods if m.name == first.best)
    differences = []
    for method in first.methods:
        mean, low, high = metrics.paired(ours.values["ndcg10"], method.values["ndcg10"], seed=7)
        differences.append("" if method is ours else f"{mean:+.4f} ({low:+.4f} to {high:+.4f})")
    lines = [
        "# How good is ranking in this shop?", "",
        f"Learned from the orders before the last {days} days, judged by what {len(first.methods[0].rows):,} members bought in them;"
        f" {_trainings(studies)}. `{first.best}` ranks in production, and the knob makes slates of what it ranks.", "",
        *_table(studies, FIRST, (f"NDCG@10 of {first.best} less this (95 %)", differences)), "",
        "![Which slates are accurate, and which show more of the catalogue?](frontier.svg)", "",
        "NDCG@10 and recall@10: what was bought among the first ten. New items: the same for what the member had never bought."
        " Coverage: the part of the catalogue that anybody is shown. Variety: how unlike each other the ten are.", "",
        "## Everything that was measured", "",
        *_table(studies, tuple(column for column in COLUMNS if column not in FIRST)), "",
        "AUC: how often a bought item ranks above one that was not, per member. Miscalibration: how far the slate's categories are from the"
        " member's own (0 is none). Gini: how unequally items are shown (1 is one item for all).", "",
    ]  # fmt: skip
    knobs = [
        (m.mean("coverage"), m.mean("ndcg10"), m.name.removeprefix("slate, knob "))
        for m in first.methods
        if m.name.startswith("slate")
    ]
    others = [(m.mean("coverage"), m.mean("ndcg10"), m.name) for m in first.methods if not m.name.startswith("slate")]
    title = "Which slates are accurate, and which show more of the catalogue?"
    plot = points_svg(
        title,
        {"slates": knobs, "others": others},
        "catalogue coverage (numbers on the line: the knob)",
        "NDCG@10",
        joined={"slates"},
    )
    (folder / "frontier.svg").write_text(plot)
    (folder / "ranking.md").write_text("\n".join(lines))


def _table(studies: list[Any], columns: tuple[str, ...], last: tuple[str, list[str]] | None = None) -> list[str]:
    """Return the lines of a table of every method's means, numbers right-aligned; `last` is one more column."""
    heads = ["Method", *(COLUMNS[column] for column in columns), *([last[0]] if last else [])]
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for number, method in enumerate(studies[0].methods):
        cells = [*(_mean(studies, number, column) for column in columns), *([last[1][number]] if last else [])]
        lines.append(f"| {method.name} | " + " | ".join(cells) + " |")
    return lines
