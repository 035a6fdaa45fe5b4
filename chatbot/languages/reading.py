"""A message as the rules read it, whatever served language it is in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

from chatbot.languages.glossary import Glossary, load_glossary
from chatbot.languages.language import DEFAULT, FOLDER

_COELIAC = re.compile(r"\b(?:an? )?co?eliacs?\b(?: disease)?", re.IGNORECASE)
_FOOD = ((0x1F32D, 0x1F37F), (0x1F950, 0x1F96F), (0x1F9C0, 0x1F9CB), (0x1FAD0, 0x1FADF), (0x2615, 0x2615))
_FORM = re.compile(
    r"\b(?:slice of|glass of|glass|loaf|wedge|bottle|mug|pot of|cup with|cup|jar|ear of|leafy|sheaf of|bunch of|head of|red|green|cooking|steaming|hot|clinking|with .*|without .*)\b"
)
_CALLED = {"\u2615": "coffee"}


def plain(text: str) -> str:
    """Return English with signs and medical words as goods and ingredients: "\U0001f9c0?" asks for cheese, who has coeliac disease eats no gluten."""
    said = text if text.isascii() else "".join(_named(letter) for letter in text)
    said = _COELIAC.sub("allergic to gluten", said)
    return text if said == text else " ".join(said.split())


def _named(letter: str) -> str:
    if not any(first <= ord(letter) <= last for first, last in _FOOD):
        return letter
    name = _CALLED.get(letter) or _FORM.sub(" ", unicodedata.name(letter, "").lower())
    return f" {' '.join(name.split())} "


@cache
def glossary(language: str) -> Glossary:
    """Return a language's glossary."""
    return load_glossary(FOLDER / language)


def read(text: str, language: str, known: Callable[[str], bool] = lambda _: False) -> str:
    """Return a message in the rules' words; `known` tells of a word that the catalogue itself has it."""
    if language != DEFAULT:
        text = glossary(language).read(text, known)
    return plain(text)
