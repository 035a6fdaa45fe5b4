"""`aisle bench console`: how quick the console's data is with a large shop behind it, how large its first load, and what a browser sees."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from api.log import configure
from bench import console_browser, console_speed
from bench.page import Bar, write_page
from bench.report import ROOT, Metric

SEED = 7
BARS = {
    "console.axe_serious": Bar(0), "console.initial_js_gzip_kb": Bar(350), "console.inp_ms": Bar(200), "console.slowest_page_p95_ms": Bar(1000),
    "console.segment_count_p95_ms": Bar(300), "console.first_campaign_s": Bar(180),
}  # fmt: skip
MANIFEST = ROOT / "web" / "dist" / ".vite" / "manifest.json"


def main(*, quick: bool, data: Path | None) -> None:
    """Print every metric of the console. Without `quick` the full protocol runs and docs/benchmarks/console.md is written."""
    del data  # everything is made from a seed
    configure("console")
    found: list[Metric] = []
    for metric in _each(quick=quick):
        metric.print()
        found.append(metric)
    if not quick:
        titles = {"console.slowest_page_p95_ms": "How long until all data of the slowest page is there?"}
        write_page("console", "Console", BARS, found, seed=SEED, titles=titles, after=console_speed.table(found))


def _each(*, quick: bool) -> Iterator[Metric]:
    yield initial_js(MANIFEST)
    with tempfile.TemporaryDirectory(prefix="aisle-console-") as folder:
        yield from console_speed.metrics(Path(folder), quick=quick, seed=SEED)
    yield from console_browser.metrics(quick=quick)


def initial_js(manifest: Path) -> Metric:
    """Return the compressed size of what the console's first page loads as JavaScript: its entry and all that it imports at once."""
    name, unit = "console.initial_js_gzip_kb", "kB"
    if not manifest.exists():
        return Metric(name, None, unit, 0, "web/dist", reason="the pages are not built; run `make demo`")
    chunks = json.loads(manifest.read_text(encoding="utf-8"))
    wanted, seen = ["console.html"], set[str]()
    while wanted:
        one = wanted.pop()
        if one not in seen and one in chunks:
            seen.add(one)
            wanted += chunks[one].get("imports", [])
    files = sorted({chunks[one]["file"] for one in seen if chunks[one]["file"].endswith(".js")})
    size = sum(len(gzip.compress((manifest.parents[1] / file).read_bytes(), 6)) for file in files)
    return Metric(name, round(size / 1000, 1), unit, len(files), f"{len(files)} files of web/dist, gzip level 6")
