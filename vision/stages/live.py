"""Is it a living face or a picture of one? A plug-in: without one, everybody counts as alive."""

from __future__ import annotations

from vision.graph import Look
from vision.liveness import Liveness


class Live:
    """Asks the plug-in about every track until it has an answer, and anew whenever somebody else may have taken a place.

    A plug-in that fails leaves the answer open.
    """

    name = "liveness"

    def __init__(self, liveness: Liveness) -> None:
        self._liveness = liveness
        self._doubts: dict[int, int] = {}

    def __call__(self, look: Look) -> None:
        """Put the answer into every track."""
        for track in look.tracks:
            if self._doubts.get(track.track_id, 0) != track.doubts:
                self._liveness.forget(track.track_id)
            self._doubts[track.track_id] = track.doubts
            if track.face is not None:
                track.live = self._liveness.check(track.track_id, look.frame, track.face, at=look.at)
        there = {track.track_id for track in look.tracks}
        self._liveness.keep(there)
        self._doubts = {number: doubts for number, doubts in self._doubts.items() if number in there}
