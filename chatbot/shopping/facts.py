"""What the catalogue tells of products, in words: one question, one product, or several set against each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chatbot.shopping.amounts import Size
from chatbot.shopping.wish import denies, has, is_no, size_of
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
_FREE = re.compile(
    r"\b(?P<what>[a-z]+)[ -]free\b(?! (?:of|from)\b)|\bfree (?:of|from) (?P<of>[a-z]+(?:(?:,| and| or|, or|, and) (?!is|are|it|does|vegan)[a-z]+)*)"
)
_BEFORE_FREE = re.compile(r"\b(?P<list>(?:[a-z]+(?:,| and| or) )+)(?=[a-z]+[ -]free\b)")
_OR = re.compile(r",? (?:and|or) |,\s*")
_ALLERGENS = ("nut", "peanut", "almond", "hazelnut", "walnut", "cashew", "pistachio", "pecan", "milk", "dairy", "lactose", "whey", "casein", "butter", "cream", "cheese", "gluten", "wheat", "barley", "rye", "egg", "soy", "soya", "fish", "shellfish",
              "seafood", "crustacean", "mollusc", "shrimp", "prawn", "sesame", "mustard", "celery", "lupin", "sulphite", "sulfite", "sugar", "salt", "alcohol", "pork", "beef", "chicken", "meat", "gelatin", "gelatine", "lard", "palm oil", "caffeine",
              "honey", "yeast", "corn", "coconut")  # fmt: skip
_ASKS_IN = re.compile(
    r"\b(?:contain(?:s|ing)?|have|has|with|traces of|made (?:with|from|of)|is there|are there|any|allerg(?:ic|y|ies) (?:to|against)|intoleran(?:t|ce) (?:to|of|against)|without)\b"
)
_PLAIN_FEATURES = frozenset(
    ("fresh", "frozen", "raw", "local", "washable", "recyclable")
)  # they may only point: "does the fresh one contain milk"
_RULES: tuple[tuple[Aspect, re.Pattern[str]], ...] = (
    (Aspect.PRICE, re.compile(r"\b(?:price|cost|costs|how much (?:is|are|does|do|would)|expensive|how much for|sets? (?:me|us|you) back|charge for|(?:go|goes|going|sells?) for|the damage|worth|have to pay)\b")),
    (Aspect.INGREDIENTS, re.compile(r"\b(?:ingredients?|allergens?|allergy|nutrition(?:al)?|calories|what is in|what's in|made of|kcal|protein|carbs|fat content)\b")),
    (Aspect.SIZE, re.compile(r"\b(?:sizes?|how (?:big|large|heavy|much does it weigh|many (?:\w+ )?(?:has|does|do|come|comes)\b|many (?:are )?in(?: (?:a|the|one|each) (?:pack|package|box|bag|carton))?)|weigh(?:t|s)?|volume|dimensions?|pack(?:age)? size|capacity)\b")),
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
    """Return what is asked, first of all."""
    return questions(text)[0]


def questions(text: str) -> list[Question]:
    """Return everything that is asked of what a product is and contains ("nut free and vegan?"), or the one other thing."""
    low = text.lower().replace("’", "'")
    free = [Question(Aspect.FEATURE, f"{what}-free") for what in _free_of(low)]
    asked = [] if free else [Question(Aspect.CONTAINS, what) for what in _allergens(low)]
    named = dict.fromkeys(re.findall(rf"\b(?:{FEATURES})\b", low))
    features = [Question(Aspect.FEATURE, one) for one in named if not asked or one not in _PLAIN_FEATURES]
    if found := [*free, *features, *asked]:
        return found[:MOST_ASKED]
    for aspect, rule in _RULES:
        if (match := rule.search(low)) is not None:
            return [Question(aspect, said=match.group())]
    attribute_ = _ATTRIBUTES.search(low)
    if attribute_ is None:
        return [Question(Aspect.ALL)]
    said = attribute_.group()
    return [
        Question(Aspect.ATTRIBUTE, next((same for word, same in _SAME_NAME.items() if word in said), said.rstrip("s")))
    ]


def _free_of(low: str) -> list[str]:
    """Return what is asked to be left out: "nut" and "gluten" of "nut free and gluten free"."""
    found = []
    for match in _FREE.finditer(low):
        listed = _BEFORE_FREE.search(low[: match.end()]) if match["what"] else None
        known = (
            [one for one in _OR.split(listed["list"]) if one in _ALLERGENS] if listed else []
        )  # "nut and gluten free"
        found += [*known, *([match["what"]] if match["what"] else _OR.split(match["of"]))]
    return list(dict.fromkeys(one for one in found if one not in {"is", "are", "it", "for"}))


def _allergens(low: str) -> list[str]:
    if not re.search(
        r"\b(?:contain|have|has|with|in (?:it|this|that|them|these|the (?:first|second|third|fourth|fifth|last|other))|allerg|traces|intoleran|made (?:with|from)|is there|are there|any)\b|contains\b",
        low,
    ):
        return []
    asks = _ASKS_IN.search(low)
    after = _named_allergens(low[asks.end() :]) if asks else []
    return after or _named_allergens(low)[:1]


def _named_allergens(low: str) -> list[str]:
    """Return the allergens that a text names, as it says them, in its order."""
    asked = set(words(low))
    said = [
        (match.start(), match.group())
        for name in _ALLERGENS
        if set(words(name)) <= asked and (match := re.search(rf"\b{name}\w*", low))
    ]
    said.sort(key=lambda one: (one[0], -len(one[1])))
    return list(dict.fromkeys(word for _, word in said))


MOST_ASKED = 4
_NO_SUCH_THING = (  # what only the name of something else has, and what is left of that name
    (re.compile(r"\b(peanut|almond|cashew|hazelnut|walnut|pistachio|nut|apple|cocoa|cacao|shea|body|cookie|pumpkin|seed|sunflower|biscuit|sesame|soy|coconut|mango)s? butters?\b"), r"\1"),
    (re.compile(r"\b(coconut|oat|almond|soya?|rice|cashew|hemp|hazelnut|pea|nut|plant|macadamia|spelt|quinoa|flax|tofu|cashewnut)s?(?: \w+)? (?:milk|cream|creamer|yogh?urt|cheese|butter|drink|whipping cream|ice cream)s?\b"), r"\1"),
    (re.compile(r"\bbutter ?(?:beans?|lettuce|nuts?|fingers?|dish|knife)\b|\b(?:beef|beefsteak|plum|ox ?heart) tomato(?:es)?\b|\bsugar ?snaps?(?: peas?)?\b|\begg ?plants?\b|\begg (?:timers?|cups?|slicers?|cartons?)\b|\bmilk (?:thistle|frothers?|jugs?|pans?)\b"), " "),
    (re.compile(r"\bcream (?:of tartar|sodas?|crackers?)\b|\b(?:shaving|hand|face|body|foot|feet|sun|night|day|eye|skin|cleansing|anti-?\w+|moisturi[sz]ing|shower) (?:milk|cream|butter|lotion)s?\b|\bwater chestnuts?\b|\bginger nuts?\b|\bdough ?nuts?\b"), " "),
    (re.compile(r"\b(?:fish|cat|dog) (?:food|tank|bowl)\b|\boyster mushrooms?\b|\bcrab apples?\b|\bhoney (?:dew|melons?|mushrooms?)\b|\bcheese (?:cloth|boards?|graters?|knife)\b|\bnut ?crackers?\b|\bsalt (?:mill|shaker)s?\b|\bgoose ?berr(?:y|ies)\b"), " "),
    (re.compile(r"\b\w+(?:[ -](?:style|flavou?red?|flavou?r|taste|type|scented))\b|\b(?:imitation|mock|faux|fake|no|non|zero|mock|not|without)[ -]\w+|\b\w+[ -]?(?:free|less)\b"), " "),
)  # fmt: skip
_PLANTS = re.compile(
    r"\b(?:vegan|plant(?:[ -]based)?|vegetarian|veggie|meat[ -]?(?:free|less)|meatless|(?:dairy|egg|milk|lactose)[ -]free|non[ -]dairy|tofu|seitan|tempeh|jackfruit|alternatives?|substitutes?|replacer)\b"
)
_OF_ANIMALS = frozenset(
    words(
        "milk dairy lactose butter cheese cream yogurt whey casein egg fish shellfish seafood crustacean shrimp prawn meat beef pork chicken turkey lamb bacon ham honey gelatin gelatine lard"
    )
)
_KIN_IN_NAMES = {  # what goods of these names hold, where nothing in the name says otherwise; gluten is left to the label
    "nut": "nut peanut almond walnut cashew pecan pistachio hazelnut macadamia praline", "peanut": "peanut", "dairy": "milk cheese yogurt butter cream whey ghee custard cheddar mozzarella", "egg": "egg mayonnaise omelette meringue",
    "fish": "fish tuna salmon sardine anchovy cod haddock mackerel trout herring", "shellfish": "shellfish shrimp prawn crab lobster clam oyster mussel scallop", "soy": "soy soya tofu edamame tempeh", "meat": "meat beef pork chicken turkey lamb veal bacon ham salami sausage jerky",
    "pork": "pork bacon ham lard prosciutto pancetta salami", "wheat": "wheat spelt semolina couscous bulgur", "sesame": "sesame tahini",
}  # fmt: skip
_KIN_IN_NAMES |= {
    "milk": _KIN_IN_NAMES["dairy"],
    "lactose": _KIN_IN_NAMES["dairy"],
    "soya": _KIN_IN_NAMES["soy"],
    "crustacean": "shrimp prawn crab lobster crayfish",
    "seafood": f"{_KIN_IN_NAMES['fish']} {_KIN_IN_NAMES['shellfish']}",
    "gluten": _KIN_IN_NAMES["wheat"],
}


def contains(product: Product, what: str) -> bool | None:
    """Whether the product contains something; None where the catalogue does not tell. It is never ruled out by silence.

    A name is trusted only as far as it goes: oat milk holds no milk, but that is for its label to say.
    """
    kin = unwanted(f"without {what}") | set(words(what))
    if any(name.lower() in {f"{what}-free", f"{what} free"} and not is_no(value) for name, value in product.attributes):
        return False
    told = {stem for word in product.contains for stem in words(word)}
    return True if told & kin or _named_in(product, what) else None


def _named_in(product: Product, what: str) -> bool:
    """Whether the product's name says that it contains something."""
    asked = words(what)
    of_animals = not _OF_ANIMALS.isdisjoint(asked)
    told = " ".join(name for name, value in product.attributes if not is_no(value)).lower()
    if of_animals and _PLANTS.search(f"{product.name} {product.category} {told}".lower()):
        return False
    name = product.name.lower()
    for rule, left in _NO_SUCH_THING:
        name = rule.sub(left, name)
    named = set(words(name)) - unwanted(product.name)
    kin = {stem for one in asked for stem in words(_KIN_IN_NAMES.get(one, ""))}
    return bool(asked) and (set(asked) <= named or bool(kin & named))


