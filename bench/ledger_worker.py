"""One of many processes that issue, redeem and roll coupons back at once, and that may be killed at any moment.

What it is about to ask is in its journal before it asks, and the answer after it has come; whoever takes its place
asks the last unanswered question again, as a till does that was switched off and on.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Semaphore
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from sqlalchemy import select, true

from personalization.coupons.codes import new_code
from personalization.offers import Coupon
from personalization.types import CampaignId, Channel, CouponId, Money, Subject, VisitorId
from stores.coupon_tables import coupons, redemptions
from stores.database import Database, new_id
from stores.errors import LedgerBusyError, StoreError
from stores.ledger import SqlLedger

ODDS = {"issue": 0.35, "redeem": 0.36, "rollback": 0.25, "expire": 0.04}
STORES, CHANNELS = ("s1", "s2", "s3"), (Channel.KIOSK, Channel.API)
LARGEST = 200
MASTER_KEY = bytes(range(32))


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is told. `until` holds a time.time(), without a lock that a killed process could keep."""

    url: str
    campaign: str
    journal: Path
    until: Any
    ready: Semaphore
    seed: int


class Worker:
    """Asks the ledger at random until the time is over."""

    def __init__(self, job: Job, journal: TextIO) -> None:
        self._job, self._journal = job, journal
        self._db = Database(job.url, MASTER_KEY)
        self._ledger = SqlLedger(self._db)
        self._rng = np.random.default_rng([job.seed, os.getpid()])

    def run(self, unanswered: dict[str, Any] | None) -> None:
        """Ask again what was not answered, then go on."""
        with self._db.read():
            self._job.ready.release()
        if unanswered is not None:
            self._answer(unanswered)
        while time.time() < self._job.until.value:
            question = self._question(str(self._rng.choice(list(ODDS), p=list(ODDS.values()))))
            if question is not None:
                question["id"] = new_id()
                self._write({"asks": question})
                self._answer(question)
        self._db.dispose()

    def _write(self, line: dict[str, Any]) -> None:
        self._journal.write(json.dumps(line) + "\n")
        self._journal.flush()  # into the kernel: what a killed process wrote stays

    def _question(self, kind: str) -> dict[str, Any] | None:
        rng, now = self._rng, datetime.now(UTC)
        if kind == "issue":
            lasts = timedelta(seconds=float(rng.uniform(0.2, 3.0))) if rng.random() < 0.2 else timedelta(days=1)
            return {
                "kind": kind, "coupon": new_id(), "code": new_code(), "amount": int(rng.integers(1, LARGEST + 1)),
                "at": now.isoformat(), "until": (now + lasts).isoformat(), "store": str(rng.choice(STORES)),
                "channel": str(rng.choice(CHANNELS)),
            }  # fmt: skip
        if kind == "expire":
            return {"kind": kind}
        near = new_code()[:4]  # somewhere in the codes: anybody's coupon, in whatever state
        with self._db.read() as connection:
            if kind == "redeem":
                found = connection.execute(
                    select(coupons.c.code, coupons.c.discount_minor)
                    .where(coupons.c.code > near, coupons.c.status.in_(["open"] if rng.random() < 0.8 else ["open", "redeemed", "expired"]))
                    .order_by(coupons.c.code).limit(1)
                ).first()  # fmt: skip
                if found is None:
                    return None
                part = int(rng.integers(1, found.discount_minor + 1)) if rng.random() < 0.4 else None
                order = new_id() if rng.random() < 0.9 else "the same order"
                return {"kind": kind, "code": found.code, "order": order, "amount": part}
            standing = redemptions.c.rolled_back_at.is_(None) if rng.random() < 0.9 else true()
            found = connection.execute(
                select(coupons.c.code, redemptions.c.redemption_id)
                .join(redemptions, redemptions.c.coupon_id == coupons.c.coupon_id)
                .where(coupons.c.code > near, coupons.c.status == "redeemed", standing)
                .order_by(coupons.c.code).limit(1)
            ).first()  # fmt: skip
        return None if found is None else {"kind": kind, "code": found.code, "redemption": found.redemption_id}

    def _answer(self, question: dict[str, Any]) -> None:
        while True:
            try:
                answer = self._ask(question)
            except LedgerBusyError:
                self._write({"busy": question["id"]})
                continue
            except StoreError as error:
                answer = {"refused": type(error).__name__}
            self._write({"answered": question["id"], **answer})
            return

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        ledger, now = self._ledger, datetime.now(UTC)
        if question["kind"] == "issue":
            coupon = Coupon(
                CouponId(question["coupon"]), question["code"], CampaignId(self._job.campaign), "o", Money(question["amount"], "USD"),
                frozenset(), datetime.fromisoformat(question["at"]), datetime.fromisoformat(question["until"]),
            )  # fmt: skip
            held = ledger.reserve(
                coupon, Subject(visitor_id=VisitorId(question["coupon"])), decision_id=None,
                caps=[("store", question["store"]), ("channel", question["channel"])],
            )  # fmt: skip
            return {"held": held}
        if question["kind"] == "redeem":
            done = ledger.redeem(question["code"], at=now, order_id=question["order"], amount=question["amount"])
            return {"redemption": done.redemption_id, "amount": done.amount.minor_units, "repeated": done.repeated}
        if question["kind"] == "rollback":
            done = ledger.rollback(question["code"], at=now, redemption_id=question["redemption"])
            return {"rolled_back": done.redemption_id, "repeated": done.repeated}
        return {"released": ledger.release_expired(now)}


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines that were written whole; a kill may have cut one off."""
    for line in path.read_text().splitlines():
        with suppress(json.JSONDecodeError):
            yield json.loads(line)


def work(job: Job) -> None:
    """Run one worker on its journal, which an earlier one may have begun."""
    job.journal.touch()
    unanswered = None
    for line in read_journal(job.journal):
        if "asks" in line:
            unanswered = line["asks"]
        elif "answered" in line:
            unanswered = None
    with job.journal.open("a") as journal:
        journal.write("\n")  # behind a line that was cut off: its question was not asked, or is asked again
        Worker(job, journal).run(unanswered)
