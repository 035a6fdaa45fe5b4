"""The trained ensemble on ONNX Runtime: one request or several at once, one core."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from personalization.ranking.emer.tokens import Tokenizer

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Scores candidates that were made into tokens. `curves` are the training's, `width` numbers per token."""

    session: onnxruntime.InferenceSession
    tokenizer: Tokenizer

    def score(self, tokens: Floats32) -> Floats32:
        """Return ŷ, (M,) for one request's tokens (M, width), or (B, M) for several requests of one length."""
        many = tokens if tokens.ndim == 3 else tokens[None]
        feeds = {"tokens": np.ascontiguousarray(many, np.float32)}
        if len(self.session.get_inputs()) > 1:  # without layers nothing asks who is there
            feeds["present"] = np.ones(many.shape[:2], np.float32)
        found: Floats32 = self.session.run(None, feeds)[0]
        return found if tokens.ndim == 3 else found[0]

    def score_request(
        self, features: Floats32, predictions: Floats, context: Mapping[str, float] | None = None
    ) -> Floats32:
        """Return ŷ, (M,), of one request's candidates."""
        return self.score(self.tokenizer.tokens(features, predictions, np.array([0, len(features)]), context))


def load(model: bytes, tokenizer: Tokenizer) -> Ensemble:
    """Return the ensemble of an exported model, on one core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return Ensemble(onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]), tokenizer)


def export(model: object, width: int) -> bytes:
    """Return a torch `Emer` as ONNX, for any number of requests and of candidates."""
    import torch  # noqa: PLC0415 - training only; serving does not load it

    if not isinstance(model, torch.nn.Module):
        raise TypeError("only a torch module can be exported")
    sizes = {0: "requests", 1: "candidates"}
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the newer exporter needs a package that nothing else here needs
        torch.onnx.export(
            model, (torch.zeros(2, 8, width), torch.ones(2, 8)), Path(name) / "model.onnx", input_names=["tokens", "present"],
            output_names=["score"], dynamic_axes={"tokens": sizes, "present": sizes, "score": sizes}, dynamo=False, opset_version=17,
        )  # fmt: skip
        return (Path(name) / "model.onnx").read_bytes()


def dump_tokenizer(tokenizer: Tokenizer) -> str:
    """Return the tokenizer as JSON."""
    return json.dumps({name: values.tolist() for name, values in tokenizer.as_arrays().items()})


def load_tokenizer(text: str) -> Tokenizer:
    """Return the tokenizer that `dump_tokenizer` wrote."""
    found = json.loads(text)
    kinds = {"mean": np.float32, "scale": np.float32, "binary": bool, "use_ranks": bool, "heard": bool}
    return Tokenizer.from_arrays({name: np.array(found[name], kind) for name, kind in kinds.items()})
