"""Whom a request is about, where neither its path nor its answer leads to them: its route leaves that in `request.state.about`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def about(state: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the ids of these people, each with what the audit log is to tell of them alone.

    A route leaves one id, several, or several with what is told of each; that holds no personal data.
    """
    given = state.get("about") or ()
    if isinstance(given, str):
        return {given: {}}
    return dict(given) if isinstance(given, Mapping) else {one: {} for one in sorted(given)}
