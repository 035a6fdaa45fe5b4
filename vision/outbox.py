"""What was seen, on its way to the api: in order, each once, kept in memory while the api is away, never without bound."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import structlog
from uuid_utils import uuid7

log = structlog.get_logger(__name__)
MOST = 2_000
"""Observations kept: half an hour of heartbeats, about 1 MB."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0
LAST_CHANCE_S = 2.0
_OUR_FAULT = range(400, 500)
_TRY_AGAIN = frozenset({401, 403, 408, 425, 429})
Observed = dict[str, Any]


class Outbox:
    """`send` posts one observation, and raises httpx.HTTPError when it did not arrive. `ahead_s`: how far the api's clock is ahead of ours.

    As a context manager it sends on a thread of its own; without, call `step`.
    """

    def __init__(self, send: Callable[[Observed], None], ahead_s: Callable[[], float] = lambda: 0.0) -> None:
        self._send, self._ahead_s = send, ahead_s
        self._waiting: deque[Observed] = deque()
        self._changed = threading.Condition()
        self._closing, self._over = threading.Event(), threading.Event()
        self._pause = FIRST_PAUSE_S
        self._thread = threading.Thread(target=self._run, daemon=True, name="outbox")
        self.accepted = self.sent = self.merged = self.lost = 0
        """So many were accepted; told to the api; joined to a later one of the same people; given up."""

    def __enter__(self) -> Outbox:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Send what is left, for a moment at most."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(LAST_CHANCE_S + FIRST_PAUSE_S)
        self._over.set()
        if self._waiting:
            self.lost += len(self._waiting)
            log.warning("not told to the api", observations=len(self._waiting))

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, people: Sequence[Observed]) -> None:
        """Accept what is seen now. From here on it reaches the api, once, unless this process ends before the api is back.

        When too many wait, the oldest two of the same people become one, the later: who was there, and until when, is kept.
        """
        at = datetime.now(UTC) + timedelta(seconds=self._ahead_s())
        seen = {"observation_id": str(uuid7()), "people": list(people), "at": at.isoformat()}
        with self._changed:
            self.accepted += 1
            self._waiting.append(seen)
            if len(self._waiting) > MOST:
                self._merge()
            self._changed.notify()

    def _merge(self) -> None:
        for index in range(1, len(self._waiting) - 1):  # the first may be on its way
            if _who(self._waiting[index]) == _who(self._waiting[index + 1]):
                del self._waiting[index]
                self.merged += 1
                return
        del self._waiting[1]  # two thousand changes of who is there: the oldest cannot be kept
        self.lost += 1

    def step(self) -> float:
        """Try to send the oldest that waits; return how many seconds to let pass before the next try, 0 when it is done with."""
        seen = self._waiting[0]
        try:
            self._send(seen)
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            if status not in _OUR_FAULT or status in _TRY_AGAIN:
                return self._not_now(str(status))
            log.error("the api refused an observation", status=status)
            self.lost += 1
        except httpx.HTTPError as error:
            return self._not_now(type(error).__name__)
        else:
            self.sent += 1
        self._pause = FIRST_PAUSE_S
        with self._changed:
            if self._waiting and self._waiting[0] is seen:
                self._waiting.popleft()
        return 0.0

    def _not_now(self, cause: str) -> float:
        pause = self._pause
        if pause == FIRST_PAUSE_S:
            log.warning("the api does not answer", cause=cause)
        self._pause = min(pause * 2, LONGEST_PAUSE_S)
        return pause

    def _run(self) -> None:
        while self._something_waits() and not self._over.is_set():
            pause = self.step()
            if pause and self._closing.wait(pause):
                time.sleep(FIRST_PAUSE_S)  # the last chance: no hurry within it

    def _something_waits(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._closing.is_set())
            return bool(self._waiting)


def _who(seen: Observed) -> tuple[tuple[Any, Any], ...]:
    return tuple((person["track_id"], person["member_id"]) for person in seen["people"])
