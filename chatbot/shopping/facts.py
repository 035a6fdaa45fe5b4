"""What the catalogue tells of products, in words: one question, one product, or several set against each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chatbot.shopping.amounts import Size
from chatbot.shopping.wish import has, size_of
from personalization.ranking.text import unwanted, words
from personalization.types import Money, Product


class Aspect(StrEnum):
    """What a question about a product is about."""

    PRICE = "price"
    SIZE = "size"
    BRAND = "brand"
    CONTAINS = "contains"
    FEATURE = "feature"
    INGREDIENTS = "ingredients"
    AGE = "age"
    OFFER = "offer"
    ATTRIBUTE = "attribute"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a product: `what` names the ingredient, the feature or the attribute, `said` is how that was asked for."""

    aspect: Aspect
    what: str = ""
    said: str = ""


FEATURES = r"vegan|vegetarian|organic|halal|kosher|fair ?trade|decaf(?:feinated)?|whole ?grain|free range|low fat|recyclable|local|fresh|frozen|washable|waterproof|raw"
_FREE = re.compile(r"\b(?P<what>[a-z]+)[ -]free\b|\bfree (?:of|from) (?P<of>[a-z]+)")
_CONTAINS = re.compile(
    r"\b(?:contain(?:s|ing)?|have|has|with|got|made (?:with|from|of)|is there|are there)\s+(?:any |some |traces of )?(?P<what>[a-z]+(?: [a-z]+)?)(?: in (?:it|them|this|that|these|the)\b| inside)?"
)
_ALLERGENS = ("nut", "peanut", "almond", "hazelnut", "milk", "dairy", "lactose", "gluten", "wheat", "egg", "soy", "soya", "fish", "shellfish", "sesame", "mustard", "celery", "sugar",
              "salt", "alcohol", "pork", "beef", "meat", "gelatin", "gelatine", "palm oil", "caffeine", "honey", "yeast", "corn")  # fmt: skip
_RULES: tuple[tuple[Aspect, re.Pattern[str]], ...] = (
    (Aspect.PRICE, re.compile(r"\b(?:price|cost|costs|how much (?:is|are|does|do|would)|expensive|how much for|sets? (?:me|us|you) back|charge for|(?:go|goes|going|sells?) for|the damage|worth|have to pay)\b")),
    (Aspect.INGREDIENTS, re.compile(r"\b(?:ingredients?|allergens?|allergy|nutrition(?:al)?|calories|what is in|what's in|made of|kcal|protein|carbs|fat content)\b")),
    (Aspect.SIZE, re.compile(r"\b(?:sizes?|how (?:big|large|heavy|much does it weigh|many (?:are )?in(?: (?:a|the|one|each) (?:pack|package|box|bag|carton))?)|weigh(?:t|s)?|volume|dimensions?|pack(?:age)? size|capacity)\b")),
    (Aspect.BRAND, re.compile(r"\b(?:brand|who makes|made by|manufacturer|maker|producer|label)\b")),
    (Aspect.AGE, re.compile(r"\b(?:age limit|how old|minimum age|over 18|id check)\b")),
    (Aspect.OFFER, re.compile(r"\b(?:on (?:sale|offer|special|promotion)|discount(?:ed)?|reduced|cheaper now|regular price|normal price)\b")),
)  # fmt: skip
_ATTRIBUTES = re.compile(
    r"\b(?:colou?rs?|material|fabric|origin|from where|where (?:is it|are they|does it come) from|country|warranty|guarantee|flavou?r|taste|power|battery|resolution|scent|style|shape|shelf life|best before|expir(?:y|es|ation)|storage|temperature)\b"
)
_SAME_NAME = {"color": "colour", "flavor": "flavour", "where": "origin", "country": "origin", "from where": "origin", "fabric": "material", "guarantee": "warranty", "taste": "flavour",
              "best before": "shelf life", "expiry": "shelf life", "expires": "shelf life", "expiration": "shelf life"}  # fmt: skip


def question(text: str) -> Question:
    """Return what is asked."""
    low = text.lower().replace("’", "'")
    free = _FREE.search(low)
    if free is not None:
        return Question(Aspect.FEATURE, f"{free['what'] or free['of']}-free")
    feature = re.search(rf"\b(?:{FEATURES})\b", low)
    if feature is not None:
        return Question(Aspect.FEATURE, feature.group())
    allergen = _allergen(low)
    if allergen:
        return Question(Aspect.CONTAINS, allergen)
    for aspect, rule in _RULES:
        if (asked := rule.search(low)) is not None:
            return Question(aspect, said=asked.group())
    named = _ATTRIBUTES.search(low)
    if named is not None:
        return Question(
            Aspect.ATTRIBUTE,
            next((same for word, same in _SAME_NAME.items() if word in named.group()), named.group().rstrip("s")),
        )
    return Question(Aspect.ALL)


def _allergen(low: str) -> str:
    if not re.search(
        r"\b(?:contain|have|has|with|in (?:it|this|that|them|these)|allerg|traces|intoleran|made (?:with|from)|is there|are there|any)\b|contains\b",
        low,
    ):
        return ""
    asked = set(words(low))
    name = next((name for name in _ALLERGENS if set(words(name)) <= asked), "")
    said = re.search(rf"\b{name}\w*", low) if name else None
    return said.group() if said is not None else name


def contains(product: Product, what: str) -> bool | None:
    """Whether the product contains something; None where the catalogue does not tell. It is never ruled out by silence."""
    kin = unwanted(f"without {what}") | set(words(what))
    if any(
        name.lower() in {f"{what}-free", f"{what} free"} and value.lower() not in {"no", "false"}
        for name, value in product.attributes
    ):
        return False
    told = {stem for word in product.contains for stem in words(word)}
    named = set(words(product.name)) - unwanted(product.name)
    return True if told & kin or set(words(what)) <= named else None


