"""Which of its modes a kiosk shows: a small policy with hysteresis, read from a file that marketers edit.

attract: nobody is known here. welcome: a member who agreed to be recognised has come. inspire: somebody stays and likes it.
calm: somebody looks unhappy. help: that goes on, and a person is offered. Two thresholds and a least time for each change keep
the screen from flickering (a Schmitt trigger in time); only the loss of consent or of the person changes it at once.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("display.yml")
UNREAD_S = 2.0
"""After so long without a readable face nobody can say that a mood has lasted."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with one value: `where` is "calm.below"."""

    where: str
    reason: str


class DisplayPolicyError(ValueError):
    """A policy that makes no sense; the message names the line to change, `flaws` each value."""

    def __init__(self, message: str, flaws: Sequence[Flaw] = ()) -> None:
        super().__init__(message)
        self.flaws = tuple(flaws)


class Mode(StrEnum):
    """What a kiosk can show."""

    ATTRACT = "attract"
    WELCOME = "welcome"
    INSPIRE = "inspire"
    CALM = "calm"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class DisplayPolicy:
    """The file's values: valence in [-1, 1], times in seconds."""

    calm_below: float
    calm_after: float
    calm_until: float
    calm_for: float
    help_after_calm: float
    help_after_dwell: float
    inspire_above: float
    inspire_after: float
    inspire_dwell: float
    leaving: float
    shortest: float

    def __post_init__(self) -> None:
        outside = [
            Flaw(where(name), f"is {getattr(self, name):g}; {limit.least:g} to {limit.most:g} is possible")
            for name, limit in LIMITS.items()
            if not limit.least <= getattr(self, name) <= limit.most  # also what is no number at all
        ]
        if outside:
            raise DisplayPolicyError("; ".join(f"{flaw.where} {flaw.reason}" for flaw in outside), outside)
        if not self.calm_below < self.calm_until < self.inspire_above:
            wrong = "calm_until" if self.calm_until <= self.calm_below else "inspire_above"
            least = self.calm_below if wrong == "calm_until" else self.calm_until
            raise DisplayPolicyError(
                "the display policy needs calm.below < calm.until < inspire.above",
                [Flaw(where(wrong), f"has to be above {least:g}")],
            )

    def tree(self) -> dict[str, Any]:
        """Return the policy as its file has it."""
        told: dict[str, Any] = {}
        for one in fields(self):
            group, _, name = where(one.name).partition(".")
            if name:
                told.setdefault(group, {})[name] = getattr(self, one.name)
            else:
                told[group] = getattr(self, one.name)
        return told


@dataclass(frozen=True, slots=True)
class Limit:
    """The range of a value, and the step in which people choose it."""

    least: float
    most: float
    step: float
    unit: str = "s"


LIMITS: Mapping[str, Limit] = {
    "calm_below": Limit(-1, 1, 0.05, "valence"), "calm_after": Limit(0, 30, 0.5), "calm_until": Limit(-1, 1, 0.05, "valence"),
    "calm_for": Limit(0, 30, 0.5), "help_after_calm": Limit(0, 300, 1), "help_after_dwell": Limit(0, 600, 5),
    "inspire_above": Limit(-1, 1, 0.05, "valence"), "inspire_after": Limit(0, 30, 0.5), "inspire_dwell": Limit(0, 600, 1),
    "leaving": Limit(0, 10, 0.5), "shortest": Limit(0, 60, 0.5),
}  # fmt: skip


def where(name: str) -> str:
    """Return "calm.below" for "calm_below"."""
    return name.replace("_", ".", 1)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known of who stands there. `at` in seconds of a clock that never goes back.

    `valence` of the nearest person where it may be read, clear or not, else None; `unsettled`: they look surprised or
    tense; `known`: the members who agreed to be recognised here.
    """

    at: float
    present: bool
    known: frozenset[str] = frozenset()
    valence: float | None = None
    unsettled: bool = False
    nearest: Hashable = None
    """Who stands nearest, as far as the camera can tell people apart."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the kiosk shows, since when, and what is needed to know when to change it. Times as in Scene."""

    mode: Mode = Mode.ATTRACT
    why: str = "nobody is known here"
    known: frozenset[str] = frozenset()
    since: float = float("-inf")
    came: float | None = None
    """When the place was last empty: of whom nothing is known but that somebody is there."""
    known_since: float | None = None
    """When the last of the members who are shown came."""
    nearest_since: float | None = None
    last_seen: float | None = None
    unhappy_since: float | None = None
    better_since: float | None = None
    pleased_since: float | None = None
    calm_since: float | None = None
    unread_since: float | None = None
    nearest: Hashable = None


def choose(policy: DisplayPolicy, shown: Shown, scene: Scene) -> Shown:
    """Return what to show after this scene."""
    if not scene.present:
        return _without_anybody(policy, shown, scene)
    if shown.known - scene.known and not scene.known:
        # consent ended, or somebody else stands here: nothing personal stays for another moment
        shown = Shown(since=scene.at, came=scene.at)
    came = scene.at if shown.came is None else shown.came
    # in a busy shop somebody is always there: how long a member stays is counted from when that member came
    known_since = scene.at if scene.known - shown.known else shown.known_since
    seen = _watched(policy, replace(shown, came=came, known_since=known_since, last_seen=scene.at), scene)
    mode, why = _wanted(policy, seen, scene)
    return _changed(policy, seen, scene, mode, why)


