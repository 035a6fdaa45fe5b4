"""Is it a living face or a picture of one? A plug-in: without one, everybody counts as alive."""

from __future__ import annotations

from vision.graph import Look
from vision.liveness import Liveness


class Live:
    """Asks the plug-in about every track until it has an answer; a plug-in that fails leaves the answer open."""

    name = "liveness"

    def __init__(self, liveness: Liveness) -> None:
        self._liveness = liveness

    def __call__(self, look: Look) -> None:
        """Put the answer into every track."""
        for track in look.tracks:
            if track.face is not None:
                track.live = self._liveness.check(track.track_id, look.frame, track.face, at=look.at)
        self._liveness.keep({track.track_id for track in look.tracks})