def told_of_animals(product: Product, diet: str = "vegan") -> list[str]:
    """Return what the list of contents and the name tell that a vegan, or a vegetarian, does not eat."""
    forbidden = words(_MEAT if diet == "vegetarian" else f"{_MEAT} {_FROM_ANIMALS}")
    told = {stem for word in product.contains for stem in words(word)}
    return list(dict.fromkeys(one for one in forbidden if one in told or _named_in(product, one)))


_MEAT = (
    "meat fish beef pork chicken turkey lamb veal bacon ham salami sausage pepperoni chorizo prosciutto pancetta jerky venison mince gelatine gelatin lard suet tallow shellfish seafood crustacean mollusc shrimp prawn crab lobster clam oyster"
    " mussel scallop squid calamari octopus cod haddock tuna salmon trout sardine anchovy mackerel herring halibut tilapia pollock catfish snapper caviar"
)
_FROM_ANIMALS = "milk egg honey cheese butter dairy cream yogurt whey casein lactose ghee"


def feature(product: Product, what: str) -> bool | None:
    """Whether the catalogue says that the product is so; None where it does not tell. What denies it goes first."""
    asked = what.lower().replace(" ", "-")
    if denies(product, what):
        return False
    for name, value in product.attributes:
        if name.lower().replace(" ", "-") == asked:
            return not is_no(value)
    if has(product, what) or (asked == "vegetarian" and has(product, "vegan")):
        return True
    if asked.endswith("-free"):
        return False if contains(product, asked.removesuffix("-free")) else None
    return False if asked in {"vegan", "vegetarian"} and told_of_animals(product, asked) else None


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
