"""WordPiece as BERT's uncased models read text (Wu et al. 2016), from the vocabulary in a `tokenizer.json`."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

MOST_LETTERS = 100  # of a word that is looked up; a longer one is unknown
MOST_TOKENS = 32  # a query is cut there, so that no message is slow; product texts are shorter
WORDS_KEPT = 8_192  # whose pieces are not looked for again
_PLAIN = re.compile(r"[a-z0-9]+|[^a-z0-9 ]")
_IDEOGRAPHS = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F))


class WordPiece:
    """Text to token numbers, [CLS] first and [SEP] last. `vocabulary` : token to number."""

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self.vocabulary = vocabulary
        self._pieces = lru_cache(WORDS_KEPT)(self._spelled)
        self._unknown, self._first, self._last = (vocabulary[name] for name in ("[UNK]", "[CLS]", "[SEP]"))

    @classmethod
    def from_tokenizer_json(cls, text: str) -> WordPiece:
        """Read the vocabulary out of a Hugging Face `tokenizer.json`."""
        return cls(json.loads(text)["model"]["vocab"])

    def tokens(self, text: str, most: int = MOST_TOKENS) -> list[int]:
        """Return the numbers of at most `most` tokens."""
        found = [self._first]
        for word in _words(text):
            found += self._pieces(word)
            if len(found) >= most:
                break
        return [*found[: most - 1], self._last]

    def _spelled(self, word: str) -> list[int]:
        """Return the longest pieces that are known, from the left; one unknown where the word cannot be spelled."""
        found, start = [], 0
        if len(word) > MOST_LETTERS:
            return [self._unknown]
        while start < len(word):
            prefix = "##" if start else ""
            ends = (end for end in range(len(word), start, -1) if prefix + word[start:end] in self.vocabulary)
            end = next(ends, None)
            if end is None:
                return [self._unknown]
            found.append(self.vocabulary[prefix + word[start:end]])
            start = end
        return found


def _words(text: str) -> Iterable[str]:
    """Return words in lower case without accents; a sign of punctuation and an ideograph are words of their own."""
    if text.isascii() and text.isprintable():  # most messages: the same words a tenth as long
        return _PLAIN.findall(text.lower())
    return _words_of_any_script(text)


def _words_of_any_script(text: str) -> Iterator[str]:
    word = ""
    for letter in unicodedata.normalize("NFD", text.lower()):
        category = unicodedata.category(letter)
        if category == "Mn" or (category[0] == "C" and not letter.isspace()):
            continue
        alone = _is_punctuation(letter, category) or _is_ideograph(letter)
        if word and (alone or letter.isspace()):
            yield word
            word = ""
        if alone:
            yield letter
        elif not letter.isspace():
            word += letter
    if word:
        yield word


def _is_punctuation(letter: str, category: str) -> bool:
    """Whether BERT sets the sign apart: Unicode's punctuation, and all of ASCII that is neither letter nor digit."""
    return category[0] == "P" or ("!" <= letter <= "~" and not letter.isalnum())


def _is_ideograph(letter: str) -> bool:
    return any(first <= ord(letter) <= last for first, last in _IDEOGRAPHS)
