"""Words of a message in a form that can be compared: lower case, singular, units and numbers written one way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORD = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+(?:'[a-z]+)?|[#%/]", re.UNICODE)
_NUMBERS = dict(zip(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], map(str, range(1, 13)), strict=True))  # fmt: skip
_SAME = {
    "foot": "ft", "feet": "ft", "inches": "inch", "in": "in", "liter": "l", "liters": "l", "litre": "l", "litres": "l",
    "milliliter": "ml", "milliliters": "ml", "millimeter": "mm", "pounds": "lbs", "pound": "lbs", "hour": "hours", "grey": "gray",
    "gigabyte": "gb", "gigabytes": "gb", "terabyte": "tb", "tshirt": "shirt", "tee": "shirt", "colour": "color",
    "bike": "bicycle", "wifi": "wi", "fi": "wi", "cups": "cup",
}  # fmt: skip
_PLURAL = re.compile(r"(?<=[a-z]{3})(?:(?<=sh|ch)es|(?<!s)s)$")
_CLOSE = 0.84


@dataclass(frozen=True, slots=True)
class Token:
    """One word: as compared (`key`), as written (`raw`), and where it stands."""

    key: str
    raw: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Split a text; a number and a unit that are written together become two words."""
    joined = re.sub(r"(?i)\bt[- ]shirt", lambda m: "  shirt", text)
    joined = re.sub(r"(?i)\be[- ]reader", lambda m: " ereader", joined)
    return [Token(key_of(m[0]), text[m.start() : m.end()], m.start(), m.end()) for m in _WORD.finditer(joined)]


def key_of(word: str) -> str:
    """Return the form in which a word is compared."""
    word = word.lower().removesuffix("'s")
    word = _NUMBERS.get(word, word)
    word = _SAME.get(word, word)
    if len(word) > 4 and word.endswith("shelves"):
        word = word[:-3] + "f"
    if not word.isdigit() and word not in {"lens", "hours", "lbs", "glass"}:
        word = _PLURAL.sub("", word)
    return _SAME.get(word, word)


def keys(text: str) -> tuple[str, ...]:
    """Return the compared words of a text."""
    return tuple(token.key for token in tokens(text))


def alike(one: str, other: str) -> bool:
    """Whether two words are the same but for a slip of the keyboard; numbers and short words are never only alike."""
    if one == other:
        return True
    if min(len(one), len(other)) < 5 or one[0] != other[0] or one[0].isdigit():
        return False
    if one.startswith(other) or other.startswith(one):  # "charges" are no charger
        return False
    return SequenceMatcher(None, one, other).ratio() >= _CLOSE


def find(part: Sequence[str], whole: Sequence[Token], *, exactly: bool = False) -> list[int]:
    """Return the positions at which the words `part` follow each other in `whole`."""
    size = len(part)
    if not size:
        return []
    return [
        at
        for at in range(len(whole) - size + 1)
        if all(whole[at + i].key == part[i] or (not exactly and alike(whole[at + i].key, part[i])) for i in range(size))
    ]


def bare(text: str) -> str:
    """Return only letters and digits, in lower case: for numbers of orders and items."""
    return re.sub(r"[^0-9a-z]", "", text.lower())
