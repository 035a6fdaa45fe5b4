"""Whose lives the benchmark of erasure searches for: they are lived through the API as it is, and gone when it says so."""

from __future__ import annotations

from pathlib import Path

from api.wiring import build_services
from bench.trust_erasing import PEOPLE, Shop, erased
from bench.trust_shop import quiet


def test_people_leave_traces_that_are_found_and_that_an_erasure_leaves_nothing_of(tmp_path: Path) -> None:
    shop = Shop(build_services(quiet(tmp_path, "")))
    hits, traces = erased(shop)
    assert hits == 0
    assert traces >= 8 * PEOPLE
    shop.services.db.dispose()
