"""What was seen, on its way to the api: in order, each once, kept in memory while the api is away, never without bound."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
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
    """`send` posts one observation, and raises httpx.HTTPError when it did not arrive. Use it as a context manager."""

    def __init__(self, send: Callable[[Observed], None]) -> None:
        self._send = send
        self._waiting: deque[Observed] = deque()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="outbox")
        self.sent = self.merged = self.refused = 0

    def __enter__(self) -> Outbox:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Send what is left, for a moment at most."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(LAST_CHANCE_S + FIRST_PAUSE_S)
        if self._waiting:
            log.warning("not told to the api", observations=len(self._waiting))

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, people: Sequence[Observed]) -> None:
        """Accept what is seen now. From here on it reaches the api, once, unless this process ends before the api is back.

        When too many wait, the oldest two of the same people become one, the later: who was there, and until when, is kept.
        """
        seen = {"observation_id": str(uuid7()), "people": list(people), "at": datetime.now(UTC).isoformat()}
        with self._changed:
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
        del self._waiting[1]
        self.merged += 1

    def _run(self) -> None:
        pause = FIRST_PAUSE_S
        while (seen := self._next()) is not None:
            try:
                self._send(seen)
            except httpx.HTTPStatusError as error:
                status = error.response.status_code
                if status in _OUR_FAULT and status not in _TRY_AGAIN:
                    log.error("the api refused an observation", status=status)
                    self.refused += 1
                    self._done(seen)
                    continue
                pause = self._wait(pause, str(status))
            except httpx.HTTPError as error:
                pause = self._wait(pause, type(error).__name__)
            else:
                self.sent += 1
                pause = FIRST_PAUSE_S
                self._done(seen)

    def _next(self) -> Observed | None:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._closing.is_set())
            return self._waiting[0] if self._waiting else None

    def _done(self, seen: Observed) -> None:
        with self._changed:
            if self._waiting and self._waiting[0] is seen:
                self._waiting.popleft()

    def _wait(self, pause: float, cause: str) -> float:
        if pause == FIRST_PAUSE_S:
            log.warning("the api does not answer", cause=cause)
        if self._closing.wait(pause):
            time.sleep(FIRST_PAUSE_S)  # the last chance: no hurry within it
        return min(pause * 2, LONGEST_PAUSE_S)


def _who(seen: Observed) -> tuple[tuple[Any, Any], ...]:
    return tuple((person["track_id"], person["member_id"]) for person in seen["people"])
