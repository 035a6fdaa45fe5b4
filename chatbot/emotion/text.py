"""How a message is read before it is tokens: emoji by their names, and what capitals and drawn-out letters say."""

from __future__ import annotations

import re
import unicodedata

from personalization.ranking.sentences.wordpiece import WordPiece

MOST_TOKENS = 48
HEAD = 16  # tokens kept of a longer message's beginning; the rest is its end, where people say how they feel
SHOUTED, STRESSED, DRAWN_OUT = "[unused1]", "[unused2]", "[unused3]"
"""Tokens of BERT's vocabulary that no text has: the model learns what capitals mean, though it reads small letters."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_LETTERS = re.compile(r"([^\W\d_])\1{2,}", re.IGNORECASE)
_SIGNS = re.compile(r"([!?.])\1{3,}")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "…": "..."})
_FEWEST_CAPITALS = 3  # of a word that is stressed: "OK" and "US" are written so anyway
_EMOJI = ((0x1F000, 0x1FAFF), (0x2600, 0x27BF), (0x2B00, 0x2BFF), (0x2300, 0x23FF))
_TONES = range(0x1F3FB, 0x1F400)


def spoken(text: str) -> str:
    """Return `text` with emoji as words, plain quotation marks, and letters and signs drawn out no longer."""
    named = text if text.isascii() else "".join(_name(letter) for letter in text.translate(_QUOTES))
    return _SIGNS.sub(r"\1\1\1", _LETTERS.sub(r"\1\1", named))


def _name(letter: str) -> str:
    code = ord(letter)
    if code in _TONES:
        return ""
    if not any(first <= code <= last for first, last in _EMOJI):
        return letter
    return f" {unicodedata.name(letter, '').lower().replace(' sign', '')} "


def markers(text: str) -> list[str]:
    """Return what the letters' shape says: the message is shouted, or a word is stressed; letters are drawn out."""
    words = _WORD.findall(text)
    loud = [word for word in words if word.isupper()]
    found = []
    if len(words) > 1 and sum(map(len, loud)) >= 0.6 * sum(map(len, words)):
        found.append(SHOUTED)
    elif any(len(word) >= _FEWEST_CAPITALS for word in loud):
        found.append(STRESSED)
    if _LETTERS.search(text):
        found.append(DRAWN_OUT)
    return found


def encode(wordpiece: WordPiece, text: str) -> list[int]:
    """Return the numbers of the message's tokens, at most MOST_TOKENS: [CLS], markers, pieces, [SEP]."""
    first, *pieces, last = wordpiece.tokens(spoken(text), most=4 * MOST_TOKENS)
    start = [first, *(wordpiece.vocabulary[name] for name in markers(text))]
    room = MOST_TOKENS - len(start) - 1
    if len(pieces) > room:
        pieces = pieces[:HEAD] + pieces[HEAD - room :]
    return [*start, *pieces, last]
