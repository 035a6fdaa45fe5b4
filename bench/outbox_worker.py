"""A process that changes things and tells of them until it is killed."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Semaphore

from api.services.targets import Outside
from api.services.webhooks import Sender, Webhook
from personalization.coupons.codes import new_code
from personalization.offers import Coupon
from personalization.types import CampaignId, CouponId, Money, Subject, VisitorId
from stores.database import Database, new_id
from stores.ledger import SqlLedger
from stores.webhooks import SqlWebhooks

CAMPAIGN, MASTER_KEY = "told", bytes(range(32))
LEASE_S = 0.25  # in place of a minute, so that who takes a killed process's place goes on at once
MOST_WAITING = 12


@dataclass(frozen=True, slots=True)
class Job:
    """What a process is told; `ready` is released when its first change is committed."""

    url: str
    endpoint_id: str
    ready: Semaphore
    seed: int


def sender(db: Database, outside: Outside, seed: int) -> Sender:
    """Return a sender as the worker has one, in a hurry."""
    return Sender(
        SqlWebhooks(db), {"webhook": Webhook(outside, "bench")}, lease_s=LEASE_S, idle_s=0.002, rng=random.Random(seed)
    )


def work(job: Job) -> None:
    """Issue and redeem coupons, and send what is to be told of them."""
    db, rng = Database(job.url, MASTER_KEY), random.Random(job.seed)
    ledger, webhooks = SqlLedger(db), SqlWebhooks(db)
    sender(db, Outside({"127.0.0.1"}), job.seed).start()
    begun = False
    while True:
        now, made = datetime.now(UTC), new_id()
        coupon = Coupon(
            CouponId(made), new_code(), CampaignId(CAMPAIGN), "o", Money(1, "USD"), frozenset(), now, now + timedelta(days=1)
        )  # fmt: skip
        ledger.reserve(coupon, Subject(visitor_id=VisitorId(made)), decision_id=None)
        if not begun:
            job.ready.release()
            begun = True
        if rng.random() < 0.5:
            ledger.redeem(coupon.code, at=now, order_id=made)
        while webhooks.counts(job.endpoint_id)["pending"] > MOST_WAITING:
            time.sleep(0.002)
