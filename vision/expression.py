"""Expression: seven classes of the network, collapsed to four before anybody sees them: in the wild the finer ones are mostly wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vision.calibration import Calibration, shipped
from vision.expression_net import SIDE, build_onnx, read_weights
from vision.faces import Face, Frame, upright
from vision.models import require

LABELS = ("positive", "neutral", "surprised", "negative")
_MEMBERS = ((1,), (0,), (6,), (2, 3, 4, 5))
"""Which of the network's CLASSES each label is the sum of."""
SCALE = 1.1
"""How much of the face is shown to the network, in sizes of YuNet's box: with level eyes better than a tight upright square."""
_MEAN = np.array([122.782, 117.001, 104.298], np.float32)


@dataclass(frozen=True, slots=True)
class Expression:
    """The four labels' probabilities. `clear`: the likeliest is likely enough to be told, else it is better not to say."""

    chances: dict[str, float]
    clear: bool

    @property
    def label(self) -> str:
        """The likeliest of the four."""
        return max(self.chances, key=lambda name: self.chances[name])

    @property
    def valence(self) -> float:
        """Pleasant minus unpleasant, in [-1, 1]."""
        return self.chances["positive"] - self.chances["negative"]

    @property
    def certainty(self) -> float:
        """1 - the entropy as a share of its most: 0 says nothing, 1 is sure."""
        values = np.array(list(self.chances.values()))
        return float(1 + (values * np.log(np.maximum(values, 1e-12))).sum() / np.log(len(values)))


def collapse(logs: Sequence[float], *, least: float | None = None) -> Expression:
    """Return the expression of four log probabilities, which need not sum to one."""
    powers = np.exp(np.asarray(logs) - max(logs))
    chances = powers / powers.sum()
    least = shipped().expression.least if least is None else least
    return Expression(dict(zip(LABELS, map(float, chances), strict=True)), bool(chances.max() >= least))


class ExpressionModel:
    """Tells the expression of a face in about 8 ms on one core."""

    def __init__(self, models: Path, calibration: Calibration | None = None) -> None:
        shapes = require(models, "face_expression_model-weights_manifest.json")
        weights = require(models, "face_expression_model.bin")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        model = build_onnx(read_weights(shapes, weights))
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._calibration = calibration or shipped()

    def predict(self, frame: Frame, face: Face) -> NDArray[np.float64]:
        """Return the calibrated probabilities of LABELS, shape (4,), of `face` in `frame`."""
        return self.calibrated(self.look(frame, face))

    def look(self, frame: Frame, face: Face) -> NDArray[np.float32]:
        """Return the logits of the seven CLASSES, the mean of the face as it is and mirrored."""
        picture = upright(frame, face, SIDE, SCALE)
        both = self.logits(picture) + self.logits(np.ascontiguousarray(picture[:, ::-1]))
        return both / np.float32(2)

    def logits(self, picture: Frame) -> NDArray[np.float32]:
        """Return the network's logits of its seven CLASSES for a tight crop of a face."""
        square = cv2.cvtColor(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), cv2.COLOR_BGR2RGB)
        batch = ((square.astype(np.float32) - _MEAN) / 255.0).transpose(2, 0, 1)[None]
        [[logits]] = self._session.run(None, {"picture": batch})
        found: NDArray[np.float32] = logits
        return found

    def calibrated(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the four probabilities that follow from seven logits."""
        return four(logits, self._calibration.expression.temperature)


def four(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """Return the four labels' probabilities, shape (..., 4): summed, then scaled by one temperature (Guo et al. 2017)."""
    logits = np.asarray(logits, np.float64)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    seven = powers / powers.sum(axis=-1, keepdims=True)
    summed = np.stack([seven[..., list(members)].sum(axis=-1) for members in _MEMBERS], axis=-1)
    scaled = np.log(np.maximum(summed, 1e-9)) / temperature
    scaled = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    found: NDArray[np.float64] = scaled / scaled.sum(axis=-1, keepdims=True)
    return found
