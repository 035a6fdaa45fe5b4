"""Which language a message is in: one that is served, another one, or not to be told from so few words.

py3langid (4.5 MB, 0.1 ms a message, offline), held to a confidence: `docs/languages.md` has what that measured on short messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from chatbot.languages.language import DEFAULT, FOLDER
from chatbot.languages.reading import glossary

OTHERS = (
    "fr", "es", "it", "pt", "nl", "tr", "pl", "ru", "uk", "ar", "zh", "ja", "sv", "cs", "ro", "hu",
)  # fmt: skip
"""Languages that are told from those served; another one is taken for its nearest, or for none."""
SURE, SURE_OTHER, SURE_AMONG_SERVED = 0.8, 0.9, 0.95
SWITCH_WORDS = 3  # of a message that changes a conversation's language: two may be a product's name
OTHER_WORDS = 3
UNSAID_WORDS = 5  # of a message without any word that makes a sentence, and still in another language
LEAST_GOODS = 4  # letters of a word that may be goods
_LONGEST_HEADER = 500
_NO_WORDS = re.compile(r"\S+@\S+|https?://\S+|#?\w*\d\w*|[“\"„].*?[”\"“]")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_OTHER_SCRIPT = re.compile(r"[Ѐ-ӿ؀-ۿ぀-ヿ一-鿿]")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message is in: `language` is served, `other` is not; both empty where it cannot be told."""

    language: str = ""
    other: str = ""
    words: int = 0


def hear(text: str, served: Sequence[str], known: Callable[[str], bool] = lambda _: False) -> Heard:
    """Return what language a message is in; `known` tells of a word that the catalogue itself has it.

    Goods alone are in no language: "pinot grigio delle venezie" may be bought in English.
    """
    heard = _heard(text, served)
    language = heard.other or heard.language
    if language in {"", DEFAULT} or heard.words == 1 or language not in _sentence_words():
        return heard
    words = _said(text)
    if not _sentence_words()[language].isdisjoint(words):
        return heard
    goods = [word for word in words if word in _sentence_words()["food"] or (len(word) >= LEAST_GOODS and known(word))]
    if heard.language:
        return Heard(words=heard.words) if 2 * len(goods) >= len(words) else heard
    english = not _sentence_words()[DEFAULT].isdisjoint(words)
    return heard if not goods and not english and len(words) >= UNSAID_WORDS else Heard(words=heard.words)


def _said(text: str) -> list[str]:
    return [word.lower().replace("’", "'") for word in _WORD.findall(_NO_WORDS.sub(" ", text))]


@cache
def _sentence_words() -> dict[str, frozenset[str]]:
    read = yaml.safe_load((FOLDER / "sentence_words.yml").read_text(encoding="utf-8"))
    return {str(code): frozenset(str(words).split()) for code, words in read.items()}


def _heard(text: str, served: Sequence[str]) -> Heard:
    words = _WORD.findall(_NO_WORDS.sub(" ", text))
    said, count = " ".join(words).lower(), len(words)
    if not said:
        return Heard()
    if len(words) == 1 and not _OTHER_SCRIPT.search(said):
        return Heard(_by_word(said, served), words=1)
    chances = _chances(said, served)
    language, sure = max(chances.items(), key=lambda one: one[1])
    if language in served and sure >= SURE:
        return Heard(language, words=count)
    enough = count >= OTHER_WORDS or bool(_OTHER_SCRIPT.search(said))
    if language not in served and sure >= SURE_OTHER and enough:
        return Heard(other=language, words=count)
    among = sure / (sum(chances[one] for one in served) or 1.0)
    return Heard(language if language in served and among >= SURE_AMONG_SERVED else "", words=count)


def _chances(said: str, served: Sequence[str]) -> dict[str, float]:
    return {str(language): float(chance) for language, chance in _model((*served, *OTHERS)).rank(said)}


def _by_word(word: str, served: Sequence[str]) -> str:
    """Return the language whose glossary knows a single word that is likelier in it than in any other that is served."""
    knowing = [language for language in served if glossary(language).knows(word)]
    chances = _chances(word, served)
    return knowing[0] if len(knowing) == 1 and max(served, key=lambda one: chances[one]) == knowing[0] else ""


@cache
def _model(languages: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - a third of a second, at the first message

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    model.set_languages(sorted(set(languages)))
    return model


def settled(now: str, heard: Heard, *, first: bool) -> str:
    """Return the language that a conversation goes on in: what its first clear message is in, until one clearly is in another."""
    enough = first or heard.words >= SWITCH_WORDS
    return heard.language if heard.language and enough else now


def preferred(header: str, served: Sequence[str]) -> str:
    """Return the first served language of an `Accept-Language` header (RFC 9110), the default one where it names none."""
    wishes = []
    for place, part in enumerate(header[:_LONGEST_HEADER].split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            wishes.append((-float(weight or 1), place, tag.split("-")[0].strip().lower()))
        except ValueError:
            continue
    return next((code for weight, _, code in sorted(wishes) if code in served and weight < 0), served[0])
