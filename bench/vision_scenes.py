"""What stands before the benchmark's camera: photographs of people before a film of an aisle, prints that are held up, films of heads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from vision.engines.opencv import OpenCvEngine
from vision.labelled import EvaluationError, read

SEED = 7
SIZE = (640, 480)
FACE, SWAY, VIEWS = 330, 10, 24
DRAWN_PER_S = 30.0
NOSE, TURNED = 0.5, 25.0
NEGATIVE = frozenset({"anger", "sadness", "disgust", "fear"})
Frame = np.ndarray


def jpeg(frame: Frame, quality: int = 90) -> bytes:
    """Return the frame as JPEG."""
    return bytes(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())


def portraits(data: Path, least: int) -> Iterator[list[Frame]]:
    """Yield the pictures of one person after the other, of those who have at least so many, in an order of chance."""
    labelled, pictures = read(data / "faces"), dict[str, list[str]]()
    for row in labelled.people:
        pictures.setdefault(row["person"], []).append(row["image"])
    able = sorted(person for person, images in pictures.items() if len(images) >= least)
    for index in np.random.default_rng(SEED).permutation(len(able)):
        yield [picture(labelled.images / image) for image in pictures[able[index]]]


def unhappy(data: Path, count: int) -> list[Frame]:
    """Return pictures whose label is a negative expression, chosen by chance; none where there is no such folder."""
    try:
        labelled = read(data / "expression")
    except EvaluationError:
        return []
    images = sorted(row["image"] for row in labelled.labels if row["expression"] in NEGATIVE)
    chosen = np.random.default_rng(SEED).permutation(len(images))[:count]
    return [picture(labelled.images / images[index]) for index in chosen]


def picture(path: Path) -> Frame:
    """Return a picture as BGR."""
    return np.asarray(cv2.imread(str(path)), np.uint8)


def film(path: Path, size: tuple[int, int] = SIZE) -> list[Frame]:
    """Return the frames of a clip, in this size."""
    video, frames = cv2.VideoCapture(str(path)), []
    while (read := video.read())[0]:
        frames.append(cv2.resize(read[1], size))
    video.release()
    return frames


def head(path: Path) -> list[Frame]:
    """Return a clip forth and back, as quick as it was taken, undistorted, to be drawn DRAWN_PER_S times a second."""
    video = cv2.VideoCapture(str(path))
    rate = video.get(cv2.CAP_PROP_FPS) or DRAWN_PER_S
    video.release()
    whole = []
    for frame in film(path, (SIZE[0], SIZE[0] * 9 // 16)):
        edge = SIZE[1] - frame.shape[0]
        whole.append(cv2.copyMakeBorder(frame, edge // 2, edge - edge // 2, 0, 0, cv2.BORDER_REPLICATE))
    there_and_back = [*whole, *whole[-2:0:-1]]
    drawn = round(len(there_and_back) * DRAWN_PER_S / rate)
    return [there_and_back[int(number * rate / DRAWN_PER_S) % len(there_and_back)] for number in range(drawn)]


def turns(frames: Sequence[Frame], models: Path) -> bool:
    """Whether the head in a clip turns by some TURNED degrees in all: the nose goes to the side, seen from between the eyes.

    By the eyes and the nose alone, not by what liveness goes by.
    """
    engine, aside = OpenCvEngine(models), []
    for frame in frames[::3]:
        for face in engine.detect(frame)[:1]:
            right, left, nose = face.landmarks[:3].astype(float)
            along = left - right
            aside.append(float((nose - (right + left) / 2) @ along / max(along @ along, 1e-9)))
    # the tip of a nose stands about half the eyes' distance before them
    return bool(aside) and float(np.ptp(np.percentile(aside, [5, 95]))) >= NOSE * np.tan(np.radians(TURNED))


def aisle(data: Path) -> list[Frame]:
    """Return frames of a shop's aisle, or of a plain wall when that film is missing."""
    clip = data / "video" / "store-aisle-detection.gif"
    if not clip.exists():
        return [np.full((SIZE[1], SIZE[0], 3), 150, np.uint8)]
    frames = film(clip)
    return frames[:: max(1, len(frames) // VIEWS)][:VIEWS]


def standing(view: Frame, background: Frame, shift: int = 0) -> Frame:
    """Return the person of a portrait before the aisle, `shift` pixels to the right of the middle."""
    frame = background.copy()
    left, top = (SIZE[0] - FACE) // 2 + shift, SIZE[1] - FACE
    frame[top:, left : left + FACE] = cv2.resize(view, (FACE, FACE))
    return frame


def present(view: Frame, background: Sequence[Frame]) -> list[Frame]:
    """Return frames of somebody who stands there and sways."""
    shifts = np.round(SWAY * np.sin(np.linspace(0, 2 * np.pi, VIEWS, endpoint=False))).astype(int)
    return [standing(view, background[number % len(background)], int(shift)) for number, shift in enumerate(shifts)]


def photograph(view: Frame, background: Sequence[Frame], tilt: float) -> list[Frame]:
    """Return frames of a print that somebody holds up and tilts by up to 45 degrees times `tilt`."""
    print_, frames = cv2.resize(view, (FACE, FACE)), []
    corners = np.array([[0, 0], [FACE, 0], [FACE, FACE], [0, FACE]], np.float32)
    for number in range(2 * VIEWS):
        angle = np.radians(45 * tilt) * np.sin(2 * np.pi * number / (2 * VIEWS))
        half, depth = FACE / 2, 900.0
        turned = []
        for x, y in corners - half:
            far = depth + x * np.sin(angle)
            turned.append((x * np.cos(angle) * depth / far + SIZE[0] / 2, y * depth / far + SIZE[1] / 2))
        homography = cv2.getPerspectiveTransform(corners, np.array(turned, np.float32))
        frame = background[number % len(background)].copy()
        cv2.warpPerspective(print_, homography, SIZE, dst=frame, borderMode=cv2.BORDER_TRANSPARENT)
        frames.append(frame)
    return frames


def frontal(frames: Sequence[Frame], models: Path) -> list[Frame]:
    """Return up to four frames of a film in which one face looks at the camera."""
    from vision.enrol import advise

    engine = OpenCvEngine(models)
    return [frame for frame in frames[:: max(1, len(frames) // 24)] if not advise(engine, frame)[1]][:4]
