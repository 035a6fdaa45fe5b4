"""Many processes hammer one budget with issue, redeem and rollback, and one of them is killed every second.

Afterwards the ledger's figures are held against the sum of its entries, against what coupons and redemptions say, and
against what every process was told.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, case, func, insert, select

from bench.ledger_worker import CHANNELS, LARGEST, MASTER_KEY, ODDS, STORES, Job, read_journal, work
from bench.postgres import fresh_postgres
from bench.report import Metric, progress
from stores.accounts import EFFECTS
from stores.coupon_tables import budgets, campaigns, coupons, ledger_entries, redemptions
from stores.database import Database

SEED = 7
CAMPAIGN = "hammered"
LOOK_EVERY_S = 0.05
_CONTEXT = get_context("forkserver")  # real processes that inherit no connection, and start in milliseconds
_CONTEXT.set_forkserver_preload(["bench.ledger_worker"])


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it. Every figure but the first four has to be 0."""

    answered: int
    refused: int
    killed: int
    looks: int
    entries_off: int  # minor units by which figures differ from the sum of entries
    coupons_off: int  # … from open coupons and standing redemptions
    over_cap: int  # most minor units above a cap, at any look
    twice: int  # coupons with more than one standing redemption
    lost: int  # minor units of answered redemptions and rollbacks that are not there, or not in full
    kinds: dict[str, int]

    @property
    def imbalance(self) -> int:
        """Minor units that are not where they belong."""
        return self.entries_off + self.coupons_off + self.over_cap + self.lost + self.twice * LARGEST


