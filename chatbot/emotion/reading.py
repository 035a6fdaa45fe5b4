"""What was heard in one message."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from chatbot.emotion.labels import DISTRESSED, STATE_COORDINATES
from personalization.types import Affect


@dataclass(frozen=True, slots=True)
class State:
    """How likely each state is that the dialogue acts on; the probabilities sum to 1."""

    chances: Mapping[str, float]

    @property
    def name(self) -> str:
        """The likeliest state."""
        return max(self.chances, key=lambda name: self.chances[name])

    @property
    def uncertainty(self) -> float:
        """Entropy in [0, 1]: 0 when one state is certain, 1 when nothing is known."""
        entropy = -sum(chance * math.log(chance) for chance in self.chances.values() if chance > 0)
        return entropy / math.log(len(self.chances))

    @property
    def distress(self) -> float:
        """Probability of a state in which help comes before anything else."""
        return sum(self.chances.get(name, 0.0) for name in DISTRESSED)

    @property
    def valence(self) -> float:
        """Mean valence in [-1, 1]."""
        return sum(STATE_COORDINATES[name][0] * chance for name, chance in self.chances.items())

    @property
    def arousal(self) -> float:
        """Mean arousal in [0, 1]."""
        return sum(STATE_COORDINATES[name][1] * chance for name, chance in self.chances.items())


@dataclass(frozen=True, slots=True)
class Reading:
    """Calibrated probabilities of each label, of Ekman's and of the sentiment groups; the state; and whether a need stays unmet.

    `found` are the labels above their thresholds, `exasperated` is how likely somebody's patience ends, None where the model does not listen for it. `unmet` reads the message alone: `satisfaction` adds the conversation.
    """

    emotions: Mapping[str, float]
    ekman: Mapping[str, float]
    groups: Mapping[str, float]
    state: State
    unmet: float
    found: tuple[str, ...] = ()
    exasperated: float | None = None

    @property
    def affect(self) -> Affect:
        """The reading as the core takes it."""
        emotions = {label: round(chance, 4) for label, chance in self.emotions.items()}
        return Affect(round(self.state.valence, 4), round(self.state.arousal, 4), emotions, "text")
