"""The console's benchmark: its pages ask for what there is, its size is what the first page loads, its data is a shop's."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
from sqlalchemy import func, select

from api.app import create_app
from api.auth import SCOPES
from api.settings import Settings
from api.wiring import Services
from bench import console_data
from bench.console import initial_js
from bench.console_data import fill, ids, times
from bench.console_pages import PAGES
from bench.console_speed import _ask, _filled
from bench.console_stage import staged
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


CONSOLE = Path(__file__).parents[2] / "web" / "src" / "console"
NOT_OF_A_PAGE = {
    "/v1/session", "/v1/session/ways", "/v1/session/others", "/v1/session/passkeys",  # of who is signed in; the bench has a key
    "/v1/members/{}/export",  # a file that somebody asks for by a button
}  # fmt: skip


def test_what_the_console_reads_is_measured() -> None:
    def bare(path: str) -> str:
        return re.sub(r"\{[^}]*\}", "{}", path.partition("?")[0])

    asked = {bare(ask.path) for asks in PAGES.values() for ask in asks} | NOT_OF_A_PAGE
    asked |= {re.sub("newest$", "{}", path) for path in asked}
    told = "\n".join(path.read_text("utf-8") for path in CONSOLE.rglob("*.ts*"))
    read = {bare(path) for path in re.findall(r"""\bread(?:All)?\(\s*"(/v1/[^"]+)""", told)}
    assert len(read) > 40
    assert read <= asked


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


def test_every_page_gets_what_it_asks_for(postgres_database: Database, tmp_path: Path, models_dir: Path) -> None:
    (tmp_path / "models").symlink_to(models_dir.resolve())
    settings = Settings(state_dir=tmp_path, rasa_url="http://127.0.0.1:9", worker="external", demo=False)
    services = Services(settings, postgres_database)
    made = fill(postgres_database, 300, 6_000, now=NOW)
    rule = parse({"conditions": [{"kind": "feature", "name": "orders", "how": "at_least", "value": 1}]})
    own = [services.segments.create(name, "", rule, author="bench", at=NOW).segment_id for name in ("One", "Two")]
    made = replace(made, segments=own)
    _, key = services.keys.create("api", "bench", at=datetime.now(UTC), scopes=SCOPES)
    transport = httpx.ASGITransport(create_app(settings, services))
    rng = np.random.default_rng(7)

    async def visit() -> None:
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://aisle", headers=headers) as client:
            there = await staged(client)
            for ask in (ask for asks in PAGES.values() for ask in asks):
                await _ask(client, *_filled(ask, made, there, rng))

    asyncio.run(visit())  # what is not answered with 200 is an error
