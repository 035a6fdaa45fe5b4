"""What a message names, in a shop that nobody prepared the extractor for."""

from __future__ import annotations

import pytest

from chatbot.entities import Extractor, Lexicon
from chatbot.entities.english import is_english
from personalization.types import ProductId, ProductName

GOODS = [
    ("1", "Oat milk barista, 1 l", "Drinks", "Milk alternatives", "Oatland"),
    ("2", "Whole milk, 1 gal", "Dairy", "Milk", "Own brand"),
    ("3", "Running Shoes", "Sports", "Shoes", "Fleetfoot"),
    ("4", "Wireless Earbuds", "Electronics", "Audio", "Sonus"),
    ("5", "Dark chocolate with hazelnuts", "Sweets", "Chocolate", "Cocoa & Co"),
    ("6", "White bread, 20 oz", "Bakery", "Bread", "Own brand"),
    ("7", "Frozen pizza margherita", "Frozen", "Frozen pizza", "Napoli"),
    ("8", "Electric Kettle", "Home", "Kitchen appliances", "Boilwell"),
]


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    told = {"3": (("color", "coral"), ("size", "9"))}
    names = [
        ProductName(name, department, category, brand, attributes=told.get(i, ()), only=ProductId(i))
        for i, name, department, category, brand in GOODS
    ]
    return Extractor(Lexicon.build(names), known={"status", "bred"}.__contains__)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("do you have oat milk under 5 dollars?", [("product", "Oat milk barista, 1 l", "1"), ("money_max", "5.00", "USD")]),
        ("wireles earbud pls", [("product", "Wireless Earbuds", "4")]),
        ("got any frozen pizzas", [("category", "Frozen pizza", None)]),
        ("anything by sonus between 20 and 50 euros", [("brand", "Sonus", None), ("money_min", "20.00", None), ("money_max", "50.00", "EUR")]),
        ("running shoes in coral, size 9.5", [("product", "Running Shoes", "3"), ("attribute", "coral", "color"), ("size", "9.5", None)]),
        ("white bread", [("product", "White bread, 20 oz", "6")]),
        ("a white kettle", [("attribute", "white", "color"), ("product", "Electric Kettle", "8")]),
        ("chocolate without nuts", [("category", "Chocolate", None), ("exclusion", "nuts", None)]),
        ("the second one", [("ordinal", "2", None)]),
        ("number 3 please", [("ordinal", "3", None)]),
        ("the last", [("ordinal", "-1", None)]),
        ("where is my order #W7678072", [("order_number", "W7678072", None)]),
        ("order number is 48213", [("order_number", "48213", None)]),
        ("it's noah.brown@example.com", [("email", "noah.brown@example.com", None)]),
        ("my name is yusuf rossi and my zip is 19122", [("name", "Yusuf Rossi", None), ("postcode", "19122", None)]),
        ("I'm Anna-Lena Schmidt", [("name", "Anna-Lena Schmidt", None)]),
        ("two packs of milk", [("quantity", "2", None), ("category", "Milk", None)]),
        ("earbuds for 30 bucks or less", [("product", "Wireless Earbuds", "4"), ("money_max", "30.00", "USD")]),
        ("what's the status of my order", []),
        ("when are you open on the second of may", [("ordinal", "2", None)]),
        ("hello there", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_message_names(extractor: Extractor, text: str, expected: list[tuple[str, str, str | None]]) -> None:
    assert [(found.kind, found.value, found.id) for found in extractor.extract(text)] == expected


def test_places_are_those_of_the_text(extractor: Extractor) -> None:
    text = "Is the électric KETTLE, or oat mlik, in stock?"
    assert [text[found.start : found.end] for found in extractor.extract(text)] == ["électric KETTLE", "oat mlik"]


def test_a_mended_typo_is_less_sure(extractor: Extractor) -> None:
    [right], [mended] = extractor.extract("electric kettle"), extractor.extract("electirc kettle")
    assert mended.id == right.id == "8"
    assert mended.confidence < 0.75 < right.confidence


def test_a_new_catalogue_counts_at_once() -> None:
    sells_skates = [ProductName("Skateboard", "Sports", "Boards", "Rollo", only=ProductId("9"))]
    assert Extractor(Lexicon.build([])).extract("a skateboard") == ()
    assert Extractor(Lexicon.build(sells_skates)).extract("a skateboard")[0].id == "9"


def test_a_name_that_several_products_have_is_one_name_and_none_of_them() -> None:
    sizes = [
        ProductName(f"Orange juice, {n} oz", "Drinks", "Juice", "", f"{n} oz", only=ProductId(str(n))) for n in (8, 16)
    ]
    lexicon = Lexicon.build(sizes)
    assert len(lexicon.names) == 1
    [found] = Extractor(lexicon).extract("orange juice")
    assert (found.kind, found.value, found.id) == ("product", "orange juice", None)


@pytest.mark.parametrize(("said", "named"), [("beer", []), ("befe", ["Beef"]), ("spageti", ["spaghetti"])])
def test_an_english_word_is_no_typo_of_another(said: str, named: list[str]) -> None:
    sold = [
        ProductName("Choice beef", "Meat", "Beef", "Own brand", only=ProductId("1")),
        ProductName("Thin spaghetti, 1 lb", "Grocery", "Dry pasta", "Own brand", only=ProductId("2")),
        ProductName("Whole wheat spaghetti, 1 lb", "Grocery", "Dry pasta", "Own brand", only=ProductId("3")),
    ]
    assert [one.value for one in Extractor(Lexicon.build(sold), is_english).extract(said)] == named
