"""How long a batch takes by its size, and a single decision in process. One core, inputs made before the clock starts."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bench.coupons_market import IID, draw
from bench.report import Metric, progress
from personalization.coupons.batch import allocate
from personalization.coupons.dual import CHUNK, choose, solve_chunks

SEED = 60_000
MILLION, SHARE = 1_000_000, 0.2
SIZES = (10**3, 10**4, 10**5, 10**6, 10**7)
MIB = 2**20
Rows = tuple[NDArray[np.float64], NDArray[np.float64]]


@cache
def table(n: int) -> Rows:
    """Return value and cost, (n, 10), of simulated members."""
    day = draw(IID, n, SEED)
    return day.table("value"), day.table("cost")


def batch_s(n: int, *, weigh: bool = True) -> tuple[float, float, float]:
    """Return seconds on a core and by the wall of a batch of `n` members x 10 values, and the MiB that it needs beside its input.

    Up to a million the batch is filled to the last coupon; ten million come in chunks (the same million ten times), so that
    memory stays that of a chunk and a rung per member.
    """
    value, cost = table(min(n, MILLION))
    times = max(1, n // MILLION)
    budget = SHARE * float(cost[:, -1].sum()) * times

    def chunks() -> Iterable[Rows]:
        for _ in range(times):
            for at in range(0, len(value), CHUNK):
                yield value[at : at + CHUNK], cost[at : at + CHUNK]

    def work() -> None:
        if times == 1:
            allocate(value, cost, [budget])
            return
        price, rung, at = solve_chunks(chunks, budget), np.empty(n, dtype=np.int8), 0
        for v, c in chunks():
            rung[at : at + len(v)] = choose(v, c, price)
            at += len(v)

    with threadpool_limits(1):
        started, on_core = perf_counter(), process_time()
        work()
        took = process_time() - on_core, perf_counter() - started
        if not weigh:
            return *took, float("nan")
        tracemalloc.start()
        work()
        memory = tracemalloc.get_traced_memory()[1] / MIB
        tracemalloc.stop()
    return *took, memory


@cache
def scaling() -> dict[int, tuple[float, float, float]]:
    """Return what `batch_s` does, by the batch's size."""
    progress("coupons: batches from a thousand to ten million members")
    return {n: batch_s(n) for n in SIZES}


def decision_us(rungs: int = 30, times: int = 20_000) -> NDArray[np.float64]:
    """Return microseconds of `times` single choices from `rungs`, at a price that is known: the allocator's inner step."""
    rng = np.random.default_rng(SEED)
    value, cost = np.sort(rng.random((256, rungs)), axis=1), np.sort(rng.random((256, rungs)) * 1_000, axis=1)
    took = np.empty(times)
    for i in range(times):
        v, c = value[i % 256 : i % 256 + 1], cost[i % 256 : i % 256 + 1]
        started = perf_counter()
        choose(v, c, [0.001])
        took[i] = perf_counter() - started
    return took * 1e6


def metrics(quick: bool, data: Path | None) -> Iterator[Metric]:
    """Yield the time of a batch of a million members."""
    del data
    took, wall, memory = batch_s(MILLION, weigh=False) if quick else scaling()[MILLION]
    weighed: dict[str, float | int | str] = {} if quick else {"MiB beside the input": round(memory)}
    single = decision_us(times=2_000 if quick else 20_000)
    yield Metric(
        "coupons.batch_million_s", round(took, 3), "s of one core, 10 values", MILLION, "simulated market, fitted to Complete Journey",
        baseline={**weighed, "by the wall, beside other work": round(wall, 2), "one choice of 30 rungs, p50 us": round(float(np.percentile(single, 50)), 1),
                  "p99 us": round(float(np.percentile(single, 99)), 1)},
        seed=SEED,
    )  # fmt: skip
