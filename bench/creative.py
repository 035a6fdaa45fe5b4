"""`aisle bench creative`: how large the space is, how true to its rules and how fast; which variant is placed for whom, against other ways, and what off-policy estimates are worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bench import creative_pages as pages
from bench import creative_placing as placing
from bench import creative_posters as posters
from bench.creative_market import REPORTED
from bench.page import Bar, write_page
from bench.report import Metric

BARS = {
    "creative.valid_specs": Bar(700_000_000, least=True), "creative.constraint_violations": Bar(0), "creative.duplicates_in_10000": Bar(0),
    "creative.poster_p95_ms": Bar(300), "creative.video10s_s": Bar(12), "creative.thumbnails_per_s": Bar(15, least=True),
    "creative.gain_over_uniform": Bar(0.17, least=True), "creative.gain_over_ab": Bar(0, least=True),
    "creative.gain_over_linucb": Bar(0, least=True), "creative.ope_interval_coverage": Bar(0.93, least=True),
}  # fmt: skip


def main(*, quick: bool, data: Path | None) -> None:
    """Print every metric of creatives. Without `quick` the full protocol runs and docs/benchmarks/creative.md is written."""
    del data  # nothing here is measured on data
    found: list[Metric] = []
    parts: list[Callable[[], Iterator[Metric]]] = [
        partial(posters.metrics, quick=quick),
        partial(placing.metrics, quick=quick),
    ]
    for part in parts:
        for metric in part():
            metric.print()
            found.append(metric)
    if not quick:
        write_page("creative", "Creatives", BARS, found, seed=REPORTED, titles={}, after=["", *pages.section()])
