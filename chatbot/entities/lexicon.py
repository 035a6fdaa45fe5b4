"""The words of a catalogue: which products, categories, brands and attributes a phrase may mean."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from personalization.ranking.text import words
from personalization.types import ProductName

TOKEN = re.compile(r"\w+(?:['’]\w+)?")
Terms = frozenset[str]

COMMON_ATTRIBUTES: Mapping[str, str] = {
    "color": "black white red blue green yellow orange purple pink brown grey gray beige navy gold silver turquoise khaki cream violet teal maroon",
    "material": "cotton leather wool linen silk polyester nylon denim suede bamboo plastic steel aluminium aluminum wooden ceramic rubber mesh fleece velvet cashmere",
}  # fmt: skip
"""Attributes that any shop's goods may have, whether or not the catalogue tells of them."""
_WEAK = frozenset(
    [
        "order",
        "return",
        "gift",
        "size",
        "small",
        "large",
        "set",
        "new",
        "free",
        "price",
        "cost",
        "offer",
        "deal",
        "sale",
        "store",
        "shop",
        "online",
        "day",
        "week",
        "time",
        "home",
        "house",
        "card",
        "order-number",
        "use",
        "used",
        "pay",
        "money",
        "brand",
        "kind",
        "type",
        "one",
        "two",
        "three",
        "number",
        "extra",
        "light",
        "all",
        "other",
        "more",
        "less",
        "big",
        "assorted",
        "misc",
        "other",
        "regular",
        "premium",
        "special",
        "value",
        "natural",
        "fresh",
        "good",
        "own",
        "quality",
        "pack",
        "package",
        "ct",
        "size-x",
        "men",
        "women",
        "kid",
        "kids",
        "adult",
        "baby-x",
        "yes",
        "no",
        "ok",
        "thing",
        "stuff",
        "way",
        "name",
        "help",
        "day",
        "line",
        "care",
        "service",
        "club",
        "single",
        "double",
        "total",
        "plus",
        "max",
        "mini",
        "high",
        "low",
        "super",
        "best",
        "basic",
        "classic",
        "original",
        "traditional",
        "select",
        "choice",
    ]
)
"""Words that stand in product names and mean no product when they stand alone."""


@lru_cache(maxsize=65_536)
def terms(token: str) -> tuple[str, ...]:
    """Return the normal forms of one word; none for a word that means nothing ("the")."""
    plain = unicodedata.normalize("NFKD", token.casefold().replace("’", "'").removesuffix("'s"))
    return tuple(words("".join(letter for letter in plain if not unicodedata.combining(letter))))


@dataclass(slots=True)
class Lexicon:
    """What the catalogue's words stand for; a new one is built when the catalogue changes.

    Products that are called the same but for their size are one name: a shop of 60,000 products has far fewer names.
    """

    names: list[tuple[str, Terms, str | None]] = field(default_factory=list)
    """Each name: as one product has it in full, its terms without the size, and the product's id where no other has it."""
    by_term: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Term to the places in `names` that hold it."""
    phrases: dict[tuple[str, ...], tuple[str, str, str | None]] = field(default_factory=dict)
    """Terms in order to (kind, value, id): categories, brands and attributes' values."""
    longest: int = 1

    @classmethod
    def build(cls, catalogue: Iterable[ProductName]) -> Lexicon:
        """Read what the catalogue tells of its names."""
        made = cls()
        for name, values in COMMON_ATTRIBUTES.items():
            for value in values.split():
                made._phrase(value, "attribute", value, name)
        places: dict[Terms, int] = {}
        for told in catalogue:
            made._name(told, places)
            for category in (told.category, told.department):
                made._phrase(category, "category", category)
            if told.brand:
                made._phrase(told.brand, "brand", told.brand)
            for name, value in told.attributes:
                made._phrase(value, "attribute", value, name)
        return made

    def _name(self, told: ProductName, places: dict[Terms, int]) -> None:
        found = frozenset(_all_terms(told.name.removesuffix(told.package_size).rstrip(" ,")))
        at = places.setdefault(found, len(self.names))
        if at < len(self.names):  # another product is called so, too
            self.names[at] = (self.names[at][0], found, None)
            return
        self.names.append((told.name, found, told.only))
        for term in found:
            self.by_term[term].add(at)

    def _phrase(self, text: str, kind: str, value: str, name: str | None = None) -> None:
        if key := tuple(_all_terms(text)):
            self.phrases.setdefault(key, (kind, value, name))
            self.longest = max(self.longest, len(key))

    def knows(self, term: str) -> bool:
        """Whether the term stands in the catalogue."""
        return term in self.by_term or (term,) in self.phrases

    def holding(self, wanted: Iterable[str]) -> set[int]:
        """Return the places of the names that hold all the terms."""
        sets = sorted((self.by_term.get(term, set()) for term in wanted), key=len)
        return set.intersection(*sets) if sets else set()

    def vocabulary(self) -> Iterator[str]:
        """Yield every term once, for the comparison with a word that may be mistyped."""
        yield from dict.fromkeys([*self.by_term, *(term for phrase in self.phrases for term in phrase)])


def is_weak(term: str) -> bool:
    """Whether the term alone is no mention of a product."""
    return term in _WEAK or term.isdigit() or len(term) < 3


def _all_terms(text: str) -> list[str]:
    return [term for match in TOKEN.finditer(text) for term in terms(match[0])]
