"""How things move: easing functions and paths as pure functions of time, so that the same film has the same frames.

Poses are offsets in hundredths of the film's shorter side, scales, degrees and opacities; all of them come to rest where the poster has them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

ENTER_S = {"still": 0.0, "out_cubic": 0.42, "out_back": 0.5, "out_expo": 0.55, "in_out": 0.5, "spring": 0.75}
"""How long an entrance takes by its easing."""
STAGGER_S, LEAVE_S, WAIT_S = 0.08, 0.16, 0.1
"""Between words that come in, for words that go, and until words come where the product flies through their place."""
PULSE = 0.05
"""Growth of the product at the strongest accent. Size, never brightness: nothing can flash."""
PULSE_S = 0.34


@dataclass(frozen=True, slots=True)
class Pose:
    """Where and how something is, against where it rests. `shown` is the share that a reveal has uncovered, from the side where reading begins."""

    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0
    turn: float = 0.0
    alpha: float = 1.0
    shown: float = 1.0

    def and_then(self, other: Pose) -> Pose:
        """Return both poses together."""
        return Pose(
            self.dx + other.dx, self.dy + other.dy, self.scale * other.scale, self.turn + other.turn, self.alpha * other.alpha, min(self.shown, other.shown)
        )  # fmt: skip


REST = Pose()


def _out_back(t: float) -> float:
    return 1 + 2.2 * (t - 1) ** 3 + 1.2 * (t - 1) ** 2


def _spring(t: float) -> float:
    """Return a damped spring: over the goal once, and there."""
    return 1 - math.exp(-7.0 * t) * math.cos(9.0 * t) * (1 - t)


_EASINGS: dict[str, Callable[[float], float]] = {
    "still": lambda t: 1.0 if t > 0 else 0.0,
    "out_cubic": lambda t: 1 - (1 - t) ** 3,
    "out_back": _out_back,
    "out_expo": lambda t: (1 - 2 ** (-10 * t)) / (1 - 2**-10),
    "in_out": lambda t: 4 * t**3 if t < 0.5 else 1 - (2 - 2 * t) ** 3 / 2,
    "spring": _spring,
}


def ease(name: str, t: float) -> float:
    """Return how far a movement is at the share `t` of its time: 0 at its beginning, 1 at its end, beyond 1 between where it springs."""
    return 0.0 if t <= 0 else 1.0 if t >= 1 else _EASINGS[name](t)


def _entrances(far: float, side: float) -> dict[str, Pose]:
    return {
        "still": REST,
        "rise": Pose(dy=far),
        "drop": Pose(dy=-far),
        "slide": Pose(dx=-side * 1.5 * far),
        "zoom": Pose(scale=0.72),
        "swing": Pose(turn=-side * 9, dy=0.5 * far),
        "reveal": Pose(shown=0.0, dy=0.25 * far),
        "drift": Pose(dx=side * 0.5 * far, scale=1.06),
        "pop": Pose(scale=0.4),
    }


def enter(
    motion: str, easing: str, seconds: float, *, order: int = 0, from_right: bool = False, far: float = 14.0
) -> Pose:
    """Return the pose `seconds` after a shot has begun, of what comes in as the `order`-th: it can be read after `readable`."""
    took = ENTER_S[easing]
    t = (seconds - order * STAGGER_S) / took if took else 1.0
    if t >= 1:
        return REST
    start, done = _entrances(far, -1 if from_right else 1)[motion], ease(easing, t)
    left = 1 - done
    fade = 1.0 if motion == "still" else min(max(t, 0.0) * (1.0 if motion == "drift" else 2.2), 1.0)
    return Pose(
        start.dx * left, start.dy * left, 1 - (1 - start.scale) * left, start.turn * left, fade, 1 - (1 - start.shown) * min(max(left, 0.0), 1.0)
    )  # fmt: skip


@lru_cache(maxsize=16)
def readable(easing: str, count: int) -> float:
    """Return the seconds after which the last of `count` things is nine tenths of its way in, and can be read."""
    share = next(step / 100 for step in range(101) if ease(easing, step / 100) >= 0.9)
    return share * ENTER_S[easing] + max(count - 1, 0) * STAGGER_S


def leave(seconds_left: float) -> Pose:
    """Return the pose of words that are about to go."""
    if seconds_left >= LEAVE_S:
        return REST
    t = 1 - max(seconds_left, 0.0) / LEAVE_S
    return Pose(alpha=1 - t**2, dy=-1.2 * t**2)


def live(motion: str, share: float, way: float) -> Pose:
    """Return how the product lives on through its shot, from 0 to 1: it comes slowly nearer, or drifts; `way` is its angle in radians."""
    much = 1.8 if motion == "drift" else 0.8
    turn = 1.2 * math.sin(share * math.pi) if motion == "swing" else 0.0
    t = share - 0.5
    return Pose(much * math.cos(way) * t, much * math.sin(way) * t, 1.0 + 0.05 * share, turn)


def parallax(share: float, way: float) -> tuple[float, float]:
    """Return how far the texture behind has moved, in hundredths of the shorter side: against the product, and slower."""
    return -2.2 * math.cos(way) * share, -2.2 * math.sin(way) * share


def pulse(at: float, accents: Sequence[tuple[float, float]]) -> float:
    """Return the growth at a time from accents (second, strength): up in a blink, and gently back."""
    grown = 0.0
    for time, strength in accents:
        since = at - time
        if 0 <= since < PULSE_S:
            attack = min(since / 0.05, 1.0)
            grown = max(grown, strength * PULSE * attack * (1 - since / PULSE_S) ** 2)
    return 1 + grown


def between(
    here: tuple[float, float, float], there: tuple[float, float, float], t: float
) -> tuple[float, float, float]:
    """Return (x, y, size) on the way from one place to another; the size changes by equal ratios."""
    return (
        here[0] + (there[0] - here[0]) * t,
        here[1] + (there[1] - here[1]) * t,
        here[2] * (there[2] / here[2]) ** t,
    )
