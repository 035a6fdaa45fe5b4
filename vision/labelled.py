"""Labelled pictures as people keep them: CSV files with a column for each fact, or folders that are named for what is in them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from vision.engines import FaceEngine
from vision.errors import VisionError
from vision.faces import Face, Frame

COLLAPSED = {
    "happiness": 0, "happy": 0, "positive": 0, "neutral": 1, "surprise": 2, "surprised": 2, "anger": 3, "angry": 3, "contempt": 3,
    "disgust": 3, "disgusted": 3, "fear": 3, "fearful": 3, "sadness": 3, "sad": 3, "negative": 3,
}  # fmt: skip
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".tif", ".tiff"})
NAMES = {
    "image_a": ("image1", "img1", "first"), "image_b": ("image2", "img2", "second"), "same": ("is_same", "match", "label"),
    "person": ("identity", "name", "subject", "label"), "image": ("file", "filename", "path", "picture"),
    "expression": ("emotion", "label"), "role": ("set", "split"),
}  # fmt: skip
"""What columns may be called, too."""
YES, NO = frozenset({"1", "true", "yes", "same", "y"}), frozenset({"0", "-1", "false", "no", "different", "n"})
GALLERY, PROBE = frozenset({"gallery", "enrolled", "enrol"}), frozenset({"probe", "probes", "query"})
EDGE = 0.4
"""Pictures that are cut close to the face are given a border of this share of their side: the detector wants to see where a face ends."""
LEAST_SIDE = 160
Row = dict[str, str]


class EvaluationError(VisionError):
    """The folder is not what it should be; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A folder's rows: `pairs` with image_a, image_b and same; `people` with person, image and role; `labels` with image and expression.

    Paths of images are relative to `images`. `unknown` counts labels that are no expression which is known.
    """

    images: Path
    pairs: Sequence[Row] = ()
    people: Sequence[Row] = ()
    labels: Sequence[Row] = ()
    unknown: int = 0

    def part(self, people: int, pictures: int, rng: np.random.Generator) -> Labelled:
        """Return the rows of the first people, and so many pictures with an expression, chosen by chance."""
        names = set(sorted({row["person"] for row in self.people})[:people])
        kept = [row for row in self.people if row["person"] in names]
        theirs = {row["image"] for row in kept}
        pairs = [row for row in self.pairs if not theirs or {row["image_a"], row["image_b"]} <= theirs]
        labels = [self.labels[index] for index in rng.permutation(len(self.labels))[:pictures]]
        return replace(self, people=kept, pairs=pairs if theirs else pairs[: 10 * people], labels=labels)


def read(folder: Path, group: str = "") -> Labelled:
    """Return what a labelled folder holds.

    Either CSV files, `pairs.csv`, `people.csv` and `labels.csv`, with pictures in `images/` or beside them; or folders: `gallery/` and
    `probe/` with a folder for each person; a folder for each expression; or a folder for each person. Raises EvaluationError when it
    is none of these, or has no column `group` that is asked for.
    """
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is no folder")
    pairs = _rows(folder / "pairs.csv", ("image_a", "image_b", "same"))
    people = _rows(folder / "people.csv", ("person", "image"))
    labels = _rows(folder / "labels.csv", ("image", "expression"))
    if not (pairs or people or labels):
        people, labels = _of_folders(folder)
        images = folder
    else:
        images = folder / "images" if (folder / "images").is_dir() else folder
    tables = [found for found in (pairs, people, labels) if found]
    if not tables:
        raise EvaluationError(
            f"{folder} holds neither pairs.csv, people.csv or labels.csv nor folders of pictures by person or expression; see `aisle vision evaluate --help`"
        )
    if group and not any(group in found[0] for found in tables):
        columns = ", ".join(sorted({name for found in tables for name in found[0]}))
        raise EvaluationError(f"no file in {folder} has a column {group}; there are: {columns}")
    known = [row for row in labels if row["expression"].lower() in COLLAPSED]
    if labels and not known:
        told = ", ".join(sorted({row["expression"] for row in labels})[:8])
        raise EvaluationError(f"no label in {folder} is a known expression ({told}); known: {', '.join(COLLAPSED)}")
    for row in pairs:
        row["same"] = _same(row["same"], folder)
    for row in people:
        row["role"] = _role(row.get("role", ""))
    lower = [row | {"expression": row["expression"].lower()} for row in known]
    return Labelled(images, pairs, people, lower, len(labels) - len(known))


def portrait(path: Path, engine: FaceEngine) -> tuple[Frame, Face] | None:
    """Return a picture with the face in its middle, which may show others at its border; None where no face is found.

    What is small and cut close to the face gets a border and is made larger first, where nothing is found without.
    """
    picture = cv2.imread(str(path))
    if picture is None:
        raise EvaluationError(f"{path} is no picture that can be read")
    frame = np.asarray(picture, np.uint8)
    if (face := _centred(engine, frame)) is not None:
        return frame, face
    side = max(frame.shape[:2])
    edge = round(EDGE * side)
    bordered = cv2.copyMakeBorder(frame, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(128, 128, 128))
    factor = max(1.0, LEAST_SIDE / side)
    wider: Frame = np.asarray(cv2.resize(bordered, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8)
    face = _centred(engine, wider)
    return None if face is None else (wider, face)


def _centred(engine: FaceEngine, picture: Frame) -> Face | None:
    height, width = picture.shape[:2]

    def off(face: Face) -> float:
        return float(np.hypot(face.centre[0] - width / 2, face.centre[1] - height / 2) - 0.3 * face.box[2])

    return min(engine.detect(picture), key=off, default=None)


def _rows(path: Path, needed: Sequence[str]) -> list[Row]:
    """Return a CSV's rows, with the columns that are needed under their usual names; none when there is no such file."""
    if not path.exists():
        return []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise EvaluationError(f"{path} is no text in UTF-8 that can be read") from error
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    columns = [str(name).strip() for name in reader.fieldnames or ()]
    lower = {name.lower(): name for name in columns}
    usual: dict[str, str] = {}
    for name in (*needed, "role"):
        found = next((lower[one] for one in (name, *NAMES[name]) if one in lower and lower[one] not in usual), None)
        if found is not None:
            usual[found] = name
        elif name in needed:
            raise EvaluationError(
                f"{path} needs the columns {', '.join(needed)}; it has {', '.join(columns) or 'none'}"
            )
    made = []
    for number, row in enumerate(reader, 2):
        values = {usual.get(str(key).strip(), str(key).strip()): (value or "").strip() for key, value in row.items() if key and isinstance(value, str | None)}  # fmt: skip
        if not any(values.values()):
            continue
        if any(not values.get(name) for name in needed):
            raise EvaluationError(f"{path}, line {number}: a value of {', '.join(needed)} is missing")
        made.append(values)
    if not made:
        raise EvaluationError(f"{path} holds no rows")
    return made


