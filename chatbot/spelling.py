"""How people type in a hurry: "do u hav", "bigest", "plz". Only words that steer a conversation are mended; names of goods are the catalogue's."""

from __future__ import annotations

import re

from rapidfuzz import process
from rapidfuzz.distance import OSA

_SHORT = {
    "u": "you", "ur": "your", "r": "are", "hav": "have", "hv": "have", "pls": "please", "plz": "please", "thx": "thanks", "ty": "thanks", "em": "them",
    "mny": "many", "wanna": "want to", "gimme": "give me", "lemme": "let me", "dunno": "don't know", "whats": "what's", "wats": "what's", "wheres": "where's",
    "hows": "how's", "cud": "could", "shud": "should", "wud": "would", "abt": "about", "bc": "because", "cuz": "because", "smth": "something", "tmrw": "tomorrow",
    "2day": "today", "2moro": "tomorrow", "gonna": "going to", "ppl": "people", "wich": "which", "teh": "the", "dont": "don't", "doesnt": "doesn't", "cant": "can't",
    "adn": "and", "nad": "and", "thre": "three", "taht": "that", "hte": "the", "hwo": "how", "yuo": "you", "nvm": "never mind", "isle": "aisle", "alos": "also", "aslo": "also", "baskt": "basket", "frist": "first",
}  # fmt: skip
_STEERING = (
    "cheapest", "cheaper", "expensive", "biggest", "bigger", "smallest", "smaller", "largest", "basket", "remove", "cancel", "return", "exchange", "second",
    "another", "without", "compare", "difference", "recommend", "suggest", "delivery", "deliver", "address", "payment", "discount", "allergic", "opening",
    "refund", "available", "something", "different", "receipt", "human", "please", "actually", "first", "third", "fourth", "three", "seven", "eight",
    "instead", "number",
)  # fmt: skip
_KNOWN = frozenset(_STEERING) | frozenset(
    (
        "seconds",
        "returns",
        "baskets",
        "compares",
        "humane",
        "humans",
        "delivers",
        "smalls",
        "suggests",
        "removed",
        "removes",
        "returned",
        "eighty",
        "eighth",
        "numbers",
        "thirst",
        "there",
        "threw",
        "sever",
    )
)
_WORD = re.compile(r"[^\W\d_]{5,}|\b\w{1,6}\b")
LEAST_FUZZY = 5


def spelled(text: str) -> str:
    """Return the text with what people shorten written out, and slips in steering words mended."""
    return text if text.startswith("/") else _WORD.sub(lambda match: _mended(match[0]), text)


def _mended(word: str) -> str:
    low = word.lower()
    if low in _SHORT and not (word.isupper() and len(word) > 1):
        return _SHORT[low]
    if len(low) < LEAST_FUZZY or low in _KNOWN or not low.isalpha():
        return word
    found = process.extractOne(low, _STEERING, scorer=OSA.distance, score_cutoff=1)
    return found[0] if found is not None and found[0][0] == low[0] and not low.startswith(found[0]) else word
