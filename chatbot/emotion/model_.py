"""The committed emotion model: logistic regression over TF-IDF features, with int8 weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.sparse import hstack

from chatbot.emotion.vectorizer import letter_vectorizer, word_vectorizer
from personalization.types import Affect

MODEL = Path(__file__).with_name("model")

COORDINATES: Mapping[str, tuple[float, float]] = {
    "admiration": (0.6, 0.5), "amusement": (0.7, 0.6), "anger": (-0.8, 0.9), "annoyance": (-0.6, 0.6), "approval": (0.4, 0.3),
    "caring": (0.5, 0.3), "confusion": (-0.2, 0.4), "curiosity": (0.2, 0.4), "desire": (0.3, 0.5), "disappointment": (-0.6, 0.3),
    "disapproval": (-0.5, 0.4), "disgust": (-0.8, 0.6), "embarrassment": (-0.4, 0.5), "excitement": (0.8, 0.9), "fear": (-0.7, 0.8),
    "gratitude": (0.8, 0.4), "grief": (-0.9, 0.4), "joy": (0.9, 0.7), "love": (0.9, 0.6), "nervousness": (-0.4, 0.7),
    "optimism": (0.6, 0.4), "pride": (0.6, 0.5), "realization": (0.1, 0.3), "relief": (0.5, 0.2), "remorse": (-0.5, 0.4),
    "sadness": (-0.8, 0.3), "surprise": (0.1, 0.8), "neutral": (0.0, 0.1),
}  # fmt: skip
"""Valence in [-1, 1] and arousal in [0, 1] of each label: hand-set points on Russell's circumplex (1980)."""


class EmotionModel:
    """Tells the emotion of a message in about a millisecond."""

    def __init__(self, folder: Path = MODEL) -> None:
        vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
            self.labels = [str(label) for label in arrays["labels"]]
            self._weights = arrays["weights"].astype(np.float32) * arrays["scale"]
            self._bias = arrays["bias"]
            idf = arrays["idf"].astype(np.float64)
        self._words = word_vectorizer({term: i for i, term in enumerate(vocabulary["words"])})
        self._letters = letter_vectorizer({term: i for i, term in enumerate(vocabulary["letters"])})
        self._words.idf_ = idf[: len(vocabulary["words"])]
        self._letters.idf_ = idf[len(vocabulary["words"]) :]
        points = np.array([COORDINATES[label] for label in self.labels])
        self._valence, self._arousal = points[:, 0], points[:, 1]

    def predict(self, text: str) -> Affect:
        """Return the emotion of `text`: every label's probability, and their mean place in valence and arousal."""
        features = hstack([self._words.transform([text]), self._letters.transform([text])]).tocsr()
        logits = np.asarray(features @ self._weights.T).ravel() + self._bias
        chances = 1 / (1 + np.exp(-logits))
        share = chances / max(float(chances.sum()), 1.0)
        emotions = {label: round(float(chance), 4) for label, chance in zip(self.labels, chances, strict=True)}
        # unlikely labels pull the mean to the middle; doubled, a clear message comes near the scale's end
        valence = float(np.clip(2 * share @ self._valence, -1, 1))
        return Affect(round(valence, 4), round(float(share @ self._arousal), 4), emotions, "text")


def top_label(affect: Affect) -> str:
    """Return the likeliest label."""
    return max(affect.emotions, key=lambda label: affect.emotions[label], default="neutral")
