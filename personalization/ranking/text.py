"""Words of a query and of a product's name, brought to one form."""

from __future__ import annotations

import re

_WORD = re.compile(r"[a-z0-9]+")
_STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "any",
        "are",
        "can",
        "could",
        "do",
        "does",
        "find",
        "for",
        "get",
        "give",
        "got",
        "have",
        "i",
        "im",
        "in",
        "is",
        "it",
        "ll",
        "looking",
        "me",
        "my",
        "need",
        "of",
        "on",
        "or",
        "our",
        "please",
        "sell",
        "show",
        "some",
        "something",
        "that",
        "the",
        "there",
        "to",
        "us",
        "want",
        "we",
        "what",
        "where",
        "which",
        "with",
        "would",
        "you",
        "your",
        "buy",
        "stock",
        "product",
        "products",
        "item",
        "items",
        "good",
        "nice",
        "best",
        "cheap",
        "cheapest",
        "search",
        "shop",
        "today",
        "recommend",
    ]
)
_SAME = {
    "soda": "soft drink", "pop": "soft drink", "coke": "cola", "chips": "chip", "crisps": "chip", "diaper": "diapers", "nappies": "diapers",
    "nappy": "diapers", "yoghurt": "yogurt", "veggies": "vegetables", "veg": "vegetables", "biscuits": "cookies", "loo": "toilet",
    "toilet": "bath", "ketchup": "catsup", "puppy": "dog", "kitten": "cat", "oj": "orange juice", "washing": "laundry", "sweets": "candy",
}  # fmt: skip


def words(text: str) -> list[str]:
    """Return the meaningful words of `text`, lower-cased, synonyms resolved, plurals cut."""
    found = []
    for word in _WORD.findall(text.lower()):
        if word not in _STOP:
            found += [_stem(part) for part in _SAME.get(word, word).split()]
    return found


def terms(text: str) -> list[str]:
    """Return what is indexed of a text: its words, and their letter trigrams so that a typo still finds something."""
    found = []
    for word in words(text):
        found.append(word)
        padded = f"^{word}$"
        found += [f"#{padded[i : i + 3]}" for i in range(len(padded) - 2)]
    return found


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("shes", "ches", "xes", "oes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")):
        return word[:-1]
    return word
