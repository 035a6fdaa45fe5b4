"""Dynamic int8 weights for ONNX models."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any


def quantize(model: bytes, **options: Any) -> bytes:
    """Return the model with dynamic int8 weights; `options` are those of ONNX Runtime's `quantize_dynamic`.

    Weights have seven bits: products of pairs overflow 16 bits on processors without VNNI, and eight bits cost accuracy there.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415 - training only

    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name) / "whole.onnx", Path(name) / "int8.onnx"
        source.write_bytes(model)
        logger, level = logging.getLogger(), logging.getLogger().level
        logger.setLevel(logging.ERROR)  # it recommends a step that our models do not need
        try:
            quantize_dynamic(source, target, weight_type=QuantType.QInt8, reduce_range=True, **options)
        finally:
            logger.setLevel(level)
        return target.read_bytes()
