"""The second opinion: logistic regression over words and letters (TF-IDF), int8 weights. It knows rare labels by their words.

The encoder alone reaches .49 macro-F1 on dev's 28 labels, this one .48, and both together .53: they err on different messages.
It was fitted on scikit-learn's features (`training.wording`); the same ones are counted here a tenth as long, and without it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.emotion.labels import EKMAN, GROUPS, LABELS

WEIGHTS, VOCABULARY = "wording.npz", "wording.json"
WORD = r"(?u)[\w']+|[!?]"
LETTERS = (2, 5)
"""Fewest and most letters of a piece of a word."""
_MEMBERS = [[LABELS.index(name) for name in names] for one in (EKMAN, GROUPS) for names in one.values()]
Terms = tuple[NDArray[np.intp], NDArray[np.float64]]
"""The columns of a text's terms, and their values."""
_LEAST = 1e-9
_WORD = re.compile(WORD)


class Wording:
    """Linear models of GoEmotions' labels over TF-IDF features; the coarser labels follow from them."""

    def __init__(self, folder: Path) -> None:
        vocabulary = json.loads((folder / VOCABULARY).read_text(encoding="utf-8"))
        with np.load(folder / WEIGHTS, allow_pickle=False) as arrays:
            self._weights = arrays["weights"].astype(np.float32).T * arrays["scale"]
            self._bias = arrays["bias"]
            self._idf = arrays["idf"].astype(np.float64)
        words, letters = vocabulary["words"], vocabulary["letters"]
        self._words = {term: at for at, term in enumerate(words)}
        self._letters = {term: at for at, term in enumerate(letters, start=len(words))}

    @property
    def width(self) -> int:
        """How many terms are known."""
        return len(self._idf)

    def terms(self, text: str) -> Terms:
        """Return the terms of a text; its words have length 1 together, and so have its letters."""
        text = text.lower()
        columns, values = zip(
            self._half(self._words, _one_and_two(text)), self._half(self._letters, pieces(text)), strict=True
        )
        return np.concatenate(columns), np.concatenate(values)

    def logits(self, text: str) -> NDArray[np.float32]:
        """Return the log-odds of each label (OUTPUTS)."""
        return self.said_by(self.terms(text))

    def said_by(self, terms: Terms) -> NDArray[np.float32]:
        """Return the log-odds of each label (OUTPUTS) that a text's terms speak for."""
        columns, values = terms
        fine: NDArray[Any] = values @ self._weights[columns] + self._bias
        absent = 1 / (1 + np.exp(fine))
        coarse = np.array([absent[members].prod() for members in _MEMBERS])
        return np.concatenate([fine, np.log(np.maximum(1 - coarse, _LEAST) / np.maximum(coarse, _LEAST))]).astype(
            np.float32
        )

    def _half(self, known: Mapping[str, int], terms: Iterator[str]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the columns of the terms that are known and their values, which have length 1."""
        counts: dict[int, int] = {}
        for term in terms:
            if (at := known.get(term)) is not None:
                counts[at] = counts.get(at, 0) + 1
        columns = np.fromiter(counts.keys(), np.intp, len(counts))
        values = (1 + np.log(np.fromiter(counts.values(), np.float64, len(counts)))) * self._idf[columns]
        return columns, values / (np.sqrt(values @ values) or 1.0)


def _one_and_two(text: str) -> Iterator[str]:
    words = _WORD.findall(text)
    yield from words
    yield from (f"{one} {other}" for one, other in pairwise(words))


def pieces(text: str) -> Iterator[str]:
    """Yield all pieces of LETTERS letters within words, their edges being blanks; a short word as a whole once."""
    least, most = LETTERS
    for word in text.split():
        edged = f" {word} "
        for length in range(least, most + 1):
            if length >= len(edged):
                yield edged
                break
            for at in range(len(edged) - length + 1):
                yield edged[at : at + length]