def feature(product: Product, what: str) -> bool | None:
    """Whether the catalogue says that the product is so; None where it does not tell."""
    asked = what.lower().replace(" ", "-")
    for name, value in product.attributes:
        if name.lower().replace(" ", "-") == asked:
            return value.lower() not in {"no", "false"}
    if has(product, what):
        return True
    if asked.endswith("-free"):
        return False if contains(product, asked.removesuffix("-free")) else None
    meat = {
        "vegan": "milk egg honey meat fish cheese butter beef pork chicken gelatine dairy",
        "vegetarian": "meat fish beef pork chicken gelatine",
    }.get(asked, "")
    told = {stem for word in product.contains for stem in words(word)}
    return False if told & set(words(meat)) else None


def attribute(product: Product, name: str) -> str:
    """Return what the catalogue tells under that name; empty where it does not."""
    asked = {name.lower(), *(word for word, same in _SAME_NAME.items() if same == name.lower())}
    return next((value for own, value in product.attributes if own.lower() in asked and value), "")


def where(product: Product) -> str:
    """Return the way to the shelf ("aisle 7, left, second shelf"); empty where it is not told."""
    if not product.aisle:
        return ""
    aisle = f"aisle {product.aisle}" if re.fullmatch(r"\w{1,3}", product.aisle) else product.aisle
    return f"{aisle}, {product.shelf}" if product.shelf else aisle


def told(product: Product) -> list[str]:
    """Return everything that is known, one fact a line, without name and price."""
    facts = [
        ("Size", product.package_size),
        ("Brand", product.brand),
        ("Kind", product.category),
        ("Before", str(product.regular_price or "")),
    ]
    lines = [f"{name}: {value}" for name, value in facts if value]
    lines += [f"{name.capitalize()}: {value}" if value else name.capitalize() for name, value in product.attributes]
    lines += [f"Contains {', '.join(sorted(product.contains))}"] if product.contains else []
    lines += [f"In {where(product)}"] if where(product) else []
    return lines


def unit_price(product: Product) -> tuple[str, float] | None:
    """Return what a shopper compares packs by: "per 100 g" or "per piece", and that in minor units; None without a size."""
    own: Size | None = size_of(product)
    if own is None or own.value <= 0 or own.dimension == "length":
        return None
    if own.dimension == "count":
        return "each", product.price.minor_units / own.value
    return "per 100 g or ml", product.price.minor_units / own.value * 100


@dataclass(frozen=True, slots=True)
class Comparison:
    """Products set against each other: columns and rows for a table, the same in lines, what differs, and what is not known."""

    columns: list[str]
    rows: list[list[str]]
    lines: list[str]
    difference: str
    unknown: str


def compare(products: Sequence[Product]) -> Comparison:
    """Set products against each other, by what the catalogue tells of any of them."""
    names = [product.name for product in products]
    units = [unit_price(product) for product in products]
    same_unit = all(unit is not None for unit in units) and len({unit[0] for unit in units if unit}) == 1
    per = [
        str(Money(round(unit[1]), product.price.currency)) if unit and same_unit else ""
        for unit, product in zip(units, products, strict=True)
    ]
    rows = [
        ["Price", *(str(product.price) for product in products)],
        [f"Price {units[0][0]}" if same_unit and units[0] else "Price per amount", *per],
        ["Size", *(product.package_size for product in products)],
        ["Brand", *(product.brand for product in products)],
        ["Kind", *(product.category for product in products)],
    ]
    attributes = dict.fromkeys(name for product in products for name, _ in product.attributes)
    rows += [[name.capitalize(), *(_cell(product, name) for product in products)] for name in attributes]
    rows.append(["Contains", *(", ".join(sorted(product.contains)) for product in products)])
    rows.append(["Where", *(where(product) for product in products)])
    known = [row for row in rows if any(row[1:])]
    differing = [row for row in known if len(set(row[1:])) > 1]
    lines = [
        f"{n}. {name}: "
        + ", ".join(f"{row[0].lower()} {row[n]}" if row[0] != "Price" else row[n] for row in differing if row[n])
        for n, name in enumerate(names, 1)
    ]
    gaps = [
        f"the {row[0].lower()} of {_listed([name for name, cell in zip(names, row[1:], strict=True) if not cell])}"
        for row in known
        if not all(row[1:]) and row[0] not in {"Contains", "Where"}
    ]
    return Comparison(names, known, lines, _difference(products, per if same_unit else []), "; ".join(gaps))


def _cell(product: Product, name: str) -> str:
    return next((value or "yes" for own, value in product.attributes if own == name), "")


def _difference(products: Sequence[Product], per: Sequence[str]) -> str:
    cheap = min(products, key=lambda product: product.price.minor_units)
    dear = max(products, key=lambda product: product.price.minor_units)
    gap = dear.price.minor_units - cheap.price.minor_units
    if gap == 0:
        first = "They cost the same."
    elif len(products) == 2:
        first = f"{cheap.name} costs {Money(gap, cheap.price.currency)} less."
    else:
        first = f"{cheap.name} is the cheapest at {cheap.price}, {dear.name} the dearest at {dear.price}."
    amounts = [unit_price(product) for product in products] if per else []
    values = [unit[1] for unit in amounts if unit]
    best = (
        products[min(range(len(values)), key=values.__getitem__)]
        if len(values) == len(products) and len(set(per)) > 1
        else None
    )
    return (
        f"{first} For what is in it, {best.name} is the best value."
        if best is not None and (gap == 0 or best is not cheap)
        else first
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
