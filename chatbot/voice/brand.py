"""The brand's voice as it is written in `brand.yml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from chatbot.voice.responses import VoiceError
from chatbot.voice.states import STATES
from chatbot.written import read_yaml

BRAND = Path(__file__).with_name("brand.yml")


@dataclass(frozen=True, slots=True)
class Brand:
    """How the assistant speaks; the comments of `brand.yml` say what each entry means."""

    persona: str
    formality: Literal["casual", "neutral", "formal"]
    emoji: Literal["none", "sparing"]
    exclamation_marks: int
    words_to_avoid: tuple[str, ...]
    casual_words: tuple[str, ...]
    longest_sentence: int
    longest_answer: int
    longest_when_impatient: int
    acknowledged: frozenset[str]
    acknowledge_with: str
    not_before: tuple[str, ...]
    apologies: tuple[str, ...]
    stretch: int
    distressed: frozenset[str]
    no_items_with: tuple[str, ...]
    no_replies: frozenset[str]
    address: str = ""
    """How people are addressed, where the language has several ways: German "Sie" or "du"."""

    def apologises(self, text: str) -> bool:
        """Whether the text has a word of apology."""
        return any(has_word(text, word) for word in self.apologies)

    def acknowledges(self, act: str, state: str) -> bool:
        """Whether the trouble of somebody in `state` is acknowledged before `act`."""
        return state in self.acknowledged and not act.startswith(self.not_before)

    def may_show_items(self, act: str, state: str, *, sells: bool = True) -> bool:
        """Whether products may come with `act`: nobody in distress, or to whom nothing is sold, is shown what they did not ask for."""
        return (sells and state not in self.distressed) or not act.startswith(self.no_items_with)

    def may_offer(self, reply: str, state: str, *, sells: bool = True) -> bool:
        """Whether a button that sends `reply` may be shown."""
        return (sells and state not in self.distressed) or reply not in self.no_replies


def has_word(text: str, word: str) -> bool:
    """Whether the text has the word, or phrase, whole."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def load_brand(*paths: Path, language: str = "en") -> Brand:
    """Return the brand of the files in a language, later ones over earlier ones; VoiceError says what is wrong."""
    written: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for path in paths:
        read = read_yaml(path) or {}
        if not isinstance(read, dict):
            raise VoiceError(f"{path}: names with their values are expected")
        _over(own, (read.pop("languages", None) or {}).get(language) or {})
        _over(written, read)
    _over(written, own)
    try:
        brand = _brand(written)
    except (KeyError, TypeError, AttributeError) as error:
        raise VoiceError(f"{paths[-1]}: {error!r} is missing, or of the wrong kind") from error
    unknown = (brand.acknowledged | brand.distressed) - STATES
    if unknown:
        raise VoiceError(f"{paths[-1]}: there is no state {', '.join(sorted(unknown))}")
    return brand


def _over(written: dict[str, Any], later: Mapping[str, Any]) -> None:
    for name, value in later.items():
        written[name] = {**written[name], **value} if isinstance(written.get(name), dict) else value


def _brand(written: Mapping[str, Any]) -> Brand:
    acknowledge, distressed = written["acknowledge"], written["distressed"]
    return Brand(
        persona=str(written["persona"]),
        formality=_one_of(written, "formality", ("casual", "neutral", "formal")),
        emoji=_one_of(written, "emoji", ("none", "sparing")),
        exclamation_marks=int(written["exclamation_marks"]),
        words_to_avoid=_words(written["words_to_avoid"]),
        casual_words=_words(written["casual_words"]),
        longest_sentence=int(written["longest_sentence"]),
        longest_answer=int(written["longest_answer"]),
        longest_when_impatient=int(written["longest_when_impatient"]),
        acknowledged=frozenset(acknowledge["states"]),
        acknowledge_with=str(acknowledge["with"]),
        not_before=_words(acknowledge["not_before"]),
        apologies=_words(written["apology"]["words"]),
        stretch=int(written["stretch"]),
        distressed=frozenset(distressed["states"]),
        no_items_with=_words(distressed["no_items_with"]),
        no_replies=frozenset(distressed["no_replies"]),
        address=str(written.get("address", "")),
    )


def _words(written: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(word) for word in written)


def _one_of(written: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> Any:
    if written[name] not in allowed:
        raise VoiceError(f"{name} is one of {', '.join(allowed)}, not {written[name]}")
    return written[name]
