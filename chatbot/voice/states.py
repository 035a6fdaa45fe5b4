"""The few states of a shopper that the dialogue acts on."""

from __future__ import annotations

from dataclasses import dataclass

STATES = frozenset(
    ("content", "neutral", "confused", "impatient", "frustrated", "angry", "sad", "anxious", "excited", "grateful")
)
DISTRESSED = frozenset(("frustrated", "angry", "sad", "anxious"))
"""Who is in one of these is offered a human, hears no joke, and is sold nothing."""


@dataclass(frozen=True, slots=True)
class Felt:
    """The mood after one message of the shopper."""

    valence: float
    state: str
