"""A message as the rules read it, whatever served language it is in."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from chatbot.languages.glossary import Glossary, load_glossary
from chatbot.languages.language import DEFAULT, FOLDER


@cache
def glossary(language: str) -> Glossary:
    """Return a language's glossary."""
    return load_glossary(FOLDER / language)


def read(text: str, language: str, known: Callable[[str], bool] = lambda _: False) -> str:
    """Return a message in the rules' words; `known` tells of a word that the catalogue itself has it."""
    return text if language == DEFAULT else glossary(language).read(text, known)
