"""A member's template out of a few frames, or a clear word on what to change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vision.engines import Face, FaceEngine, Frame, Template, unit
from vision.errors import EnrolmentError

LEAST_FRAMES = 3
LEAST_FACE = 0.12  # of the frame's shorter side
LEAST_LIKENESS = 0.5


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
            trouble = "Your face is too small in the picture. Please step closer."
            continue
        vectors.append(engine.embed(frame, faces[0]))
    if len(vectors) < LEAST_FRAMES:
        raise EnrolmentError(trouble)
    mean = unit(np.mean(vectors, axis=0))
    if min(float(mean @ vector) for vector in vectors) < LEAST_LIKENESS:
        raise EnrolmentError("The pictures look too different from each other. Hold still and try again.")
    return mean


def _width(face: Face) -> float:
    return min(face.box[2], face.box[3])
