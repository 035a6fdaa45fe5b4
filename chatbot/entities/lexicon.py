"""The words of a catalogue: which products, categories, brands and attributes a phrase may mean."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from personalization.ranking.text import words
from personalization.types import Product

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
    """What the catalogue's words stand for; a new one is built when the catalogue changes."""

    products: dict[str, tuple[str, Terms]] = field(default_factory=dict)
    """Product id to its name and the terms of its name."""
    by_term: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    phrases: dict[tuple[str, ...], tuple[str, str, str | None]] = field(default_factory=dict)
    """Terms in order to (kind, value, id): categories, brands and attributes' values."""
    longest: int = 1

    @classmethod
    def build(cls, products: Iterable[Product], attributes: Mapping[str, Mapping[str, str]] | None = None) -> Lexicon:
        """Read the catalogue; `attributes` : product id to its attributes by name ("color": "blue")."""
        made = cls()
        for name, values in COMMON_ATTRIBUTES.items():
            for value in values.split():
                made._phrase(value, "attribute", value, name)
        for product in products:
            head = product.name.removesuffix(product.package_size).rstrip(" ,")
            found = frozenset(_all_terms(head))
            made.products[product.product_id] = (product.name, found)
            for term in found:
                made.by_term[term].add(product.product_id)
            for category in (product.category, product.department):
                made._phrase(category, "category", category)
            if product.brand:
                made._phrase(product.brand, "brand", product.brand)
            for name, value in (attributes or {}).get(product.product_id, {}).items():
                made._phrase(value, "attribute", value, name)
        return made

    def _phrase(self, text: str, kind: str, value: str, name: str | None = None) -> None:
        if key := tuple(_all_terms(text)):
            self.phrases.setdefault(key, (kind, value, name))
            self.longest = max(self.longest, len(key))

    def knows(self, term: str) -> bool:
        """Whether the term stands in the catalogue."""
        return term in self.by_term or (term,) in self.phrases

    def holding(self, wanted: Iterable[str]) -> set[str]:
        """Return the ids of the products whose names hold all the terms."""
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
