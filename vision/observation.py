"""What a camera tells: who of the consenting is there, how they seem where that may be read, for how long. Never a picture."""

from __future__ import annotations

from dataclasses import dataclass, field

from vision.adapt import Sample


@dataclass(frozen=True, slots=True)
class Person:
    """One person in view. `member_id` only of who agreed, `expression` and `valence` only where they may be read.

    `expression` is positive, neutral, surprised, negative, or None while it is not clear; `valence` in [-1, 1] and
    `certainty` in [0, 1] are of what was read, clear or not.
    """

    track_id: int
    member_id: str | None = None
    similarity: float | None = None
    expression: str | None = None
    valence: float | None = None
    certainty: float | None = None
    live: bool | None = None
    dwell_ms: int = 0


@dataclass(frozen=True, slots=True)
class Observation:
    """Everybody whom one frame shows, the nearest first. Staff and excluded zones are not in it."""

    people: tuple[Person, ...] = ()
    stages_ms: dict[str, float] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    """Stages that could not do their work on this frame."""
    faces: int = 0
    """Faces in the frame, those in excluded zones left out; a figure for the operator, it is not told to the api."""
    samples: tuple[Sample, ...] = ()
    """Templates of recognised members, where the gallery asks for them: they may join the enrolled ones."""

    @property
    def present(self) -> bool:
        """Whether anybody is there."""
        return bool(self.people)

    @property
    def nearest(self) -> Person | None:
        """The person who stands nearest to the camera."""
        return self.people[0] if self.people else None
