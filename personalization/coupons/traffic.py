"""How many arrivals are still to come: a learned shape over the week, corrected by what has come so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WEEK_S = 7 * 86_400.0
BINS = 7 * 96  # quarters of an hour


@dataclass(frozen=True, slots=True)
class TrafficShape:
    """The share of a period's arrivals that each of its equal bins holds, (bins,), summing to 1. Periods count from 1970."""

    share: Floats
    period_s: float = WEEK_S

    @classmethod
    def learn(cls, at: Floats, *, period_s: float = WEEK_S, bins: int = BINS, spread: int = 2) -> Self:
        """Return the shape of arrivals at POSIX seconds `at` (n,), each spread over `spread` bins on both sides."""
        place = np.floor((at % period_s) / period_s * bins).astype(np.int64)
        counts = np.bincount(np.minimum(place, bins - 1), minlength=bins).astype(float)
        kernel = np.arange(-spread, spread + 1)
        smooth = np.full(bins, 0.005 * max(1.0, len(at)) / bins)  # no bin is thought to be empty
        for k in kernel:
            smooth += np.roll(counts, int(k)) * (spread + 1 - abs(int(k))) / (spread + 1) ** 2
        return cls(smooth / smooth.sum(), period_s)

    @classmethod
    def even(cls, period_s: float = WEEK_S) -> Self:
        """Return a shape without hours, for a start without history."""
        return cls(np.ones(1), period_s)

    def periods(self, at: float) -> float:
        """Return the arrivals up to `at` since 1970 in units of a period's."""
        whole, part = divmod(at / self.period_s, 1.0)
        place = part * len(self.share)
        full = min(int(place), len(self.share) - 1)
        return float(whole + self.share[:full].sum() + (place - full) * self.share[full])

    def between(self, start: float, end: float) -> float:
        """Return the arrivals from `start` to `end` in units of a period's."""
        return max(self.periods(end) - self.periods(start), 0.0)


@dataclass(slots=True)
class Traffic:
    """Arrivals to expect until a campaign's end: `per_period` by `shape`, times a level that follows what is seen.

    The level's belief is a gamma distribution with mean 1 and deviation `doubt` before any arrival. Evidence older than about
    `memory_s` fades, so that a shock passes; what is left then is the belief of the start.
    """

    shape: TrafficShape
    per_period: float
    end: float  # POSIX seconds
    at: float  # until when arrivals were counted
    doubt: float = 0.2
    memory_s: float = float("inf")
    seen: float = 0.0
    due: float = 0.0

    def observe(self, arrivals: int, at: float) -> None:
        """Count `arrivals` since the last call, up to `at`; a clock that steps back is taken to stand still."""
        if at > self.at:
            keep = float(np.exp(-(at - self.at) / self.memory_s))
            self.seen, self.due = self.seen * keep, self.due * keep
            self.due += self.per_period * self.shape.between(self.at, at)
            self.at = at
        self.seen += arrivals

    @property
    def level(self) -> float:
        """The arrivals seen per arrival forecast."""
        prior = 1.0 / self.doubt**2
        return (prior + self.seen) / (prior + self.due)

    def remaining(self, at: float) -> float:
        """Return the arrivals expected from `at` to the end."""
        return self.level * self.per_period * self.shape.between(max(at, self.at), self.end)

    def state(self) -> dict[str, object]:
        """Return the forecast as JSON types."""
        return {
            "share": self.shape.share.tolist(), "period_s": self.shape.period_s, "per_period": self.per_period,
            "end": self.end, "at": self.at, "doubt": self.doubt, "seen": self.seen, "due": self.due,
            "memory_s": None if np.isinf(self.memory_s) else self.memory_s,
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: dict[str, object]) -> Self:
        """Return the forecast that `state` tells of."""
        number = {name: float(str(state[name])) for name in ("per_period", "end", "at", "doubt", "seen", "due")}
        memory = float("inf") if state["memory_s"] is None else float(str(state["memory_s"]))
        shape = TrafficShape(np.asarray(state["share"], dtype=float), float(str(state["period_s"])))
        return cls(shape, memory_s=memory, **number)
