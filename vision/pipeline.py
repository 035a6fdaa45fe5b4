"""capture -> detect -> track -> quality -> liveness -> recognise -> expression -> observation, for one camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from vision.engines import FaceEngine
from vision.expression import ExpressionModel, collapse
from vision.faces import Frame
from vision.gallery import Gallery
from vision.graph import Graph, Look, Stage
from vision.liveness import Liveness
from vision.observation import Observation, Person
from vision.stages import Detect, Express, Follow, Judge, Live, Recognise
from vision.stages.detect import Zone
from vision.tracks import Track

LARGEST_SIDE = 1920
"""Larger frames are made smaller first: an 8K camera costs no more than a good one."""
MOST_PEOPLE = 16
"""So many are told of, those who hide behind others last; the api takes twice as many."""
EMPTY = Gallery([], 1.0)


class Pipeline:
    """Give it every frame of one camera, in order. Not for several threads at once.

    `may_read_expression` is asked with the member's id, or None for a stranger, before any expression is inferred.
    `excluded`: polygons in shares of the frame; whoever stands there is not looked at. `after`: stages behind all others.
    """

    def __init__(
        self,
        engine: FaceEngine,
        expression: ExpressionModel | None,
        may_read_expression: Callable[[str | None], bool],
        *,
        liveness: Liveness | None = None,
        excluded: Sequence[Zone] = (),
        after: Sequence[Stage] = (),
    ) -> None:
        self._gallery = EMPTY
        self._waits = liveness is not None
        self._detect = Detect(engine, excluded)
        stages: list[Stage] = [self._detect, Follow(), Judge()]
        if liveness is not None:
            stages.append(Live(liveness))
        stages.append(Recognise(engine, lambda: self._gallery, waits_for_life=self._waits))
        if expression is not None:
            stages.append(Express(expression, may_read_expression, lambda: self._gallery))
        self._graph = Graph([*stages, *after])

    def exclude(self, zones: Sequence[Zone]) -> None:
        """Look at nobody in these zones from the next frame on, in place of those before."""
        self._detect.exclude(zones)

    def observe(self, frame: Frame, gallery: Gallery, *, at: float) -> Observation:
        """Return what `frame` shows at time `at`, in seconds of any clock that never goes back."""
        self._gallery = gallery
        look = self._graph.run(Look(fitting(frame), at))
        there = [track for track in look.tracks if self._may_be_told(track)][:MOST_PEOPLE]
        people = tuple(self._person(track, look.at) for track in there)
        samples = tuple(track.sample for track in look.tracks if track.sample is not None)
        for track in look.tracks:
            track.sample = None
        return Observation(people, look.stages_ms, tuple(look.failed), len(look.faces), samples)

    def _may_be_told(self, track: Track) -> bool:
        """Whether somebody is known not to be of the staff, as far as there are any."""
        return not track.staff and (track.looks > 0 or not self._gallery.has_staff)

    def _person(self, track: Track, at: float) -> Person:
        person = Person(track.track_id, live=track.live, dwell_ms=round((at - track.since) * 1000))
        if track.member_id is not None and (track.live is True or not self._waits):
            person = replace(person, member_id=track.member_id, similarity=round(track.similarity or 0.0, 4))
        if track.expression.logs is not None:
            seen = collapse(track.expression.logs)
            person = replace(
                person,
                expression=track.expression.label,
                valence=round(seen.valence, 3),
                certainty=round(seen.certainty, 3),
            )
        return person


def fitting(frame: Frame) -> Frame:
    """Return the frame as three channels of 8 bits, no side longer than LARGEST_SIDE."""
    if frame.ndim == 2:  # a grey camera
        frame = np.asarray(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR), np.uint8)
    factor = LARGEST_SIDE / max(frame.shape[:2])
    if factor < 1:
        frame = np.asarray(cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    return frame[:, :, :3]
