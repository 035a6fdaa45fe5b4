"""What every part of `vision` speaks of: a frame, a face in it, a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""A picture of shape (height, width, 3), BGR."""
Template = NDArray[np.float32]
"""A face embedding: a unit vector."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a frame: box (x, y, width, height) in pixels, score in [0, 1].

    `landmarks` has shape (5, 2), in pixels: right eye, left eye, nose tip, right and left corner of the mouth, as the person
    has them. `raw` is what the engine that found it needs to make its template.
    """

    box: tuple[float, float, float, float]
    landmarks: NDArray[np.float32]
    score: float
    raw: Any

    @property
    def area(self) -> float:
        """The box's area in pixels."""
        return self.box[2] * self.box[3]

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box, in pixels."""
        return self.box[0] + self.box[2] / 2, self.box[1] + self.box[3] / 2


def unit(vector: NDArray[np.float32]) -> Template:
    """Return the vector at length 1."""
    return (vector / max(float(np.linalg.norm(vector)), 1e-9)).astype(np.float32)


def crop(frame: Frame, face: Face) -> Frame:
    """Return the square around the face's box, cut at the frame's edges; never empty."""
    x, y, w, h = face.box
    side = max(w, h)
    height, width = frame.shape[:2]
    left = int(np.clip(x + w / 2 - side / 2, 0, width - 1))
    top = int(np.clip(y + h / 2 - side / 2, 0, height - 1))
    right = int(np.clip(x + w / 2 + side / 2, left + 1, width))
    bottom = int(np.clip(y + h / 2 + side / 2, top + 1, height))
    return frame[top:bottom, left:right]


def upright(frame: Frame, face: Face, side: int, scale: float) -> Frame:
    """Return the square around the face's box, `scale` times as large, turned so that the eyes are level, as (side, side) pixels."""
    right, left = face.landmarks[0], face.landmarks[1]
    angle = float(np.degrees(np.arctan2(left[1] - right[1], left[0] - right[0])))
    turn = cv2.getRotationMatrix2D(face.centre, angle, side / (max(face.box[2:]) * scale))
    turn[:, 2] = turn[:, 2] + side / 2 - np.array(face.centre)
    return np.asarray(cv2.warpAffine(frame, turn, (side, side), borderMode=cv2.BORDER_REPLICATE), np.uint8)
