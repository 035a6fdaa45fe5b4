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

NOBODY = "No face was found. Look straight at the camera, with light on your face."
SEVERAL = "There are several people in the picture. Please stand alone before the camera."
ADVICE = {
    "size": "Your face is too small in the picture. Please step closer.",
    "sharpness": "The picture is blurred. Please hold still for a moment.",
    "light": "There is too little or too much light on your face. Please turn towards the light.",
    "frontal": "Please look straight at the camera.",
}
"""What to tell somebody about the part of the quality that costs most."""


def advise(engine: FaceEngine, frame: Frame) -> tuple[Face | None, str]:
    """Return the face of a picture that is good enough for a template and "", or None and what the person should change."""
    faces = engine.detect(frame)
    if not faces:
        return None, NOBODY
    if len(faces) > 1 and faces[1].area > 0.25 * faces[0].area:
        return None, SEVERAL
    if min(faces[0].box[2:]) < LEAST_FACE * min(frame.shape[:2]):
        return None, ADVICE["size"]
    quality = judge(frame, faces[0])
    return (None, ADVICE[quality.worst]) if quality.score < LEAST else (faces[0], "")


def make_template(engine: FaceEngine, frames: Sequence[Frame]) -> Template:
    """Return the mean template of the one face in `frames`; EnrolmentError says what is wrong with the pictures."""
    vectors, trouble = [], NOBODY
    for frame in frames:
        face, advice = advise(engine, frame)
        if face is not None:
            vectors.append(engine.embed(frame, face))
        elif advice != NOBODY:
            trouble = advice
    if len(vectors) < LEAST_FRAMES:
        raise EnrolmentError(trouble)
    seen = np.stack(vectors)
    if (seen @ seen.T).min() < SAME_PERSON:  # not to the mean: two people's mean is like both of them
        raise EnrolmentError("The pictures look too different from each other. Hold still and try again.")
    return unit(seen.mean(axis=0))
