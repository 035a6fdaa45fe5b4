"""Commands about the console's figures."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from api.cli.data import steps
from api.settings import settings

app = typer.Typer(no_args_is_help=True, help="The console's figures by day.")


@app.callback()
def main() -> None:
    """Keep the console's figures by day."""


@app.command()
def rebuild() -> None:
    """Count every day anew from what is stored. Safe beside a running worker, and to interrupt and repeat."""
    from api.wiring import build_services

    services, (bar, move) = build_services(settings()), steps()
    with bar:
        days = services.figures.rebuild(
            now=datetime.now(UTC), progress=lambda done, total: move("counting days", done, total)
        )
    print(f"{days:,} days counted")
