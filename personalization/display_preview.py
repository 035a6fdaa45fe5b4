"""Plays made visits through a display policy, so that a change is seen before any shopper sees it.

The visits are made, with the noise of a camera: the look of a face trembles, and now and then it cannot be read or is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from personalization.display import DisplayPolicy, Mode, Scene, Shown, choose

FPS, SEED = 5, 7
TREMBLE = 0.12  # standard deviation of the valence that a camera reads
UNREAD, UNSEEN = 0.05, 0.03  # parts of the looks in which a face cannot be read, or is not seen
FLICKER_S = 2.5
"""A screen that stood for less, and went although everybody was still there, has flickered."""


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a visit: what happens, for how many seconds, and how the face looks (valence, None: it is not read)."""

    what: str
    seconds: float
    present: bool = True
    known: bool = True
    valence: float | None = None
    unsettled: bool = False


VISITS: Mapping[str, Sequence[Step]] = {
    "a visit with every mood": (
        Step("nobody is there", 2, present=False), Step("a stranger comes", 2, known=False), Step("a member is recognised", 9),
        Step("they look pleased", 12, valence=0.6), Step("they look unhappy", 24, valence=-0.8, unsettled=True),
        Step("they feel better", 12, valence=0.45), Step("they leave", 4, present=False),
    ),
    "a restless face": (
        Step("a member is recognised", 6, valence=0.1),
        *(step for _ in range(6) for step in (Step("a smile", 1.2, valence=0.45), Step("a frown", 1.2, valence=-0.45, unsettled=True))),
        Step("they calm down", 8, valence=0.0), Step("they leave", 4, present=False),
    ),
    "a long stay": (
        Step("a member is recognised", 30, valence=0.05), Step("they search, and do not find", 80, valence=-0.2, unsettled=True),
        Step("they leave", 4, present=False),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Screen:
    """One mode, why it was chosen, and from when to when it stood (seconds)."""

    mode: Mode
    why: str
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Preview:
    """A visit as the kiosk would have shown it. `valences`: (seconds, valence) where a face could be read."""

    screens: tuple[Screen, ...]
    happened: tuple[tuple[float, str], ...]
    valences: tuple[tuple[float, float], ...]
    flickers: int


def play(policy: DisplayPolicy, visit: str) -> Preview:
    """Play one of VISITS, always with the same noise. Raises KeyError for another name."""
    shown, at = Shown(), 0.0
    changes: list[tuple[float, Shown]] = [(0.0, shown)]
    left: set[float] = set()
    valences = []
    for scene in scenes(VISITS[visit]):
        at = scene.at
        if scene.valence is not None:
            valences.append((round(at, 2), round(scene.valence, 3)))
        after = choose(policy, shown, scene)
        if after.mode is not shown.mode:
            changes.append((at, after))
            if not scene.present or after.known != shown.known:
                left.add(at)
        shown = after
    ends = [begin for begin, _ in changes[1:]] + [at]
    screens = tuple(
        Screen(one.mode, one.why, round(begin, 2), round(end, 2))
        for (begin, one), end in zip(changes, ends, strict=True)
    )
    flickers = sum(
        end - begin < FLICKER_S and end not in left for (begin, _), end in zip(changes[1:], ends[1:-1], strict=False)
    )
    return Preview(screens, tuple(_happened(VISITS[visit])), tuple(valences), flickers)


def scenes(visit: Sequence[Step]) -> Iterator[Scene]:
    """Yield what a camera would tell, FPS times a second."""
    rng, at = np.random.default_rng(SEED), 0.0
    for step in visit:
        for _ in range(round(step.seconds * FPS)):
            tremble, chance = float(rng.normal(0, TREMBLE)), float(rng.random())
            seen = step.present and chance >= UNSEEN
            reads = seen and step.valence is not None and chance >= UNSEEN + UNREAD
            valence = float(np.clip((step.valence or 0.0) + tremble, -1, 1)) if reads else None
            known = frozenset({"member"}) if seen and step.known else frozenset()
            yield Scene(at, seen, known, valence, step.unsettled and seen)
            at += 1 / FPS


def _happened(visit: Sequence[Step]) -> Iterator[tuple[float, str]]:
    at = 0.0
    for step in visit:
        yield round(at, 2), step.what
        at += step.seconds
