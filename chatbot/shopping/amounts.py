"""Numbers in what people write: prices, limits, quantities and package sizes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NUMBERS = {word: number for number, word in enumerate(_ONES, 1)} | {
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "fifty": 50,
}
_TENS = {"ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}  # fmt: skip
_SPOKEN = rf"(?:{'|'.join(_ONES)})[ -](?:{'|'.join(sorted(_TENS, key=len, reverse=True))})(?:[ -](?:five|nine))?"  # "three fifty"
_NUMBER = rf"(?:{_SPOKEN}|\d+(?:[.,]\d{{1,2}})?(?!\d)|{'|'.join(NUMBERS)})"


def _money(name: str) -> str:
    """Return a pattern of an amount, whose number is the group `name`."""
    return (
        rf"(?:[$€£]\s*)?(?P<{name}>{_NUMBER})(?:\s*(?P<{name}_unit>cents?|ct\b))?"
        r"(?:\s*(?:dollars?|bucks?|euros?|eur\b|usd\b|gbp\b|pounds?|[$€£]))?"
    )


_NO_UNIT = r"(?!\s*(?:oz|ounces?|lbs?|g|kg|grams?|ml|cl|l|lit(?:er|re)s?|gal(?:lons?)?|pack|ct|count|pieces?|inch(?:es)?|cm|mm|people|persons?|kids?|min(?:ute)?s?|days?|years?|%|percent)\b)"
_BELOW = r"(?:under|below|less than|cheaper than|lower than|not (?:over|above|more than)|no more than|at most|max(?:imum)?(?: of)?|up to|within|beneath)"
_ABOVE = r"(?:over|above|more than|at least|min(?:imum)?(?: of)?|starting (?:at|from)|upwards of)"
_AROUND = r"(?:around|about|roughly|approximately|circa)"
_I = r"(?:i|we)(?:'ve|'d|'ll| have| had| would| can| could| will| won'?t)?"
_SPENDS = rf"(?:{_I}(?: only| just)?|(?:want|willing|ready|prepared) to) (?:pay|spend|afford)(?: only| just| about| more than| up to)*"
_HAS_ONLY = rf"(?:{_I}(?: only| just)? (?:have|got)|{_I} only)(?: only| just)*"
_CASH = r"(?=[$€£]|\S+(?:\s+\S+)?\s*(?:dollars?|bucks?|euros?|pounds|quid|cents?|[$€£])(?!\w))"
_LIMITS = (
    ("below", re.compile(rf"\b{_SPENDS}\s+{_money('high')}{_NO_UNIT}(?:\s+(?:at most|max(?:imum)?|tops))?", re.IGNORECASE)),
    ("below", re.compile(rf"\b{_HAS_ONLY}\s+{_CASH}{_money('high')}(?:\s+(?:on|with) (?:me|us))?", re.IGNORECASE)),
    ("between", re.compile(rf"\b(?:between|from)\s+{_money('low')}\s+(?:and|to)\s+{_money('high')}", re.IGNORECASE)),
    ("below", re.compile(rf"\b{_BELOW}\s+{_money('high')}{_NO_UNIT}", re.IGNORECASE)),
    ("above", re.compile(rf"\b{_ABOVE}\s+{_money('low')}{_NO_UNIT}", re.IGNORECASE)),
    ("around", re.compile(rf"\b{_AROUND}\s+{_money('mid')}{_NO_UNIT}", re.IGNORECASE)),
    ("or_less", re.compile(rf"{_money('high')}\s+(?:or (?:less|cheaper|under)|max(?:imum)?|tops|at most)\b", re.IGNORECASE)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """A price range in minor units, ends included; `rest` is the text without what said so."""

    above: int | None
    below: int | None
    rest: str


def number(text: str) -> float:
    """Return what a numeral or a number word says."""
    word = text.lower()
    if re.fullmatch(_SPOKEN, word):
        whole, tens, *ones = re.split(r"[ -]", word)
        return NUMBERS[whole] + (_TENS[tens] + sum(NUMBERS[one] for one in ones)) / 100
    return float(NUMBERS[word]) if word in NUMBERS else float(word.replace(",", "."))


def limits(text: str) -> Limits:
    """Return the price range that the text names, if any."""
    for kind, rule in _LIMITS:
        match = rule.search(text)
        if match is None:
            continue
        found = match.groupdict()

        def minor(name: str, found: dict[str, str | None] = found) -> int | None:
            value = found.get(name)
            if value is None:
                return None
            return round(number(value) * (1 if found.get(f"{name}_unit") else 100))

        low, high, middle = minor("low"), minor("high"), minor("mid")
        if kind == "around" and middle is not None:
            low, high = round(middle * 0.8), round(middle * 1.2)
        rest = " ".join((text[: match.start()] + " " + text[match.end() :]).split())
        return Limits(low, high, rest)
    return Limits(None, None, text)


_UNITS = {
    "g": ("amount", 1.0), "gram": ("amount", 1.0), "kg": ("amount", 1000.0), "oz": ("amount", 28.35), "ounce": ("amount", 28.35),
    "lb": ("amount", 453.6), "pound": ("amount", 453.6), "ml": ("amount", 1.0), "cl": ("amount", 10.0), "l": ("amount", 1000.0),
    "liter": ("amount", 1000.0), "litre": ("amount", 1000.0), "ltr": ("amount", 1000.0), "pt": ("amount", 473.0), "pint": ("amount", 473.0),
    "qt": ("amount", 946.0), "quart": ("amount", 946.0), "gal": ("amount", 3785.0), "gallon": ("amount", 3785.0), "ct": ("count", 1.0),
    "count": ("count", 1.0), "pk": ("count", 1.0), "pack": ("count", 1.0), "pc": ("count", 1.0), "piece": ("count", 1.0), "roll": ("count", 1.0),
    "dozen": ("count", 12.0), "doz": ("count", 12.0), "bag": ("count", 1.0), "tablet": ("count", 1.0),
    "cm": ("length", 1.0), "mm": ("length", 0.1), "inch": ("length", 2.54), "in": ("length", 2.54), "ft": ("length", 30.48),
}  # fmt: skip
_SIZE = re.compile(
    rf"(?P<n>\d+(?:[.,]\d+)?|{'|'.join(NUMBERS)}|half an?|half)[\s-]*(?P<fl>fl\.?\s*)?(?P<unit>[a-z]+)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Size:
    """So much of one dimension: "amount" (grams, or millilitres, which are taken for the same), "count" or "length"."""

    dimension: str
    value: float
    text: str

    def matches(self, other: Size | None) -> bool:
        """Whether both are the same, up to rounding between units."""
        return (
            other is not None
            and other.dimension == self.dimension
            and abs(other.value - self.value) <= 0.05 * self.value
        )


@lru_cache(maxsize=8192)  # a product's texts are asked with every search that finds it
def size(text: str) -> Size | None:
    """Return the first package size in the text ("12 oz", "a 6-pack", "1.5 l"); None without one."""
    for match in _SIZE.finditer(text):
        unit = match["unit"].lower()
        known = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s")) or _UNITS.get(unit.removesuffix("es"))
        if known is None:
            continue
        value = 0.5 if match["n"].lower().startswith("half") else number(match["n"])
        return Size(known[0], value * known[1], match.group().strip())
    return None


_RATING = re.compile(
    r"\b(?P<n>[1-5])(?:[.,]\d)?\s*(?:/\s*5|out of (?:5|five)|stars?|points?)|\b(?P<ten>10|[1-9])\s*(?:/\s*10|out of (?:10|ten))|\b(?P<word>one|two|three|four|five) stars?\b"
    r"|\brat(?:e|ing)\b.{0,30}?\b(?P<rate>[1-5])\b|^\W*(?P<bare>[1-5])\W*$",
    re.IGNORECASE,
)


def rating(text: str) -> int | None:
    """Return a rating from 1 to 5 that the text gives ("4 out of 5", "two stars", "8/10"); None where it gives none."""
    stars = text.count("⭐") or text.count("★")
    if stars:
        return min(stars, 5)
    match = _RATING.search(text)
    if match is None:
        return None
    if match["ten"]:
        return max(1, min(5, round(int(match["ten"]) / 2)))
    return int(number(match["n"] or match["word"] or match["rate"] or match["bare"]))


_FEW = {
    "a couple": 2,
    "a pair": 2,
    "a few": 3,
    "half a dozen": 6,
    "a dozen": 12,
    "another": 1,
    "one more": 1,
    "two more": 2,
}
_OF = re.compile(
    rf"\b(?<!first )(?<!last )(?P<n>\d{{1,6}}|{'|'.join(NUMBERS)})\s*(?:x\b|×|times\b|pieces?(?: of)?\b|units?(?: of)?\b|packs? of\b|packets? of\b|bottles?(?: of)?\b|cans?(?: of)?\b"
    r"|bags?(?: of)?\b|boxes(?: of)?\b|box(?: of)?\b|jars?(?: of)?\b|cartons?(?: of)?\b|more\b|of (?=(?:it|them|that|those|these|the|this|each)\b))",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    rf"\b(?:add|put|take|buy|order|get|want|need|remove|make it|have|i'?ll take|give me|only|just)\s+(?:me\s+|in\s+|out\s+|to\s+)?(?P<n>\d{{1,6}}|{'|'.join(NUMBERS)})\b"
    rf"(?!\s*(?:%|(?:percent|{'|'.join(sorted(_UNITS, key=len, reverse=True))})s?\b))",
    re.IGNORECASE,
)
_TIMES = re.compile(r"\b(?:x|×|times)\s*(?P<n>\d{1,3})\b", re.IGNORECASE)
_SET_TO = re.compile(
    rf"\b(?:make|set|change)\s+(?:the|my|it|that|them)\b[^\d]{{0,30}}?\s(?P<n>\d{{1,3}}|{'|'.join(NUMBERS)})\W*(?:please)?\W*$",
    re.IGNORECASE,
)
_FEW_RULE = re.compile(rf"\b({'|'.join(sorted(_FEW, key=len, reverse=True))})\b(?: of)?", re.IGNORECASE)


def quantity(text: str) -> tuple[int | None, str]:
    """Return how many pieces are meant, None when that is not said, and the text without it."""
    few = _FEW_RULE.search(text)
    if few is not None:
        return _FEW[few[1].lower()], _cut(text, few)
    for rule in (_OF, _TIMES, _BEFORE, _SET_TO):
        match = rule.search(text)
        if match is None:
            continue
        count = int(number(match["n"]))
        after = text[match.end() :].lstrip().lower()
        if rule is _BEFORE and match["n"].lower() == "one" and (not after or after.startswith("of")):
            return None, text  # "add one of these" points rather than counts
        start, end = match.span("n") if rule in {_BEFORE, _SET_TO} else match.span()
        if count > 0:
            return count, " ".join((text[:start] + " " + text[end:]).split())
    return None, text


def _cut(text: str, match: re.Match[str]) -> str:
    return " ".join((text[: match.start()] + " " + text[match.end() :]).split())
