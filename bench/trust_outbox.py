"""What is lost or doubled when the process that changes and tells is killed (kill -9) at random points.

A process issues and redeems coupons and sends what is to be told of them; it is killed again and again, and another
takes its place. Afterwards what a consumer has heard, which takes each `webhook-id` once, is held against the tables.
"""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert, select

from api.services.targets import Outside
from bench.outbox_worker import CAMPAIGN, MASTER_KEY, Job, sender, work
from bench.postgres import fresh_postgres
from bench.report import Metric, progress
from stores.coupon_tables import budgets, campaigns, coupons, redemptions
from stores.database import Database
from stores.webhooks import SqlWebhooks

SEED = 7
KILLS, QUICK_KILLS, QUICK_S = 200, 12, 6.0
LONGEST_LIFE_S, MOST_HEARD, LONGEST_WAIT_S = 0.15, 7, 2.0
DRAINED_WITHIN_S = 60.0
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["bench.outbox_worker"])
Change = tuple[str, str]


@dataclass
class Consumer:
    """Takes each `webhook-id` once, as it should, and remembers how often each came."""

    came: Counter[str] = field(default_factory=Counter)
    effects: list[Change] = field(default_factory=list)
    contents: dict[str, set[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_for(self, more: int) -> None:
        """Wait until so many more requests have come, or LONGEST_WAIT_S."""
        wanted, until = self.came.total() + more, time.monotonic() + LONGEST_WAIT_S
        while self.came.total() < wanted and time.monotonic() < until:
            time.sleep(0.001)

    def take(self, event_id: str, body: bytes) -> None:
        """Have one effect per id."""
        event = json.loads(body)
        with self.lock:
            self.came[event_id] += 1
            self.contents.setdefault(event_id, set()).add(json.dumps(event["data"], sort_keys=True))
            if self.came[event_id] == 1:
                self.effects.append((event["type"].removeprefix("aisle."), event["data"]["coupon_id"]))


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it: `lost` changes were never heard, `doubled` had more than one effect, `ghosts` did not happen."""

    killed: int
    between: int  # kills that left something committed and not yet sent, or not yet marked as sent
    changes: int
    lost: int
    doubled: int
    ghosts: int
    sent_again: int
    out_of_order: int


@contextmanager
def _serving(consumer: Consumer, rng: random.Random) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if len(body) < int(self.headers["content-length"]):
                return  # the sender was killed while it spoke
            consumer.take(self.headers["webhook-id"], body)
            time.sleep(rng.uniform(0, 0.004))  # a kill may fall between the effect and its answer
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

        def handle(self) -> None:
            with suppress(OSError):  # the sender was killed
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


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
    with _serving(consumer, random.Random(seed)) as address:
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
    return _add_up(db, consumer, killed, between)


def _add_up(db: Database, consumer: Consumer, kills: int, between: int) -> Report:
    with db.read() as connection:
        issued = {("coupon.issued", str(one)) for one in connection.scalars(select(coupons.c.coupon_id))}
        spent = {("coupon.redeemed", str(one)) for one in connection.scalars(select(redemptions.c.coupon_id))}
    happened, heard = issued | spent, Counter(consumer.effects)
    place = {change: number for number, change in reversed(list(enumerate(consumer.effects)))}
    late = [
        coupon for topic, coupon in heard
        if topic == "coupon.redeemed" and place[topic, coupon] < place.get(("coupon.issued", coupon), -1)
    ]  # fmt: skip
    twice = sum(times - 1 for times in heard.values()) + sum(len(one) - 1 for one in consumer.contents.values())
    return Report(
        kills, between, len(happened), len(happened - heard.keys()), twice, len(heard.keys() - happened),
        sum(times - 1 for times in consumer.came.values()), len(late),
    )  # fmt: skip


def metrics(quick: bool, data: Path | None = None) -> Iterator[Metric]:
    """Yield `trust.outbox_lost` and `trust.outbox_doubled`: over SQLite, and without `quick` over PostgreSQL as well."""
    kills, seconds, found = (QUICK_KILLS, QUICK_S, dict[str, Report]()) if quick else (KILLS, float("inf"), {})
    with tempfile.TemporaryDirectory() as folder:
        found["sqlite"] = _on(f"sqlite:///{folder}/outbox.db", kills, seconds)
    if not quick:
        with fresh_postgres() as url:
            if url is not None:
                found["postgresql"] = _on(url, kills, seconds)
    n = sum(one.changes for one in found.values())
    facts = {
        f"{kind} {name}": getattr(one, name)
        for kind, one in found.items()
        for name in ("killed", "between", "changes", "sent_again", "ghosts", "out_of_order")
    }
    killed = " and ".join(f"{one.killed} kills on {kind}" for kind, one in found.items())
    said = f"coupons issued and redeemed, {killed}"
    lost, doubled = (sum(getattr(one, name) for one in found.values()) for name in ("lost", "doubled"))
    yield Metric("trust.outbox_lost", lost, "events", n, said, baseline=facts, seed=SEED)
    yield Metric("trust.outbox_doubled", doubled, "events", n, said, baseline=facts, seed=SEED)


def _on(url: str, kills: int, seconds: float) -> Report:
    db = Database(url, MASTER_KEY)
    db.upgrade()
    try:
        return kill_and_count(db, kills=kills, seconds=seconds)
    finally:
        db.dispose()
