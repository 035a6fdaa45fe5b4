"""Examples of another language have a say by likeness; nothing is fitted, so English stays as it was and training takes no longer.

Examples and messages are both in the words that the language's glossary gives. docs/models/nlu.md has how the weights were chosen.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .linear import Letters  # by whatever name the package is known: Rasa's environment has it as `components`

Floats = NDArray[np.float32]
MEANING_WEIGHT, LETTERS_WEIGHT = 2.0, 4.0  # of the best example's cosine beside an intent's log chance
_LEAST = 1e-6


class Neighbours:
    """The examples of one language in the glossary's words, with their meanings (examples, 384), or (examples, 0) without MiniLM."""

    def __init__(self, texts: Sequence[str], meaning: Floats, labels: Sequence[str]) -> None:
        self.texts, self.known, self.labels = tuple(texts), meaning, tuple(labels)
        self._letters = Letters.fit(texts)
        self._rows = self._letters(texts)
        self._of: dict[str, list[int]] = {}
        for at, label in enumerate(labels):
            self._of.setdefault(label, []).append(at)

    def beside(
        self, names: Sequence[str], likely: Floats, near: Floats, text: str, meaning: Floats
    ) -> tuple[Floats, Floats]:
        """Return the chances (1, intents) and the nearness (1,) of the English model after the examples were heard."""
        alike = MEANING_WEIGHT * (self.known @ meaning.T)[:, 0] if self.known.shape[1] else np.zeros(len(self.texts))
        alike = alike + LETTERS_WEIGHT * np.asarray((self._rows @ self._letters([text]).T).todense())[:, 0]
        best = np.array([max((alike[at] for at in self._of.get(name, ())), default=0.0) for name in names])
        scores = np.log(likely[0] + _LEAST) + best
        raised = np.exp(scores - scores.max())
        closest = (self.known @ meaning.T).max() if self.known.shape[1] else 0.0
        return (raised / raised.sum())[None], np.maximum(near, closest)

    def save(self, folder: Path) -> None:
        """Write the examples."""
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(folder / "neighbours.npz", known=self.known.astype(np.float16))
        told = {"texts": self.texts, "labels": self.labels}
        (folder / "neighbours.json").write_text(json.dumps(told), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Neighbours:
        """Read what `save` wrote."""
        told = json.loads((folder / "neighbours.json").read_text(encoding="utf-8"))
        with np.load(folder / "neighbours.npz") as arrays:
            return cls(told["texts"], arrays["known"].astype(np.float32), told["labels"])
