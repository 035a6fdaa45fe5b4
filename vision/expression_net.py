"""face-api's FaceExpressionNet (MIT) as ONNX, converted from the weights that its authors publish.

`tests/vision/test_expression_port.py` holds the outputs of the original network, run by its own code in Node, against this one's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIDE = 112
CLASSES = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")


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
