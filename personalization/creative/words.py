"""What a creative says: texts from a grammar of messages, filled from facts, and a checker that lets no claim through that they do not support."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from personalization.creative.brand import BrandKit
from personalization.creative.claims import unsupported
from personalization.creative.errors import CreativeError
from personalization.creative.space import PLAIN, TEXTS, WRITTEN
from personalization.creative.typography import without_unknown

_COPY = Path(__file__).parent / "copy"
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of a product and an offer, as it is to be read: prices with their currency, a date in words. "" for what is not known.

    `rating` is of 5; `stock` whether it is on the shelf; `food` whether it is eaten or drunk.
    """

    name: str
    price: str = ""
    was: str = ""
    saving: str = ""
    until: str = ""
    percent: str = ""
    rating: str = ""
    category: str = ""
    brand: str = ""
    stock: bool = False
    food: bool = False

    def has(self, fact: str) -> bool:
        """Whether a fact is known."""
        return bool(getattr(self, fact))


@dataclass(frozen=True, slots=True)
class Message:
    """A filled text; `action` is what the shopper is asked to do, `goal` and `tone` what for and how, `key` the same in every language and for all facts."""

    kicker: str
    headline: str
    line: str
    action: str
    goal: str
    tone: str
    origin: str = "grammar"
    key: str = PLAIN


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Return the languages that there is a file for."""
    return tuple(sorted(path.stem for path in _COPY.glob("*.yml")))


def messages(facts: Facts, brand: BrandKit, language: str = "en", *, affect: str = "neutral") -> list[Message]:
    """Return every text that the facts support, that the brand says, and that is fit for the mood; the plainest first. Never empty.

    Raises CreativeError for an unknown language, a name that nothing can set, or one that the brand forbids.
    """
    if language not in languages():
        raise CreativeError("no-language", f"There are no texts in {language!r}; there are {', '.join(languages())}.")
    name = without_unknown(facts.name)
    if not name or len(name) > LONGEST_NAME:
        raise CreativeError("bad-name", f"A product's name has 1 to {LONGEST_NAME} characters; this has {len(name)}.")
    told = _copy(language)
    values = {"name": name, "retailer": brand.retailer} | {fact: without_unknown(getattr(facts, fact)) for fact in
              ("price", "was", "saving", "until", "percent", "rating", "category", "brand")}  # fmt: skip
    found: list[Message] = []
    for text in told["texts"]:
        if not _fits(text, facts, brand, affect):
            continue
        actions = _actions(facts, language)
        kicker, headline, line = (text[part].format(**values) for part in ("kicker", "headline", "line"))
        action = actions[TEXTS.index(text["key"]) % len(actions)]
        filled = Message(kicker, headline, line, action, text["goal"], text["tone"], key=text["key"])
        if rejected(filled, facts, brand) is None:
            found.append(filled)
    if facts.has("saving") and (offers := [one for one in found if one.goal == "reward"]):
        return offers  # who shows a coupon says what it gives
    return found or [_plain(facts, brand, language)]


def by_key(texts: Sequence[Message]) -> dict[str, Message]:
    """Return texts by their keys."""
    return {one.key: one for one in texts}


def approved(key: str, texts: Sequence[Message], facts: Facts, brand: BrandKit, language: str = "en") -> Message:
    """Return the text of this key where it is one of the `texts` that fit, else the plain one; no other text takes its place.

    With a coupon the plain one says what it gives. Raises CreativeError for a name that the brand forbids.
    """
    if (found := by_key(texts).get(key)) is not None:
        return found
    offers = [one for one in texts if facts.has("saving") and one.goal == "reward"]
    return next((one for one in offers if one.key == "coupon"), offers[0] if offers else _plain(facts, brand, language))


def _plain(facts: Facts, brand: BrandKit, language: str) -> Message:
    """Return the name and what to do. Raises CreativeError where the brand forbids the name."""
    name = without_unknown(facts.name)
    filled = Message("", name, "", _actions(replace(facts, saving=""), language)[0], "introduce", "plain")
    if rejected(filled, facts, brand) is not None:
        filled = replace(filled, action="")
    if (why := rejected(filled, facts, brand)) is not None:
        raise CreativeError("forbidden", why)
    return filled


def _actions(facts: Facts, language: str) -> Sequence[str]:
    """Return what a shopper may be asked to do: with a coupon to use it, and to find only what is there."""
    found: Sequence[str] = _copy(language)["actions"][
        "coupon" if facts.has("saving") else "look" if facts.stock else "away"
    ]
    return found


def _fits(text: dict[str, Any], facts: Facts, brand: BrandKit, affect: str) -> bool:
    named = {name for part in ("kicker", "headline", "line") for name in re.findall(r"{(\w+)}", text[part])} - {
        "name",
        "retailer",
    }
    return (
        all(facts.has(fact) for fact in {*named, *text.get("needs", ())})
        and affect not in text.get("not_when", ())
        and text["tone"] in tones_of(brand)
        and (facts.food or not text.get("food"))
        and (len(facts.name) <= 24 or not text.get("short"))
    )


@lru_cache(maxsize=16)
def _copy(language: str) -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((_COPY / f"{language}.yml").read_text(encoding="utf-8"))
    return told


def rejected(message: Message, facts: Facts, brand: BrandKit) -> str | None:
    """Return why a text may not be used, None when the brand says it and every claim in it is supported."""
    text = " ".join((message.kicker, message.headline, message.line, message.action))
    if (word := brand.said_amiss(text)) is not None:
        return f"The brand does not say {word!r}."
    if (why := unsupported(text, facts, brand.retailer)) is not None:
        return why
    if text.count("!") > 1:
        return "One exclamation mark at most."
    return None


def until_words(day: date, language: str = "en") -> str:
    """Return a day as it is read: 3 Dec, 3.12., 3/12."""
    if language == "en":
        return f"{day.day} {day:%b}"
    return f"{day.day}.{day.month}." if language == "de" else f"{day.day}/{day.month}"


def legal_lines(facts: Facts, brand: BrandKit, language: str = "en") -> str:
    """Return the small print, wherever a price or a coupon is shown: the brand's own line and the coupon's end."""
    parts = []
    if facts.has("saving") and facts.has("until"):
        parts.append(
            {"de": f"Gutschein gültig bis {facts.until}.", "ar": f"القسيمة صالحة حتى {facts.until}."}.get(
                language, f"Coupon valid until {facts.until}."
            )
        )
    if (facts.has("price") or facts.has("saving")) and brand.legal:
        parts.append(brand.legal)
    return " ".join(parts)


def tones_of(brand: BrandKit) -> Sequence[str]:
    """Return the tones that the brand speaks in, its first one first; plain is always one."""
    return tuple(dict.fromkeys((*brand.tones, "plain")))


MOST_OF_MODEL = {"kicker": 32, "headline": 72, "line": 90, "action": 24}
"""Longest texts that are taken of a language model, in characters: what is longer is no headline."""
_ADDRESS = re.compile(r"https?:|www\.|\w@\w|\w\.(?:com|org|net|de|eu)\b", re.IGNORECASE)


def of_model(drafts: Sequence[Mapping[str, Any]], facts: Facts, brand: BrandKit) -> list[Message]:
    """Return what is left of a language model's drafts after the checks: supported, short, without addresses, in the brand's tones, and about this product."""
    found: list[Message] = []
    known: set[str] = set()
    for draft in drafts:
        try:
            texts = {part: without_unknown(str(draft.get(part) or "")).strip() for part in MOST_OF_MODEL}
        except CreativeError:
            continue
        key = WRITTEN[len(found)]
        tone = str(draft.get("tone") or tones_of(brand)[0])  # who names none was asked for these
        message = Message(**texts, goal="introduce", tone=tone, origin="language model", key=key)
        said = " ".join(texts.values())
        short = all(len(text) <= MOST_OF_MODEL[part] for part, text in texts.items())
        about = facts.name.lower() in f"{message.kicker} {message.headline} {message.line}".lower()
        fits = (
            bool(message.headline and message.action)
            and tone in tones_of(brand)
            and short
            and about
            and not _ADDRESS.search(said)
        )
        if fits and rejected(message, facts, brand) is None and said not in known:
            known.add(said)
            found.append(message)
        if len(found) == len(WRITTEN):
            break
    return found
