"""What a shopper is looking for: words, and what limits them. A follow-up changes it; it never has to be said again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from chatbot.shopping.amounts import Limits, Size, limits, size
from personalization.ranking.text import names, ruled_out_by, unwanted, wanted, words
from personalization.types import Money, Product

_POINTING = frozenset(
    words(
        "these those this that them it any one ones kind problem more wait idea thanks thank matter worries need hurry way longer meant mean not really what how"
    )
)
OWN_BRAND = "Own brand"
_HAS = re.compile(
    r"\b(vegan|vegetarian|organic|halal|kosher|fair ?trade|decaf(?:feinated)?|whole ?grain|free range|low fat|fat free|sugar free|unsalted|unsweetened|recyclable|local)\b",
    re.IGNORECASE,
)
_CHEAPEST = re.compile(r"\b(?:cheapest|lowest price|least expensive|best price)\b", re.IGNORECASE)
_DEAREST = re.compile(r"\b(?:most expensive|priciest|premium|finest|best quality)\b", re.IGNORECASE)
_BIGGEST = re.compile(r"\b(?:biggest|largest)\b", re.IGNORECASE)
_SMALLEST = re.compile(r"\bsmallest\b", re.IGNORECASE)
_ON_OFFER = re.compile(
    r"\b(?:on (?:sale|offer|special)|reduced|discounted|on promotion|special offers?)\b", re.IGNORECASE
)
_OWN_BRAND = re.compile(r"\b(?:own|store|house|private)[ -](?:brand|label)\b", re.IGNORECASE)
_FILLER = re.compile(
    r"\b(?:hi|hello|hey|please|pls|thanks|actually|also|maybe|instead|rather|kind of|sort of|some kind|a bit|do you (?:sell|carry|have)|have you got"
    r"|(?:i am|i'm|im) (?:looking|searching) for|where (?:can|do) i find|where is|where are|show me|find me|search(?: for)?|look(?:ing)? for|i (?:want|need|would like|'d like)"
    r"|for (?:\d+|two|three|four|five|six|eight|ten|twelve) (?:people|persons?|adults|kids|children|guests)|for (?:me|us|tonight|tomorrow|today|later|the weekend)"
    r"|i(?:'d|'ll| would| will)? (?:take|have|buy)|i (?:mean|meant|said|wanted|asked for|was looking for)"
    r"|can i get|could i get|get me|give me|is there|are there|how about|what about|no,? i meant?|i meant?|i said|not that|the cheapest|cheapest|the most expensive|most expensive"
    r"|biggest|largest|smallest|premium|on (?:sale|offer|special)|reduced|own[ -]brand|store[ -]brand|you (?:sell|carry|have)|in stock|right now|one|ones|anything)\b",
    re.IGNORECASE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """A search in words and limits. Prices are in minor units, ends included; `bigger` and `smaller` are (dimension, value).

    `has` must be told by the product's name or attributes; what `without` names must not.
    """

    query: str = ""
    above: int | None = None
    below: int | None = None
    without: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    brand: str = ""
    not_brands: tuple[str, ...] = ()
    category: str = ""
    size: str = ""
    bigger: tuple[str, float] | None = None
    smaller: tuple[str, float] | None = None
    on_offer: bool = False
    order: str = ""

    @property
    def limited(self) -> bool:
        """Whether anything but words limits the search."""
        return replace(self, query="", order="") != Wish()

    @property
    def text(self) -> str:
        """The question as the core is asked it: the words, and what is ruled out."""
        brand = "" if self.brand in {"", OWN_BRAND} or self.brand.lower() in self.query.lower() else self.brand
        ruled_out = f"without {' and '.join(self.without)}" if self.without else ""
        return " ".join(filter(None, (self.query, brand, ruled_out)))

    def fits(self, product: Product) -> bool:
        """Whether the product is within the limits; what is not known about it does not fit a limit that needs it."""
        price, brand = product.price.minor_units, product.brand.lower()
        if (self.above is not None and price < self.above) or (self.below is not None and price > self.below):
            return False
        if self.on_offer and product.regular_price is None:
            return False
        if self.brand and not _says(f"{product.brand} {product.name}", self.brand):
            return False
        if brand and brand in self.not_brands:
            return False
        if self.category and self.category.lower() not in {product.category.lower(), product.department.lower()}:
            return False
        return self._size_fits(product) and self._harmless(product) and all(has(product, one) for one in self.has)

    def _harmless(self, product: Product) -> bool:
        if not self.without:
            return True
        ruled_out = unwanted(self.text)  # gluten-free bread is bread
        return not names(f"{product.name} {product.category}", ruled_out) and not product.contains & ruled_out

    def _size_fits(self, product: Product) -> bool:
        own = size_of(product)
        if self.size and not _same_size(self.size, product, own):
            return False
        if self.bigger is not None and (own is None or own.dimension != self.bigger[0] or own.value <= self.bigger[1]):
            return False
        return self.smaller is None or (
            own is not None and own.dimension == self.smaller[0] and own.value < self.smaller[1]
        )

    def told(self, currency: str) -> str:
        """Return the limits in a few words: "below $3.00, without nuts"; empty where there are none."""
        parts = []
        if self.above is not None and self.below is not None:
            parts.append(f"{Money(self.above, currency)} to {Money(self.below, currency)}")
        elif self.below is not None:
            parts.append(f"up to {Money(self.below, currency)}")
        elif self.above is not None:
            parts.append(f"from {Money(self.above, currency)}")
        parts += [f"without {' or '.join(self.without)}"] if self.without else []
        parts += list(self.has)
        parts += [f"from {self.brand}"] if self.brand else []
        parts += ["of another brand"] if self.not_brands else []
        parts += [f"in {self.category}"] if self.category else []
        parts += [self.size] if self.size else []
        parts += ["bigger"] if self.bigger else []
        parts += ["smaller"] if self.smaller else []
        parts += ["on offer"] if self.on_offer else []
        return ", ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """Return what is not empty, for a slot."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "", (), False)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Wish:
        """Return the wish that `as_json` wrote."""
        known = {field.name for field in fields(cls)}
        values: dict[str, Any] = {name: _tupled(value) for name, value in found.items() if name in known}
        return cls(**values)


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def size_of(product: Product) -> Size | None:
    """Return the product's size, from where it is told."""
    told = next(
        (value for name, value in product.attributes if name.lower() in {"size", "capacity", "weight", "volume"}), ""
    )
    return size(product.package_size) or size(told) or size(product.name)


