"""What is told of a message: GoEmotions' 28 labels, their two coarser taxonomies, and the states that the dialogue acts on."""

from __future__ import annotations

from collections.abc import Mapping

LABELS = (
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion", "curiosity", "desire",
    "disappointment", "disapproval", "disgust", "embarrassment", "excitement", "fear", "gratitude", "grief", "joy",
    "love", "nervousness", "optimism", "pride", "realization", "relief", "remorse", "sadness", "surprise", "neutral",
)  # fmt: skip
"""In the order of GoEmotions' `labels.txt` (Demszky et al. 2020)."""

_JOY = (
    "joy", "amusement", "approval", "excitement", "gratitude", "love", "optimism", "relief", "pride", "admiration",
    "desire", "caring",
)  # fmt: skip
EKMAN: Mapping[str, tuple[str, ...]] = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": _JOY,
    "sadness": ("sadness", "disappointment", "embarrassment", "grief", "remorse"),
    "surprise": ("surprise", "realization", "confusion", "curiosity"),
    "neutral": ("neutral",),
}
"""The paper's mapping to Ekman's six, and neutral."""
GROUPS: Mapping[str, tuple[str, ...]] = {
    "positive": _JOY,
    "negative": (*EKMAN["fear"], *EKMAN["sadness"], *EKMAN["disgust"], *EKMAN["anger"]),
    "ambiguous": EKMAN["surprise"],
    "neutral": ("neutral",),
}
"""The paper's sentiment groups."""

STATES = (
    "content", "neutral", "confused", "impatient", "frustrated", "angry", "sad", "anxious", "grateful", "excited",
)  # fmt: skip
"""What the dialogue acts on."""
DISTRESSED = frozenset({"impatient", "frustrated", "angry", "sad", "anxious"})

STATE_OF: Mapping[str, Mapping[str, float]] = {
    "admiration": {"content": 0.7, "excited": 0.3},
    "amusement": {"content": 1.0},
    "anger": {"angry": 1.0},
    "annoyance": {"frustrated": 0.7, "angry": 0.2, "impatient": 0.1},
    "approval": {"content": 1.0},
    "caring": {"neutral": 0.6, "content": 0.4},
    "confusion": {"confused": 1.0},
    "curiosity": {"neutral": 1.0},
    "desire": {"neutral": 0.7, "excited": 0.3},
    "disappointment": {"frustrated": 0.6, "sad": 0.4},
    "disapproval": {"frustrated": 0.4, "neutral": 0.6},
    "disgust": {"angry": 0.6, "frustrated": 0.4},
    "embarrassment": {"anxious": 0.6, "sad": 0.4},
    "excitement": {"excited": 1.0},
    "fear": {"anxious": 1.0},
    "gratitude": {"grateful": 1.0},
    "grief": {"sad": 1.0},
    "joy": {"content": 0.7, "excited": 0.3},
    "love": {"content": 0.6, "excited": 0.4},
    "nervousness": {"anxious": 1.0},
    "optimism": {"content": 1.0},
    "pride": {"content": 1.0},
    "realization": {"neutral": 1.0},
    "relief": {"content": 1.0},
    "remorse": {"sad": 1.0},
    "sadness": {"sad": 1.0},
    "surprise": {"neutral": 0.5, "excited": 0.25, "confused": 0.25},
    "neutral": {"neutral": 1.0},
}
"""How a GoEmotions label counts as a state while training; written service messages teach the states themselves."""

COORDINATES: Mapping[str, tuple[float, float]] = {
    "admiration": (0.6, 0.5), "amusement": (0.7, 0.6), "anger": (-0.8, 0.9), "annoyance": (-0.6, 0.6), "approval": (0.4, 0.3),
    "caring": (0.5, 0.3), "confusion": (-0.2, 0.4), "curiosity": (0.2, 0.4), "desire": (0.3, 0.5), "disappointment": (-0.6, 0.3),
    "disapproval": (-0.5, 0.4), "disgust": (-0.8, 0.6), "embarrassment": (-0.4, 0.5), "excitement": (0.8, 0.9), "fear": (-0.7, 0.8),
    "gratitude": (0.8, 0.4), "grief": (-0.9, 0.4), "joy": (0.9, 0.7), "love": (0.9, 0.6), "nervousness": (-0.4, 0.7),
    "optimism": (0.6, 0.4), "pride": (0.6, 0.5), "realization": (0.1, 0.3), "relief": (0.5, 0.2), "remorse": (-0.5, 0.4),
    "sadness": (-0.8, 0.3), "surprise": (0.1, 0.8), "neutral": (0.0, 0.1),
}  # fmt: skip
"""Valence in [-1, 1] and arousal in [0, 1] of each label: hand-set points on Russell's circumplex (1980)."""

STATE_COORDINATES: Mapping[str, tuple[float, float]] = {
    "content": (0.6, 0.4), "neutral": (0.0, 0.1), "confused": (-0.2, 0.4), "impatient": (-0.5, 0.7),
    "frustrated": (-0.7, 0.6), "angry": (-0.9, 0.9), "sad": (-0.8, 0.3), "anxious": (-0.5, 0.7),
    "grateful": (0.8, 0.4), "excited": (0.9, 0.9),
}  # fmt: skip
"""The same of each state."""

OUTPUTS = len(LABELS) + len(EKMAN) + len(GROUPS)
"""Sigmoids of the joint head; after them come one softmax over the states, and one sigmoid: the need is not met."""
WIDTH = OUTPUTS + len(STATES) + 1
