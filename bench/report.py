"""The benchmarks' contract: one JSON object per metric on stdout, progress for people on stderr."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured value. `value` is None, with a `reason`, when its data is missing; it is never guessed.

    `samples` are what it was computed from, for a plot; they are not printed.
    """

    metric: str
    value: float | int | None
    unit: str
    n: int
    data: str
    ci: tuple[float, float] | None = None
    baseline: Mapping[str, float | int | str] | None = None
    seed: int | None = None
    reason: str | None = None
    samples: Sequence[float] = field(default=(), repr=False)
    commit: str = field(default_factory=lambda: current_commit())  # noqa: PLW0108 - defined below
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def print(self) -> None:
        """Write the metric as one line of JSON."""
        line = asdict(self)
        del line["samples"]
        if self.reason is None:
            del line["reason"]
        print(json.dumps(line), flush=True)


def progress(message: str) -> None:
    """Tell the person who waits what is being done."""
    print(f"  {message}", file=sys.stderr, flush=True)


def current_commit() -> str:
    """Return the checkout's short commit, with "+" when files differ from it, or "unknown" outside git."""
    return _commit()


@cache
def _commit() -> str:
    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def percentile_with_ci(
    samples: Sequence[float], q: float, *, seed: int, resamples: int = 2000
) -> tuple[float, tuple[float, float]]:
    """Return the q-th percentile of `samples` and its 95 % bootstrap interval (percentile method)."""
    values = np.asarray(samples, dtype=float)
    draws = np.random.default_rng(seed).choice(values, size=(resamples, len(values)))
    low, high = np.percentile(np.percentile(draws, q, axis=1), [2.5, 97.5])
    return round(float(np.percentile(values, q)), 1), (round(float(low), 1), round(float(high), 1))
