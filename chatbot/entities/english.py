"""English words, so that "beer" is not taken for a typo of "beef" in a shop that sells no beer."""

from __future__ import annotations

from functools import cache

from chatbot.emotion.model_ import MODEL, VOCABULARY


@cache
def _words() -> frozenset[str]:
    lines = (MODEL / VOCABULARY).read_text(encoding="utf-8").split("\n")
    return frozenset(word for word in lines if word.isalpha())


def is_english(word: str) -> bool:
    """Whether a small-lettered word is one of BERT's thirty thousand whole words and pieces that begin one."""
    return word in _words()
