"""Takes the console's figures on: what happened every few seconds, how things stand every half hour, large experiments every minute or two."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import structlog

from api.wiring import Services

log = structlog.get_logger(__name__)
EVERY_S, STANDS_EVERY_S = 15.0, 1800.0


class FigureKeeper:
    """Runs on a thread of the worker of its own: the first time it counts years, and nobody is to wait for that."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._stands_due = 0.0
        self._mended = False

    def start(self) -> None:
        """Run on a thread."""
        self._thread = threading.Thread(target=self._run, daemon=True, name="figures")
        self._thread.start()

    def stop(self) -> None:
        """End after the day that is being counted."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.work_once()
            except Exception as error:
                log.exception("the figures were not taken on", kind=type(error).__name__)
            self._stop.wait(EVERY_S)

    def work_once(self) -> None:
        """Count what is new, and write down how things stand where that is due."""
        now = datetime.now(UTC)
        if not self._mended:
            self._services.figures.mend(stop=self._stop.is_set)
            self._mended = True
        if time.monotonic() >= self._stands_due:
            self._services.figures.snapshot(now=now)
            self._stands_due = time.monotonic() + STANDS_EVERY_S
        self._services.figures.update(now=now, stop=self._stop.is_set)
        self._services.experiment_units.keep(now=now, stop=self._stop.is_set)
