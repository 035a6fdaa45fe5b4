"""One look for everybody who asks within a moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Glance:
    """Remembers for a few seconds what a look found, so that many who watch cost one query."""

    def __init__(self, kept_s: float = 3.0) -> None:
        self._kept_s, self._until = kept_s, 0.0
        self._found: Any = None
        self._lock = threading.Lock()

    def get(self, look: Callable[[], T]) -> T:
        """Return what `look` found lately, or finds now."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._found = look()
                self._until = time.monotonic() + self._kept_s
            found: T = self._found
            return found
