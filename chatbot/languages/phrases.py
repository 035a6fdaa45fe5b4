"""What is put together outside the responses, and the titles of buttons, in another language.

Code, policies and the core word such pieces in English ("without nuts", "Order #W1 is delivered, and only …"); `phrases.yml` has the
English template with what it is in the language, as gettext has. A piece that no template fits stays English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from chatbot.languages.language import Language

PLACEHOLDER = re.compile(r"\{([a-z_0-9]+)\}")
_MARK = re.compile(r"(?P<mark>\s*(?:•|\d+\.)?\s*)(?P<rest>.*)", re.DOTALL)
_SENTENCES = re.compile(r"(?<=[.!?;])\s+")
_BETWEEN = re.compile(r"(; |, | and | or )")
_NUMBERS = {"n", "count", "digits"}  # blanks that hold a number and nothing else
_DEEPEST = 4


class Phrases:
    """Says English pieces in one language."""

    def __init__(self, phrases: Mapping[str, str], language: Language) -> None:
        self._language = language
        self._whole = {english: said for english, said in phrases.items() if not PLACEHOLDER.search(english)}
        with_blanks = [english for english in phrases if english not in self._whole]
        with_blanks.sort(key=lambda english: -len(PLACEHOLDER.sub("", english)))
        self._templates = [(_rule(english), phrases[english]) for english in with_blanks]

    def title(self, text: str) -> str:
        """Return the title of a button."""
        return self._whole.get(text, text)

    def say(self, text: str, deep: int = 0) -> str:
        """Return a text with all that is known of it said in the language; amounts and days as it writes them."""
        if "\n" in text:
            return "\n".join(self.say(line, deep) for line in text.split("\n"))
        match = _MARK.fullmatch(text)
        mark, rest = (match["mark"], match["rest"]) if match else ("", text)
        parts = _SENTENCES.split(rest)
        told = [self._one(part, deep) for part in parts] if len(parts) > 1 else []
        said = None if told and None not in told else self._one(rest, deep)
        if said is None and any(told):
            said = " ".join(one if one is not None else part for one, part in zip(told, parts, strict=True))
        return self._language.written(mark + (rest if said is None else said))

    def _one(self, text: str, deep: int) -> str | None:
        if text in self._whole:
            return self._whole[text]
        if deep >= _DEEPEST:
            return None
        for rule, said in self._templates:
            if (match := rule.fullmatch(text)) is not None:
                return self._filled(said, match.groupdict(), deep + 1)
        return self._list(text, deep)

    def _list(self, text: str, deep: int) -> str | None:
        """Return an enumeration whose parts are all known: "nuts, milk or eggs"."""
        parts = _BETWEEN.split(text)
        told = [self._one(part, deep + 1) for part in parts[::2]] if len(parts) > 1 else []
        if not told or None in told:
            return None
        between = [*(self._whole.get(part, part) for part in parts[1::2]), ""]
        return "".join(f"{one}{joint}" for one, joint in zip(told, between, strict=True))

    def _filled(self, said: str, blanks: Mapping[str, str], deep: int) -> str:
        return PLACEHOLDER.sub(lambda blank: self.say(blanks[blank[1]], deep), said)


def _rule(english: str) -> re.Pattern[str]:
    parts, at = [], 0
    for blank in PLACEHOLDER.finditer(english):
        inside = r"\d[\d.,]*" if blank[1] in _NUMBERS else ".+?"
        parts += [re.escape(english[at : blank.start()]), f"(?P<{blank[1]}>{inside})"]
        at = blank.end()
    return re.compile("".join([*parts, re.escape(english[at:])]), re.DOTALL)


def read_phrases(path: Path) -> dict[str, str]:
    """Return English and what it is in the language; nothing without the file."""
    read = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader) if path.exists() else {}  # noqa: S506 - strings only
    return {english: said for group in (read or {}).values() for english, said in group.items()}


def faults(phrases: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the phrases whose blanks differ between English and the language."""
    return [
        (english, "its blanks are not those of the English words")
        for english, said in phrases.items()
        if sorted(PLACEHOLDER.findall(english)) != sorted(PLACEHOLDER.findall(said))
    ]
