"""How a conversation's mood moves: exponential smoothing that fades with time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from personalization.types import Affect

WEIGHT, NEUTRAL_WEIGHT = 0.6, 0.25  # of the newest message: who is annoyed and then just asks for milk is annoyed still
HALF_LIFE_S = 900.0
TROUBLED, PLEASED = -0.25, 0.4
_DISTRESS = {
    "anger": "angry", "disgust": "angry", "sadness": "sad", "grief": "sad", "remorse": "sad", "fear": "anxious", "nervousness": "anxious",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AffectState:
    """Mood so far: valence in [-1, 1], arousal in [0, 1], the newest message's likeliest emotion, and when it was."""

    valence: float
    arousal: float
    label: str
    at: str

    @property
    def mood(self) -> str:
        """One of "troubled", "neutral", "pleased": what the tone follows."""
        if self.valence < TROUBLED:
            return "troubled"
        return "pleased" if self.valence > PLEASED else "neutral"

    @property
    def state(self) -> str:
        """One of `chatbot.voice.states.STATES`: what the choice of words follows."""
        if self.valence < TROUBLED:
            return _DISTRESS.get(self.label, "frustrated")
        if self.valence > PLEASED:
            return {"gratitude": "grateful", "excitement": "excited"}.get(self.label, "content")
        return "confused" if self.label == "confusion" else "neutral"

    def as_json(self) -> dict[str, Any]:
        """Return the state as it is stored and sent."""
        return asdict(self)

    def as_affect(self) -> Affect:
        """Return the state as the core takes it."""
        return Affect(self.valence, self.arousal, {self.label: 1.0}, "text")


def load(stored: Mapping[str, Any] | None) -> AffectState | None:
    """Return what `as_json` wrote, or None."""
    return None if stored is None else AffectState(**stored)


def update(state: AffectState | None, affect: Affect, label: str, at: datetime) -> AffectState:
    """Return the mood after one more message at `at`; what was felt before halves every fifteen minutes."""
    if state is None:
        return AffectState(affect.valence, affect.arousal, label, at.isoformat())
    elapsed = max((at - datetime.fromisoformat(state.at)).total_seconds(), 0.0)
    memory = (1 - WEIGHT) * 0.5 ** (elapsed / HALF_LIFE_S)
    weight = NEUTRAL_WEIGHT if label == "neutral" else WEIGHT
    total = weight + memory
    return AffectState(
        round((weight * affect.valence + memory * state.valence) / total, 4),
        round((weight * affect.arousal + memory * state.arousal) / total, 4),
        label,
        at.isoformat(),
    )
