"""Tells other systems what happened: CloudEvents 1.0, signed by Standard Webhooks, at least once and in order.

Each endpoint is told one event at a time. One that fails is tried again with jittered exponential back-off for three
days, and what comes after waits behind it; then it is a dead letter, which can be replayed. An endpoint that fails
five times in a row is left alone for a while (circuit breaker), and one that answers 410 for good.

Sources: CloudEvents 1.0.2 (structured JSON), Standard Webhooks 1.0 (signature scheme `v1`, back-off with jitter).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog

from api.services.targets import Outside, TargetFailure
from stores.database import new_id
from stores.webhooks import BREAKS_AFTER, Delivery, Endpoint, SqlWebhooks

log = structlog.get_logger(__name__)
IDLE_S = 0.5
LEASE_S, RENEWED_S = 90.0, 15.0  # a try, of up to five requests, ends within what is left of a lease
AT_ONCE = 4  # endpoints
FIRST_WAIT_S, GROWTH, LONGEST_WAIT_S = 5.0, 3.0, 6 * 3600.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 60.0, 3600.0
LONGEST_ASKED_S = 3600.0  # an endpoint's Retry-After counts up to here
TYPE_PREFIX = "aisle."
NOT_AGREED = "left out: the member does not agree to profiling any more"


@dataclass(frozen=True, slots=True)
class Told:
    """How one attempt ended. `gone` is 410; `wait_s` is what the endpoint asked for."""

    ok: bool
    answer: str
    gone: bool = False
    wait_s: float | None = None
    status: int | None = None


class Teller(Protocol):
    """Tells one kind of endpoint one event."""

    def tell(self, endpoint: Endpoint, event: Mapping[str, Any], *, at: datetime) -> Told:
        """Try once."""
        ...


def sign(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of Standard Webhooks: `v1,` and base64 of HMAC-SHA256 over id, timestamp and body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def cloud_event(event: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return the event in the structured form of CloudEvents 1.0."""
    subject = event["data"].get("member_id") or event["data"].get("visitor_id")
    return {
        "specversion": "1.0", "id": event["id"], "source": source, "type": TYPE_PREFIX + event["topic"],
        "time": event["at"], "datacontenttype": "application/json", **({"subject": subject} if subject else {}),
        "data": event["data"],
    }  # fmt: skip


def wait_s(attempt: int, rng: random.Random) -> float:
    """Return how long to wait after the `attempt`-th failure (from 1): 5 s, 15 s, 45 s … 6 h, each half to one and a half times."""
    return min(FIRST_WAIT_S * GROWTH ** min(attempt - 1, 20), LONGEST_WAIT_S) * rng.uniform(0.5, 1.5)


def pause_s(failures: int, rng: random.Random) -> float:
    """Return for how long a circuit stays open after `failures` in a row."""
    over = min(max(failures - BREAKS_AFTER, 0), 20)
    return min(FIRST_PAUSE_S * 2.0**over, LONGEST_PAUSE_S) * rng.uniform(0.75, 1.25)


class Webhook:
    """Tells a webhook."""

    def __init__(self, outside: Outside, source: str) -> None:
        self._outside, self._source = outside, source

    def tell(self, endpoint: Endpoint, event: Mapping[str, Any], *, at: datetime) -> Told:
        """Post the event, signed with every secret that counts at `at`."""
        body = json.dumps(cloud_event(event, self._source), ensure_ascii=False).encode()
        stamp = int(at.timestamp())
        headers = {
            "content-type": "application/cloudevents+json; charset=utf-8", "user-agent": "Aisle-Webhooks/1",
            "webhook-id": event["id"], "webhook-timestamp": str(stamp),
            "webhook-signature": " ".join(sign(secret, event["id"], stamp, body) for secret in endpoint.secrets(at)),
        }  # fmt: skip
        return attempt(lambda: self._outside.send("POST", endpoint.url, headers=headers, body=body))


def attempt(send: Callable[[], Any]) -> Told:
    """Send, and read the answer as everybody means it: 2xx is well, 410 is gone, everything else is tried again."""
    try:
        answer = send()
    except TargetFailure as failure:
        return Told(False, str(failure))
    asked = answer.headers.get("retry-after", "")
    wait = min(float(asked), LONGEST_ASKED_S) if asked.isdigit() and answer.status in {429, 503} else None
    return Told(200 <= answer.status < 300, f"HTTP {answer.status}", answer.status == 410, wait, answer.status)