def has(product: Product, feature: str) -> bool:
    """Whether the product's name, brand or attributes say that it has the feature."""
    told = " ".join(f"{name} {value}" for name, value in product.attributes if value.lower() not in {"no", "false"})
    return _says(f"{product.name} {product.category} {told}", feature)


def _says(text: str, asked: str) -> bool:
    return bool(found := set(words(asked))) and found <= set(words(text))


def _same_size(asked: str, product: Product, own: Size | None) -> bool:
    wanted_size = size(asked)
    if wanted_size is not None:
        return wanted_size.matches(own)
    return asked.lower() in {value.lower() for _, value in product.attributes} | {product.package_size.lower()}


def limits_in(text: str) -> tuple[Wish, str]:
    """Return a wish without words from what the text limits, and the text without its price range."""
    found: Limits = limits(text)
    order = next(
        (name for name, rule in (("cheapest", _CHEAPEST), ("dearest", _DEAREST), ("biggest", _BIGGEST), ("smallest", _SMALLEST)) if rule.search(text)), ""
    )  # fmt: skip
    features = tuple(dict.fromkeys(match.lower() for match in _HAS.findall(text)))
    free = {word.removesuffix(" free") for word in features if word.endswith(" free")}
    without = tuple(
        one for one in ruled_out_by(found.rest) if one and one not in free and not set(words(one)) <= _POINTING
    )
    wish = Wish(
        above=found.above, below=found.below, without=without, has=features, on_offer=bool(_ON_OFFER.search(text)),
        brand=OWN_BRAND if _OWN_BRAND.search(text) else "", order=order,
    )  # fmt: skip
    return wish, found.rest


_RULES_OUT = re.compile(r"\bwithout\b|\ballerg(?:y|ic|ies)\b|\bintoleran(?:t|ce)\b|\b\w+[ -]free\b", re.IGNORECASE)


def rules_out(text: str) -> bool:
    """Whether a message names what a product must not contain."""
    return _RULES_OUT.search(text) is not None and bool(limits_in(text)[0].without or limits_in(text)[0].has)


def core_words(text: str) -> str:
    """Return what a text asks for, in its own words without the phrases around them: "oat milk" of "do you have oat milk?"."""
    bare = _FILLER.sub(" ", wanted(text).replace("’", "'"))
    kept = [word for word in re.findall(r"[\w&'%./-]+", bare) if words(word)]
    return " ".join(kept)


_CUT = re.compile(
    r"[,.;!?]|\b(?:because|since|but|though|that (?:goes?|helps?|is|are|can|does|do|would)|to go with|which|my|i (?:am|have|want|need|like)|i'm)\b",
    re.IGNORECASE,
)
_FOR = re.compile(r"(?<!looking)(?<!look)(?<!searching)(?<!search)(?<!asking)\s+for\s+", re.IGNORECASE)


def heads(text: str) -> list[str]:
    """Return the beginnings of a text that may name the product alone, longest first: "wine" of "a wine for fish"."""
    said = _FILLER.sub(" ", text.replace("’", "'"))
    first = next((part for part in _CUT.split(said) if core_words(part)), "")
    found = [core_words(first), core_words(_FOR.split(first)[0])]
    whole = core_words(text)
    return [one for one in dict.fromkeys(found) if one and one != whole]


def searched(text: str, entities: Sequence[tuple[str, str]] = ()) -> Wish:
    """Return what a first question asks for; `entities` are (kind, value) pairs found in it."""
    wish, rest = limits_in(text)
    query = core_words(rest)
    for feature in wish.has:
        query = re.sub(rf"\b{re.escape(feature)}\b", " ", query, flags=re.IGNORECASE)
    query = " ".join(query.split())
    named = dict(entities)
    if not query:
        query = named.get("product") or named.get("category") or ""
    return replace(wish, query=query, brand=wish.brand or named.get("brand", ""))