def prepare(db: Database, total: int) -> None:
    """Store one campaign with its budget, and caps of stores and channels within it that bind as well."""
    now = datetime.now(UTC)
    scopes = [("", ""), *(("store", one) for one in STORES[:2]), ("channel", str(CHANNELS[0]))]
    with db.write() as connection:
        connection.execute(
            insert(campaigns).values(
                campaign_id=CAMPAIGN, name="H", starts_at=now, ends_at=now + timedelta(days=1), for_everybody=True
            )
        )
        rows = [{"campaign_id": CAMPAIGN, "scope": scope, "scope_id": scope_id, "currency": "USD",
                 "total": total if not scope else total // 3, "reserved": 0, "spent": 0} for scope, scope_id in scopes]  # fmt: skip
        connection.execute(insert(budgets), rows)


def hammer(
    db: Database, *, processes: int, seconds: float, kill_every_s: float, total: int, seed: int = SEED
) -> Report:
    """Let `processes` work for `seconds`, kill one of them every `kill_every_s`, and add up what is left."""
    prepare(db, total)
    rng = np.random.default_rng(seed)
    url = db.url.render_as_string(hide_password=False)
    with tempfile.TemporaryDirectory() as folder:
        until, ready = _CONTEXT.RawValue("d", float("inf")), _CONTEXT.Semaphore(0)
        jobs = [Job(url, CAMPAIGN, Path(folder) / f"{n}.jsonl", until, ready, seed) for n in range(processes)]
        workers = [_start(job) for job in jobs]
        for _ in workers:
            ready.acquire()
        until.value = time.time() + seconds
        over, looks, done = [0], [0], threading.Event()
        watcher = threading.Thread(target=_watch, args=(db, over, looks, done))
        watcher.start()
        killed = 0
        while time.time() < until.value - kill_every_s:
            time.sleep(kill_every_s)
            victim = int(rng.integers(processes))
            if (pid := workers[victim].pid) is not None and workers[victim].is_alive():
                os.kill(pid, signal.SIGKILL)
                killed += 1
            workers[victim].join()
            workers[victim] = _start(jobs[victim])
        for worker in workers:
            worker.join(timeout=60)
        failed = [worker.exitcode for worker in workers if worker.exitcode]
        done.set()
        watcher.join()
        if failed:
            raise RuntimeError(f"workers ended with {failed}")
        told = [line for job in jobs for line in read_journal(job.journal)]
    with db.read() as connection:
        return _add_up(connection, told, killed, over[0], looks[0])


def _start(job: Job) -> BaseProcess:
    worker = _CONTEXT.Process(target=work, args=(job,))
    worker.start()
    return worker


def _watch(db: Database, over: list[int], looks: list[int], done: threading.Event) -> None:
    above = func.max(budgets.c.reserved + budgets.c.spent - budgets.c.total)
    while not done.wait(LOOK_EVERY_S):
        with db.read() as connection:
            over[0] = max(over[0], connection.scalar(select(above)) or 0)
        looks[0] += 1


def _add_up(connection: Connection, told: list[dict[str, Any]], killed: int, over: int, looks: int) -> Report:
    asked = {line["asks"]["id"]: line["asks"] for line in told if "asks" in line}
    answers = [line for line in told if "answered" in line]
    refused = sum("refused" in line or line.get("held") is False for line in answers)
    changed = (line for line in answers if line.get("held") or line.get("released") or line.get("repeated") is False)
    kinds = Counter(asked[line["answered"]]["kind"] for line in changed)
    kinds.update(
        {"busy": sum("busy" in line for line in told), "repeated": sum(bool(line.get("repeated")) for line in answers)}
    )
    figures = {
        (row.scope, row.scope_id): (row.reserved, row.spent, row.total) for row in connection.execute(select(budgets))
    }
    return Report(
        len(answers), refused, killed, looks, _off(figures, _by_entries(connection)), _off(figures, _by_coupons(connection)),
        max(over, *(reserved + spent - total for reserved, spent, total in figures.values()), 0), _twice(connection),
        _lost(connection, answers) + _unequal(connection), dict(kinds),
    )  # fmt: skip


Figures = dict[tuple[str, str], tuple[int, int, int]]
Sums = dict[tuple[str, str], tuple[int, int]]


def _off(figures: Figures, sums: Sums) -> int:
    none = (0, 0)
    return sum(
        abs(reserved - sums.get(scope, none)[0]) + abs(spent - sums.get(scope, none)[1])
        for scope, (reserved, spent, _) in figures.items()
    )


def _by_entries(connection: Connection) -> Sums:
    entries = ledger_entries.c
    sums = [
        func.sum(case(*((entries.kind == kind, effect[place] * entries.amount_minor) for kind, effect in EFFECTS.items())))
        for place in (0, 1)
    ]  # fmt: skip
    query = select(entries.scope, entries.scope_id, *sums).group_by(entries.scope, entries.scope_id)
    return {(scope, scope_id): (int(held), int(spent)) for scope, scope_id, held, spent in connection.execute(query)}


def _by_coupons(connection: Connection) -> Sums:
    standing = (redemptions.c.coupon_id == coupons.c.coupon_id) & redemptions.c.rolled_back_at.is_(None)
    query = select(coupons.c.caps, coupons.c.status, coupons.c.discount_minor, redemptions.c.amount_minor)
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for row in connection.execute(query.outerjoin(redemptions, standing)):
        for scope in [("", ""), *map(tuple, row.caps or ())]:
            held, spent = sums.get(scope, (0, 0))
            sums[scope] = held + row.discount_minor * (row.status == "open"), spent + (row.amount_minor or 0)
    return sums


def _twice(connection: Connection) -> int:
    query = (
        select(redemptions.c.coupon_id).where(redemptions.c.rolled_back_at.is_(None)).group_by(redemptions.c.coupon_id)
    )
    return len(connection.execute(query.having(func.count() > 1)).all())


def _lost(connection: Connection, answers: list[dict[str, Any]]) -> int:
    """Return the minor units of what processes were told and the tables do not know."""
    known = {row.redemption_id: row for row in connection.execute(select(redemptions))}
    lost = sum(
        abs(line["amount"] - (known[line["redemption"]].amount_minor if line["redemption"] in known else 0))
        for line in answers
        if "redemption" in line
    )
    back = (known.get(line["rolled_back"]) for line in answers if "rolled_back" in line)
    return lost + sum(LARGEST if row is None else row.amount_minor * (row.rolled_back_at is None) for row in back)


def _unequal(connection: Connection) -> int:
    """Return by how much what went back in rollbacks differs from what their redemptions had taken, one by one."""
    entries = ledger_entries.c
    query = select(entries.redemption_id, entries.kind, func.sum(entries.amount_minor)).where(
        entries.scope == "", entries.kind.in_(["redeem", "rollback"])
    )
    moved = {
        (one, kind): int(amount)
        for one, kind, amount in connection.execute(query.group_by(entries.redemption_id, entries.kind))
    }
    return sum(
        abs(moved.get((row.redemption_id, "redeem"), 0) - row.amount_minor)
        + abs(moved.get((row.redemption_id, "rollback"), 0) - (row.amount_minor if row.rolled_back_at else 0))
        for row in connection.execute(select(redemptions))
    )


@cache
def run(quick: bool) -> Report | None:
    """Run the protocol on PostgreSQL: 64 processes for 60 s, or 8 for 5 s; None without a PostgreSQL."""
    processes, seconds = (8, 5.0) if quick else (64, 60.0)
    with fresh_postgres() as url:
        if url is None:
            return None
        progress(f"{processes} processes hammer one budget for {seconds:.0f} s, and one of them is killed every second")
        db = Database(url, MASTER_KEY)
        db.upgrade()
        report = hammer(db, processes=processes, seconds=seconds, kill_every_s=1.0, total=20_000)
        db.dispose()
    return report


def metrics(quick: bool, _data: Path | None) -> Iterator[Metric]:
    """Yield how many minor units are not where they belong."""
    name, unit = "coupons.ledger_imbalance", "minor units"
    report = run(quick)
    if report is None:
        yield Metric(
            name, None, unit, 0, "", reason="no PostgreSQL: set AISLE_TEST_POSTGRES_URL, or install the dev extra"
        )
        return
    about = f"{8 if quick else 64} processes on PostgreSQL for {5 if quick else 60} s, {report.killed} of them killed with SIGKILL"
    yield Metric(name, report.imbalance, unit, report.answered, about, seed=SEED)


def section() -> Iterator[str]:
    """Yield the page's section."""
    report = run(False)
    yield from ("## The hard guarantee", "")
    if report is None:
        yield "Not measured: there was no PostgreSQL."
        return
    kinds = ", ".join(f"{kind} {report.kinds.get(kind, 0):,}" for kind in ODDS)
    yield from (
        "64 processes issue, redeem (four in ten in part), roll back and expire coupons of one campaign on PostgreSQL for 60 s. Its",
        "budget and the caps of two stores and a channel within it are mostly used up. Every second one process is killed (SIGKILL);",
        "its successor asks the last unanswered question again. Afterwards the figures are held against three independent sums.",
        "", "| what | measured | has to be |", "|---|---|---|",
        f"| answers | {report.answered:,} | |",
        f"| of these changed something: {kinds} | {sum(report.kinds.get(kind, 0) for kind in ODDS):,} | |",
        f"| of these repeated an answer | {report.kinds['repeated']:,} | |",
        f"| of these refused: budget used up, redeemed before, expired | {report.refused:,} | |",
        f"| told to ask again after waiting for a lock | {report.kinds['busy']:,} | |",
        f"| processes killed | {report.killed} | |",
        f"| figures against the sum of entries, minor units | {report.entries_off} | 0 |",
        f"| figures against open coupons and standing redemptions, minor units | {report.coupons_off} | 0 |",
        f"| most above a cap in {report.looks:,} looks, minor units | {report.over_cap} | 0 |",
        f"| coupons redeemed twice | {report.twice} | 0 |",
        f"| told to a process and not in the ledger, or not in full, minor units | {report.lost} | 0 |",
    )  # fmt: skip
