"""Reads a message of another language in the English words by which the rules know things: one file instead of rules per language.

Whole words and phrases are replaced, the longest first; what stands in no file is left as it is, since it may be a name. The
result is for rules (limits, places in a list, wishes about orders), not for people, and its grammar does not matter to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import yaml

_FOLDED = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}
_GROUP = re.compile(r"\\(\d)")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LINKS = ("", "n", "en", "s", "es", "er")
_SHORTEST = 3  # letters of a part of a compound


class Words:
    """Phrases of a language and what they are read as."""

    def __init__(self, phrases: Mapping[str, str]) -> None:
        ordered = sorted(phrases.items(), key=lambda pair: (-pair[0].count(" "), -len(pair[0])))
        keys = "|".join(f"(?P<k{at}>{key})" for at, (key, _) in enumerate(ordered))
        self._rule = re.compile(rf"(?<![\w])(?:{keys})(?![\w])", re.IGNORECASE) if ordered else None
        self._read = [str(read) for _, read in ordered]

    def __call__(self, text: str, keep: Callable[[str], bool] = lambda _: False) -> str:
        """Return the text with every phrase replaced for which `keep` does not speak."""
        if self._rule is None:
            return text
        folded, places = _fold(text)
        parts, at = [], 0
        for match in self._rule.finditer(folded):
            start, end = places[match.start()], places[match.end()]
            if keep(text[start:end]):
                continue
            parts += [text[at:start], self._filled(match, text, places)]
            at = end
        return " ".join("".join([*parts, text[at:]]).split(" "))

    def whole(self, word: str) -> str | None:
        """Return what a word is read as, None where it is not in the file."""
        match = self._rule.fullmatch(_fold(word)[0]) if self._rule is not None else None
        return None if match is None else self._read[_key(match)]

    def _filled(self, match: re.Match[str], text: str, places: list[int]) -> str:
        outer = match.lastindex or 0

        def part(reference: re.Match[str]) -> str:
            start, end = match.span(outer + int(reference[1]))
            return "" if start < 0 else self(text[places[start] : places[end]])

        return _GROUP.sub(part, self._read[_key(match)])


def _key(match: re.Match[str]) -> int:
    return int(str(match.lastgroup)[1:])  # the outermost group closes last


def _fold(text: str) -> tuple[str, list[int]]:
    """Return the text with umlauts written out, and for each of its letters, and its end, the place in the text."""
    folded, places = [], []
    for at, letter in enumerate(text):
        written = _FOLDED.get(letter, letter)
        folded.append(written)
        places += [at] * len(written)
    return "".join(folded), [*places, len(text)]


class Glossary:
    """Reads texts of one language: its phrases first, then the names of products."""

    def __init__(self, phrases: Mapping[str, str], products: Mapping[str, str]) -> None:
        self._phrases, self._products = Words(phrases), Words(products)

    def knows(self, word: str) -> bool:
        """Whether a word alone is in the files."""
        return any(words.whole(word) is not None for words in (self._phrases, self._products))

    def read(self, text: str, known: Callable[[str], bool] = lambda _: False) -> str:
        """Return the text in the rules' words; a product's name that `known` says the catalogue itself has stays."""
        said = self._products(self._phrases(text), known)
        said = _WORD.sub(lambda match: self._compound(match[0], known) or match[0], said)
        return re.sub(r"\s+([,.!?])", r"\1", " ".join(said.split()))

    def _compound(self, word: str, known: Callable[[str], bool]) -> str | None:
        """Return both parts of a compound of two product names; None for any other word."""
        if len(word) < 2 * _SHORTEST or known(word):
            return None
        for cut in range(len(word) - _SHORTEST, _SHORTEST - 1, -1):
            second = self._products.whole(word[cut:])
            if second is None:
                continue
            for link in _LINKS:
                first = self._products.whole(word[:cut].removesuffix(link)) if word[:cut].endswith(link) else None
                if first is not None:
                    return f"{first} {second}"
        return None


def load_glossary(folder: Path) -> Glossary:
    """Return the glossary of a language's folder; one that changes nothing where it has no files."""
    return Glossary(_phrases(folder / "glossary.yml"), _phrases(folder / "products.yml"))


def _phrases(path: Path) -> dict[str, str]:
    """Return the phrases of a file, whose headings only order it; the first of two that are the same counts."""
    if not path.exists():
        return {}
    read = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader) or {}  # noqa: S506 - strings only: "on" is a word here
    flat: dict[str, str] = {}
    for key, value in read.items():
        pairs: Iterable[tuple[str, str]] = value.items() if isinstance(value, dict) else [(key, value)]
        for phrase, said in pairs:
            flat.setdefault(str(phrase), str(said))
    return flat
