"""A program that starts beside serving ones stands back, and takes its full share of the cores once it serves, too.

Each of the supervisor's programs is a session of its own, to which Linux's autogroups (sched(7)) give one share of the cores
together; a smaller share may be asked for, and given back, without rights. Where there are none, nothing changes.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

BACK, FULL = 10, 0  # as of nice(2): a tenth of the share of who serves, while those need it
_PROC = Path("/proc")


def stand_back(pid: int, proc: Path = _PROC) -> None:
    """Leave the cores to others as far as they need them."""
    _set(pid, BACK, proc)


def step_forward(pid: int, proc: Path = _PROC) -> None:
    """Take the full share again."""
    _set(pid, FULL, proc)


def stands_back(pid: int, proc: Path = _PROC) -> bool:
    """Whether it does; False where there are no shares, or it has ended."""
    with suppress(OSError):
        return (proc / str(pid) / "autogroup").read_text().split()[-1] == str(BACK)
    return False


def _set(pid: int, nice: int, proc: Path) -> None:
    with suppress(OSError):  # no autogroups, or the process has just ended
        (proc / str(pid) / "autogroup").write_text(str(nice))
