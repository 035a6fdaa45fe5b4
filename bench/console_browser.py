"""What a browser sees of the console, on the demo's full data: accessibility, time to the next paint, and a first campaign."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

from api.settings import settings
from bench.axe import serious
from bench.console_tour import THEMES, WIDTHS, console, slowest_interaction, use, views
from bench.console_walk import first_campaign
from bench.report import Metric
from bench.skeleton import copy_state
from bench.stack import Stack

CHROMIUM = os.environ.get("AISLE_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
DEMO = "the demo's data, every section and tab, signed in as {}"


def metrics(*, quick: bool) -> Iterator[Metric]:
    """Walk the pages as an admin, who sees all; with `quick` in one size and light colours only."""
    expect.set_options(timeout=20_000)
    state = settings().state_dir
    if not (state / "artifacts" / "manifest.json").exists():
        for name, unit in {
            "console.axe_serious": "findings",
            "console.inp_ms": "ms",
            "console.first_campaign_s": "s",
        }.items():
            yield Metric(name, None, unit, 0, "none", reason="there is no demo data; run `make demo`")
        return
    with (
        tempfile.TemporaryDirectory(prefix="aisle-console-") as folder,
        Stack(copy_state(state, Path(folder))) as stack,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield _accessibility(browser, stack.url, quick=quick)
        yield _interactions(browser, stack.url)
        yield _first_campaign(browser, stack.url)
        browser.close()


def _accessibility(browser: Browser, url: str, *, quick: bool) -> Metric:
    found: list[str] = []
    seen = 0
    for theme in THEMES[:1] if quick else THEMES:
        for width in (1440,) if quick else WIDTHS:
            with console(browser, url, "admin", width=width, theme=theme) as page:
                for view in views(page, url):
                    seen += 1
                    for fault in serious(page, rest_ms=50):
                        found.append(fault)
                        print(f"  {view} {theme} {width}: {fault}", file=sys.stderr)
    return Metric(
        "console.axe_serious", len(found), "findings", seen, f"axe-core, serious or critical; {DEMO.format('admin')}"
    )


def _interactions(browser: Browser, url: str) -> Metric:
    worst, what, seen = 0.0, "", 0
    with console(browser, url, "admin") as page:
        for view in views(page, url):
            use(page)
            took, name = slowest_interaction(page)
            seen += 1
            if took > worst:
                worst, what = took, f"{name} on {view}"
    data = f"the slowest of all clicks and keys, on {seen} views ({what}); {DEMO.format('admin')}"
    return Metric("console.inp_ms", worst, "ms", seen, data)


def _first_campaign(browser: Browser, url: str) -> Metric:
    with console(browser, url, "marketer") as page:
        walk = first_campaign(page, url)
    data = f"from the empty state to a running campaign, following the screen, at a newcomer's pace; {walk.waited_s:.1f} s of it for the machine"
    return Metric("console.first_campaign_s", round(walk.seconds, 1), "s", 1, data)
