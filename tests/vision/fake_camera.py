"""Videos for a fake camera: a person comes, stays, leaves. Faces come from installed packages, never from this repo."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import skimage.data

from vision.faces import Frame

WIDTH, HEIGHT = 640, 480
FPS = 30  # at which Chromium plays an MJPEG file as a camera, whatever the file says


def astronaut() -> Frame:
    """Eileen Collins, NASA, public domain; BGR."""
    return cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)


def shelf(seed: int = 5) -> Frame:
    """An aisle without people: rows of coloured boxes."""
    rng = np.random.default_rng(seed)
    frame = np.full((HEIGHT, WIDTH, 3), 210, np.uint8)
    for y in range(20, HEIGHT, 115):
        for x in range(0, WIDTH, 80):
            colour = tuple(int(value) for value in rng.integers(60, 220, 3))
            cv2.rectangle(frame, (x + 4, y), (x + 74, y + 90), colour, -1)
    return frame


def person(face: Frame, shift: int = 0) -> Frame:
    """The picture of a person before the shelf, `shift` pixels to the right of the middle."""
    frame = shelf()
    height = HEIGHT
    width = round(face.shape[1] * height / face.shape[0])
    left = (WIDTH - width) // 2 + shift
    frame[:, left : left + width] = cv2.resize(face, (width, height))
    return frame


def visit(face: Frame, *, there_s: float, gone_s: float, fps: int = FPS) -> list[Frame]:
    """Frames of somebody who stands there, swaying a little, and then is gone."""
    views = {shift: person(face, shift) for shift in range(-12, 13)}
    there = [views[round(12 * np.sin(number / fps))] for number in range(round(there_s * fps))]
    return there + [shelf()] * round(gone_s * fps)


def write_mjpeg(path: Path, frames: Iterable[Frame]) -> Path:
    """Write frames as concatenated JPEGs, which Chromium's fake camera plays in a loop."""
    with path.open("wb") as out:
        for frame in frames:
            good, encoded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 90])
            assert good
            out.write(encoded.tobytes())
    return path


def side_by_side(left: Frame, right: Frame) -> Frame:
    """Two people before the shelf."""
    frame = shelf()
    half = WIDTH // 2
    for number, face in enumerate((left, right)):
        height = round(face.shape[0] * half / face.shape[1])
        shown = cv2.resize(face, (half, height))[:HEIGHT]
        frame[HEIGHT - shown.shape[0] :, number * half : (number + 1) * half] = shown
    return frame
