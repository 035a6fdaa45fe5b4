"""MiniLM's network (Wang et al. 2020) as ONNX, built from its `model.safetensors`; no torch is needed.

The 6-layer BERT, the mean of its tokens, and length 1: what sentence-transformers runs for all-MiniLM-L6-v2.
"""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from personalization.ranking import int8

LAYERS, HEADS, WIDTH = 6, 12, 384
OPSET = 17
_EPSILON = 1e-12

Tensors = dict[str, NDArray[Any]]


def read_safetensors(path: Path) -> Tensors:
    """Return the float32 tensors of a safetensors file by name; ValueError when it is none."""
    raw = path.read_bytes()
    try:
        (length,) = struct.unpack_from("<Q", raw)
        header = json.loads(raw[8 : 8 + length])
        return {
            name: np.frombuffer(raw, np.float32, math.prod(entry["shape"]), 8 + length + entry["data_offsets"][0]).reshape(entry["shape"])
            for name, entry in header.items()
            if entry.get("dtype") == "F32"
        }  # fmt: skip
    except (struct.error, ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} is no safetensors file ({error})") from error


def build(tensors: Tensors) -> bytes:
    """Return the network as ONNX: `tokens` (texts, length) int64, all of one length, to `vectors` (texts, 384) of length 1.

    Its second output is `states` (texts, length, 384), a vector for each token.
    """
    graph = Graph(tensors)
    state = graph.embedded()
    for layer in range(LAYERS):
        state = graph.layer(state, f"encoder.layer.{layer}.")
    state = graph.node("Identity", state, name="states")
    mean = graph.node("ReduceMean", state, axes=[1], keepdims=0)
    graph.node("LpNormalization", mean, name="vectors", axis=1, p=2)
    made = helper.make_graph(
        graph.nodes, "minilm", [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["texts", "length"])],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", WIDTH]),
         helper.make_tensor_value_info("states", TensorProto.FLOAT, ["texts", "length", WIDTH])], graph.constants,
    )  # fmt: skip
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    return bytes(model.SerializeToString())


def quantize(model: bytes) -> bytes:
    """Return the model with dynamic int8 matrices, one scale per column."""
    return int8.quantize(model, op_types_to_quantize=["MatMul"], per_channel=True)


class Graph:
    """Collects the nodes of BERT; every method returns the name of its output."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: NDArray[Any]) -> str:
        """Add an array."""
        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def node(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add an operation."""
        output = name or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def embedded(self) -> str:
        """Add the embeddings of tokens and places. They are stored as float16, which halves the file and changes nothing."""
        tensors = self._tensors
        places = (
            tensors["embeddings.position_embeddings.weight"] + tensors["embeddings.token_type_embeddings.weight"][0]
        )
        table = self.constant(tensors["embeddings.word_embeddings.weight"].astype(np.float16))
        words = self.node("Cast", self.node("Gather", table, "tokens"), to=TensorProto.FLOAT)
        length = self.node("Slice", self.node("Shape", "tokens"), *(self.constant(np.array([at])) for at in (1, 2)))
        place = self.node("Slice", self.constant(places), self.constant(np.array([0])), length)
        return self.normed(self.node("Add", words, place), "embeddings.")

    def layer(self, state: str, prefix: str) -> str:
        """Add one layer: attention and the wide step, each added to what came in."""
        attended = self.dense(self.attention(state, prefix), prefix + "attention.output.dense")
        state = self.normed(self.node("Add", state, attended), prefix + "attention.output.")
        wide = self.gelu(self.dense(state, prefix + "intermediate.dense"))
        return self.normed(self.node("Add", state, self.dense(wide, prefix + "output.dense")), prefix + "output.")

    def attention(self, state: str, prefix: str) -> str:
        """Add the attention of all heads; query, key and value are one product, (3, texts, heads, length, 32)."""
        names = [f"{prefix}attention.self.{part}" for part in ("query", "key", "value")]
        scale = 1 / math.sqrt(WIDTH // HEADS)
        weight = [self._tensors[f"{name}.weight"] for name in names]
        bias = [self._tensors[f"{name}.bias"] for name in names]
        together = self.affine(
            state, np.concatenate([weight[0] * scale, *weight[1:]]), np.concatenate([bias[0] * scale, *bias[1:]])
        )
        heads = self.node("Reshape", together, self.constant(np.array([0, 0, 3, HEADS, WIDTH // HEADS])))
        parts = self.node("Transpose", heads, perm=[2, 0, 3, 1, 4])
        query, key, value = (self.node("Gather", parts, self.constant(np.array(at)), axis=0) for at in range(3))
        likeness = self.node("MatMul", query, self.node("Transpose", key, perm=[0, 1, 3, 2]))
        mixed = self.node("MatMul", self.node("Softmax", likeness, axis=-1), value)
        back = self.node("Transpose", mixed, perm=[0, 2, 1, 3])
        return self.node("Reshape", back, self.constant(np.array([0, 0, WIDTH])))

    def dense(self, state: str, prefix: str) -> str:
        """Add a linear layer by its name."""
        return self.affine(state, self._tensors[prefix + ".weight"], self._tensors[prefix + ".bias"])

    def affine(self, state: str, weight: NDArray[Any], bias: NDArray[Any]) -> str:
        """Add a linear layer."""
        return self.node("Add", self.node("MatMul", state, self.constant(weight.T)), self.constant(bias))

    def gelu(self, state: str) -> str:
        """Add the exact GELU."""
        scaled = self.node("Div", state, self.constant(np.array(math.sqrt(2), np.float32)))
        one = self.constant(np.array(1, np.float32))
        half = self.node("Mul", state, self.constant(np.array(0.5, np.float32)))
        return self.node("Mul", half, self.node("Add", self.node("Erf", scaled), one))

    def normed(self, state: str, prefix: str) -> str:
        """Add a layer norm."""
        scale, bias = (self.constant(self._tensors[f"{prefix}LayerNorm.{part}"]) for part in ("weight", "bias"))
        return self.node("LayerNormalization", state, scale, bias, axis=-1, epsilon=_EPSILON)
