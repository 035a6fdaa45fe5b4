"""What a text claims, in the languages that creatives speak, and which facts a claim needs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personalization.creative.words import Facts

_AMOUNT = re.compile(r"[$€£¥]\s?\d[\d.,]*|\d[\d.,]*\s?(?:[$€£¥]|EUR|USD|GBP|Euro|euros?|dollars?|cents?)\b|\d[\d.,]*\s?%|\d+(?:[.,]\d+)?", re.IGNORECASE)  # fmt: skip
_NUMBERS = {
    word: str(number)
    for number, words in enumerate(("one ein eins", "two zwei", "three drei ثلاث", "four vier أربع", "five fünf خمس"), 1)
    for word in words.split()
}  # fmt: skip
_OF = r"(?<!of )(?<!von )(?<!من )"  # "4.2 of 5 stars" claims 4.2
_WORD = r"\w\-\u2010\u2011"  # a hyphen is part of a word: "gluten-free" is not "free"


def _never(facts: Facts, said: str) -> bool:
    """Whether facts support what none can."""
    return False


def _cheaper(facts: Facts, said: str) -> bool:
    return any(facts.has(fact) for fact in ("was", "percent", "saving"))


def _halved(facts: Facts, said: str) -> bool:
    return _digits(facts.percent) == "50%"


def _stocked(facts: Facts, said: str) -> bool:
    return facts.stock


def _rated(facts: Facts, said: str) -> bool:
    return facts.has("rating")


def _liked(facts: Facts, said: str) -> bool:
    return facts.has("rating") and _number(facts.rating) >= 4.0


def _so_many(facts: Facts, said: str) -> bool:
    """Whether the rating is as many stars as are said."""
    [count] = re.findall(r"^[\d.,]+|^\w+", said)
    return facts.has("rating") and _number(_NUMBERS.get(count, count)) == _number(facts.rating)


_CLAIMS: tuple[tuple[str, str, Callable[[Facts, str], bool]], ...] = (
    (r"free|gratis|umsonst|kostenlos\w*|geschenkt|مجان\w*", "that it costs nothing", _never),
    (r"best|cheapest|lowest|no\.? ?1|number one|leading|unbeatable|beste[rnsm]?|billigste\w*|günstigste\w*|الأفضل|الأرخص", "that nothing is better", _never),
    (r"organic|bio|natural|vegan|healthy|gesund|sustainable|nachhaltig|eco|climate|klimaneutral|gluten.?free|عضوي", "what it is made of or does to you or the world", _never),
    (r"clinically|proven|doctor|guarantee[ds]?|garantiert|erwiesen|cures?|heals?|heilt", "a proof or a cure", _never),
    (r"last chance|hurry|only today|nur heute|only \d+ left|nur noch|selling fast|limited|while it lasts|don.t miss|letzte chance|beeil\w*|آخر فرصة", "that there is little time or little left", _never),
    (r"award|winner|test(ed|sieger)|as seen", "a prize or a test", _never),
    (r"new|neu(e[rnsm]?)?|جديد", "that it is new", _never),
    (r"half[ -]?(?:the )?price|half off|halb\w* preis\w*|(?:ب|ل)?نصف (?:ال)?(?:سعر|ثمن)", "that it costs half", _halved),
    (r"[^\W\d]+[ -](?:dollars?|euros?|cents?|per ?cent|prozent|يورو|دولار\w*|ريال\w*|بالم[ئا]\w*)", "an amount in words", _never),
    (r"(?:on|for) sale|sales?|discount\w*|reduced|reduction\w*|sav(?:e[ds]?|ings?)|cheap(?:er|ly)?|bargains?|deals?|(?:special )?offers?|mark(?:ed)? ?downs?|price[ -](?:drop|cut)s?|(?:lower|better) prices?|(?:for|pay|costs?) less|clearance|rabatt\w*|\w*reduziert\w*|\w*angebote?s?|\w*nachlass\w*|(?:ge)?spar(?:en?|s?t|preis\w*)|\w*ersparnis\w*|preis(?:senkung|sturz|wert)\w*|schnäppchen\w*|\w*verkauf|(?:kostet|zahlst|zahlen sie|zahle) weniger|günstig(?:e[rnsm]?)*|billig(?:e[rnsm]?)*|herabgesetzt\w*", "that it costs less than before", _cheaper),
    (r"[وفبكل]{0,2}(?:ال)?(?:خصم\w*|خصوم\w*|تخفيض\w*|مخفض\w*|تنزيل\w*|عرض خاص|عروض\w*|أوفر|وفر\w*|توفير\w*|أرخص|سعر أفضل)", "that it costs less than before", _cheaper),
    (r"best[ -]?sell(?:ers?|ing)|(?:number|no\.?) one|bestseller\w*|verkaufsschlager|meistverkauft\w*|meistgekauft\w*|everybody.?s|(?:ال)?[أا]كثر مبيع\w*", "that it is sold the most", _never),
    (_OF + rf"(?:[1-5](?:[.,]\d)?|{'|'.join(_NUMBERS)})[ -]?(?:stars?|sterne?n?|نجوم|نجمات?)", "how it was rated", _so_many),
    (r"rat(?:ed|ings?)|stars?|review(?:s|ed)?|sterne?n?|bewert\w+|rezension\w*|نجوم|نجمة|تقييم\w*", "that it was rated", _rated),
    (r"(?:top|highly|best|well)[ -]rated|favou?rites?|popular\w*|people (?:like|love) it|(?:(?:much|most|well|best)[ -])?loved|everyone (?:likes|loves)|(?:top|best|gut|hoch)[ -]?bewertet\w*|lieblings\w*|liebling|beliebt\w*|(?:ال)?مفضل\w*|(?:ال)?محبوب\w*|(?:ال)?[أا]على تقييم\w*", "that people like it", _liked),
    (r"in stock|in[ -]stores?(?: now)?|on (?:the|our) shel(?:f|ves)|from our shelves|available|ready to take|auf lager|vorrätig\w*|verfügbar\w*|lieferbar\w*|im (?:laden|regal|markt)|aus unserem regal|[وفب]?(?:ال)?متوفر\w*|[وفب]?(?:ال)?متاح\w*|في المتجر|من رفوفنا", "that it is there", _stocked),
)  # fmt: skip


def unsupported(text: str, facts: Facts, retailer: str) -> str | None:
    """Return what a text claims without support, as a sentence; None where every claim is supported.

    Every number must be one of the facts' (a price, a saving, a date, a rating, or part of a name). A word that claims something needs the
    fact that says so, or must stand in the catalogue's own name, category or brand: as a whole word, of which hyphens are a part.
    """
    known = " ".join((facts.name, facts.price, facts.was, facts.saving, facts.until, facts.percent, facts.rating, facts.category, facts.brand, "5" if facts.rating else ""))  # fmt: skip
    supported = {_digits(found) for found in _AMOUNT.findall(known)}
    for found in _AMOUNT.findall(text):
        if _digits(found) not in supported and not re.search(rf"(?<!\d){re.escape(found)}(?!\d)", known):
            return f"Nothing in the catalogue supports {found.strip()!r}."
    told, own = _plain(text), _plain(f"{facts.name} \n {facts.category} \n {facts.brand} \n {retailer}")
    for pattern, claim, supports in _COMPILED:
        for match in pattern.finditer(told):
            if not supports(facts, match.group()) and not _stands_in(own, told, match):
                return f"{match.group()!r} claims {claim}, and nothing in the catalogue says so."
    return None


def _stands_in(own: str, told: str, match: re.Match[str]) -> bool:
    """Whether what was found, with all that hyphens join to it, is among the catalogue's own words."""
    before, after = re.search(rf"[{_WORD}]*$", told[: match.start()]), re.match(rf"[{_WORD}]*", told[match.end() :])
    whole = (before.group() if before else "") + match.group() + (after.group() if after else "")
    return re.search(rf"(?<![{_WORD}]){re.escape(whole.strip('-'))}(?![{_WORD}])", own) is not None


def _plain(text: str) -> str:
    """Return a text in small letters without marks that letters can do without, such as Arabic vowels."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(letter for letter in composed if not unicodedata.combining(letter)).lower()


_COMPILED = [(re.compile(rf"(?<!\w)(?:{pattern})(?!\w)"), claim, supports) for pattern, claim, supports in _CLAIMS]


def _digits(amount: str) -> str:
    return re.sub(r"[^\d%$€£¥.,]", "", amount).strip(".,")


def _number(told: str) -> float:
    try:
        return float(told.replace(",", "."))
    except ValueError:
        return 0.0
