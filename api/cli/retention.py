"""`aisle retention`: delete what may no longer be kept, now. The worker does the same by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import typer

from api.settings import settings

app = typer.Typer(no_args_is_help=True, help="Deleting what may no longer be kept.")


@app.callback()
def _group() -> None:
    """Delete what may no longer be kept. The worker does it every hour; this is for those who want to see it done."""


@app.command()
def run() -> None:
    """Delete face templates, events and files from chats whose time is over, and print how many.

    Faces: members who did not come for longer than the retention of the store where they enrolled (`aisle vision status`), stores whose
    cameras have been off for a year, and whatever has no consent behind it. What was deleted is recorded, in numbers only.
    """
    from api.wiring import open_database
    from stores.attachments import SqlAttachments
    from stores.events import purge
    from stores.retention import purge_templates

    database, now = open_database(settings()), datetime.now(UTC)
    done = purge_templates(database, now=now)
    if done is None:
        print("face templates: none was due")
    else:
        reasons = ", ".join(f"{name}: {count}" for name, count in done["deleted"].items() if count)
        print(f"face templates: {sum(done['deleted'].values())} deleted ({reasons}), receipt {done['receipt_id']}")
        if not done["files_scrubbed"]:
            print("  their bytes are still in the write-ahead log, until other readers of the database have ended")
    print(f"events: {purge(database, now=now)} deleted")
    files = SqlAttachments(database).purge(before=now - timedelta(days=settings().chat_files_days))
    print(f"files from chats: {files} deleted")
