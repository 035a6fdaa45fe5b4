"""From a message to what it names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from chatbot.entities.lexicon import TOKEN, Lexicon, is_weak, terms
from chatbot.entities.patterns import FORMS
from chatbot.entities.types import Entity

LEAST_FUZZY = 4
"""Letters of a word that may be mistyped; a shorter one is too like others."""


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    terms: tuple[str, ...]
    sure: float


class Extractor:
    """Finds what a message names. `known` tells of a word that it is English, so that it is not taken for a typo."""

    def __init__(self, lexicon: Lexicon, known: Callable[[str], bool] | None = None) -> None:
        self._lexicon, self._known = lexicon, known or (lambda _: False)
        self._vocabulary = [term for term in lexicon.vocabulary() if len(term) >= LEAST_FUZZY]

    def knows(self, word: str) -> bool:
        """Whether the catalogue itself has the word, not mended."""
        parts = [part for token in TOKEN.findall(word) for part in terms(token)]
        return bool(parts) and all(self._lexicon.knows(part) for part in parts)

    def extract(self, text: str) -> tuple[Entity, ...]:
        """Return what the text names, from left to right; nothing is named twice."""
        found: list[Entity] = []
        for form in FORMS:
            fresh = [entity for entity in form(text) if not any(_overlap(entity, other) for other in found)]
            found += [
                one
                for i, one in enumerate(fresh)
                if not any(_overlap(one, other) and one.kind == other.kind for other in fresh[:i])
            ]
        found += self._catalogue(text, found)
        return tuple(sorted(found, key=lambda entity: (entity.start, entity.end)))

    def _catalogue(self, text: str, taken: list[Entity]) -> Iterator[Entity]:
        run: list[_Word] = []
        for word in self._words(text, taken):
            if word is None:
                yield from self._named(run, text)
                run = []
            else:
                run.append(word)
        yield from self._named(run, text)

    def _words(self, text: str, taken: list[Entity]) -> Iterator[_Word | None]:
        """Yield the words that stand in the catalogue, and None where a run of them ends."""
        for match in TOKEN.finditer(text):
            start, end = match.span()
            if any(start < one.end and one.start < end for one in taken):
                yield None
                continue
            parts = terms(match[0])
            if not parts:
                if match[0].lower() not in {"of", "and", "&"}:
                    yield None
                continue
            mended = [self._mend(part) for part in parts]
            if any(one is None for one in mended):
                yield None
            else:
                good = [one for one in mended if one is not None]
                yield _Word(start, end, tuple(term for term, _ in good), min(sure for _, sure in good))
        yield None

    def _mend(self, term: str) -> tuple[str, float] | None:
        """Return the catalogue's term that is meant, and how sure that is; None for a word of no catalogue."""
        if self._lexicon.knows(term):
            return term, 1.0
        if len(term) < LEAST_FUZZY or self._known(term) or term.isdigit():
            return None
        most = 1 if len(term) < 7 else 2
        found = process.extractOne(term, self._vocabulary, scorer=OSA.distance, score_cutoff=most)
        if found is None or found[0][0] != term[0]:
            return None
        return found[0], 0.7 if found[1] == 1 else 0.6

    def _named(self, run: list[_Word], text: str) -> Iterator[Entity]:
        """Yield what a run of catalogue words names: the longest phrases first, from the left."""
        at = 0
        while at < len(run):
            for end in range(len(run), at, -1):
                if entity := self._meaning(run[at:end], text):
                    yield entity
                    at = end
                    break
            else:
                at += 1

    def _meaning(self, part: list[_Word], text: str) -> Entity | None:
        key = tuple(term for word in part for term in word.terms)
        start, end, sure = part[0].start, part[-1].end, min(word.sure for word in part)
        if (phrase := self._lexicon.phrases.get(key)) is not None and not (
            phrase[0] == "attribute" and len(part) > 1 and self._lexicon.holding(key)
        ):
            kind, value, name = phrase
            return Entity(kind, value, start, end, sure, name)  # type: ignore[arg-type]
        if all(is_weak(term) for term in key):
            return None
        holders = self._lexicon.holding(key)
        if not holders:
            return None
        names = self._lexicon.names
        exact = [one for one in holders if names[one][1] == set(key)]
        name, _, only = (
            names[exact[0] if exact else next(iter(holders))] if exact or len(holders) == 1 else ("", None, None)
        )
        value = name if only else self._said(part, text)
        return Entity("product", value, start, end, sure * (1.0 if exact or only else 0.9), only)

    @staticmethod
    def _said(part: list[_Word], text: str) -> str:
        """Return a phrase as it was written, but for what was mended."""
        return " ".join(
            text[word.start : word.end].lower() if word.sure == 1 else " ".join(word.terms) for word in part
        )


def _overlap(one: Entity, other: Entity) -> bool:
    return one.start < other.end and other.start < one.end and {one.kind, other.kind} != {"money_min", "money_max"}
