"""The console's benchmark: its pages ask for what there is, its size is what the first page loads, its data is a shop's."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import func, select

from bench import console_data
from bench.console import initial_js
from bench.console_data import fill, ids, times
from bench.console_pages import PAGES
from personalization.profiling.own_segments import parse
from stores.database import Database
from stores.figures import SqlFigures
from stores.segments import SqlSegments
from stores.tables import events, members

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_the_first_load_is_the_entry_and_what_it_imports_at_once(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    (dist / ".vite").mkdir(parents=True)
    manifest = {
        "console.html": {"file": "a.js", "imports": ["_b.js"], "dynamicImports": ["c.tsx"]},
        "_b.js": {"file": "b.js", "imports": ["_b.js"]},
        "c.tsx": {"file": "c.js"},
    }
    for name in "abc":
        (dist / f"{name}.js").write_text(f"/* {name} */" * 400)
    path = dist / ".vite" / "manifest.json"
    path.write_text(json.dumps(manifest))
    size = sum(len(gzip.compress((dist / f"{name}.js").read_bytes(), 6)) for name in "ab")
    found = initial_js(path)
    assert (found.value, found.n) == (round(size / 1000, 1), 2)
    assert initial_js(tmp_path / "nothing.json").value is None


def test_every_page_asks_for_something_once() -> None:
    for page, asks in PAGES.items():
        assert asks, page
        assert len({(ask.method, ask.path) for ask in asks}) == len(asks), page


def test_times_are_in_order_within_the_last_days_and_busier_at_midday() -> None:
    found = times(np.random.default_rng(1), 20_000, NOW)
    assert found.is_sorted()
    assert found.min() >= datetime(2026, 5, 24)  # type: ignore[operator]  # noqa: DTZ001  the database's own times
    hours = found.dt.hour().value_counts()
    count = dict(zip(hours["at"].to_list(), hours["count"].to_list(), strict=True))
    assert count[12] > 5 * count[3]
    assert ids(1, [7]).to_list() == ["01900001-0000-7000-8000-000000000007"]


def test_a_small_shop_is_filled_and_counted(postgres_database: Database) -> None:
    made = fill(postgres_database, 300, 6_000, now=NOW)
    with postgres_database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(events)) == 6_000
        assert connection.scalar(select(func.count()).select_from(members)) == len(made.members) == 300
    figures = SqlFigures(postgres_database)
    assert figures.rebuild(now=NOW) >= console_data.DAYS
    today = NOW.date()
    names = {
        row.name
        for row in figures.read(
            {"sessions", "revenue", "coupon_spend", "decisions", "churn"},
            today.replace(month=6),
            today,
        )
    }
    assert names == {"sessions", "revenue", "coupon_spend", "decisions", "churn"}
    rule = parse({"conditions": [{"kind": "label", "name": "promotion_seeker", "how": "is", "value": True}]})
    count, everybody = SqlSegments(postgres_database).count(rule)
    assert 0 < count < everybody == 300