def tell_once(teller: Teller, endpoint: Endpoint, event: Mapping[str, Any], *, at: datetime) -> Told:
    """Try once; whatever goes wrong on our own side is a failed try, too, and waits like one."""
    try:
        return teller.tell(endpoint, event, at=at)
    except TargetFailure as failure:
        return Told(False, str(failure))
    except Exception as error:
        log.exception("an event could not be put into words", endpoint=endpoint.endpoint_id, kind=type(error).__name__)
        return Told(False, f"it could not be sent ({type(error).__name__})")


class Sender:
    """Sends what waits, on threads of the worker. Several may run: an endpoint is one's for as long as its lease."""

    def __init__(
        self, webhooks: SqlWebhooks, tellers: Mapping[str, Teller], *, lease_s: float = LEASE_S,
        rng: random.Random | None = None, idle_s: float = IDLE_S,
    ) -> None:  # fmt: skip
        self._webhooks, self._tellers = webhooks, tellers
        self._lease_s, self._idle_s = lease_s, idle_s
        self._rng, self._me = rng or random.Random(), new_id()  # noqa: S311  jitter is no secret
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Run on a thread."""
        self._thread = threading.Thread(target=self._run, daemon=True, name="webhooks")
        self._thread.start()

    def stop(self) -> None:
        """End after the attempts that are being made now."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=20)

    def _run(self) -> None:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
            while not self._stop.is_set():
                try:
                    for endpoint_id in self._webhooks.due(datetime.now(UTC)):
                        if self._claim(endpoint_id):
                            pool.submit(self._work, endpoint_id)
                except Exception as error:
                    log.exception("the outbox could not be read", kind=type(error).__name__)
                self._stop.wait(self._idle_s)

    def _claim(self, endpoint_id: str) -> bool:
        with self._lock:
            if endpoint_id in self._busy:
                return False
            self._busy.add(endpoint_id)
            return True

    def _work(self, endpoint_id: str) -> None:
        try:
            self.serve(endpoint_id)
        except Exception as error:
            log.exception("an endpoint could not be told", endpoint=endpoint_id, kind=type(error).__name__)
        finally:
            with self._lock:
                self._busy.discard(endpoint_id)

    def work_once(self, *, now: datetime | None = None) -> int:
        """Tell every endpoint what is due; return how many events arrived. For callers that have no thread."""
        at = now or datetime.now(UTC)
        return sum(self.serve(endpoint_id, now=now) for endpoint_id in self._webhooks.due(at))

    def serve(self, endpoint_id: str, *, now: datetime | None = None) -> int:
        """Tell one endpoint what waits, in order, until nothing does, a try fails or half the lease is over; return how many arrived.

        now : the time that counts, for tests; None: the clock's.
        """

        def clock() -> datetime:
            return now or datetime.now(UTC)

        began, done = time.monotonic(), 0
        until = clock() + timedelta(seconds=self._lease_s)
        if not self._webhooks.lease(endpoint_id, self._me, at=clock(), until=until):
            return 0
        try:
            leased = began
            while time.monotonic() - began < self._lease_s / 2 and not self._stop.is_set():
                if time.monotonic() - leased > RENEWED_S:
                    leased, until = time.monotonic(), clock() + timedelta(seconds=self._lease_s)
                    if not self._webhooks.lease(endpoint_id, self._me, at=clock(), until=until):
                        break
                delivery = self._webhooks.head(endpoint_id, at=clock())
                if delivery is None or not self._try(self._webhooks.get(endpoint_id), delivery, clock):
                    break
                done += 1
        finally:
            self._webhooks.release(endpoint_id, self._me)
        return done

    def _try(self, endpoint: Endpoint, delivery: Delivery, clock: Callable[[], datetime]) -> bool:
        if endpoint.status != "active":
            return False
        if self._webhooks.withheld(delivery, at=clock()):  # asked at the last moment: it may have waited for days
            told = Told(True, NOT_AGREED)
        else:
            told = tell_once(self._tellers[endpoint.kind], endpoint, delivery.event or {}, at=clock())
        at, here = clock(), endpoint.endpoint_id
        if told.ok:
            return self._webhooks.delivered(here, delivery.seq, at=at, answer=told.answer, owner=self._me)
        if told.gone:
            self._webhooks.disable(here, at=at, reason="the endpoint answered 410 Gone", owner=self._me)
            log.warning("a webhook endpoint is gone and was disabled", endpoint=here)
            return False
        wait = told.wait_s if told.wait_s is not None else wait_s(delivery.attempts + 1, self._rng)
        self._webhooks.failed(
            here, delivery, at=at, answer=told.answer, wait=timedelta(seconds=wait),
            pause=timedelta(seconds=pause_s(endpoint.failures + 1, self._rng)), owner=self._me,
        )  # fmt: skip
        return False
