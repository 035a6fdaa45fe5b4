"""The second opinion: logistic regression over words and letters (TF-IDF), int8 weights. It knows rare labels by their words.

The encoder alone reaches .49 macro-F1 on dev's 28 labels, this one .48, and both together .53: they err on different messages.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from chatbot.emotion.labels import EKMAN, GROUPS, LABELS

WORDS, LETTERS = 12_000, 24_000
WEIGHTS, VOCABULARY = "wording.npz", "wording.json"
_MEMBERS = [[LABELS.index(name) for name in names] for one in (EKMAN, GROUPS) for names in one.values()]
_LEAST = 1e-9


def word_vectorizer(vocabulary: dict[str, int] | None = None) -> TfidfVectorizer:
    """Return the vectorizer of one and two words."""
    return TfidfVectorizer(
        ngram_range=(1, 2),
        min_df=3,
        max_features=WORDS,
        sublinear_tf=True,
        token_pattern=r"(?u)[\w']+|[!?]",
        vocabulary=vocabulary,
    )


def letter_vectorizer(vocabulary: dict[str, int] | None = None) -> TfidfVectorizer:
    """Return the vectorizer of two to five letters within words."""
    return TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), min_df=5, max_features=LETTERS, sublinear_tf=True, vocabulary=vocabulary
    )


class Wording:
    """Linear models of GoEmotions' labels over TF-IDF features; the coarser labels follow from them."""

    def __init__(self, folder: Path) -> None:
        vocabulary = json.loads((folder / VOCABULARY).read_text(encoding="utf-8"))
        with np.load(folder / WEIGHTS, allow_pickle=False) as arrays:
            self._weights = arrays["weights"].astype(np.float32).T * arrays["scale"]
            self._bias = arrays["bias"]
            idf = arrays["idf"].astype(np.float64)
        words, letters = vocabulary["words"], vocabulary["letters"]
        self._words = word_vectorizer({term: at for at, term in enumerate(words)})
        self._letters = letter_vectorizer({term: at for at, term in enumerate(letters)})
        self._words.idf_, self._letters.idf_ = idf[: len(words)], idf[len(words) :]

    def logits(self, text: str) -> NDArray[np.float32]:
        """Return the log-odds of each label (OUTPUTS)."""
        found: csr_matrix = hstack([self._words.transform([text]), self._letters.transform([text])]).tocsr()
        fine: NDArray[Any] = found.data @ self._weights[found.indices] + self._bias
        absent = 1 / (1 + np.exp(fine))
        coarse = np.array([absent[members].prod() for members in _MEMBERS])
        return np.concatenate([fine, np.log(np.maximum(1 - coarse, _LEAST) / np.maximum(coarse, _LEAST))]).astype(
            np.float32
        )
