"""How much of the machine other work took while something was measured."""

from __future__ import annotations

import os
import time
from pathlib import Path


class Beside:
    """Begins to watch when it is made. What this process and its ended children did is not counted."""

    def __init__(self) -> None:
        self._began, self._busy, self._own = time.monotonic(), _busy_s(), _own_s()

    def told(self) -> str:
        """Return in words what else ran since then."""
        seconds = time.monotonic() - self._began
        other = max(0.0, (_busy_s() - self._busy) - (_own_s() - self._own)) / seconds
        return f"other work took {other:.1f} of {os.cpu_count()} cores"


def _busy_s() -> float:
    """Return the processor seconds that everything on this machine has taken since it started."""
    user, nice, system, _idle, _wait, irq, soft, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def _own_s() -> float:
    found = os.times()
    return found.user + found.system + found.children_user + found.children_system
