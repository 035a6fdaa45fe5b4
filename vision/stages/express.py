"""Expression, smoothed over the track, only of whom it may be read: never of staff, never before consent is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from vision.expression import ExpressionModel, collapse
from vision.gallery import Gallery
from vision.graph import Look
from vision.tracks import ExpressionState, Track

TIME_CONSTANT_S = 0.6
EVERY_S = 0.1
KEEP = 0.1
"""What was told is kept until another is this much likelier: no flicker at a border."""


class Express:
    """`may_read` is asked with the member's id, or None for a stranger, before anything is inferred."""

    name = "expression"

    def __init__(
        self, model: ExpressionModel, may_read: Callable[[str | None], bool], gallery: Callable[[], Gallery]
    ) -> None:
        self._model, self._may_read, self._gallery = model, may_read, gallery

    def __call__(self, look: Look) -> None:
        """Put the expression into the tracks whose people may be read; wipe it from the others."""
        for track in look.tracks:
            if not self._allowed(track):
                track.expression = ExpressionState()
            elif track.face is not None and look.at - track.expression.at >= EVERY_S:
                self._read(track, look)

    def _allowed(self, track: Track) -> bool:
        if track.staff or (len(self._gallery()) and track.looks == 0):
            return (
                False  # who may be of the staff, or a member who said no, is not read as a stranger before it is known
            )
        return self._may_read(track.member_id)

    def _read(self, track: Track, look: Look) -> None:
        if track.face is None:
            return
        seen = np.log(np.maximum(self._model.predict(look.frame, track.face), 1e-6))
        state = track.expression
        if state.logs is not None:
            weight = math.exp(-(look.at - state.at) / TIME_CONSTANT_S)
            seen = weight * np.asarray(state.logs) + (1 - weight) * seen
        told = expression_of(state, tuple(float(value) for value in seen))
        track.expression = ExpressionState(tuple(float(value) for value in seen), look.at, told)


def expression_of(before: ExpressionState, logs: tuple[float, ...]) -> str | None:
    """Return what to tell now, given what was told before."""
    now = collapse(logs)
    if before.label is not None and now.chances[now.label] - now.chances[before.label] < KEEP:
        return before.label
    return now.label if now.clear else None