def _without_anybody(policy: DisplayPolicy, shown: Shown, scene: Scene) -> Shown:
    if shown.last_seen is not None and scene.at - shown.last_seen < policy.leaving:
        return shown
    if shown.mode is Mode.ATTRACT and shown.came is None:
        return shown
    return Shown(since=scene.at if shown.mode is not Mode.ATTRACT else shown.since, why="they have left")


def _watched(policy: DisplayPolicy, seen: Shown, scene: Scene) -> Shown:
    """Keep the beginnings of what has to last. A moment in which nothing can be read neither begins nor ends it; longer, or another person, does."""
    unread = None if scene.valence is not None else scene.at if seen.unread_since is None else seen.unread_since
    unread_for = 0.0 if seen.unread_since is None else scene.at - seen.unread_since
    other = scene.nearest != seen.nearest
    if other or unread_for >= UNREAD_S:
        seen = replace(seen, unhappy_since=None, better_since=None, pleased_since=None)
    nearest_since = scene.at if other or seen.nearest_since is None else seen.nearest_since
    seen = replace(seen, nearest=scene.nearest, nearest_since=nearest_since, unread_since=unread)
    if scene.valence is None:
        return seen
    unhappy, better, pleased = (
        scene.valence < policy.calm_below, scene.valence > policy.calm_until, scene.valence > policy.inspire_above
    )  # fmt: skip

    def since(holds: bool, before: float | None) -> float | None:
        return (scene.at if before is None else before) if holds else None

    return replace(
        seen,
        unhappy_since=since(unhappy, seen.unhappy_since),
        better_since=since(better, seen.better_since),
        pleased_since=since(pleased, seen.pleased_since),
    )


def _wanted(policy: DisplayPolicy, seen: Shown, scene: Scene) -> tuple[Mode, str]:
    def lasted(begin: float | None, seconds: float) -> bool:
        return begin is not None and scene.at - begin >= seconds

    if seen.mode in {Mode.CALM, Mode.HELP} and not lasted(seen.better_since, policy.calm_for):
        return (
            (Mode.HELP, "calm did not help")
            if lasted(seen.calm_since, policy.help_after_calm)
            else (seen.mode, seen.why)
        )
    read = scene.valence is not None  # a face that turns away begins nothing
    long = scene.unsettled and lasted(seen.nearest_since, policy.help_after_dwell)
    greeted = (bool(scene.known), Mode.WELCOME, "a member who agreed to be recognised")
    rules = (
        (read and lasted(seen.unhappy_since, policy.calm_after), Mode.CALM, "they look unhappy"),
        (long, Mode.HELP, "they have stood here for long and do not seem at ease"),
        *([greeted] if not lasted(seen.known_since, policy.shortest) else []),  # whoever smiles beside them
        (
            (read or seen.mode is Mode.INSPIRE) and lasted(seen.pleased_since, policy.inspire_after),
            Mode.INSPIRE,
            "they look pleased",
        ),
        (bool(scene.known) and lasted(seen.known_since, policy.inspire_dwell), Mode.INSPIRE, "they stay"),
        greeted,
    )
    return next(((mode, why) for holds, mode, why in rules if holds), (Mode.ATTRACT, "nobody is known here"))


def _changed(policy: DisplayPolicy, seen: Shown, scene: Scene, mode: Mode, why: str) -> Shown:
    other_people = scene.known != seen.known
    if mode is seen.mode and not other_people:
        return seen
    urgent = other_people or mode in {Mode.CALM, Mode.HELP}
    if not urgent and scene.at - seen.since < policy.shortest:
        return seen
    calm_since = seen.calm_since if seen.mode is Mode.CALM else scene.at
    return replace(
        seen, mode=mode, why=why, known=scene.known, since=scene.at,
        calm_since=calm_since if mode in {Mode.CALM, Mode.HELP} else None,
    )  # fmt: skip


def read(path: Path) -> DisplayPolicy:
    """Return the policy in this file; DisplayPolicyError when it is not one."""
    try:
        return parse(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError) as error:
        raise DisplayPolicyError(f"{path} cannot be read as a display policy: {error}") from error


def parse(raw: Any) -> DisplayPolicy:
    """Return the policy of a parsed file; DisplayPolicyError when a value is missing, unknown, no number or out of range."""
    flat: dict[str, float] = {}
    flaws: list[Flaw] = []
    for name, value in raw.items() if isinstance(raw, Mapping) else ():
        for inner, number in value.items() if isinstance(value, Mapping) else (("", value),):
            place = f"{name}.{inner}".rstrip(".")
            if isinstance(number, bool) or not isinstance(number, int | float):
                flaws.append(Flaw(place, f"is {number!r}; a number is needed"))
            elif place.replace(".", "_") not in LIMITS:
                flaws.append(Flaw(place, f"is not part of a display policy; see {FILE.name}"))
            flat[place.replace(".", "_")] = number
    flaws += [Flaw(where(name), "is missing") for name in LIMITS if name not in flat]
    if flaws:
        raise DisplayPolicyError("; ".join(f"{flaw.where} {flaw.reason}" for flaw in flaws), flaws)
    return DisplayPolicy(**{name: float(number) for name, number in flat.items()})


@cache
def shipped() -> DisplayPolicy:
    """Return the policy that came with this release."""
    return read(FILE)
