"""Shoppers whose requests, each under an `Idempotency-Key`, are sent again until they are answered, and what came of them in the tables."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import Connection, func, select

from bench.report import progress
from stores.coupon_tables import coupons, redemptions
from stores.database import Database, new_id
from stores.tables import consents, decisions, members

AT_ONCE, MOST_WAITING = 4, 12
AGAIN_S, IN_USE_S, TIMEOUT_S = 0.2, 1.0, 60.0
STEPS = ("join", "agree", "coupon", "redeem")
LOST = "idempotency-answer-lost"
_LEFT: dict[str, list[tuple[Any, Any]]] = {
    "join": [(members.c.display_name, members)],
    "agree": [(consents.c.member_id, consents)],
    "coupon": [(decisions.c.member_id, decisions), (coupons.c.member_id, coupons)],
    "redeem": [(coupons.c.code, redemptions.join(coupons, coupons.c.coupon_id == redemptions.c.coupon_id))],
}
"""What each step leaves in the tables: by whom or with what, and where."""


class UnexpectedError(RuntimeError):
    """The api answered what it should not have."""


@dataclass
class Shopper:
    """Joins, agrees to offers, gets a coupon and redeems it; goes home where an answer that leads on is lost."""

    number: int
    step: int = 0
    key: str = field(default_factory=new_id)
    tries: int = 0
    due: float = 0.0
    member_id: str = ""
    code: str = ""
    done: dict[str, str] = field(default_factory=dict)  # step -> "answered" or "lost"

    @property
    def name(self) -> str:
        """What they are called: once, however often they join."""
        return f"Shopper {self.number}"

    def request(self) -> tuple[str, dict[str, Any]]:
        """Return path and body of what they ask now."""
        consent = {"member_id": self.member_id, "purpose": "marketing", "granted": True, "text_version": "bench-1"}
        asked: dict[str, tuple[str, dict[str, Any]]] = {
            "join": ("/v1/members", {"display_name": self.name}),
            "agree": ("/v1/consents", consent),
            "coupon": ("/v1/coupons", {"member_id": self.member_id}),
            "redeem": (f"/v1/coupons/{self.code}/redeem", {}),
        }
        return asked[STEPS[self.step]]

    def hear(self, told: dict[str, Any], *, lost: bool) -> bool:
        """Take an answer; return whether there is more to ask."""
        step = STEPS[self.step]
        self.done[step] = "lost" if lost else "answered"
        if not lost:  # whose code is the problem's
            self.member_id, self.code = self.member_id or told.get("member_id", ""), self.code or told.get("code", "")
        self.step, self.key, self.tries = self.step + 1, new_id(), 0
        return step != "redeem" and not (lost and step in {"join", "coupon"})


@dataclass
class Tally:
    """What was asked, and what came of it. `twice` and `undone` are to be nought."""

    asked: int = 0
    again: int = 0
    replayed: int = 0
    lost: int = 0
    refused: int = 0  # with an answer that only a second try gets
    twice: int = 0
    undone: int = 0


class Crowd:
    """Shoppers on AT_ONCE threads, who wait while the api is away. A context manager."""

    def __init__(self, url: str, key: str) -> None:
        self.up, self.tally, self.all = threading.Event(), Tally(), list[Shopper]()
        self._url, self._headers = url, {"Authorization": f"Bearer {key}"}
        self._waiting, self._lock, self._open = deque[Shopper](), threading.Lock(), True
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(AT_ONCE)]
        self._failed: Exception | None = None

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()

    def close(self) -> None:
        """Let nobody come any more, and wait until all have been answered."""
        self._open = False
        self.up.set()
        for thread in self._threads:
            thread.join()
        if self._failed is not None:
            raise self._failed

    def _run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=TIMEOUT_S) as client:
            while self._failed is None and (shopper := self._next()) is not None:
                if time.monotonic() < shopper.due:
                    time.sleep(0.01)
                    self._waiting.append(shopper)
                    continue
                self.up.wait()
                try:
                    self._ask(client, shopper)
                except Exception as error:  # noqa: BLE001  it ends the benchmark
                    self._failed = error

    def _next(self) -> Shopper | None:
        """Return who is to ask: those who wait first, where it is time; None when all were answered and nobody comes any more."""
        with self._lock:
            for _ in range(len(self._waiting)):
                shopper = self._waiting.popleft()
                if time.monotonic() >= shopper.due:
                    return shopper
                self._waiting.append(shopper)
            if self._open and len(self._waiting) < MOST_WAITING:  # else all the time goes into joining
                self.all.append(Shopper(len(self.all)))
                return self.all[-1]
            return self._waiting.popleft() if self._waiting else None

    def _ask(self, client: httpx.Client, shopper: Shopper) -> None:
        path, body = shopper.request()
        shopper.tries += 1
        try:
            answer = client.post(path, json=body, headers={**self._headers, "Idempotency-Key": shopper.key})
        except httpx.TransportError:  # it was killed, or is not there yet
            self._put_back(shopper, AGAIN_S)
            return
        told = answer.json()
        code = told.get("code", "") if answer.is_error else ""
        if code == "idempotency-key-in-use" or answer.status_code in {429, 503}:
            self._put_back(shopper, IN_USE_S)
            return
        with self._lock:
            tally = self.tally
            tally.asked += 1
            tally.again += shopper.tries > 1
            tally.replayed += answer.headers.get("idempotent-replayed") == "true"
            tally.lost += code == LOST
            tally.refused += code == "conflict"
        if code not in {"", LOST, "conflict"}:
            raise UnexpectedError(f"{path} was answered with {answer.status_code} {answer.text[:300]}")
        if shopper.hear(told, lost=code == LOST):
            self._put_back(shopper, 0)

    def _put_back(self, shopper: Shopper, wait_s: float) -> None:
        shopper.due = time.monotonic() + wait_s
        self._waiting.append(shopper)

    def wait_for(self, answers: int, *, at_most_s: float) -> None:
        """Wait until so many more requests have been answered."""
        wanted, until = self.tally.asked + answers, time.monotonic() + at_most_s
        while self.tally.asked < wanted and time.monotonic() < until:
            if self._failed is not None:
                raise self._failed
            time.sleep(0.001)

    def add_up(self, db: Database) -> Tally:
        """Hold what was answered against the tables."""
        with db.read() as connection:
            found = {step: _effects(connection, step) for step in STEPS}
        names = {"join": "name", "agree": "member_id", "coupon": "member_id", "redeem": "code"}
        tally = self.tally
        for step, effects in found.items():
            tally.twice += sum(times - 1 for times in effects.values())
            asked = [str(getattr(shopper, names[step])) for shopper in self.all if step in shopper.done]
            missing = [name for name in asked if name not in effects]
            tally.undone += len(missing)
            if missing:
                progress(f"{step}: {len(missing)} were told that it was done, and it was not")
        tally.twice += tally.refused
        return tally


def _effects(connection: Connection, step: str) -> dict[str, int]:
    """Return how often a step was done, by whom or with what: by what it left most often."""
    found: dict[str, int] = {}
    for column, table in _LEFT[step]:
        for name, times in connection.execute(select(column, func.count()).select_from(table).group_by(column)):
            found[str(name)] = max(times, found.get(str(name), 0))
    return found