def _of_folders(folder: Path) -> tuple[list[Row], list[Row]]:
    """Return people and labels that a folder's own folders tell."""
    inside = {one.name: one for one in sorted(folder.iterdir()) if one.is_dir()}
    if set(inside) == {"images"}:
        return _of_folders_in(folder, folder / "images")
    return _of_folders_in(folder, folder)


def _of_folders_in(root: Path, folder: Path) -> tuple[list[Row], list[Row]]:
    inside = [one for one in sorted(folder.iterdir()) if one.is_dir()]
    gallery, probe = ([one for one in inside if one.name.lower() in names] for names in (GALLERY, PROBE))
    if gallery and probe:
        roles = [(one, "gallery") for one in gallery] + [(one, "probe") for one in probe]
        return [
            {"person": person.name, "image": image, "role": role}
            for part, role in roles
            for person in sorted(part.iterdir())
            if person.is_dir()
            for image in _pictures(root, person)
        ], []
    if sum(one.name.lower() in COLLAPSED for one in inside) >= 2:
        return [], [{"image": image, "expression": one.name} for one in inside for image in _pictures(root, one)]
    people = [{"person": one.name, "image": image} for one in inside for image in _pictures(root, one)]
    return (people if len({row["person"] for row in people}) >= 2 else []), []


def _pictures(root: Path, folder: Path) -> Iterable[str]:
    return [str(one.relative_to(root)) for one in sorted(folder.rglob("*")) if one.suffix.lower() in PICTURES]


def _same(value: str, folder: Path) -> str:
    if value.lower() in YES | NO:
        return "1" if value.lower() in YES else "0"
    raise EvaluationError(f"{folder / 'pairs.csv'}: same is {value!r}; 1 or 0 is needed")


def _role(value: str) -> str:
    return "gallery" if value.lower() in GALLERY else "probe" if value.lower() in PROBE else ""
