"""Our ONNX expression network says what face-api's own code says; `python -m bench.vision_port` recorded that in Node."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from bench.vision_port import RECORD, pictures
from vision.expression import ExpressionModel


def test_the_port_equals_the_original(models_dir: Path) -> None:
    recorded = json.loads(RECORD.read_text())
    model = ExpressionModel(models_dir)
    ours = np.stack([model.logits(np.ascontiguousarray(picture[:, :, ::-1])) for picture in pictures()])
    theirs = np.array(recorded["logits"])
    assert ours.shape == theirs.shape == (24, 7)
    assert len({int(row.argmax()) for row in theirs}) > 1, "pictures that all look alike prove little"
    assert np.abs(ours - theirs).max() < 1e-4
