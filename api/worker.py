"""The worker: applies events to purchases, responses, profiles and labels; keeps labels fresh, and expired money and data out."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import structlog

from api.wiring import Services
from stores.events import purge
from stores.projection import project_once

log = structlog.get_logger(__name__)
IDLE_S = 0.2
HOUSEKEEPING_S = 60.0
PASS, LONGEST_PASS = 500, 5_000
FRESH_FOR = timedelta(hours=12)
REFRESHED = 200  # members whose labels one housekeeping renews


class Worker:
    """Runs until stopped, on a thread of the api or as a process of its own. Restarting it loses and repeats nothing."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._bite = PASS

    def start(self) -> None:
        """Run on a thread."""
        self._thread = threading.Thread(target=self.run, daemon=True, name="worker")
        self._thread.start()

    def stop(self) -> None:
        """End after what is being done now."""
        self._stop.set()
        self._services.db.appended.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def run(self) -> None:
        """Work until `stop` is called; a failed pass is tried again."""
        housekeeping = 0.0
        if self._services.stream is not None:
            self._services.stream.consume(self._services.events)
        while not self._stop.is_set():
            self._services.db.appended.clear()
            try:
                done = self._pass()
                if time.monotonic() >= housekeeping:
                    housekeeping = time.monotonic() + HOUSEKEEPING_S
                    self._keep_house()
            except Exception as error:
                log.exception("worker pass failed", kind=type(error).__name__)
                self._stop.wait(IDLE_S)
                done = 0
            if done == 0:
                self._services.db.appended.wait(IDLE_S)

    def _pass(self) -> int:
        """Apply what is new: first to orders and responses, then to profiles. A backlog is taken in larger bites."""
        services = self._services
        projected = project_once(services.db)
        folded = services.profiles.consume(now=datetime.now(UTC), limit=self._bite)
        self._bite = min(self._bite * 2, LONGEST_PASS) if folded == self._bite else PASS
        services.metrics.projected.inc(projected)
        services.metrics.folded.inc(folded)
        return projected + folded

    def _keep_house(self) -> None:
        services, now = self._services, datetime.now(UTC)
        services.ledger.release_expired(now)
        services.profiles.refresh(now=now, older_than=now - FRESH_FOR, limit=REFRESHED)
        purged = purge(services.db, now=now)
        if purged:
            log.info("events past their retention were deleted", count=purged)
        services.metrics.backlog.set(services.profiles.backlog())
