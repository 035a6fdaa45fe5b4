"""What shoppers write, understood: limits, sizes, quantities, references, follow-ups."""

from __future__ import annotations

import pytest

from chatbot.shopping.amounts import limits, quantity, size
from chatbot.shopping.follow_up import Move, changes_search, follow_up
from chatbot.shopping.references import out_of_range, resolve
from chatbot.shopping.state import SearchState
from chatbot.shopping.wish import Wish, searched
from personalization.types import Money, Product, ProductId


def product(name: str, price: int = 300, brand: str = "", size_: str = "", **more: object) -> Product:
    return Product(ProductId(name), name, "Grocery", "Food", brand, Money(price, "USD"), size_, **more)  # type: ignore[arg-type]


MILKS = [
    product("Oat milk", 299, "Oatly", "1 l"), product("Almond milk", 249, "Alpro", "500 ml"), product("Soy milk, vanilla", 399, "Alpro", "2 l"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "above", "below"),
    [
        ("milk under $3", None, 300), ("between 2 and 5 dollars", 200, 500), ("less than five euros", None, 500), ("wine for 3.50 or less", None, 350),
        ("at most 80 cents", None, 80), ("over 10 dollars", 1000, None), ("coffee around $10", 800, 1200), ("under 12 oz", None, None),
        ("no more than three fifty", None, 350), ("I've only got two dollars on me", None, 200), ("I'd spend four at most", None, 400), ("I have two cats", None, None),
        ("ready within 20 minutes", None, None), ("a cake for at least 10 people", None, None),
    ],
)  # fmt: skip
def test_price_limits_are_read_and_other_numbers_are_not_prices(
    text: str, above: int | None, below: int | None
) -> None:
    found = limits(text)
    assert (found.above, found.below) == (above, below)


@pytest.mark.parametrize(
    ("text", "count", "rest"),
    [
        ("add two of the second one", 2, "add the second one"), ("put 3 milk in my basket", 3, "put milk in my basket"),
        ("2 bottles of water", 2, "water"), ("milk x3", 3, "milk"), ("make it 4", 4, "make it"), ("a couple of bananas", 2, "bananas"),
        ("add the second one", None, "add the second one"), ("take 2% milk", None, "take 2% milk"), ("add a 6-pack of cola", None, "add a 6-pack of cola"),
        ("I need 12 oz coffee", None, "I need 12 oz coffee"), ("two more of it please", 2, "it please"),
    ],
)  # fmt: skip
def test_quantities_are_told_from_sizes_and_from_places_in_a_list(text: str, count: int | None, rest: str) -> None:
    assert quantity(text) == (count, rest)


def test_sizes_are_compared_across_units() -> None:
    litre, pints = size("1 l"), size("2 pints")
    assert litre is not None
    assert pints is not None
    assert litre.matches(size("1000 ml"))
    assert not litre.matches(size("2 l"))
    assert size("no size here") is None


@pytest.mark.parametrize(
    ("text", "query", "limits_"),
    [
        ("do you have sparkling water?", "sparkling water", {}),
        ("I'm looking for gluten free bread under $4", "gluten free bread", {"below": 400, "without": ("gluten",)}),
        ("show me the cheapest milk", "milk", {"order": "cheapest"}),
        ("snacks without nuts please", "snacks", {"without": ("nuts",)}),
        ("vegan cheese", "cheese", {"has": ("vegan",)}),
        ("own brand coffee on offer", "coffee", {"brand": "Own brand", "on_offer": True}),
        ("no, I meant almond milk", "almond milk", {}),
    ],
)  # fmt: skip
def test_a_question_becomes_words_and_limits(text: str, query: str, limits_: dict[str, object]) -> None:
    wish = searched(text)
    assert wish.query == query
    assert {**wish.as_json(), "query": query} == {"query": query, **limits_}
    assert Wish.from_json(wish.as_json()) == wish


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("the second one", [1]), ("number 3 please", [2]), ("2", [1]), ("#1", [0]), ("the last one", [2]), ("second to last", [1]), ("the middle one", [1]),
        ("the first and the third", [0, 2]), ("both", [0, 1, 2]), ("all of them", [0, 1, 2]), ("the cheaper one", [1]), ("the most expensive", [2]), ("the biggest", [2]),
        ("the smallest please", [1]), ("that oat milk", [0]), ("the vanilla one", [2]), ("the Alpro", [1, 2]), ("the 500 ml one", [1]),
        ("1 or 3, which is cheaper", [0, 2]), ("the difference between number one and two", [0, 1]), ("compare the first two", [0, 1]),
        ("nothing of that sort", []),
    ],
)  # fmt: skip
def test_shown_products_are_pointed_at_by_place_measure_and_name(text: str, meant: list[int]) -> None:
    assert resolve(text, MILKS) == meant


