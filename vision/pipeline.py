"""Frame by frame: detect, follow the nearest face, recognise it once, smooth its expression."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from vision.engines import Face, FaceEngine, Frame
from vision.expression import ExpressionModel
from vision.gallery import Gallery

GONE_AFTER_S = 2.0
LOOKS_TO_GIVE_UP = 12  # frames in which a face was not recognised before it counts as a stranger's
RECHECK_S = 10.0
SMOOTHING = 0.35


@dataclass(frozen=True, slots=True)
class Observation:
    """What a camera sees now. `member_id` only for consenting members; `valence` only where expressions may be read."""

    present: bool
    track_id: int | None = None
    member_id: str | None = None
    similarity: float | None = None
    expression: str | None = None
    valence: float | None = None
    dwell_ms: int = 0
    stages_ms: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Track:
    """The person in front of the camera: where the face was last, and what is known."""

    track_id: int
    since: float
    seen: float
    box: tuple[float, float, float, float]
    member_id: str | None = None
    similarity: float | None = None
    looks: int = 0
    checked: float = 0.0
    valence: float | None = None
    expression: str | None = None


class Pipeline:
    """Keeps one track: the largest face. Give it every frame of one camera, in order.

    `may_read_expression` is asked with the member's id, or None for a stranger, before any expression is inferred.
    """

    def __init__(
        self, engine: FaceEngine, expression: ExpressionModel | None, may_read_expression: Callable[[str | None], bool]
    ) -> None:
        self._engine, self._expression, self._may_read = engine, expression, may_read_expression
        self._track: _Track | None = None
        self._tracks = 0
        self._gallery: Gallery | None = None

    def observe(self, frame: Frame, gallery: Gallery, *, at: float) -> Observation:
        """Return what `frame` (BGR) shows at time `at` in seconds."""
        stages: dict[str, float] = {}
        if gallery is not self._gallery:
            self._gallery = gallery
            self._forget_identity()
        with _timed(stages, "detect"):
            faces = self._engine.detect(frame)
        if not faces:
            return self._nobody(at, stages)
        face = faces[0]
        track = self._follow(face, at)
        if self._should_look(track, at):
            with _timed(stages, "recognise"):
                self._recognise(track, frame, face, gallery, at)
        if self._expression is not None and self._may_read(track.member_id):
            with _timed(stages, "expression"):
                self._read_expression(track, frame, face)
        else:
            track.valence = track.expression = None
        return Observation(
            True, track.track_id, track.member_id, track.similarity, track.expression,
            None if track.valence is None else round(track.valence, 3), round((at - track.since) * 1000), stages,
        )  # fmt: skip

    def _nobody(self, at: float, stages: dict[str, float]) -> Observation:
        track = self._track
        if track is not None and at - track.seen < GONE_AFTER_S:  # a missed detection is not a departure
            return Observation(
                True, track.track_id, track.member_id, track.similarity, track.expression, track.valence,
                round((at - track.since) * 1000), stages,
            )  # fmt: skip
        self._track = None
        return Observation(False, stages_ms=stages)

    def _follow(self, face: Face, at: float) -> _Track:
        track = self._track
        if track is None or at - track.seen >= GONE_AFTER_S or _overlap(track.box, face.box) < 0.1:
            self._tracks += 1
            track = self._track = _Track(self._tracks, at, at, face.box)
        track.seen, track.box = at, face.box
        return track

    @staticmethod
    def _should_look(track: _Track, at: float) -> bool:
        if track.member_id is None:
            return track.looks < LOOKS_TO_GIVE_UP or at - track.checked > RECHECK_S
        return at - track.checked > RECHECK_S

    def _recognise(self, track: _Track, frame: Frame, face: Face, gallery: Gallery, at: float) -> None:
        track.looks, track.checked = track.looks + 1, at
        found = gallery.match(self._engine.embed(frame, face)) if len(gallery) else None
        if found is not None:
            track.member_id, track.similarity = found
        elif track.member_id is not None:
            track.member_id = track.similarity = None
            track.looks = 0

    def _read_expression(self, track: _Track, frame: Frame, face: Face) -> None:
        if self._expression is None:
            return
        seen = self._expression.predict(frame, face)
        previous = track.valence
        track.valence = seen.valence if previous is None else (1 - SMOOTHING) * previous + SMOOTHING * seen.valence
        track.expression = "negative" if track.valence < -0.35 else "happy" if track.valence > 0.35 else "neutral"

    def _forget_identity(self) -> None:
        if self._track is not None:
            self._track.member_id = self._track.similarity = None
            self._track.looks = 0


class _timed:  # noqa: N801 - reads as a verb where it is used
    def __init__(self, stages: dict[str, float], name: str) -> None:
        self._stages, self._name = stages, name

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._stages[self._name] = round((time.perf_counter() - self._started) * 1000, 1)


def _overlap(first: tuple[float, float, float, float], second: tuple[float, float, float, float]) -> float:
    """Return the intersection over union of two boxes (x, y, width, height)."""
    left, top = max(first[0], second[0]), max(first[1], second[1])
    right, bottom = min(first[0] + first[2], second[0] + second[2]), min(first[1] + first[3], second[1] + second[3])
    shared = max(right - left, 0.0) * max(bottom - top, 0.0)
    union = first[2] * first[3] + second[2] * second[3] - shared
    return shared / union if union else 0.0
