"""What is known by its form: numbers of orders, addresses, money, places in a list, sizes, amounts and names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from chatbot.entities.types import Entity
from personalization.ranking.text import ruled_out_by

_I = re.IGNORECASE
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", _I)
_ORDER = re.compile(r"#\s?[A-Z]{0,4}-?\d{3,}[\dA-Z-]*|\b[A-Z]{1,4}-?\d{4,}\b|\b(?:\d{6,}|\d{3,}-\d{3,}(?:-\d+)*)\b", _I)
_ORDER_SAID = re.compile(
    r"\b(?:order|bestellung|bestellnummer|auftrag|purchase|receipt|return|parcel|tracking)\s*"
    r"(?:(?:number|no|nr|num|nummer|id|code)\b)?[.:]?\s*(?:(?:is|was|ist|lautet)\b|:)?\s*#?\s?(?P<it>[A-Z]{0,4}-?\d[\dA-Z-]*)\b",
    _I,
)
_PHONE = re.compile(
    r"(?<![\w#])(?:\+\d{1,3}[\s-]?)?(?:\(\d{2,4}\)[\s-]?|\d{3,4}[\s-])\d{3,4}[\s-]?\d{3,5}\b|\+\d[\d\s-]{8,}\d"
)
_POSTCODE_SAID = re.compile(
    r"\b(?:zip|post ?code|postal code|plz|postleitzahl)(?: ?code)?\b[\s:]*(?:is|ist|:)?\s*(?P<it>[A-Z\d]{2,4}[ -]?[A-Z\d]{2,4}|\d{4,6})\b",
    _I,
)
_POSTCODE = re.compile(
    r"(?<![\w#$€£.,-])(?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]\d[A-Z] \d[A-Z]\d)(?![\w.,-]*\d)", _I
)

_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "dozen": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100,
    "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "zehn": 10, "zwanzig": 20, "fünfzig": 50, "hundert": 100,
}  # fmt: skip
_NUMBER = rf"(?:\d+(?:[.,]\d{{1,2}})?|{'|'.join(_NUMBERS)})"
_CURRENCY = {"$": "USD", "€": "EUR", "£": "GBP", "dollar": "USD", "buck": "USD", "usd": "USD", "euro": "EUR", "eur": "EUR", "pound": "GBP",
             "quid": "GBP", "gbp": "GBP", "cent": "", "franc": "CHF", "chf": "CHF", "franken": "CHF"}  # fmt: skip
_SIGN = r"[$€£]"
_MONEY = rf"(?:(?P<sign>{_SIGN})\s?)?(?P<amount>{_NUMBER})\s?(?P<unit>[$€£]|(?:dollars?|bucks?|usd|euros?|eur|pounds?|quid|gbp|francs?|franken|chf)\b)?"
_MOST = (
    r"(?:under|below|less than|not more than|no more than|at most|up to|max(?:imum)?(?: of)?|cheaper than|not over|within|for less than|"
    r"(?:my )?(?:budget|limit)(?: is| of|:)?|unter|bis(?: zu)?|höchstens|maximal|weniger als|billiger als|günstiger als|nicht mehr als)"
)
_LEAST = r"(?:over|above|more than|at least|min(?:imum)?(?: of)?|starting (?:at|from)|from|über|mindestens|mehr als|ab)"
_BETWEEN = re.compile(
    rf"\b(?:between|from|zwischen|von)\s+{_SIGN}?\s?(?P<low>{_NUMBER})\s?(?:[$€£]|\w+)?\s*(?:and|to|und|bis|-|–)\s*{_MONEY}",
    _I,
)
_AT_MOST = re.compile(rf"\b{_MOST}\s+{_MONEY}", _I)
_AT_LEAST = re.compile(rf"\b{_LEAST}\s+{_MONEY}", _I)
_OR_LESS = re.compile(rf"{_MONEY}\s+(?P<how>or (?:less|under|cheaper|below)|max(?:imum)?\b|tops\b|oder weniger)", _I)
_NOT_MONEY = re.compile(
    r"\s*(?:%|percent|prozent|min|hour|day|week|year|month|star|inch|cm|mm|ml|kg|g\b|gb|tb|lb|oz|pack|piece|item|stück|tag|uhr|o'?clock|am\b|pm\b|kcal|cal|step|mile|km|people|person|in\b)",
    _I,
)

_PLACES = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "fifth": 5, "5th": 5, "sixth": 6, "6th": 6,
    "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "last": -1, "erste": 1, "zweite": 2, "dritte": 3, "vierte": 4, "fünfte": 5, "letzte": -1,
}  # fmt: skip
_PLACE = "|".join(_PLACES)
_ORDINAL = re.compile(
    rf"\b(?:(?:the|that|this|your|das|die|der|den|dem) )?(?:very )?(?P<place>{_PLACE})[nrms]?\b"
    rf"(?! (?:time|week|month|year|night|order|purchase|visit|one's|day|thing|of all|name|class|floor|woche|mal|bestellung|hand|minute|try|chance))(?: (?:one|option|item|product|suggestion|choice|result|link))?",
    _I,
)
_OPTION = re.compile(
    rf"\b(?:option|number|no\.?|nr\.?|item|choice|nummer)\s*(?P<n>\d{{1,2}}|{'|'.join(_NUMBERS)})\b(?![.,]?\d)|(?<![\w])#(?P<m>\d{{1,2}})\b(?![\w-])",
    _I,
)
_LETTER_SIZES = {
    "small": "S",
    "medium": "M",
    "large": "L",
    "x-large": "XL",
    "extra large": "XL",
    "xlarge": "XL",
    "extra small": "XS",
    "xxl": "XXL",
}
_SIZE = re.compile(
    r"\b(?:(?:in |a |an )?(?:size|größe|gr\.)\s*(?:is |of |in )?(?P<said>\d{1,2}(?:[.,]5)?(?:\s?½)?|[XSML]{1,4}|\d?XL|extra (?:small|large)|small|medium|large)|"
    r"(?P<bare>XXS|XS|XXL|XXXL|[2-5]XL|XL|x-large|xlarge|extra (?:small|large))|in (?:a |an )?(?P<letter>S|M|L|small|medium|large))\b",
    _I,
)
_MEASURE = re.compile(
    r"(?<![\w.])(?P<n>\d+(?:[.,]\d+)?)[\s-]?(?P<unit>ml|cl|l|liters?|litres?|liter|oz|ounces?|fl oz|lbs?|pounds?|kg|g|grams?|gallons?|gal|quarts?|pints?|"
    r"mm|cm|m|inch(?:es)?|in|ft|feet|foot|gb|tb|mb|mah|w|watts?|mp|megapixels?|k|ghz|ct|count)\b(?!\s?(?:from|of us))",
    _I,
)
_QUANTITY = re.compile(
    rf"\b(?P<n>\d{{1,3}}|{'|'.join(_NUMBERS)}|a couple|a dozen|half a dozen|a pair)\s?(?:x\b|×)?\s?"
    r"(?:of (?:them|those|these|each)|(?:more )?(?:packs?|packets?|bottles?|boxes|box|bags?|cans?|cartons?|jars?|pieces?|units?|tins?|tubs?|loaves|pairs?|items?|copies|sets?)\b(?: of)?|of\b|x\b)|\b(?P<times>\d{1,3})\s?[x×]\b|\b[x×]\s?(?P<after>\d{1,3})\b",
    _I,
)
_NAME_WORD = r"[^\W\d_]+(?:['’-][^\W\d_]+)*"
_NAME_SAID = re.compile(
    rf"\b(?:my (?:full )?name(?:'s| is)|name\s?(?:is|:)|it(?:'s| is) under(?: the name)?|under the name(?: of)?|in the name of|(?:first|last|full) name\s?(?:is|:)|"
    rf"mein name ist|ich hei(?:ß|ss)e|auf den namen)\s+(?P<it>{_NAME_WORD}(?:\s+(?!and\b|und\b|my\b|the\b|from\b|i\b|at\b|zip\b){_NAME_WORD}){{0,2}})",
    _I,
)
_NAME_INTRODUCED = re.compile(
    r"\b(?:[Ii]['’]?m|[Ii] am|[Tt]his is|[Ii]t['’]?s|[Ii]ch bin)\s+(?P<it>(?:[A-ZÄÖÜ][^\W\d_]+[ '’-]?){2,3})"
)
_NAME_ALONE = re.compile(
    r"^\W*(?P<it>[A-ZÄÖÜ][^\W\d_]+(?:['’-][A-Z][^\W\d_]+)?(?:\s+[A-ZÄÖÜ][^\W\d_]+(?:['’-][^\W\d_]+)?){1,2})(?=\W*$|\s*,)"
)


def number(text: str) -> str:
    """Return a number that was written or spelled, as digits with a point."""
    return str(_NUMBERS.get(text.lower(), text)).replace(",", ".")


def _money(match: re.Match[str], kind: str, text: str) -> Iterator[Entity]:
    named = match["sign"] or match["unit"]
    if not named and (_NOT_MONEY.match(text, match.end()) or match["amount"].lower() == "one"):
        return
    currency = next((code for word, code in _CURRENCY.items() if named and named.lower().startswith(word)), "") or None
    value = f"{float(number(match['amount'])):.2f}"
    yield Entity(kind, value, match.start(), match.end(), 1.0 if named else 0.8, currency)  # type: ignore[arg-type]


def money(text: str) -> Iterator[Entity]:
    """Find limits of price: "under 5 dollars", "between 10 and 20", "30 euros max"."""
    for match in _BETWEEN.finditer(text):
        if match["unit"] or match["sign"] or not _NOT_MONEY.match(text, match.end()):
            low = f"{float(number(match['low'])):.2f}"
            yield Entity("money_min", low, match.start(), match.end(), 0.95)
            yield from _money(match, "money_max", text)
            return
    for pattern, kind in ((_AT_MOST, "money_max"), (_OR_LESS, "money_max"), (_AT_LEAST, "money_min")):
        for match in pattern.finditer(text):
            yield from _money(match, kind, text)


def order_numbers(text: str) -> Iterator[Entity]:
    """Find numbers of orders, those that are called so first."""
    for match in _ORDER_SAID.finditer(text):
        value = match["it"].upper().lstrip("#").strip()
        if sum(letter.isdigit() for letter in value) >= 3:
            yield Entity("order_number", value, match.start("it"), match.end("it"))
    for match in _ORDER.finditer(text):
        value = re.sub(r"[#\s]", "", match[0]).upper()
        yield Entity(
            "order_number", value, match.start(), match.end(), 0.95 if not value.isdigit() or "#" in match[0] else 0.7
        )


def contacts(text: str) -> Iterator[Entity]:
    """Find e-mail addresses, telephone numbers, and postcodes that are called so."""
    for match in _EMAIL.finditer(text):
        yield Entity("email", match[0].lower().rstrip("."), match.start(), match.start() + len(match[0].rstrip(".")))
    for match in _POSTCODE_SAID.finditer(text):
        if any(letter.isdigit() for letter in match["it"]):
            yield Entity("postcode", match["it"].upper(), match.start("it"), match.end("it"))
    for match in _PHONE.finditer(text):
        yield Entity("phone", re.sub(r"[^\d+]", "", match[0]), match.start(), match.end(), 0.8)


def postcodes(text: str) -> Iterator[Entity]:
    """Find what looks like a postcode."""
    for match in _POSTCODE.finditer(text):
        yield Entity("postcode", match[0].upper(), match.start(), match.end(), 0.8)


def places(text: str) -> Iterator[Entity]:
    """Find places in a list: "the second one", "option 3", "#2", "the last"."""
    for match in _OPTION.finditer(text):
        yield Entity("ordinal", number(match["n"] or match["m"]), match.start(), match.end())
    for match in _ORDINAL.finditer(text):
        yield Entity("ordinal", str(_PLACES[match["place"].lower()]), match.start(), match.end(), 0.9)


def sizes(text: str) -> Iterator[Entity]:
    """Find sizes of clothes and shoes, measures with a unit, and how many are wanted."""
    for match in _SIZE.finditer(text):
        said = next(filter(None, match.groups())).lower().replace(",", ".")
        yield Entity(
            "size", _LETTER_SIZES.get(said, said.upper()), match.start(), match.end(), 1.0 if match["said"] else 0.85
        )
    for match in _MEASURE.finditer(text):
        yield Entity(
            "measure", f"{match['n'].replace(',', '.')} {match['unit'].lower()}", match.start(), match.end(), 0.9
        )
    for match in _QUANTITY.finditer(text):
        said = (match["n"] or match["times"] or match["after"]).lower()
        value = {"a couple": "2", "a pair": "1", "a dozen": "12", "half a dozen": "6"}.get(said) or number(said)
        yield Entity("quantity", value, match.start(), match.end(), 0.9)


def people(text: str) -> Iterator[Entity]:
    """Find the name of who writes: said as one, or two words in capitals that are the whole message."""
    for pattern, confidence in ((_NAME_SAID, 1.0), (_NAME_INTRODUCED, 0.85), (_NAME_ALONE, 0.6)):
        for match in pattern.finditer(text):
            value = match["it"].strip()
            name = " ".join(part if part != part.lower() else part.title() for part in value.split())
            yield Entity("name", name, match.start("it"), match.start("it") + len(value), confidence)


def exclusions(text: str) -> Iterator[Entity]:
    """Find what is ruled out: "without nuts", "gluten-free", "allergic to milk and eggs"."""
    low = text.lower().replace("’", "'")
    for said in ruled_out_by(text):
        start = low.find(said)
        for part in re.split(r",| and | or | nor ", said):
            if value := part.strip():
                at = low.find(value, max(start, 0))
                yield Entity("exclusion", value, at, at + len(value))


FORMS: tuple[Callable[[str], Iterator[Entity]], ...] = (
    contacts,
    order_numbers,
    postcodes,
    money,
    exclusions,
    places,
    sizes,
    people,
)
"""Finders in order: what an earlier one found, a later one does not find again."""
