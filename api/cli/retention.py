"""`aisle retention`: delete what may no longer be kept, now. The worker does the same by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from api.settings import settings

if TYPE_CHECKING:
    from personalization.trust.retention import Schedule

app = typer.Typer(no_args_is_help=True, help="Deleting what may no longer be kept.")


@app.callback()
def _group() -> None:
    """Delete what may no longer be kept. The worker does it every hour; this is for those who want to see it done."""


@app.command()
def run() -> None:
    """Delete what the schedule says is over, and print how many.

    Faces: members who did not come for longer than the retention of the store where they enrolled (`aisle vision status`), stores whose
    cameras have been off for a year, and whatever has no consent behind it. What was deleted is recorded, in numbers only.
    """
    from api.opening import open_database
    from stores.scheduled import enforce

    database, now = open_database(settings()), datetime.now(UTC)
    for done in enforce(database, terms(), now=now):
        counts = ", ".join(f"{name}: {count}" for name, count in done["deleted"].items() if count)
        print(f"{done['scope']}: {sum(done['deleted'].values())} deleted ({counts}), receipt {done['receipt_id']}")
        if "proof" in done:
            print(
                f"  due and left: {sum(done['proof']['due_and_left'].values())}, by the schedule {done['proof']['schedule'][:12]}"
            )
        if not done["files_scrubbed"]:
            print("  their bytes are still in the write-ahead log, until other readers of the database have ended")


@app.command()
def schedule() -> None:
    """Print how long what is kept, by the laws that AISLE_JURISDICTIONS names."""
    found = terms()
    print(f"the shortest terms of {', '.join(found.jurisdictions)}:")
    for kind, line in sorted(found.data.items()):
        print(f"  {kind}: {line.days} days after {line.since} ({line.purpose})" + (f", {line.law}" if line.law else ""))
    for purpose, days in sorted(found.consents.items()):
        print(f"  a consent to {purpose}: " + (f"{days} days" if days else "until it is withdrawn"))


def terms() -> Schedule:
    """Return how long what may be kept, by the settings."""
    from personalization.trust.retention import read_schedule

    names = [name.strip() for name in settings().jurisdictions.split(",") if name.strip()]
    return read_schedule(names, settings().retention_file, files_days=settings().chat_files_days)
