"""Decisions to JSON and what they compared to bytes, and back."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
from pydantic import TypeAdapter

from personalization.decisions import Decision
from personalization.types import CandidateSet, ProductId
from stores.words import unread_words

_DECISION = TypeAdapter(Decision)
_FLOAT = np.dtype("<f4")


class _Packed(msgspec.Struct, array_like=True, frozen=True):
    """A candidate set; numbers as little-endian float32 bytes, row by row, since msgpack has only float64 for Python's floats."""

    product_ids: tuple[str, ...]
    objectives: tuple[str, ...]
    predictions: bytes
    scores: bytes
    stage: str


def dump_decision(decision: Decision) -> dict[str, Any]:
    """Return `decision` as JSON-ready values, its creative's pixels and its candidates left out."""
    if decision.creative is not None:
        decision = replace(decision, creative=replace(decision.creative, content=b""))
    body: dict[str, Any] = _DECISION.dump_python(
        decision, mode="json", exclude={"candidates": True, "context": {"tuning", "conversation_id"}}
    )
    return body


def load_decision(body: dict[str, Any]) -> Decision:
    """Return the decision that `dump_decision` wrote; what was asked stays unread where nobody opened it (`stores.words`)."""
    return _DECISION.validate_python(unread_words(body))


def dump_candidates(found: CandidateSet) -> bytes:
    """Return `found` as compressed msgpack, its numbers rounded to float32."""
    packed = _Packed(
        found.product_ids, found.objectives, np.array(found.predictions, _FLOAT).tobytes(), np.array(found.scores, _FLOAT).tobytes(),
        found.stage,
    )  # fmt: skip
    return zlib.compress(msgspec.msgpack.encode(packed))


def load_candidates(raw: bytes) -> CandidateSet:
    """Return what `dump_candidates` wrote."""
    packed = msgspec.msgpack.decode(zlib.decompress(raw), type=_Packed)
    shape = len(packed.product_ids), len(packed.objectives)
    predictions = np.frombuffer(packed.predictions, _FLOAT).reshape(shape)
    return CandidateSet(
        tuple(map(ProductId, packed.product_ids)), packed.objectives, tuple(map(tuple, predictions.tolist())),
        tuple(np.frombuffer(packed.scores, _FLOAT).tolist()), packed.stage,
    )  # fmt: skip
