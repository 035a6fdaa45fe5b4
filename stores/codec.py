"""Decisions to JSON and back, through the dataclasses' own types."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from personalization.types import Decision

_DECISION = TypeAdapter(Decision)


def dump_decision(decision: Decision) -> dict[str, Any]:
    """Return `decision` as JSON-ready values, its creative's pixels left out."""
    if decision.creative is not None:
        decision = replace(decision, creative=replace(decision.creative, content=b""))
    body: dict[str, Any] = _DECISION.dump_python(decision, mode="json")
    return body


def load_decision(body: dict[str, Any]) -> Decision:
    """Return the decision that `dump_decision` wrote."""
    return _DECISION.validate_python(body)
