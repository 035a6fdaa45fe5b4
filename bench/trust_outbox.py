"""What is lost or doubled when the process that changes and tells is killed (kill -9) at random points.

A process issues and redeems coupons and sends what is to be told of them; it is killed again and again, and another
takes its place. Afterwards what a consumer has heard, which takes each `webhook-id` once, is held against the tables.
The same is done to the whole api (`bench.outbox_api`): there a request that was done twice counts as doubled, too, and
one that was said to be done, and was not, as lost.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from sqlalchemy import insert

from api.services.targets import Outside
from bench.outbox_api import kill_the_api
from bench.outbox_consumer import Consumer, Report, add_up, serving
from bench.outbox_shoppers import Tally
from bench.outbox_worker import CAMPAIGN, MASTER_KEY, Job, sender, work
from bench.postgres import fresh_postgres
from bench.report import Metric, progress
from stores.coupon_tables import budgets, campaigns
from stores.database import Database
from stores.webhooks import SqlWebhooks

SEED = 7
KILLS, QUICK_KILLS, QUICK_S, API_KILLS = 200, 12, 6.0, 20
LONGEST_LIFE_S, MOST_HEARD = 0.15, 7
DRAINED_WITHIN_S = 60.0
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["bench.outbox_worker"])
TOLD = {
    "asked": "requests answered", "again": "of them sent again under their key", "replayed": "answered by the answer kept",
    "lost": "answered that the answer is lost", "twice": "requests done twice", "undone": "said to be done and not done",
}  # fmt: skip


def kill_and_count(db: Database, *, kills: int, seconds: float, seed: int = SEED) -> Report:
    """Let a process change and tell, kill it up to `kills` times at random points within `seconds`, and add up."""
    now, rng, consumer, between = datetime.now(UTC), np.random.default_rng(seed), Consumer(), 0
    with db.write() as connection:
        connection.execute(
            insert(campaigns).values(
                campaign_id=CAMPAIGN, name="T", starts_at=now, ends_at=now + timedelta(days=1), for_everybody=True
            )
        )
        connection.execute(
            insert(budgets).values(campaign_id=CAMPAIGN, currency="USD", total=10**9, reserved=0, spent=0)
        )
    with serving(consumer, random.Random(seed)) as address:
        webhooks = SqlWebhooks(db)
        here = webhooks.create("consumer", address, ["coupon.issued", "coupon.redeemed"], at=now).endpoint_id
        url = db.url.render_as_string(hide_password=False)
        killed, over = 0, time.monotonic() + seconds
        while killed < kills and time.monotonic() < over:
            ready = _CONTEXT.Semaphore(0)
            worker = _CONTEXT.Process(target=work, args=(Job(url, here, ready, seed + killed),))
            worker.start()
            ready.acquire()
            if rng.random() < 0.5:
                consumer.wait_for(int(rng.integers(1, MOST_HEARD)))
                time.sleep(float(rng.uniform(0, 0.01)))
            else:
                time.sleep(float(rng.uniform(0, LONGEST_LIFE_S)))
            os.kill(worker.pid or 0, signal.SIGKILL)
            worker.join()
            between += webhooks.counts(here)["pending"] > 0
            killed += 1
            if killed % 25 == 0:
                progress(f"outbox: killed {killed} of {kills} times")
        outside = Outside({"127.0.0.1"})
        last, until = sender(db, outside, seed), time.monotonic() + DRAINED_WITHIN_S
        while webhooks.counts(here)["pending"] and time.monotonic() < until:
            last.work_once()
            time.sleep(0.01)
        outside.close()
    return add_up(db, consumer, killed, between)


def metrics(quick: bool, data: Path | None = None) -> Iterator[Metric]:
    """Yield `trust.outbox_lost` and `trust.outbox_doubled`: over SQLite, and without `quick` over PostgreSQL and of the whole api as well."""
    kills, seconds, found = (QUICK_KILLS, QUICK_S, dict[str, Report]()) if quick else (KILLS, float("inf"), {})
    with tempfile.TemporaryDirectory() as folder:
        found["sqlite"] = _on(f"sqlite:///{folder}/outbox.db", kills, seconds)
    asked = dict[str, Tally]()
    if not quick:
        with fresh_postgres() as url:
            if url is not None:
                found["postgresql"] = _on(url, kills, seconds)
        for kind, its in (("sqlite", nullcontext("")), ("postgresql", fresh_postgres())):
            with its as url:
                if url is not None:
                    found[f"whole api, {kind}"], asked[kind] = kill_the_api(url, kills=API_KILLS, seed=SEED)
    n = sum(one.changes for one in found.values())
    facts = {
        f"{kind} {name}": getattr(one, name)
        for kind, one in found.items()
        for name in ("killed", "between", "changes", "sent_again", "ghosts", "out_of_order")
    }
    facts |= {
        f"whole api, {kind} {told}": getattr(one, name) for kind, one in asked.items() for name, told in TOLD.items()
    }
    killed = " and ".join(
        f"{one.killed} kills of {'' if 'api' in kind else 'a process that issues, redeems and sends, on '}{kind}"
        for kind, one in found.items()
    )
    said = f"coupons issued and redeemed, {killed}"
    lost, doubled = (sum(getattr(one, name) for one in found.values()) for name in ("lost", "doubled"))
    lost += sum(one.undone for one in asked.values())
    doubled += sum(one.twice for one in asked.values())
    yield Metric("trust.outbox_lost", lost, "events", n, said, baseline=facts, seed=SEED)
    yield Metric("trust.outbox_doubled", doubled, "events", n, said, baseline=facts, seed=SEED)


def _on(url: str, kills: int, seconds: float) -> Report:
    db = Database(url, MASTER_KEY)
    db.upgrade()
    try:
        return kill_and_count(db, kills=kills, seconds=seconds)
    finally:
        db.dispose()
