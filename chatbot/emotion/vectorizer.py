"""Text to TF-IDF features of words and letters: one definition for training and serving."""

from __future__ import annotations

from sklearn.feature_extraction.text import TfidfVectorizer

WORDS, LETTERS = 12_000, 24_000


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
