"""The command line `aisle`. Heavy libraries load only when a command needs them, so that `--help` is quick."""

from api.cli.main import main

__all__ = ["main"]
