"""The trained network as ONNX: 8-bit words, dynamic int8 matrices, the joint head."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from chatbot.emotion.labels import WIDTH
from personalization.ranking.sentences.network import LAYERS, OPSET, Graph, Tensors, quantize


class _Emotion(Graph):
    """BERT's graph whose words take a byte per number, with one scale per word."""

    def __init__(self, tensors: Tensors) -> None:
        super().__init__(tensors)
        self._words = tensors["embeddings.word_embeddings.weight"]
        self._places = tensors["embeddings.position_embeddings.weight"]

    def embedded(self) -> str:
        """Add the embeddings of tokens and places."""
        packed, scale = by_row(self._words)
        rows = self.node("Cast", self.node("Gather", self.constant(packed), "tokens"), to=TensorProto.FLOAT)
        words = self.node("Mul", rows, self.node("Gather", self.constant(scale), "tokens"))
        length = self.node("Slice", self.node("Shape", "tokens"), *(self.constant(np.array([at])) for at in (1, 2)))
        place = self.node("Slice", self.constant(self._places), self.constant(np.array([0])), length)
        return self.normed(self.node("Add", words, place), "embeddings.")


def by_row(values: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 numbers and the scale (rows, 1) of each row."""
    scale = np.maximum(np.abs(values).max(1, keepdims=True) / 127, 1e-12).astype(np.float32)
    return np.round(values / scale).astype(np.int8), scale


def build(tensors: Tensors) -> bytes:
    """Return the int8 model: `tokens` (texts, length), all of one length, to `logits` (texts, WIDTH)."""
    graph = _Emotion(tensors)
    state = graph.embedded()
    for layer in range(LAYERS):
        state = graph.layer(state, f"encoder.layer.{layer}.")
    mean = graph.node("ReduceMean", state, axes=[1], keepdims=0)
    hidden = graph.gelu(graph.dense(mean, "hidden"))
    head = graph.node(
        "Gemm",
        hidden,
        *(graph.constant(tensors[f"head.{part}"]) for part in ("weight", "bias")),
        name="logits",
        transB=1,
    )
    made = helper.make_graph(
        graph.nodes, "emotion", [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["texts", "length"])],
        [helper.make_tensor_value_info(head, TensorProto.FLOAT, ["texts", WIDTH])], graph.constants,
    )  # fmt: skip
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    return quantize(bytes(model.SerializeToString()))
