"""What the catalogue tells of a product, and what it does not: an allergen is never ruled out by a name."""

from __future__ import annotations

import pytest

from chatbot.shopping.facts import Aspect, contains, feature, question, questions
from chatbot.shopping.wish import Wish
from personalization.types import Product
from tests.chatbot.test_search_words import product


def goods(name: str, *holds: str, **attributes: str) -> Product:
    """Return a product that lists what it contains, and attributes."""
    return product(name, contains=frozenset(holds), attributes=tuple(attributes.items()))


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("Oat Milk", "milk"), ("Almond Milk", "dairy"), ("Coconut Milk", "milk"), ("Soya milk, vanilla", "lactose"), ("Rice Drink Milk", "milk"), ("Peanut Butter", "butter"), ("Peanut Butter", "dairy"), ("Vegan Butter", "butter"),
        ("Plant-Based Cheese", "cheese"), ("Beef Tomatoes", "beef"), ("Beefsteak tomatoes", "meat"), ("Vegetarian Fish Fingers", "fish"), ("Vegan Salmon", "fish"), ("Sugar Snap Peas", "sugar"), ("Butter Beans", "butter"), ("Cocoa Butter Lotion", "butter"),
        ("Cream Crackers", "cream"), ("Shaving cream", "dairy"), ("Milk Thistle Tea", "milk"), ("Meatless Beef Burger", "beef"), ("Beef flavour crisps", "beef"), ("Oyster Mushrooms", "shellfish"), ("Water chestnuts", "nut"), ("Egg Plant", "egg"),
        ("Honey Melon", "honey"), ("Non-Dairy Creamer", "dairy"), ("Zero Sugar Cola", "sugar"), ("Tofu scrambled egg", "egg"), ("Fish Food", "fish"), ("Egg timer", "egg"), ("Crisps", "milk"), ("Coconut yogurt", "dairy"),
    ],
)  # fmt: skip
def test_a_name_that_only_sounds_like_it_is_left_to_the_label(name: str, what: str) -> None:
    assert contains(goods(name), what) is None


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("Whole Milk", "milk"), ("Whole Milk", "dairy"), ("Cheddar Cheese", "milk"), ("Butter", "butter"), ("Peanut Butter", "peanuts"), ("Peanut Butter", "nuts"), ("Almond Milk", "nuts"), ("Hazelnut Spread", "nut"), ("Tuna in oil", "fish"), ("Cod fillets", "fish"),
        ("Fish fingers", "fish"), ("Minced Beef", "meat"), ("Shrimp Crackers", "shellfish"), ("Egg Noodles", "egg"), ("Tahini paste", "sesame"), ("Soy sauce", "soy"), ("Wildflower Honey", "honey"), ("Smoked ham", "pork"), ("Milk Chocolate", "milk"), ("Spelt flour", "gluten"),
    ],
)  # fmt: skip
def test_a_name_that_says_so_is_believed(name: str, what: str) -> None:
    assert contains(goods(name), what) is True


def test_what_is_listed_counts_whatever_the_name_says() -> None:
    assert contains(goods("Oat Milk", "milk"), "milk") is True
    assert contains(goods("Vegan Cheese", "dairy"), "milk") is True
    assert contains(goods("Rice cakes", **{"nut-free": "yes"}), "nut") is False
    assert contains(goods("Rice cakes", **{"nut-free": "not certified"}), "nut") is None


@pytest.mark.parametrize(
    ("what", "one"),
    [
        ("vegan", goods("Not Vegan Cheese")), ("vegan", goods("Pasta bake", **{"vegan option": "not included"})), ("vegan", goods("Pasta bake, vegan option not included")), ("vegan", goods("Chips (not suitable for vegans)")),
        ("vegan", goods("Non-vegan burger")), ("vegan", goods("Sauce", vegan="not suitable")), ("vegan", goods("Soup", note="not certified vegan")), ("halal", goods("Non-halal sausage")), ("organic", goods("Juice", organic="none")),
        ("gluten-free", goods("Bread, not gluten free")), ("vegetarian", goods("Worcester sauce", note="unsuitable for vegetarians")),
        ("vegan", goods("Cod fillets")), ("vegan", goods("Smoked haddock")), ("vegan", goods("King Prawns")), ("vegan", goods("Soup", "crustaceans")), ("vegan", goods("Soup", "shellfish")), ("vegan", goods("Wildflower Honey")), ("vegan", goods("Beef Jerky")),
        ("vegan", goods("Gummies", "gelatin")), ("vegan", goods("Refried beans", "lard")), ("vegan", goods("Whole Milk")), ("vegan", goods("Lobster bisque")), ("vegetarian", goods("Anchovy paste")), ("vegetarian", goods("Gummies", "gelatine")), ("vegan", goods("Egg noodles")),
    ],
)  # fmt: skip
def test_what_is_denied_or_of_animals_is_not_so(what: str, one: Product) -> None:
    assert feature(one, what) is False
    assert not Wish(has=(what,)).fits(one)


@pytest.mark.parametrize(
    ("what", "one", "so"),
    [
        ("vegan", goods("Vegan Cheese"), True), ("vegan", goods("Oat Milk", vegan=""), True), ("vegetarian", goods("Vegan sausages"), True), ("organic", goods("Organic no added sugar muesli"), True), ("vegan", goods("Mushroom soup"), None),
        ("vegetarian", goods("Cheddar cheese"), None), ("vegan", goods("Oat Milk"), None), ("vegan", goods("Peanut Butter"), None), ("organic", goods("Not from concentrate organic juice"), True), ("vegan", goods("Tofu, firm"), None),
    ],
)  # fmt: skip
def test_what_is_told_is_so_and_silence_tells_nothing(what: str, one: Product, so: bool | None) -> None:
    assert feature(one, what) is so


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("does it contain peanuts or soy", ["peanuts", "soy"]), ("is it nut free and gluten free", ["nut-free", "gluten-free"]), ("nut and gluten free?", ["nut-free", "gluten-free"]), ("is it free from milk, eggs and soy", ["milk-free", "eggs-free", "soy-free"]),
        ("is it vegan and nut free", ["nut-free", "vegan"]), ("any milk, nuts or eggs in it?", ["milk", "nuts", "eggs"]), ("does the milk chocolate contain nuts", ["nuts"]), ("is it vegan or vegetarian", ["vegan", "vegetarian"]),
        ("does the fresh one contain fish", ["fish"]), ("are there nuts in it?", ["nuts"]), ("is it vegan, does it have honey", ["vegan", "honey"]), ("is it dairy free", ["dairy-free"]), ("has it got shellfish or sesame in it", ["shellfish", "sesame"]),
    ],
)  # fmt: skip
def test_each_thing_that_is_asked_is_answered(text: str, asked: list[str]) -> None:
    assert [one.what for one in questions(text)] == asked


def test_one_other_thing_is_asked_at_a_time() -> None:
    assert question("how much is it").aspect is Aspect.PRICE
    assert question("what colour is it").what == "colour"
    assert question("tell me about it").aspect is Aspect.ALL
