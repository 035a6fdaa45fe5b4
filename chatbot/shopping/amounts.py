"""Numbers in what people write: prices, limits, quantities and package sizes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from chatbot.shopping.numbers import AMOUNT, GROUPED, WHOLE, WORD, number

_SIGN = r"(?:(?:us)?[$€£]|(?:usd|eur|gbp)(?=[\s\d]))"
_PENCE = r"(?:cents?|ct|pence|p|¢)(?!\w)"
_CURRENCY = r"(?:dollars?|bucks?|quid|euros?|eur|usd|gbp|pounds?(?!\s+of\b))(?!\w)|[$€£]"
_NOTES = {"tenner": 10, "fiver": 5, "dollar": 1, "buck": 1, "quid": 1, "euro": 1, "pound": 1, "couple": 2}
_NOTE = rf"(?:an?|one)\s+(?P<{{name}}_note>(?:{'|'.join(one for one in _NOTES if one != 'couple')})(?!\w)|couple (?=of (?:{_CURRENCY})|(?:{_CURRENCY})))(?:(?:of )?(?:dollars|bucks|quid|euros|pounds))?"


def _money(name: str) -> str:
    """Return a pattern of an amount, whose number is the group `name`; `_sign`, `_cents`, `_currency` and `_note` tell what says that it is money."""
    amount = (
        rf"(?P<{name}_sign>{_SIGN}\s*)?(?P<{name}>{AMOUNT})(?:\s*(?P<{name}_cents>{_PENCE}))?(?:\s*-?(?P<{name}_currency>{_CURRENCY}))?"
        rf"(?:\s+and\s+(?P<{name}_more>{WHOLE})\s*{_PENCE})?"
    )
    return rf"(?:{_NOTE.format(name=name)}|{amount})(?!\w)"


_BELOW = r"(?:under|below|less than|cheaper than|lower than|at most|max(?:imum)?(?: of)?|up to|within|beneath|(?:not )?(?:to )?exceed(?:ing)?|not (?:to )?(?:pass|go (?:over|above|past|beyond)))"
_ABOVE = (
    r"(?:over|above|more(?: expensive)? than|higher than|at least|min(?:imum)?(?: of)?|starting (?:at|from)|upwards of)"
)
_AROUND = r"(?<!how )(?<!what )(?:around|about|roughly|approximately|circa)"
_I = r"(?:i|we)(?:'ve|'d|'ll| have| had| would| can| could| will| won'?t)?"
_SPENDS = rf"(?:{_I}(?: only| just)?|(?:want|willing|ready|prepared|hoping|going) to) (?:pay|spend|afford)(?: only| just| about| more than| up to| around| under)*"
_HAS_ONLY = rf"(?:{_I}(?: only| just)? (?:have|got)|{_I} only)(?: only| just| about)*"
_BUDGET = r"(?:(?:within|on|in)\s+)?(?:(?:my|our|a|the|his|her)\s+)?(?:\w+\s+)?(?:budget|(?:price|spending|upper) limit|(?:my|our) (?:limit|max(?:imum)?))(?:\s*(?::|=)|'s|\s+(?:is|of|was|would be|will be|being))?(?:\s+(?:only|just|about|around|roughly|up to|under|like|maybe|max(?:imum)?|at most))*"
_TOPS = r"(?:\s+(?:at most|max(?:imum)?|tops))?"
_LIMITS = tuple(
    (kind, re.compile(rule, re.IGNORECASE))
    for kind, rule in (
        ("below", rf"\b{_BUDGET}\s+{_money('high')}{_TOPS}"),
        ("money", rf"{_money('high')}\s*-?budget\b"),
        ("below", rf"\b{_SPENDS}\s+{_money('high')}{_TOPS}"),
        ("money", rf"\b{_HAS_ONLY}\s+{_money('high')}(?:\s+(?:on|with) (?:me|us)|\s+to spend)?"),
        ("below", rf"\b{_HAS_ONLY}\s+{_money('high')}\s+to spend\b"),
        ("between", rf"\b(?:between|from)\s+{_money('low')}\s*(?:and|to|-|–)\s*{_money('high')}"),
        ("money", rf"(?<![\w-]){_money('low')}(?:\s+to\s+|(?<=[\d$€£])\s*[-–]\s*){_money('high')}"),
        ("below", rf"\b{_BELOW}\s+{_money('high')}{_TOPS}"),
        ("above", rf"\b{_ABOVE}\s+{_money('low')}(?:\s+or (?:more|above|over))?"),
        ("around", rf"\b{_AROUND}\s+{_money('mid')}"),
        ("below", rf"(?<![\w-]){_money('high')}\s+(?:or (?:less|cheaper|under|below)|max(?:imum)?|tops|at most)\b"),
        ("above", rf"(?<![\w-]){_money('low')}\s+(?:or (?:more|above|over)|and (?:up|above|over)|at least)\b"),
    )
)
_FLIPS = re.compile(r"(?:under|below|less|cheaper|lower|beneath|over|above|more|higher)\b", re.IGNORECASE)
_NEGATED = re.compile(
    r"(?:\b(?:not|no|never|nothing|none|neither|avoid|(?:do|does|did|is|are|was|should|must|can|could|would|wo|ca)n'?t|cannot)\b)"
    r"(?:\s+(?:want(?:ing|s)?|need|like|to|be|is|are|cost(?:s|ing)?|spend(?:ing)?|pay(?:ing)?|afford|go(?:ing)?|anything|something|any|one|ones|it|them|that|which|priced|much|really|for|looking|show|give|me|have))*\s*$",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(  # what stands behind a price that carries no sign of one; a noun there says what was counted instead
    r"\s*(?:$|[.,;:!?)\"…]|(?:please|pls|plz|thanks?|thank|thx|cheers|each|apiece|a ?piece|per|total|in total|in all|all in|altogether|max(?:imum)?|tops|at most|if|or so|or less|or under|or more|ish|for(?! ages?\b)|and|or(?! \d)|but"
    r"|with|without|on|then|now|that|which|instead|ideally|preferably|too|though|tho|mate|love|dear|anyway|in stock|do you|have you|is there|are there|what|any|can|could|show|give|because|since|as|so)(?!\w))",
    re.IGNORECASE,
)
_COUNTS = re.compile(  # what stands before a number that counts something else: ages, hours, guests, places in the list
    r"(?:\b(?:child(?:ren)?|kids?|toddlers?|bab(?:y|ies)|infants?|boys?|girls?|teens?|teenagers?|adults?|guests?|people|persons?|anyone|everyone|those|players?|age|ages|aged|sizes?|spf|factor|abv|calories|kcal|carbs"
    r"|rat(?:ed?|ing|ings)|scor(?:e|ed|es)|stars?|weigh(?:s|t|ing)?|serv(?:es|e|ing)|feeds?|seats?|sleeps?|holds?|lasts?|fits?|difference|differs?|compar(?:e|es|ing)|choose|choosing|decide|choice|pages?|numbers?|enough for|cooking for|party (?:of|for))"
    r"|\b(?:i|you|we|he|she|who|(?:my|our|her|his) \w+)(?:'m|'re|'s| am| are| is| must| have to| has to| need to| should| not)+(?: be)?)\s*(?:are |is |be |for |from )*$",
    re.IGNORECASE,
)
_TIMED = re.compile(
    r"\b(?:deliver\w*|arriv\w*|collect\w*|pick(?:ed|ing)? (?:it |them )?up|opens?|closes?|opened|closed|come by|drop by|be there|(?:at|be|am) home|slots?|appointment|what time|o'?clock)\b",
    re.IGNORECASE,
)
_OF_PLACES = re.compile(
    r"\b(?:which|what'?s|better|difference|differs?|compar\w+|prefer)\b(?!.*\b(?:costs?|priced|price)\b)", re.IGNORECASE
)
_OF_AGE = re.compile(
    r"(?:18|21)\b.*\b(?:buy|allowed|only|ages?|old|id|adults?)\b|\b(?:buy|allowed|only|ages?|old|id|adults?)\b.*\b(?:18|21)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """A price range in minor units, ends included; `rest` is the text without what said so."""

    above: int | None
    below: int | None
    rest: str


def limits(text: str) -> Limits:
    """Return the price range that the text names, if any."""
    found = _range(text)
    if found is None:
        return Limits(None, None, text)
    other = _range(found.rest) if found.above is None or found.below is None else None  # "over 2 and under 5 dollars"
    if (
        other is not None
        and (found.above is None) == (other.below is None)
        and (other.above is None) != (other.below is None)
    ):
        return Limits(
            other.above if found.above is None else found.above,
            other.below if found.below is None else found.below,
            other.rest,
        )
    return found


def _range(text: str) -> Limits | None:
    for kind, rule in _LIMITS:
        for match in rule.finditer(text):
            if not _is_price(kind, match, text):
                continue
            denied = _NEGATED.search(text[: match.start()])
            flips = kind in {"below", "above"} and _FLIPS.match(match.group())
            if denied and kind in {"between", "around"}:
                continue  # "not around 5" leaves all else
            low, high = _ends(kind, match)
            if denied and flips:
                low, high = high, low
            start = denied.start() if denied else match.start()
            return Limits(low, high, " ".join((text[:start] + " " + text[match.end() :]).split()))
    return None


def _is_price(kind: str, match: re.Match[str], text: str) -> bool:
    """Whether what is limited is a price: it carries a sign of one, or nothing says that something else is counted."""
    said = match.groupdict()
    if any(value and not name.endswith("more") and "_" in name for name, value in said.items()):
        return True
    before = text[: match.start()]
    if kind == "money" or not _FOLLOWS.match(text, match.end()) or _COUNTS.search(before):
        return False
    if kind == "between" and _OF_PLACES.search(text):  # "between 1 and 2, which is less per ounce?"
        return False
    timed = kind in {"between", "around"} or match.group().lower().startswith(("within", "over", "under"))
    return not (timed and _TIMED.search(before)) and not _OF_AGE.search(text)


def _ends(kind: str, match: re.Match[str]) -> tuple[int | None, int | None]:
    """Return the ends of a range in hundredths."""
    cents = match["high_cents"] if "high_cents" in match.re.groupindex else None

    def hundredths(name: str) -> int | None:
        if name not in match.re.groupindex:
            return None
        if (note := match[f"{name}_note"]) is not None:
            return _NOTES[note.strip().lower()] * 100
        if match[name] is None:
            return None
        shared = cents and not match[f"{name}_sign"] and not match[f"{name}_currency"]  # "between 50 and 80 cents"
        major = 1 if match[f"{name}_cents"] or shared else 100
        return round(number(match[name]) * major + (number(match[f"{name}_more"]) if match[f"{name}_more"] else 0))

    low, high, middle = hundredths("low"), hundredths("high"), hundredths("mid")
    if kind == "around" and middle is not None:
        return round(middle * 0.8), round(middle * 1.2)
    return low, high


_UNITS = {
    "g": ("amount", 1.0), "gram": ("amount", 1.0), "kg": ("amount", 1000.0), "oz": ("amount", 28.35), "ounce": ("amount", 28.35),
    "lb": ("amount", 453.6), "pound": ("amount", 453.6), "ml": ("amount", 1.0), "cl": ("amount", 10.0), "l": ("amount", 1000.0),
    "liter": ("amount", 1000.0), "litre": ("amount", 1000.0), "ltr": ("amount", 1000.0), "pt": ("amount", 473.0), "pint": ("amount", 473.0),
    "qt": ("amount", 946.0), "quart": ("amount", 946.0), "gal": ("amount", 3785.0), "gallon": ("amount", 3785.0), "ct": ("count", 1.0),
    "count": ("count", 1.0), "pk": ("count", 1.0), "pack": ("count", 1.0), "pc": ("count", 1.0), "piece": ("count", 1.0), "roll": ("count", 1.0),
    "dozen": ("count", 12.0), "doz": ("count", 12.0), "bag": ("count", 1.0), "tablet": ("count", 1.0),
    "cm": ("length", 1.0), "mm": ("length", 0.1), "inch": ("length", 2.54), "in": ("length", 2.54), "ft": ("length", 30.48),
}  # fmt: skip
_DECIMAL = re.compile(r"\d+\.\d+")  # "1.125 l" groups no thousands
_SIZE = re.compile(
    rf"(?P<n>{GROUPED}(?:\.\d+)?|\d+(?:[.,]\d+)?|\b{WORD}|\bsix(?=pack)|half an?|half)[\s-]*(?P<fl>fl\.?\s*)?(?P<unit>[a-z]+)\b",
    re.IGNORECASE,
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
        said = match["n"].lower()
        value = 0.5 if said.startswith("half") else float(said) if _DECIMAL.fullmatch(said) else number(said)
        return Size(known[0], value * known[1], match.group().strip())
    return None


_SCORE = rf"(?P<{{name}}>(?:(?<![\w-])[-−]\s*|\b(?:minus|negative) )?(?:\d{{{{1,3}}}}(?:[.,]\d)?|zero|half|{WORD}))"
_RATING = tuple(
    re.compile(rule, re.IGNORECASE)
    for rule in (
        rf"(?<![\d.,/]){_SCORE.format(name='n')}\s*(?:stars?\s*)?(?:/|out of|of)\s*(?P<of>5|five|10|ten|100)\b",
        rf"(?<![\d.,]){_SCORE.format(name='n')}\s*-?(?:stars?|points?)\b",
        r"\b(?P<n>no|not (?:a|one|even (?:a|one))(?: single)?) stars?\b",
        r"\brat(?:e|ing)\b.{0,30}?\b(?P<n>[0-5]|zero|one|two|three|four|five)\b(?![.,]?\d)",
        r"^\W*?(?P<n>(?:[-−]|minus |negative )?[0-5]|[-−]\d{1,3}|zero)\W*$",
    )
)


def rating(text: str) -> int | None:
    """Return a rating from 1 to 5 that the text gives ("4 out of 5", "two stars", "8/10"); None where it gives none.

    Less than the lowest is the lowest: nobody who gives no star at all is asked again.
    """
    stars = text.count("⭐") or text.count("★")
    if stars:
        return min(stars, 5)
    match = next((match for rule in _RATING if (match := rule.search(text))), None)
    if match is None:
        return None
    best = number(match["of"]) if "of" in match.re.groupindex else 5.0
    said = match["n"].lower()
    if said.startswith(("-", "−", "minus", "negative", "no", "half")):
        return 1
    return max(1, min(5, int(number(said) * 5 / best + (0.5 if best > 5 else 0))))


_FEW = {"a couple": 2, "a pair": 2, "a few": 3, "another": 1, "one more": 1, "two more": 2}
_DOZENS = re.compile(rf"\b(?P<n>half a|an?|another|{WHOLE})\s+dozens?\b(?: of)?", re.IGNORECASE)
_OF = re.compile(
    rf"\b(?<!first )(?<!last )(?P<n>{WHOLE})\s*(?:x\b|×|times\b|pieces?(?: of)?\b|units?(?: of)?\b|packs? of\b|packets? of\b|bottles?(?: of)?\b|cans?(?: of)?\b"
    r"|bags?(?: of)?\b|boxes(?: of)?\b|box(?: of)?\b|jars?(?: of)?\b|cartons?(?: of)?\b|more\b|of (?=(?:it|them|that|those|these|the|this|each|numbers?|no\.?|items?)\b))",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    rf"\b(?:add|put|take|buy|order|get|want|need|remove|make it|have|i'?ll take|give me|only|just)\s+(?:me\s+|in\s+|out\s+|to\s+)?(?P<n>{WHOLE})\b"
    rf"(?![\s-]*(?:%|(?:percent|{'|'.join(sorted(_UNITS, key=len, reverse=True))})s?\b))",
    re.IGNORECASE,
)
_TOLD = re.compile(rf"[\s,;]*\bquantity\s*(?:of\s+|[:=]\s*)?(?P<n>{WHOLE})\b", re.IGNORECASE)
_TIMES = re.compile(r"\b(?:x|×|times)\s*(?P<n>\d{1,3})\b", re.IGNORECASE)
_TWICE = re.compile(r"\b(?P<n>twice|thrice)\b(?!\s+(?:as|a|the|per)\b)", re.IGNORECASE)
_SET_TO = re.compile(
    rf"\b(?:make|set|change)\s+(?:the|my|it|that|them)\b[^\d]{{0,30}}?\s(?P<n>{WHOLE})\W*(?:please)?\W*$",
    re.IGNORECASE,
)
_FEW_RULE = re.compile(rf"\b({'|'.join(sorted(_FEW, key=len, reverse=True))})\b(?: of)?", re.IGNORECASE)


def quantity(text: str) -> tuple[int | None, str]:
    """Return how many pieces are meant, None when that is not said, and the text without it."""
    if (dozens := _DOZENS.search(text)) is not None:
        said = dozens["n"].lower()
        many = 0.5 if said == "half a" else 1 if said in {"a", "an", "another"} else number(said)
        return int(12 * many), _cut(text, dozens)
    few = _FEW_RULE.search(text)
    if few is not None:
        return _FEW[few[1].lower()], _cut(text, few)
    if (twice := _TWICE.search(text)) is not None:
        return {"twice": 2, "thrice": 3}[twice["n"].lower()], _cut(text, twice)
    for rule in (_TOLD, _TIMES, _OF, _BEFORE, _SET_TO):
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
