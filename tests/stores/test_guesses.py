"""Wrong proofs of a day, counted without names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from stores.database import Database
from stores.guesses import SqlGuesses
from stores.tables import counters

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_wrong_proofs_add_up_for_a_day_and_name_nobody(database: Database) -> None:
    guesses = SqlGuesses(database)
    guesses.add(["by device", "at nora@example.com"], 1, at=NOW)
    guesses.add(["by device"], 4, at=NOW)
    assert guesses.made(["by device", "at nora@example.com"], at=NOW) == 5
    assert guesses.made(["at nora@example.com"], at=NOW) == 1
    assert guesses.made(["by another"], at=NOW) == 0
    with database.read() as connection:
        assert "nora" not in repr(connection.execute(select(counters)).all())


def test_the_next_day_begins_anew_and_keeps_nothing_of_the_last(database: Database) -> None:
    guesses, tomorrow = SqlGuesses(database), NOW + timedelta(days=1)
    guesses.add(["by device"], 5, at=NOW)
    assert guesses.made(["by device"], at=tomorrow) == 0
    guesses.add(["by other"], 1, at=tomorrow)
    assert guesses.made(["by device"], at=NOW) == 0
