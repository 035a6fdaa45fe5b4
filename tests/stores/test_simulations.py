"""Simulations that wait in line, run long, or whose process is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from stores.database import Database
from stores.simulations import SILENT, SqlSimulations

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def test_what_waits_in_line_is_not_lost_and_is_run_by_one_process_alone(database: Database) -> None:
    here, elsewhere = SqlSimulations(database), SqlSimulations(database)
    made, is_new = here.begin("c", 1, 7, at=NOW)
    assert is_new
    late = NOW + SILENT * 3 / 4
    here.alive([made.simulation_id], at=late)
    again, runs_it = elsewhere.begin("c", 1, 7, at=late + SILENT / 2)
    assert (again.simulation_id, again.state, runs_it) == (made.simulation_id, "queued", False)


def test_what_nobody_answers_for_is_told_as_lost_and_begun_anew(database: Database) -> None:
    store, later = SqlSimulations(database), NOW + SILENT + timedelta(seconds=1)
    made, _ = store.begin("c", 1, 7, at=NOW)
    assert store.get(made.simulation_id, at=later).state == "failed"
    anew, is_new = store.begin("c", 1, 7, at=later)
    assert is_new
    assert anew.simulation_id != made.simulation_id


def test_what_is_done_stays_done_whoever_is_alive(database: Database) -> None:
    store = SqlSimulations(database)
    made, _ = store.begin("c", 1, 7, at=NOW)
    store.finish(made.simulation_id, {"coupons": 1}, at=NOW)
    store.alive([made.simulation_id], at=NOW + SILENT)
    assert store.get(made.simulation_id, at=NOW + SILENT * 9).state == "done"
