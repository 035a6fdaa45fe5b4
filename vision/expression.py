"""Expression: face-api's FaceExpressionNet (MIT), rebuilt as ONNX from its quantised weights.

Its seven classes are collapsed to four before anybody sees them: in the wild the finer ones are mostly wrong.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from vision.engines import Face, Frame
from vision.models import require

SIDE = 112
CLASSES = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
COLLAPSED = {"neutral": (0,), "happy": (1,), "surprise": (6,), "negative": (2, 3, 4, 5)}
_MEAN = np.array([122.782, 117.001, 104.298], np.float32)


@dataclass(frozen=True, slots=True)
class Expression:
    """Probabilities of happy, neutral, surprise and negative, and the valence in [-1, 1] that follows."""

    chances: dict[str, float]

    @property
    def label(self) -> str:
        """The likeliest of the four."""
        return max(self.chances, key=lambda name: self.chances[name])

    @property
    def valence(self) -> float:
        """Pleasant minus unpleasant."""
        return self.chances["happy"] - self.chances["negative"]


class ExpressionModel:
    """Tells the expression of a face in about 10 ms."""

    def __init__(self, models: Path) -> None:
        shapes = require(models, "face_expression_model-weights_manifest.json")
        weights = require(models, "face_expression_model.bin")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        model = build_onnx(read_weights(shapes, weights))
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def predict(self, frame: Frame, face: Face) -> Expression:
        """Return the expression of `face` in a BGR frame."""
        chances = self.predict_crop(crop(frame, face))
        return Expression(
            {name: round(float(sum(chances[i] for i in indices)), 4) for name, indices in COLLAPSED.items()}
        )

    def predict_crop(self, picture: Frame) -> NDArray[np.float32]:
        """Return the seven CLASSES' probabilities for a tight BGR crop of a face."""
        square = cv2.cvtColor(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), cv2.COLOR_BGR2RGB)
        batch = ((square.astype(np.float32) - _MEAN) / 255.0).transpose(2, 0, 1)[None]
        [[logits]] = self._session.run(None, {"picture": batch})
        powers = np.exp(logits - logits.max())
        return powers / powers.sum()


def crop(frame: Frame, face: Face) -> Frame:
    """Return the square around the face's box, cut at the frame's edges."""
    x, y, w, h = face.box
    side = max(w, h)
    left, top = x + w / 2 - side / 2, y + h / 2 - side / 2
    height, width = frame.shape[:2]
    left, right = int(max(left, 0)), int(min(left + side, width))
    top, bottom = int(max(top, 0)), int(min(top + side, height))
    return frame[top : max(bottom, top + 1), left : max(right, left + 1)]


def read_weights(shapes: Path, weights: Path) -> dict[str, NDArray[np.float32]]:
    """Return the tensors by name, with uint8 ones scaled back to float32."""
    raw, offset, tensors = weights.read_bytes(), 0, {}
    for entry in json.loads(shapes.read_text())[0]["weights"]:
        count = int(np.prod(entry["shape"]))
        quantised: dict[str, Any] | None = entry.get("quantization")
        kind = np.dtype(np.uint8 if quantised else np.float32)
        values = np.frombuffer(raw, kind, count, offset).astype(np.float32)
        offset += count * kind.itemsize
        if quantised:
            values = values * np.float32(quantised["scale"]) + np.float32(quantised["min"])
        tensors[entry["name"]] = values.reshape(entry["shape"])
    return tensors


class _Graph:
    """Collects the nodes of FaceExpressionNet."""

    def __init__(self, tensors: dict[str, NDArray[np.float32]]) -> None:
        self.tensors, self.count = tensors, 0
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: NDArray[np.float32]) -> str:
        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        self.count += 1
        name = f"n{self.count}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def convolution(self, source: str, prefix: str, stride: int) -> str:
        """Add a plain convolution, or a depthwise and a pointwise one, with TensorFlow's SAME padding."""
        pads: dict[str, Any] = {"auto_pad": "SAME_UPPER", "strides": [stride, stride]}
        bias = self.constant(self.tensors[f"{prefix}/bias"])
        if f"{prefix}/filters" in self.tensors:
            kernel = self.constant(self.tensors[f"{prefix}/filters"].transpose(3, 2, 0, 1))
            return self.node("Conv", [source, kernel, bias], **pads)
        depthwise = self.tensors[f"{prefix}/depthwise_filter"]
        kernel = self.constant(depthwise.transpose(2, 3, 0, 1))
        source = self.node("Conv", [source, kernel], group=depthwise.shape[2], **pads)
        return self.node(
            "Conv", [source, self.constant(self.tensors[f"{prefix}/pointwise_filter"].transpose(3, 2, 0, 1)), bias]
        )

    def dense_block(self, source: str, prefix: str) -> str:
        total = self.node("Relu", [self.convolution(source, f"{prefix}/conv0", 2)])
        active = total
        for number in (1, 2, 3):
            total = self.node("Add", [total, self.convolution(active, f"{prefix}/conv{number}", 1)])
            active = self.node("Relu", [total])
        return active


def build_onnx(tensors: dict[str, NDArray[np.float32]]) -> bytes:
    """Return the network as an ONNX model: picture (1, 3, 112, 112) to logits (1, 7)."""
    graph = _Graph(tensors)
    source = "picture"
    for number in range(4):
        source = graph.dense_block(source, f"dense{number}")
    source = graph.node("AveragePool", [source], kernel_shape=[7, 7], strides=[2, 2])
    source = graph.node("Flatten", [source])
    source = graph.node("MatMul", [source, graph.constant(tensors["fc/weights"])])
    logits = graph.node("Add", [source, graph.constant(tensors["fc/bias"])])
    made = helper.make_graph(
        graph.nodes, "face-expression",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info(logits, TensorProto.FLOAT, [1, len(CLASSES)])], graph.constants,
    )  # fmt: skip
    model: bytes = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8
    ).SerializeToString()
    return model
