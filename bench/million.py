"""Segmenting and scoring up to a million synthetic members: two processes, a part of the members each, as a nightly run would."""

from __future__ import annotations

import resource
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import polars as pl

PROCESSES, PART = 2, 6_000  # members in memory at a time, in each process
AT = datetime(2026, 6, 1, tzinfo=UTC)
_held: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Scored:
    """Seconds to score (making the members is not counted), order lines read, and the most memory of all processes together."""

    seconds: float
    lines: int
    mib: float


def score_generated(artifacts: Path, members: int) -> Scored:
    """Make and score `members` in turns: all processes make their part, then all score it, and only that is timed."""
    pools = [ProcessPoolExecutor(1, get_context("spawn")) for _ in range(PROCESSES)]
    try:
        size = min(PART, -(-members // PROCESSES))
        parts = [(start, min(size, members - start)) for start in range(0, members, size)]
        seconds, lines = 0.0, 0
        for loaded in [pool.submit(_load, artifacts) for pool in pools]:
            loaded.result()
        for at in range(0, len(parts), PROCESSES):
            turn = list(zip(pools, parts[at : at + PROCESSES], strict=False))
            for made in [pool.submit(_make, *part) for pool, part in turn]:
                lines += made.result()
            started = time.monotonic()
            for scored in [pool.submit(_score) for pool, _ in turn]:
                scored.result()
            seconds += time.monotonic() - started
        mib = sum(pool.submit(_memory).result() for pool in pools)
    finally:
        for pool in pools:
            pool.shutdown()
    return Scored(seconds, lines, mib)


def _load(artifacts: Path) -> None:
    from bench.event_log import shop
    from personalization.artifacts import load
    from personalization.profiling.segments import SegmentModel
    from personalization.synth.generate import Generator

    trained = load(artifacts)
    assert trained.churn is not None
    trained.churn.load()
    made = shop()
    kinds = pl.DataFrame({"product_id": made.product_ids, "category": made.categories[made.category]})
    _held.update(
        segments=SegmentModel(trained.segments),
        churn=trained.churn,
        kinds=kinds,
        generator=Generator(made, seed=7, until=AT),
    )


def _make(start: int, count: int) -> int:
    _held["lines"] = None
    lines = pl.concat(_held["generator"].lines(count, start)).join(_held["kinds"], on="product_id")
    _held["lines"] = lines.drop("product_id").with_columns(pl.lit(1000, dtype=pl.Int64).alias("price_level"))
    return int(lines.height)


def _score() -> int:
    from personalization.profiling.bulk import score

    return score(_held["lines"], AT, _held["segments"], _held["churn"]).height


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
