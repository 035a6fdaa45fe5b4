"""A head that turns shows its depth; a picture that is turned stays flat.

The tip of the nose stands before the plane of eyes and mouth. When a head turns, it moves against them (parallax); on a
photograph, however held, the five landmarks move as one plane. So whoever turns their head a little is known to live, with no
more models than detection. It says nothing against a film on a screen or a mask, and a bent print can come near: a kiosk that
opens doors or tills needs more than this.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Set

import numpy as np
from numpy.typing import NDArray

from vision.faces import Face, Frame

LEAST_TURN = 0.25
"""Least way of the nose against the plane, in distances between the eyes. Photographs that were tilted by up to 30 degrees moved
it by up to 0.12 (YuNet's own error), a person who looks to the side by 0.9 (`aisle bench vision`)."""
WINDOW_S, PATIENCE_S = 3.0, 6.0
_SMOOTHED = 3
_EYES_AND_MOUTH, _NOSE = [0, 1, 3, 4], 2
_PLANE = np.array([[-0.5, 0.0], [0.5, 0.0], [-0.40, 1.15], [0.42, 1.15]])
"""Where eyes and corners of the mouth lie in a frontal face, in distances between the eyes."""


class Turn:
    """Waits for a turn of the head."""

    def __init__(self) -> None:
        self._seen: dict[int, deque[tuple[float, NDArray[np.float64]]]] = {}
        self._since: dict[int, float] = {}
        self._lived: set[int] = set()

    def check(self, track_id: int, frame: Frame, face: Face, *, at: float) -> bool | None:
        """See Liveness. False after some seconds without a turn; a later turn still counts."""
        del frame
        if track_id in self._lived:
            return True
        since = self._since.setdefault(track_id, at)
        seen = self._seen.setdefault(track_id, deque())
        seen.append((at, nose(face)))
        while at - seen[0][0] > WINDOW_S:
            seen.popleft()
        if way(np.array([point for _, point in seen])) >= LEAST_TURN:
            self._lived.add(track_id)
            return True
        return False if at - since >= PATIENCE_S else None

    def keep(self, tracks: Set[int]) -> None:
        """See Liveness."""
        self._lived &= tracks
        self._seen = {number: seen for number, seen in self._seen.items() if number in tracks}
        self._since = {number: since for number, since in self._since.items() if number in tracks}

    def forget(self, track_id: int) -> None:
        """See Liveness."""
        self._lived.discard(track_id)
        self._seen.pop(track_id, None)
        self._since.pop(track_id, None)


def nose(face: Face) -> NDArray[np.float64]:
    """Return where the tip of the nose lies, (x, y) in distances between the eyes, with eyes and mouth laid flat by an affine map."""
    points = np.asarray(face.landmarks, np.float64)
    flat = np.hstack([points[_EYES_AND_MOUTH], np.ones((4, 1))])
    affine, *_ = np.linalg.lstsq(flat, _PLANE, rcond=None)
    found: NDArray[np.float64] = np.hstack([points[_NOSE], 1.0]) @ affine
    return found


def way(points: NDArray[np.float64]) -> float:
    """Return how far the nose went, shape (n, 2) in, by the larger of both directions; single slips of the detector do not count."""
    if len(points) < 2 * _SMOOTHED:
        return 0.0
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(points, _SMOOTHED, axis=0), axis=-1)
    return float(np.ptp(smooth, axis=0).max())
