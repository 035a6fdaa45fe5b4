"""Find the faces, and leave out at once who stands where nobody may be looked at."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.engines import FaceEngine
from vision.faces import Face
from vision.graph import Look

MOST_FACES = 16
"""The nearest are followed; in a crowd the farther ones are not a kiosk's guests."""
Zone = Sequence[tuple[float, float]]
"""Corners of a polygon, as shares of the frame's width and height."""


def zone_of(text: str) -> Zone:
    """Return the zone that "0,0 .3,0 .3,1 0,1" names; ValueError when it is none."""
    corners = [tuple(float(part) for part in corner.split(",")) for corner in text.split()]
    if len(corners) < 3 or any(len(one) != 2 or not all(0 <= share <= 1 for share in one) for one in corners):
        raise ValueError(text)
    return [(x, y) for x, y in corners]


class Detect:
    """`excluded`: zones, such as the place behind the till, whose faces are dropped before anything else is known of them."""

    name = "detect"

    def __init__(self, engine: FaceEngine, excluded: Sequence[Zone] = ()) -> None:
        self._engine = engine
        self.exclude(excluded)

    def exclude(self, excluded: Sequence[Zone]) -> None:
        """Take these zones from the next frame on, in place of those before."""
        self._excluded: list[NDArray[np.float32]] = [np.asarray(zone, np.float32) for zone in excluded]

    def __call__(self, look: Look) -> None:
        """Put the faces into the look, largest first."""
        height, width = look.frame.shape[:2]
        found = self._engine.detect(look.frame)
        look.faces = [face for face in found if not self._outside(face, width, height)][:MOST_FACES]

    def _outside(self, face: Face, width: int, height: int) -> bool:
        x, y = face.centre[0] / width, face.centre[1] / height
        return any(cv2.pointPolygonTest(zone, (x, y), measureDist=False) >= 0 for zone in self._excluded)
