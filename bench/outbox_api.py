"""The whole api, killed (kill -9) at random points while it answers shoppers and tells a consumer of their coupons."""

from __future__ import annotations

import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import update

from api.wiring import Services, build_services
from bench.outbox_consumer import Consumer, Report, add_up, serving
from bench.outbox_shoppers import Crowd, Tally
from bench.report import progress
from bench.stack import ApiAlone
from bench.trust_erasing import stock
from bench.trust_shop import quiet
from stores.api_tables import replies
from stores.coupon_tables import budgets
from stores.database import Database
from stores.outbox_tables import webhook_endpoints
from stores.replies import ABANDONED
from stores.webhooks import SqlWebhooks

SCOPES = ("members:write", "consent", "coupons:issue", "coupons:redeem")
FIRST_S, MOST_ANSWERS, LONGEST_LIFE_S = 60.0, 60, 1.5
DRAINED_WITHIN_S = 120.0
SERVED = {
    "AISLE_DEMO": "false", "AISLE_WORKER": "embedded", "AISLE_WEBHOOK_HOSTS": "127.0.0.1", "AISLE_COUPONS_EXPLORED": "0",
    "AISLE_API_BURST": "1000000000", "AISLE_API_PER_S": "1000000",
}  # fmt: skip


def kill_the_api(url: str, *, kills: int, seed: int, patient: bool = True) -> tuple[Report, Tally]:
    """Start `aisle serve` on an empty database (empty url: SQLite), kill it again and again, let a last one answer and tell what is left, and add up.

    patient : false winds the half minute on for which a request may still be in the hands of a process that is silent.
    """
    with tempfile.TemporaryDirectory(prefix="aisle-killed-") as folder:
        services = build_services(quiet(Path(folder), url))
        stock(services)
        with services.db.write() as connection:
            connection.execute(update(budgets).values(total=10**9))
        api = ApiAlone(Path(folder), environment={**SERVED, "AISLE_DATABASE_URL": url})
        try:
            return _kill(services, api, kills, seed, patient)
        finally:
            services.db.dispose()


def _kill(services: Services, api: ApiAlone, kills: int, seed: int, patient: bool) -> tuple[Report, Tally]:
    rng, consumer, between, now = np.random.default_rng(seed), Consumer(), 0, datetime.now(UTC)
    webhooks = SqlWebhooks(services.db)
    _, key = services.keys.create("api", "bench", at=now, scopes=SCOPES)
    with serving(consumer, random.Random(seed)) as address:
        here = webhooks.create("consumer", address, ["coupon.issued", "coupon.redeemed"], at=now).endpoint_id
        with Crowd(api.url, key) as crowd:
            for number in range(kills):
                with api:
                    crowd.up.set()
                    crowd.wait_for(1, at_most_s=FIRST_S)
                    if rng.random() < 0.5:
                        crowd.wait_for(int(rng.integers(1, MOST_ANSWERS)), at_most_s=FIRST_S)
                    else:
                        time.sleep(float(rng.uniform(0, LONGEST_LIFE_S)))
                    crowd.up.clear()  # who is not in the middle of something comes again when there is another one
                    api.kill()
                between += webhooks.counts(here)["pending"] > 0
                _let_time_pass(services.db, patient=patient)
                progress(f"outbox: killed the api {number + 1} of {kills} times")
            with api:
                crowd.up.set()
                crowd.close()
                until = time.monotonic() + DRAINED_WITHIN_S
                while webhooks.counts(here)["pending"] and time.monotonic() < until:
                    time.sleep(0.05)
    return add_up(services.db, consumer, kills, between), crowd.add_up(services.db)


def _let_time_pass(db: Database, *, patient: bool) -> None:
    """Wind on the minute and a half for which a process that was killed has the endpoint, and perhaps its requests."""
    with db.write() as connection:
        connection.execute(update(webhook_endpoints).values(leased_by=None, leased_until=None))
        if not patient:
            working = update(replies).where(replies.c.status == "working")
            connection.execute(working.values(at=datetime.now(UTC) - 2 * ABANDONED))
