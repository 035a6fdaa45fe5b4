"""Our ONNX expression network says what face-api's own code says; `python -m bench.vision_port` recorded that in Node."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from bench.page import Bar
from bench.report import Metric
from bench.vision_port import RECORD, SIDE, faces, pictures
from tests.vision.fake_camera import astronaut
from vision.engines.opencv import OpenCvEngine
from vision.expression import ExpressionModel


def test_the_port_equals_the_original(models_dir: Path) -> None:
    recorded = json.loads(RECORD.read_text())
    model = ExpressionModel(models_dir)
    ours = np.stack([model.logits(np.ascontiguousarray(picture[:, :, ::-1])) for picture in pictures()])
    theirs = np.array(recorded["logits"])
    assert ours.shape == theirs.shape == (24, 7)
    assert len({int(row.argmax()) for row in theirs}) > 1, "pictures that all look alike prove little"
    assert np.abs(ours - theirs).max() < 1e-4


def test_the_bench_compares_on_faces_that_were_found_and_not_on_any_part_of_a_picture(
    models_dir: Path, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((300, 300, 3), 128, np.uint8))
    for name in "bcd":
        cv2.imwrite(str(tmp_path / f"{name}.png"), astronaut())
    engine = OpenCvEngine(models_dir)
    crops = faces(tmp_path, engine, 2)
    assert [one.shape for one in crops] == [(SIDE, SIDE, 3)] * 2
    wide = cv2.copyMakeBorder(crops[0][:, :, ::-1], SIDE, SIDE, SIDE, SIDE, cv2.BORDER_CONSTANT)
    assert len(engine.detect(np.asarray(wide, np.uint8))) == 1


def test_a_bar_may_be_what_another_reached_on_the_same_pictures() -> None:
    bar = Bar(None, least=True, baseline="original")
    assert bar.told() == "≥ the original's"
    told = [bar.met(Metric("f1", value, "share", 9, "", baseline={"original": 0.65})) for value in (0.68, 0.62)]
    assert told == ["yes", "**no**"]
    assert bar.met(Metric("f1", 0.68, "share", 9, "")) == ""
