"""`aisle bench creative`: how large the space is, how true to its rules and how fast; which variant is placed for whom, against other ways, and what off-policy estimates are worth.

What is timed runs alone, first; the rest is counted and runs in two processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench import creative_film as film
from bench import creative_pages as pages
from bench import creative_placing as placing
from bench import creative_posters as posters
from bench import creative_speed as learning
from bench import creative_value as value
from bench.creative_market import REPORTED
from bench.page import Bar, write_page
from bench.report import Metric, progress

PROCESSES = 2
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
BARS = {
    "creative.valid_specs": Bar(700_000_000, least=True), "creative.constraint_violations": Bar(0), "creative.duplicates_in_10000": Bar(0),
    "creative.poster_p95_ms": Bar(300), "creative.video10s_s": Bar(12), "creative.thumbnails_per_s": Bar(15, least=True),
    "creative.gain_over_uniform": Bar(0.17, least=True), "creative.gain_over_ab": Bar(0, least=True),
    "creative.gain_over_linucb": Bar(0, least=True), "creative.ope_interval_coverage": Bar(0.93, least=True),
}  # fmt: skip
TITLES = {"creative.poster_p95_ms": "Posters of 1080 by 1350"}


def main(*, quick: bool, data: Path | None) -> None:
    """Print every metric of creatives. Without `quick` the full protocol runs and docs/benchmarks/creative.md is written."""
    del data  # nothing here is measured on data
    found: list[Metric] = []

    def tell(metrics: Iterator[Metric]) -> None:
        for metric in metrics:
            metric.print()
            found.append(metric)

    drawn, looked = (300, 20) if quick else (10_000, 500)
    tell(posters.speed(quick=quick))
    tell(film.metrics(quick=quick))
    speeds = {} if quick else learning.speeds()
    with _pool() as submit:
        progress(f"markets, off-policy estimates and {drawn} random specs, in {PROCESSES} processes")
        played = [submit(placing.play_round, *told) for told in placing.rounds(quick=quick)]
        judged = [submit(value.judged, 3 * REPORTED + first, 20) for first in range(0, value.RUNS, 20)]
        chosen, size = posters.specs(drawn), drawn // 20
        parts = [submit(posters.examined, chosen[at : at + size], looked // 20) for at in range(0, drawn, size)]
        games = placing.games(_done(played, "policies"))
        runs = [one for part in _done(judged, "off-policy estimates") for one in part]
        tell(posters.metrics(_done(parts, "random specs")))
    tell(placing.metrics(games, runs))
    if not quick:
        after = ["", *pages.section(games, runs), *pages.learning(speeds)]
        write_page("creative", "Creatives", BARS, found, seed=REPORTED, titles=TITLES, after=after)


Submit = Callable[..., "Future[Any]"]


@contextmanager
def _pool() -> Iterator[Submit]:
    """Give a way to run a function in one of two processes, each with one thread for linear algebra."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))  # read by libraries when a process starts
    try:
        with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
            yield pool.submit
    finally:
        for name, value_before in before.items():
            os.environ.pop(name, None)
            if value_before is not None:
                os.environ[name] = value_before


def _done(waited: Sequence[Future[Any]], what: str) -> list[Any]:
    found = []
    for number, one in enumerate(waited, 1):
        found.append(one.result())
        progress(f"{what}: {number} of {len(waited)}")
    return found
