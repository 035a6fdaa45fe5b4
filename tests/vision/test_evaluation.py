"""`aisle vision evaluate` on other people's folders: whose pictures they are, and from when two faces match."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vision import evaluation
from vision.errors import ModelError
from vision.evaluation import clusters, measure
from vision.expression import ExpressionModel
from vision.faces import Face, Frame, Template, unit
from vision.labelled import Labelled

POINTS = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]], np.float32)


def pair(first: str, second: str, same: bool) -> dict[str, str]:
    return {"image_a": first, "image_b": second, "same": "1" if same else "0"}


def test_whose_a_picture_is_is_told_by_the_list_of_people_whatever_the_files_are_called() -> None:
    pairs = [pair("1.jpg", "2.jpg", True), pair("x_1.jpg", "x_2.jpg", False), pair("3.jpg", "1.jpg", False)]
    people = [{"image": image, "person": who} for image, who in (("1.jpg", "a"), ("3.jpg", "a"), ("x_1.jpg", "b"))]
    one, two, three = clusters(pairs, people)
    assert one == three != two


def test_without_a_list_whatever_is_said_to_be_one_person_is_one() -> None:
    pairs = [
        pair("a.jpg", "b.jpg", True), pair("b.jpg", "c.jpg", True), pair("c.jpg", "z.jpg", False), pair("p_1.jpg", "p_2.jpg", True),
        pair("p_3.jpg", "a.jpg", False),
    ]  # fmt: skip
    first, second, third, fourth, fifth = clusters(pairs, [])
    assert first == second == third
    assert len({first, fourth, fifth}) == 3, "a common beginning of names is no person"


class Engine:
    """Finds one face in every picture, and makes its template of the picture's one colour."""

    name = "never calibrated"

    def detect(self, frame: Frame) -> list[Face]:
        return [Face((20, 20, 60, 75), POINTS, 0.9, None)]

    def embed(self, frame: Frame, face: Face) -> Template:
        return unit(frame[50, 50].astype(np.float32))


class Reader:
    """Says that everybody is pleased."""

    def predict(self, frame: Frame, face: Face) -> NDArray[np.float64]:
        return np.array([0.9, 0.05, 0.03, 0.02])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, colour in {"a": (200, 0, 0), "b": (180, 60, 0), "c": (0, 200, 0), "d": (0, 180, 60)}.items():
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((200, 200, 3), colour, np.uint8))
    return tmp_path


def figures(labelled: Labelled, threshold: float | None) -> dict[str, float | None]:
    model: ExpressionModel = Reader()  # type: ignore[assignment]
    told = measure(labelled, Engine(), model, group="", seed=1, progress=lambda *_: None, threshold=threshold)
    return {one["figure"]: one["value"] for one in told}


def test_the_operators_threshold_is_what_is_measured(folder: Path) -> None:
    pairs = [pair("a.png", "b.png", True), pair("c.png", "d.png", True), pair("a.png", "c.png", False)]
    labelled = Labelled(folder, pairs=pairs)
    assert figures(labelled, 0.5)["TAR at the threshold"] == 1.0
    assert figures(labelled, 0.99)["TAR at the threshold"] == 0.0


def test_no_threshold_is_asked_for_where_no_faces_are_compared(folder: Path) -> None:
    happy = Labelled(folder, labels=[{"image": f"{name}.png", "expression": "happy"} for name in "abcd"])
    assert figures(happy, None)["expression: accuracy"] == 1.0
    with pytest.raises(ModelError, match="never calibrated"):
        figures(Labelled(folder, pairs=[pair("a.png", "b.png", True)]), None)
    assert evaluation.clusters([], []) == []
