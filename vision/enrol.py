"""A member's template out of a few frames, or a clear word on what to change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vision.engines import FaceEngine
from vision.errors import EnrolmentError
from vision.faces import Face, Frame, Template, unit
from vision.quality import LEAST, judge

LEAST_FRAMES = 3
LEAST_FACE = 0.12  # of the frame's shorter side
SAME_PERSON = 0.363  # cosine between any two of the pictures: OpenCV's threshold for SFace

ADVICE = {
    "size": "Your face is too small in the picture. Please step closer.",
    "sharpness": "The picture is blurred. Please hold still for a moment.",
    "light": "There is too little or too much light on your face. Please turn towards the light.",
    "frontal": "Please look straight at the camera.",
}
"""What to tell somebody about the part of the quality that costs most."""


def make_template(engine: FaceEngine, frames: Sequence[Frame]) -> Template:
    """Return the mean template of the one face in `frames`; EnrolmentError says what is wrong with the pictures."""
    vectors = []
    trouble = "No face was found. Look straight at the camera, with light on your face."
    for frame in frames:
        faces = engine.detect(frame)
        if not faces:
            continue
        if len(faces) > 1 and faces[1].area > 0.25 * faces[0].area:
            raise EnrolmentError("There are several people in the picture. Please stand alone before the camera.")
        if _width(faces[0]) < LEAST_FACE * min(frame.shape[:2]):
            trouble = ADVICE["size"]
            continue
        quality = judge(frame, faces[0])
        if quality.score < LEAST:
            trouble = ADVICE[quality.worst]
            continue
        vectors.append(engine.embed(frame, faces[0]))
    if len(vectors) < LEAST_FRAMES:
        raise EnrolmentError(trouble)
    seen = np.stack(vectors)
    if (seen @ seen.T).min() < SAME_PERSON:  # not to the mean: two people's mean is like both of them
        raise EnrolmentError("The pictures look too different from each other. Hold still and try again.")
    return unit(seen.mean(axis=0))


def _width(face: Face) -> float:
    return min(face.box[2], face.box[3])
