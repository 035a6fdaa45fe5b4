"""Signs of coupon fraud, as rules on counts: what slows, what stops, and the reason that is given.

The counts come from elsewhere: from the ledger's tables where every replica must agree (who got coupons on one device),
from one process's memory where seconds matter (how often a key, a till or a source has asked).
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

LONGEST_WAIT_S = 3600
MOST_SOURCES = 20_000


class Signal(StrEnum):
    """What is counted."""

    GUESSING = "code_guessing"
    KEY = "key_velocity"
    TILL = "till_velocity"
    MEMBER = "member_velocity"
    DEVICE = "device_velocity"
    SHARED_DEVICE = "shared_device"
    MULTI_ACCOUNT = "multi_account"


@dataclass(frozen=True, slots=True)
class Rule:
    """From `most` in `window_s` seconds on there is no more, or, where it `slows`, each further one waits twice as long."""

    window_s: float
    most: int
    sentence: str
    slows: bool = False


# docs/api.md shows this table
RULES: Mapping[Signal, Rule] = {
    Signal.GUESSING: Rule(600, 30, "Too many codes from here were wrong", slows=True),
    Signal.KEY: Rule(60, 6000, "This key redeems more often than a chain of tills would", slows=True),
    Signal.TILL: Rule(60, 60, "This till redeems more often than a cashier can scan", slows=True),
    Signal.MEMBER: Rule(86_400, 20, "This member has redeemed more coupons in a day than a shopper would"),
    Signal.DEVICE: Rule(86_400, 20, "This device's coupons were redeemed more often in a day than a shopper would"),
    Signal.SHARED_DEVICE: Rule(86_400, 5, "More members got coupons on this device in a day than share one"),
    Signal.MULTI_ACCOUNT: Rule(30 * 86_400, 3, "Other households got this campaign's coupons on this device"),
}
# a mistyped code is a slip and counts once; one with a good check character that nobody has is a guess
MISTYPED, UNKNOWN = 1, 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why something is slowed (`wait_s` above 0) or stopped."""

    signal: Signal
    sentence: str
    wait_s: int = 0


def judge(counts: Mapping[Signal, int]) -> Verdict | None:
    """Return the first rule that stops what these counts of earlier ones are of; None when all is well."""
    for signal, count in counts.items():
        if count >= RULES[signal].most:
            return Verdict(signal, f"{RULES[signal].sentence}.")
    return None


class Watch:
    """Counts and waits of one process; the source that was quiet for longest is forgotten when there are too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[tuple[Signal, str], deque[float]] = {}
        self._until: dict[tuple[Signal, str], float] = {}
        self._lock = threading.Lock()

    def add(self, signal: Signal, who: str, weight: int = 1) -> None:
        """Count something of `who`; from the rule's `most` on, each one starts a wait twice as long as the last."""
        rule, key = RULES[signal], (signal, who)
        with self._lock:
            now = self._clock()
            seen = self._seen.pop(key, None) or deque[float]()
            while seen and seen[0] <= now - rule.window_s:
                seen.popleft()
            seen.extend([now] * weight)
            self._seen[key] = seen  # at the end: the newest
            if len(seen) >= rule.most:
                self._until[key] = now + min(LONGEST_WAIT_S, 2 ** min(len(seen) - rule.most, 12))
            while len(self._seen) > MOST_SOURCES:
                oldest = next(iter(self._seen))
                del self._seen[oldest]
                self._until.pop(oldest, None)

    def check(self, asked: Mapping[Signal, str]) -> Verdict | None:
        """Return why one of these sources has to wait now, None when none has."""
        with self._lock:
            now = self._clock()
            for signal, who in asked.items():
                left = math.ceil(self._until.get((signal, who), now) - now)
                if left > 0:
                    return Verdict(signal, f"{RULES[signal].sentence}; wait {left} s.", left)
        return None
