"""Numbers as people write them: numerals with grouped thousands, words up to the thousands, and prices as they are spoken."""

from __future__ import annotations

import re

_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {word: number for number, word in enumerate((*_ONES, *_TEENS), 1)} | dict(
    zip(_TENS, range(20, 100, 10), strict=True)
)
_WORDS |= {"fourty": 40, "fivety": 50, "ninty": 90}  # as they are often spelt
_SCALES = {"hundred": 100, "thousand": 1000}


def _any(words: tuple[str, ...]) -> str:
    return "|".join(words)


_TEN = rf"(?:{_any(_TENS)}|fourty|fivety|ninty)"
_BELOW_100 = rf"(?:{_TEN}(?:[ -](?:{_any(_ONES)})\b)?|{_any(_TEENS)}|{_any(_ONES)})"
_BELOW_1000 = rf"(?:(?:(?:an?|{_BELOW_100})[ -])?hundred(?:[ -](?:and[ -])?{_BELOW_100})?|{_BELOW_100})"
WORD = rf"(?:(?:(?:an?|{_BELOW_1000})[ -])?thousand(?:[ -](?:and[ -])?{_BELOW_1000})?|{_BELOW_1000})(?!\w)"
"""A pattern of a whole number in words."""

GROUPED = r"[1-9]\d{0,2}(?:,\d{3})+(?![\d,]*\d)"
WHOLE = rf"(?<![\d.,])(?:{GROUPED}(?!\.\d)|\d{{1,6}}(?![.,]?\d)|{WORD})"
"""A pattern of a number that counts pieces; no part of a longer one ("1.5") is one."""

_SPOKEN = rf"(?:{_BELOW_100})[ -](?:{_TEN}(?:[ -](?:{_any(_ONES)}))?|{_any(_TEENS)})(?!\w)"  # "three fifty"
_DECIMAL = r"\d+(?:[.,]\d{1,2})?(?!\d)"
AMOUNT = rf"(?<![\d.,])(?:{GROUPED}(?:\.\d{{1,2}}(?!\d))?|[1-9]\d{{0,2}}(?:\.\d{{3}})+(?:,\d{{1,2}})?(?!\d)|{_DECIMAL}|{_SPOKEN}|{WORD})"
"""A pattern of the number of a price."""


def number(text: str) -> float:
    """Return what a numeral or number words say: "1,200", "2.50", "1.200,50", "twenty-five", "a hundred", "three fifty"."""
    word = text.lower().strip()
    if word == "zero":
        return 0.0
    if word[0].isdigit():
        return _numeral(word)
    if re.fullmatch(_SPOKEN, word) and not re.fullmatch(WORD, word):
        parts = re.split(r"[ -]", word)
        cut = 2 if len(parts) > 2 and re.fullmatch(_BELOW_100, " ".join(parts[:2])) and parts[1] in _ONES else 1
        return _in_words(parts[:cut]) + _in_words(parts[cut:]) / 100
    return _in_words(re.split(r"[ -]", word))


def _numeral(text: str) -> float:
    if re.fullmatch(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", text):
        return float(text.replace(",", ""))
    if re.fullmatch(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?", text):
        return float(text.replace(".", "").replace(",", "."))
    return float(text.replace(",", "."))


def _in_words(parts: list[str]) -> float:
    whole, group = 0, 0
    for part in parts:
        if part == "thousand":
            whole, group = whole + (group or 1) * _SCALES[part], 0
        elif part == "hundred":
            group = (group or 1) * _SCALES[part]
        else:
            group += _WORDS.get(part, 0)  # "and", "a"
    return float(whole + group)
