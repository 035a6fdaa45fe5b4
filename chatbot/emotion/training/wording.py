"""Fits the second opinion on the human labels."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from chatbot.emotion.wording import LETTERS, VOCABULARY, WEIGHTS, WORD

STRENGTH = 3.0
MOST_WORDS, MOST_PIECES = 12_000, 24_000


def word_vectorizer(vocabulary: dict[str, int] | None = None) -> TfidfVectorizer:
    """Return the vectorizer of one and two words."""
    return TfidfVectorizer(
        ngram_range=(1, 2), min_df=3, max_features=MOST_WORDS, sublinear_tf=True, token_pattern=WORD, vocabulary=vocabulary
    )  # fmt: skip


def letter_vectorizer(vocabulary: dict[str, int] | None = None) -> TfidfVectorizer:
    """Return the vectorizer of pieces of LETTERS letters within words."""
    return TfidfVectorizer(
        analyzer="char_wb", ngram_range=LETTERS, min_df=5, max_features=MOST_PIECES, sublinear_tf=True, vocabulary=vocabulary
    )  # fmt: skip


def fit_wording(texts: Sequence[str], targets: NDArray[Any], folder: Path, seed: int) -> None:
    """Write wording.npz and wording.json; `targets` (texts, labels) count as there above one half."""
    words, letters = word_vectorizer(), letter_vectorizer()
    features = hstack([words.fit_transform(texts), letters.fit_transform(texts)]).tocsr()
    weights, bias = np.zeros((targets.shape[1], features.shape[1]), np.float32), np.zeros(targets.shape[1], np.float32)
    for label in range(targets.shape[1]):
        model = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=seed).fit(
            features, targets[:, label] > 0.5
        )
        weights[label], bias[label] = model.coef_[0], model.intercept_[0]
        print(f"wording: label {label + 1} of {targets.shape[1]}", file=sys.stderr, flush=True)
    scale = np.abs(weights).max() / 127
    folder.mkdir(parents=True, exist_ok=True)
    idf = np.concatenate([words.idf_, letters.idf_]).astype(np.float16)
    packed = np.round(weights / scale).astype(np.int8)
    np.savez_compressed(folder / WEIGHTS, weights=packed, scale=np.float32(scale), bias=bias, idf=idf)
    vocabulary = {
        name: sorted(one.vocabulary_, key=one.vocabulary_.get) for name, one in (("words", words), ("letters", letters))
    }
    (folder / VOCABULARY).write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
