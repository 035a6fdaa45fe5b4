"""A consumer that honours ids: what it is told under one `webhook-id` has one effect, however often it comes."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sqlalchemy import select

from stores.coupon_tables import coupons, redemptions
from stores.database import Database

LONGEST_WAIT_S = 2.0
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
def serving(consumer: Consumer, rng: random.Random) -> Iterator[str]:
    """Let it listen; yield its address."""

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


def add_up(db: Database, consumer: Consumer, kills: int, between: int) -> Report:
    """Hold what a consumer has heard against the tables."""
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
