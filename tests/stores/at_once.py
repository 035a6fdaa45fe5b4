"""Many processes that spend from one budget at the same moment."""

from __future__ import annotations

from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

from bench.spender import main

_CONTEXT = get_context("forkserver")  # real processes that inherit no connection, and start in milliseconds
_CONTEXT.set_forkserver_preload(["tests.stores.at_once"])


def spend_at_once(processes: int, url: str, campaign: str, amount: int, times: int) -> list[int]:
    """Let each process reserve and redeem `times` coupons; return the minor units that each redeemed."""
    ready, answers = _CONTEXT.Barrier(processes), _CONTEXT.SimpleQueue()
    workers = [
        _CONTEXT.Process(target=_spend, args=(ready, answers, url, campaign, amount, times)) for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)
    assert [worker.exitcode for worker in workers] == [0] * processes
    told = [answers.get() for _ in workers]
    answers.close()
    return told


def _spend(ready: Barrier, answers: object, url: str, campaign: str, amount: int, times: int) -> None:
    ready.wait(timeout=60)
    answers.put(main(url, campaign, amount, times))  # type: ignore[attr-defined]
