"""The worker: applies events to purchases and responses, and gives expired coupons' money back."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import structlog

from api.wiring import Services
from stores.projection import project_once

log = structlog.get_logger(__name__)
IDLE_S = 0.5
HOUSEKEEPING_S = 60.0


class Worker:
    """Runs until stopped, on a thread of the api or as a process of its own. Restarting it loses and repeats nothing."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Run on a thread."""
        self._thread = threading.Thread(target=self.run, daemon=True, name="worker")
        self._thread.start()

    def stop(self) -> None:
        """End after what is being done now."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def run(self) -> None:
        """Work until `stop` is called; a failed pass is tried again."""
        housekeeping = 0.0
        while not self._stop.is_set():
            try:
                done = project_once(self._services.db)
                if done:
                    self._services.metrics.projected.inc(done)
                if time.monotonic() >= housekeeping:
                    housekeeping = time.monotonic() + HOUSEKEEPING_S
                    self._services.ledger.release_expired(datetime.now(UTC))
            except Exception as error:
                log.exception("worker pass failed", kind=type(error).__name__)
                done = 0
            if done == 0:
                self._stop.wait(IDLE_S)
