"""How good a picture of a face is for recognition: size, sharpness, light, and how frontal it is.

A template from a bad crop is worse than none: it is what false matches and false strangers are made of. Each part is a ramp
from 0 (useless) to 1 (no better crop needed); the score is their product. The ramps' ends are where a blurred, darkened or
shrunk picture begins to be unlike itself to SFace (cosine .95), and where it is lost (.7): sharpness is the variance of the
Laplacian over that of the light, so that a dark picture is not taken for a blurred one.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vision.faces import Face, Frame, crop

LEAST = 0.25
"""Below this no template is made."""
_EYES_PX = (8.0, 26.0)
_SHARPNESS = (0.01, 0.045)
_DARK, _BRIGHT = (8.0, 45.0), (250.0, 215.0)
_CONTRAST = (3.0, 15.0)
_TURNED = (0.62, 0.25)
_SIDE = 96


@dataclass(frozen=True, slots=True)
class Quality:
    """Each part in [0, 1], 1 being best."""

    size: float
    sharpness: float
    light: float
    frontal: float

    @property
    def score(self) -> float:
        """The product of the parts."""
        return self.size * self.sharpness * self.light * self.frontal

    @property
    def worst(self) -> str:
        """The part that costs most: what a person at the camera should change."""
        parts = {"size": self.size, "sharpness": self.sharpness, "light": self.light, "frontal": self.frontal}
        return min(parts, key=lambda name: parts[name])


def judge(frame: Frame, face: Face) -> Quality:
    """Return the quality of `face` in `frame`; about 0.2 ms."""
    grey = cv2.cvtColor(crop(frame, face), cv2.COLOR_BGR2GRAY)
    scaled = cv2.resize(
        grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA if grey.shape[0] > _SIDE else cv2.INTER_LINEAR
    )
    middle = scaled[_SIDE // 6 : -_SIDE // 6, _SIDE // 6 : -_SIDE // 6]
    light, contrast = float(middle.mean()), float(middle.std())
    right, left = face.landmarks[0], face.landmarks[1]
    return Quality(
        size=_ramp(float(np.linalg.norm(left - right)), *_EYES_PX),
        sharpness=_ramp(float(cv2.Laplacian(middle, cv2.CV_32F).var()) / max(contrast**2, 1.0), *_SHARPNESS),
        light=min(_ramp(light, *_DARK), _ramp(light, *_BRIGHT), _ramp(contrast, *_CONTRAST)),
        frontal=_ramp(turned(face), *_TURNED),
    )


def turned(face: Face) -> float:
    """Return how far the face is turned away: 0 frontal, about 1 in profile.

    The nose's distance from the middle of the eyes, along the line of the eyes, in halves of their distance.
    """
    right, left, nose = face.landmarks[0], face.landmarks[1], face.landmarks[2]
    along = left - right
    length = float(np.linalg.norm(along))
    if length < 1e-6:  # the eyes in one place: a profile
        return 1.0
    return float(abs(np.dot(nose - (right + left) / 2, along / length)) / (length / 2))


def _ramp(value: float, worst: float, best: float) -> float:
    return float(np.clip((value - worst) / (best - worst), 0.0, 1.0))
