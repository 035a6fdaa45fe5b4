"""Which of the shown products is meant: "the second one", "the cheaper one", "both", "that cheese", "it"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chatbot.shopping.amounts import size
from personalization.ranking.text import words
from personalization.types import Product

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ORDINAL = re.compile(
    rf"\b(?:(?P<word>{'|'.join(_ORDINALS)})|(?P<n>\d{{1,2}})(?:st|nd|rd|th))\b(?!\s+(?:time|ones?\s+again))"
)
_N = r"(?:\d{1,2}|one|two|three|four|five)"
_NUMBERED = re.compile(
    rf"(?:\b(?:numbers?|no\.?|nr\.?|options?|items?|products?|results?)\s*|#){_N}\b(?:\s*(?:,|and|or|&|with|to|vs\.?|versus)\s*(?:number\s*|#)?{_N}\b)*"
)
_BARE = re.compile(rf"^\W*(?:the\s+)?{_N}(?:\s*(?:please|pls|thanks?))?\W*$")
_AGAINST = re.compile(
    rf"\b(?:between|compare)\s+(?P<pair>{_N}\s*(?:,|and|or|&|with|to|vs\.?|versus)\s*{_N})\b(?!\s*(?:%|\$|€|dollars?|euros?|bucks))"
)
_BARE_FEW = re.compile(rf"^\W*{_N}(?:\s*(?:,|and|or|&|vs\.?|versus)\s*{_N}\b)+")
_A_NUMBER = re.compile(rf"\b{_N}\b")
_FIRST_FEW = re.compile(r"\b(?P<end>first|last)\s+(?P<n>two|three|four|five|[2-9])\b(?!\s+again)")
_LIST = re.compile(
    r"\b(?:both|all(?: (?:of )?(?:them|these|those|three|four|five|two))?|everything|each of (?:them|these)|the (?:two|three|four|five))\b"
)
_LAST = re.compile(
    r"\b(?:the )?(?P<before>second[ -](?:to[ -]|from the )?|next to |penultimate\b)?(?:(?<=penultimate)|last|bottom)(?P<after> but one\b)?(?: one)?\b(?! (?:time|order|week|month|year|purchase))"
)
_MEASURE = r"(?P<measure>cheap(?:est|er)|least expensive|less expensive|lowest[ -]priced?|most expensive|more expensive|dear(?:est|er)|prici(?:est|er)|bigg(?:est|er)|larg(?:est|er)|small(?:est|er))"
_RANKED = re.compile(rf"\b(?P<rank>{'|'.join(_ORDINALS)}|\d(?:st|nd|rd|th))[ -]{_MEASURE}")
_FEW_BY_MEASURE = re.compile(
    rf"\b(?:(?P<n>two|three|four|[2-4]) {_MEASURE}|{_MEASURE.replace('measure', 'first')} (?P<m>two|three|four|[2-4]))\b"
)
_AMONG = re.compile(
    rf"\b{_MEASURE}(?: one)?,? (?:of|among|out of|from|between) (?:the |those |these )?(?P<of>(?:two|three|four|lot|bunch|them|these|those)\b|(?:(?:first|last) (?:two|three|four|five|[2-9])|.*\b(?:{'|'.join(_ORDINALS)}|last|number|and)\b).*)"
)
_EXCLUDES = re.compile(
    r"(?:\b(?:(?<!why )(?<!or )not|neither|none of|but not|and not|rather than|instead of|except(?: for)?|excluding|other than|apart from|besides|aside from|(?:all|any|anything|any one|everything|every one|each|both|either|whichever|them|ones?) but)|n't (?:want|like|need|take|mean|fancy))\s+"
    r"(?P<what>(?:(?:for|with)\s+)?(?:the|those|these|number|no\.?|#|that one|this one|(?:this|that|it|them)(?=\W*$)|\d)[^,.;!?]*?)(?=[,.;!?]|\bbut\b|$)"
)
_TOP = re.compile(
    r"\b(?:top (?:ones?|items?|products?|of the list)|topmost|(?:ones?|thing|item|product|whatever(?:'?s| is)|what(?:'?s| is)) (?:right |up )?(?:on|at)(?: the)? top(?! of\b))\b"
)
_BESIDE = re.compile(
    r"\bone (?:right |just |directly |straight )?(?P<side>above|over|before|below|under|beneath|after) (?:it|that|this)(?: one)?\b"
)
_UP = frozenset(("above", "over", "before"))
_MIDDLE = re.compile(r"\bmiddle\b")
CHEAPER = re.compile(
    r"\b(?:costs? (?:the )?(?:less|least)|less money|cheapest|cheaper|least expensive|less expensive|lowest priced?)\b"
)
_DEAR = re.compile(r"\b(?:most expensive|more expensive|dearest|priciest|pricier)\b")
_BIG = re.compile(r"\b(?:biggest|bigger|largest|larger)\b")
_SMALL = re.compile(r"\b(?:smallest|smaller)\b")
_OTHER = re.compile(r"\bthe other(?: one)?\b")
_IT = re.compile(r"\b(?:it|this|that|this one|that one|these|those|them|they|one)\b")
_SMALL_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_NOT_NAMING = frozenset(
    words(
        "add put basket cart take out remove price cost size compare first second third one more less cheaper another other same again"
    )
)


def points(text: str) -> bool:
    """Whether a text points at something: a place in a list, or a pronoun."""
    low = text.lower()
    return bool(_by_place(low, 10)) or bool(_IT.search(low)) or bool(CHEAPER.search(low))


def places(text: str) -> bool:
    """Whether a text points at one of several by its place or its measure: "the second", "the cheaper one"."""
    low = text.lower()
    return bool(_by_place(low, 10)) or any(rule.search(low) for rule in (CHEAPER, _DEAR, _BIG, _SMALL, _BESIDE))


def one_place(text: str) -> bool:
    """Whether a text names one place of a list, and no more."""
    return len(_by_place(text.lower(), 10)) == 1


def resolve(text: str, shown: Sequence[Product], focus: str | None = None) -> list[int]:
    """Return the positions in `shown` that the text points at, in the order of the text; none when it points at nothing.

    Several for one thing said ("that cheese", where three cheeses are shown) means that it is not clear which.
    """
    low = text.lower().replace("’", "'")
    if not shown:
        return []
    excluded = _EXCLUDES.search(low)
    if excluded is not None:
        out = resolve(excluded["what"], shown, focus)
        rest = re.sub(r"^\W*but\b", "", low[excluded.end() :]) if out else ""
        said = resolve(rest, shown, focus) or _by_place(low[: excluded.start()], len(shown)) if out else []
        left = [n for n in said or range(len(shown)) if n not in out]
        if out:
            return left
    at = next((n for n, product in enumerate(shown) if product.product_id == focus), None)
    steps = (
        lambda: _by_rank(low, shown),
        lambda: _beside(low, at, len(shown)),
        lambda: _by_place(low, len(shown)),
        lambda: list(range(len(shown))) if _LIST.search(low) else [],
        lambda: _by_measure(low, shown),
        lambda: [1 - at] if _OTHER.search(low) and at is not None and len(shown) == 2 else [],
        lambda: _by_name(low, shown),
        lambda: _pointed(low, at, len(shown)),
    )
    return next((found for step in steps if (found := step())), [])


def excludes(text: str) -> bool:
    """Whether a text points at something by what it is not: "anything but the second"."""
    return _EXCLUDES.search(text.lower().replace("’", "'")) is not None


def named(text: str, products: Sequence[Product]) -> bool:
    """Whether a text names one of the products, or its kind."""
    return bool(products) and bool(_by_name(text.lower().replace("’", "'"), products))


def _pointed(low: str, at: int | None, count: int) -> list[int]:
    if not _IT.search(low) or out_of_range(low, count) is not None:
        return []
    return [at] if at is not None else [0] if count == 1 else []


def _beside(low: str, at: int | None, count: int) -> list[int]:
    """Return what stands next to what is talked of: "the one right above it"."""
    match = _BESIDE.search(low)
    place = -1 if match is None or at is None else at + (-1 if match["side"] in _UP else 1)
    return [place] if 0 <= place < count else []


def _by_rank(low: str, shown: Sequence[Product]) -> list[int]:
    """Return what a measure tells of some, or by its rank: "the cheaper of the last two", "the second cheapest", "the two cheapest"."""
    if (among := _AMONG.search(low)) is not None:
        some = _by_place(among["of"], len(shown))
        some = some if len(some) > 1 else list(range(len(shown)))  # "of the two"
        best = _ordered(among["measure"], [shown[n] for n in some]) if len(some) > 1 else []
        return [some[best[0]]] if best else []
    if (ranked := _RANKED.search(low)) is not None:
        rank = _ORDINALS.index(ranked["rank"]) if ranked["rank"] in _ORDINALS else int(ranked["rank"][0]) - 1
        return _ordered(ranked["measure"], shown)[rank : rank + 1]
    few = _FEW_BY_MEASURE.search(low)
    return sorted(_ordered(few["measure"] or few["first"], shown)[: _number(few["n"] or few["m"])]) if few else []


def _ordered(measure: str, shown: Sequence[Product]) -> list[int]:
    """Return the positions from what has the most of a measure on; those without it are left out."""
    if measure.startswith(("bigg", "larg", "small")):
        sizes = _sizes(shown)
        return sorted(sizes, key=lambda n: sizes[n] if measure.startswith("small") else -sizes[n])
    up = measure.startswith(("cheap", "least", "less", "lowest"))
    return sorted(range(len(shown)), key=lambda n: shown[n].price.minor_units * (1 if up else -1))


def _by_measure(low: str, shown: Sequence[Product]) -> list[int]:
    for rule, best in ((CHEAPER, _cheapest), (_DEAR, _dearest), (_BIG, _biggest), (_SMALL, _smallest)):
        if rule.search(low) and (at := best(shown)) is not None:
            return [at]
    return []


def _by_place(low: str, count: int) -> list[int]:
    first = _FIRST_FEW.search(low)
    if first is not None:
        few = min(_number(first["n"]), count)
        return list(range(few)) if first["end"] == "first" else list(range(count - few, count))
    last = _LAST.search(low)
    cut = low if last is None else low[: last.start()] + " " * len(last.group()) + low[last.end() :]
    spots = [
        (match.start(), _ORDINALS.index(match["word"]) + 1 if match["word"] else int(match["n"]))
        for match in _ORDINAL.finditer(cut)
    ]
    spots += _numbered(low)
    if last is not None:
        spots.append((last.start(), count - 1 if last["before"] or last["after"] else count))
    if (top := _TOP.search(low)) is not None:
        spots.append((top.start(), 1))
    if _MIDDLE.search(low) and count % 2:
        spots.append((0, count // 2 + 1))
    places = [place - 1 for _, place in sorted(spots) if 1 <= place <= count]
    return list(dict.fromkeys(places))


def _numbered(low: str) -> list[tuple[int, int]]:
    """Return (where, number) of places that are named by their number: "number one and two", "1 or 3"."""
    matches = [*_NUMBERED.finditer(low), *filter(None, (_BARE.match(low), _BARE_FEW.match(low), _AGAINST.search(low)))]
    return [
        (match.start() + one.start(), _number(one.group()))
        for match in matches
        for one in _A_NUMBER.finditer(match.group())
    ]


def out_of_range(text: str, count: int) -> int | None:
    """Return a place that the text names and that is not there: "the seventh" of five."""
    low = text.lower()
    places = [_ORDINALS.index(m["word"]) + 1 if m["word"] else int(m["n"]) for m in _ORDINAL.finditer(low)]
    places += [number for _, number in _numbered(low)]
    return next((place for place in places if place > count or place < 1), None)


def _number(text: str) -> int:
    return _SMALL_WORDS.get(text) or int(text)


def _by_name(low: str, shown: Sequence[Product]) -> list[int]:
    asked = set(words(low)) - _NOT_NAMING
    wanted_size = size(low)
    if not asked and wanted_size is None:
        return []
    scores = []
    for product in shown:
        named = set(
            words(
                f"{product.name} {product.brand} " + " ".join(f"{name} {value}" for name, value in product.attributes)
            )
        )
        score = 2.0 * len(asked & named) + 1.0 * len(asked & set(words(product.category)) - named)
        if wanted_size is not None and wanted_size.matches(size(product.package_size) or size(product.name)):
            score += 3.0
        scores.append(score)
    best = max(scores)
    return [n for n, score in enumerate(scores) if score == best] if best > 0 else []


def _cheapest(shown: Sequence[Product]) -> int | None:
    return min(range(len(shown)), key=lambda n: shown[n].price.minor_units)


def _dearest(shown: Sequence[Product]) -> int | None:
    return max(range(len(shown)), key=lambda n: shown[n].price.minor_units)


def _sizes(shown: Sequence[Product]) -> dict[int, float]:
    known = {n: size(product.package_size) or size(product.name) for n, product in enumerate(shown)}
    first = next((one.dimension for one in known.values() if one), None)
    return {n: one.value for n, one in known.items() if one and one.dimension == first}


def _biggest(shown: Sequence[Product]) -> int | None:
    found = _sizes(shown)
    return max(found, key=lambda n: found[n]) if found else None


def _smallest(shown: Sequence[Product]) -> int | None:
    found = _sizes(shown)
    return min(found, key=lambda n: found[n]) if found else None
