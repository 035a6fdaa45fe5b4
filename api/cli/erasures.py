"""`aisle erasures`: what was erased, and erasing it again after a backup was restored."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from api.settings import settings

app = typer.Typer(no_args_is_help=True, help="Erasures: their receipts, and again after a backup was restored.")


@app.command("list")
def list_() -> None:
    """Print the receipts of what was deleted, oldest first: numbers, no names."""
    from sqlalchemy import select

    from api.opening import open_database
    from stores.tables import erasures

    with open_database(settings()).read() as connection:
        for row in connection.execute(select(erasures).order_by(erasures.c.at, erasures.c.receipt_id)):
            deleted = ", ".join(f"{name} {count}" for name, count in row.counts.items() if count)
            print(f"{row.at:%Y-%m-%d %H:%M} {row.receipt_id} {row.scope}: {deleted or 'nothing'}")


@app.command()
def replay() -> None:
    """Erase again whom the journal names and the database, restored from a backup, still knows. Every start of the api does it, too."""
    from api.opening import open_database
    from stores.erasure import replay_erasures

    done = replay_erasures(open_database(settings()), at=datetime.now(UTC))
    for receipt in done:
        print(f"{receipt['receipt_id']}: {sum(receipt['deleted'].values())} rows deleted")
    print(f"{len(done)} erasures were done again")


@app.command()
def scrub() -> None:
    """Write every table that names shoppers anew, so that no page keeps deleted rows. On PostgreSQL it locks each table meanwhile."""
    from api.opening import open_database
    from stores.erasure_plan import PLAN, Whose

    touched = [table.name for table, kind in PLAN.items() if kind not in {Whose.NOBODY, Whose.STAFF}]
    done = open_database(settings()).scrub([], rewrite=touched)
    print("done" if done else "another process keeps the old pages open; try again later")