def test_it_is_what_was_talked_of_last_and_a_place_that_is_not_there_is_noticed() -> None:
    assert resolve("how much is it", MILKS, focus="Almond milk") == [1]
    assert resolve("how much is it", MILKS[:1]) == [0]
    assert resolve("the other one", MILKS[:2], focus="Oat milk") == [1]
    assert resolve("the seventh one", MILKS) == []
    assert out_of_range("the seventh one", 3) == 7
    assert out_of_range("the second one", 3) is None


@pytest.mark.parametrize(
    ("text", "move", "changes"),
    [
        ("cheaper please", Move.SEARCH, {"below": 299, "order": "cheapest"}), ("something more expensive", Move.SEARCH, {"above": 400}),
        ("under $2.50", Move.SEARCH, {"below": 250}), ("without nuts", Move.SEARCH, {"without": ("nuts",)}), ("only organic ones", Move.SEARCH, {"has": ("organic",)}),
        ("another brand", Move.SEARCH, {"not_brands": ("oatly", "alpro")}), ("a bigger one", Move.SEARCH, {"bigger": ("amount", 2000.0)}),
        ("do you have a smaller pack", Move.SEARCH, {"smaller": ("amount", 500.0)}), ("in 1 liter", Move.SEARCH, {"size": "1 liter"}),
        ("show me more", Move.MORE, {}), ("any others?", Move.MORE, {}), ("something else", Move.OTHER, {}), ("I don't like these", Move.OTHER, {}),
        ("show me the first ones again", Move.FIRST, {}), ("go back", Move.BACK, {}), ("with chocolate", Move.NOTHING, {}),
    ],
)  # fmt: skip
def test_a_follow_up_changes_one_thing_and_keeps_the_rest(text: str, move: Move, changes: dict[str, object]) -> None:
    before = Wish(query="milk", has=()) if "organic" in text else Wish(query="milk")
    found = follow_up(text, before, MILKS)
    assert found.move is move
    assert {**found.wish.as_json()} == {"query": "milk", **changes}


def test_follow_ups_add_up_and_say_what_cannot_be_told() -> None:
    first = follow_up("without nuts", Wish(query="snacks"), MILKS).wish
    second = follow_up("and under 3 dollars", first, MILKS).wish
    assert (second.query, second.without, second.below) == ("snacks", ("nuts",), 300)
    assert follow_up("any price", second, MILKS).wish == Wish(query="snacks", without=("nuts",))
    nameless = [product("Milk")]
    assert follow_up("another brand", Wish(query="milk"), nameless).unknown == "brand"
    assert follow_up("a bigger one", Wish(query="milk"), nameless).unknown == "size"
    assert follow_up("with chocolate", Wish(query="milk"), MILKS).words == "chocolate"


def test_a_wish_only_fits_what_the_catalogue_tells() -> None:
    vegan = product("Margarine", attributes=(("vegan", ""),))
    assert Wish(has=("vegan",)).fits(vegan)
    assert not Wish(has=("vegan",)).fits(product("Butter"))
    assert not Wish(has=("vegan",)).fits(product("Butter", attributes=(("vegan", "no"),)))
    assert not Wish(without=("nuts",)).fits(product("Granola", contains=frozenset({"nut"})))
    assert not Wish(without=("nuts",)).fits(product("Almond biscuits"))
    assert not Wish(bigger=("amount", 500.0)).fits(product("Milk"))
    assert Wish(size="M").fits(product("Shirt", attributes=(("size", "M"),)))


def test_the_state_of_a_search_survives_its_slot_and_pages_turn() -> None:
    state = SearchState().showing(["a", "b"], Wish(query="milk")).showing(["c"], more=True)
    assert SearchState.from_json(state.as_json()) == state
    assert state.shown == ("c",)
    assert state.focus == "c"
    assert state.turned(-1).shown == ("a", "b")
    assert state.turned(-9).shown == ("a", "b")
    assert SearchState.from_json("nonsense") == SearchState.from_json({"pages": 3}) == SearchState()


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("easier on my wallet please", True), ("what else is there", True), ("any others?", True), ("show me what you had at first", True), ("I can't afford that", True),
        ("not Alpro", True), ("up to three fifty", True), ("do you have bread", False), ("thanks", False), ("how much is it", False), ("where is it", False),
    ],
)  # fmt: skip
def test_what_changes_a_search_is_told_from_what_does_not(text: str, changes: bool) -> None:
    assert changes_search(text) is changes
