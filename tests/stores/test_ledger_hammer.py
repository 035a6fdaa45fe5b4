"""Processes that are killed while they spend from one budget lose nothing and overspend nothing."""

from __future__ import annotations

from bench.coupons_ledger import hammer
from stores.database import Database


def test_a_budget_that_processes_hammer_and_die_on_stays_in_balance(database: Database) -> None:
    report = hammer(database, processes=6, seconds=5, kill_every_s=0.5, total=3000)
    assert report.killed > 0
    assert report.answered > 20
    assert (report.entries_off, report.coupons_off, report.over_cap, report.twice, report.lost) == (0, 0, 0, 0, 0)
