"""Messages with what they name, made for the products of a shop that the extractor was not tuned for.

The sentences are written by hand; products, colours and slips of the finger are drawn by the seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.entities import Extractor, Lexicon
from chatbot.entities.english import is_english
from personalization.types import ProductId, ProductName

SENTENCES = (
    "do you have a {product}?", "im looking for {products}", "show me {products} under {max} dollars", "any {products} in {color}",
    "i'd like to return the {product} from order {order}", "can you exchange my {product} for a {color} one", "is the {product} in stock",
    "how much is the {color} {product}", "compare the {product} and the {product2}", "add the {ordinal} one to my basket",
    "what's the warranty on the {product}", "cheapest {products} please", "where do i find {products}", "need a new {product} asap, max {max} euros",
    "my order {order} has the wrong {product}", "hi, {order} please, my zip is {zip}", "it's {email}", "my name is {name}",
    "{product}", "{products} between {min} and {max} dollars", "the {ordinal} one is nice, do you have it in {color}",
    "cancel the {product} in {order} and keep the {product2}", "I bought a {product} last week and it broke", "does the {product} come in {color}",
    "a {color} {product} for my brother", "got any {products}?", "{name}, zip code {zip}", "when will my {product} arrive",
    "put 2 of the {products} in my cart", "is a {product} better than a {product2}",
)  # fmt: skip
COLORS = ("black", "white", "red", "blue", "green", "silver", "beige", "pink", "navy", "grey")
PLACES = (("first", "1"), ("second", "2"), ("third", "3"), ("last", "-1"))
NAMES = ("Olivia Brown", "Raj Patel", "Mia Garcia", "Lucas Santos", "Fatima Johnson")
ROUNDS = 20


def measured(shop: Mapping[str, Any], seed: int) -> NDArray[np.int64]:
    """Return (messages, 3): how many entities are right, how many were found, and how many there are."""
    rng = np.random.default_rng(seed)
    names = {str(one["product_id"]): str(one["name"]) for one in shop["products"].values()}
    shop_names = [ProductName(name, "Goods", "Goods", "", only=ProductId(key)) for key, name in names.items()]
    extractor = Extractor(Lexicon.build(shop_names), is_english)
    orders = sorted(shop["orders"])
    counts = []
    for sentence in SENTENCES * ROUNDS:
        text, wanted = _written(sentence, names, orders, rng)
        found = {
            (one.kind, one.id if one.kind == "product" and one.id else one.value.lower())
            for one in extractor.extract(text)
        }
        counts.append((len(found & wanted), len(found), len(wanted)))
    return np.array(counts)


def _written(
    sentence: str, names: Mapping[str, str], orders: list[str], rng: np.random.Generator
) -> tuple[str, set[tuple[str, str]]]:
    wanted: set[tuple[str, str]] = set()
    first, second = rng.choice(sorted(names), 2, replace=False)
    low, high = sorted(rng.choice(np.arange(10, 300), 2, replace=False))
    (place, number), color, name = PLACES[rng.integers(4)], str(rng.choice(COLORS)), str(rng.choice(NAMES))
    order, postcode = str(rng.choice(orders)), f"{rng.integers(10000, 99999)}"
    email = f"{name.lower().replace(' ', '.')}{rng.integers(1000, 9999)}@example.com"
    values = {
        "product": (_slip(names[first], rng), "product", str(first)),
        "products": (_slip(_plural(names[first]), rng), "product", str(first)),
        "product2": (_slip(names[second], rng), "product", str(second)),
        "color": (color, "attribute", color), "ordinal": (place, "ordinal", number), "order": (order, "order_number", order.lstrip("#").lower()),
        "zip": (postcode, "postcode", postcode), "email": (email, "email", email), "name": (name, "name", name.lower()),
        "max": (str(high), "money_max", f"{high:.2f}"), "min": (str(low), "money_min", f"{low:.2f}"),
    }  # fmt: skip
    text = sentence
    for key, (written, kind, value) in values.items():
        if f"{{{key}}}" in text:
            text = text.replace(f"{{{key}}}", written)
            wanted.add((kind, value))
    if "2 of the" in sentence:
        wanted.add(("quantity", "2"))
    return text, wanted


def _plural(name: str) -> str:
    if name.endswith("s"):
        return name
    return (
        f"{name[:-1]}ies"
        if name.endswith("y") and name[-2] not in "aeiou"
        else f"{name}{'es' if name.endswith(('ch', 'x', 'sh')) else 's'}"
    )


def _slip(name: str, rng: np.random.Generator) -> str:
    """Write the name as people do: mostly in lower case, and one time in four with a letter lost, doubled or swapped."""
    name = name.lower() if rng.random() < 0.8 else name
    at = int(rng.integers(1, max(len(name) - 2, 2)))
    if rng.random() > 0.25 or not name[at : at + 2].isalpha():
        return name
    return (
        name[:at] + name[at + 1 :],
        name[:at] + name[at] + name[at:],
        name[:at] + name[at + 1] + name[at] + name[at + 2 :],
    )[rng.integers(3)]
