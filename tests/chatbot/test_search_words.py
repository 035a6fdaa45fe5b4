"""What shoppers write, understood: limits, sizes, quantities, references, follow-ups."""

from __future__ import annotations

import pytest

from chatbot.asides import without_asides
from chatbot.shopping.amounts import limits, quantity, size
from chatbot.shopping.follow_up import Move, changes_search, follow_up
from chatbot.shopping.references import out_of_range, resolve
from chatbot.shopping.state import SearchState
from chatbot.shopping.wish import Wish, main_clause, only_tells, rules_out, searched
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


def test_what_leads_up_to_a_wish_is_not_searched_for() -> None:
    assert searched("doing the weekly shop. let's start with milk").query == "milk"
    assert searched("something quick for breakfast before school").query == "quick breakfast"
    assert main_clause("do you have beer... sorry, i mean bread") == "do you have beer... sorry, i mean bread"


def test_a_statement_that_names_goods_by_the_way_asks_for_none() -> None:
    assert only_tells("Dear shop, I am not very good with these computers")
    assert not only_tells("spilled wine on the carpet, what removes it")
    assert not only_tells("frozen peas")


def test_dislikes_rule_out() -> None:
    assert searched("something sweet, he hates chocolate").without == ("chocolate",)
    assert rules_out("she hates flowers")
    assert not searched("i hate waiting").without


@pytest.mark.parametrize(("text", "count"), [("the second one x 6", 6), ("the first one twice", 2), ("one of each", 1)])
def test_a_number_behind_what_it_counts(text: str, count: int | None) -> None:
    assert quantity(text)[0] == count


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("what's the difference between 1 and 2", [0, 1]), ("compare 2 with 3", [1, 2]), ("top one as well, just one", [0]), ("the bottom one", [2]),
        ("something between 1 and 2 dollars", []),
    ],
)  # fmt: skip
def test_places_are_told_by_bare_numbers_and_by_where_they_stand(text: str, at: list[int]) -> None:
    assert resolve(text, MILKS) == at


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("I'm cooking for six people on Friday and I need ground beef", "ground beef"), ("show me crackers instead of bread", "crackers"),
        ("I have two friends over, so what teas do you have?", "teas"), ("have you got decaf or not", "decaf"),
    ],
)  # fmt: skip
def test_a_plan_is_not_searched_for_but_what_it_needs(text: str, query: str) -> None:
    assert searched(without_asides(text)).query == query


def test_what_a_plan_points_back_to_stays_in_the_search() -> None:
    assert "cat" in searched("my cat is sick and I need soft food for her").query


@pytest.mark.parametrize(
    ("price", "currency", "told"),
    [(298, "JPY", "300 JPY"), (29_800, "USD", "$300.00"), (298_000, "KWD", "300.000 KWD")],
)
def test_a_limit_is_in_the_currencys_own_unit(price: int, currency: str, told: str) -> None:
    cheap = Product(ProductId("p"), "Tea", "Grocery", "Food", "", Money(price, currency), "")
    wish = searched("tea under 300 dollars")
    assert wish.fits(cheap)
    assert not searched("tea under 200 dollars").fits(cheap)
    assert wish.told(currency) == f"up to {told}"


THREE = [
    product("Whole milk", 300, "", "1 l"),
    product("Oat milk", 200, "", "2 l"),
    product("Almond milk", 400, "", "500 ml"),
]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("not the first", [1, 2]), ("anything but the second", [0, 2]), ("not the cheapest", [0, 2]), ("all but the last", [0, 1]), ("all of them except the first", [1, 2]), ("everything except the oat milk", [0, 2]),
        ("not the first, the second", [1]), ("the second, not the first", [1]), ("not the first but the third", [2]), ("the third instead of the first", [2]), ("I don't want the first, give me the last", [2]), ("any but the most expensive", [0, 1]),
        ("not number 2", [0, 2]), ("both the first and the last, not the second", [0, 2]), ("neither the first nor the second", [2]), ("not the first or the second", [2]), ("anything but that one", [0, 2]), ("not this one", [0, 2]),
        ("the cheaper of the last two", [1]), ("the cheapest of the first two", [1]), ("the bigger of the first and the third", [0]), ("the dearer one of the first two", [0]), ("the cheaper of 1 and 3", [0]),
        ("the second cheapest", [0]), ("second most expensive please", [0]), ("third cheapest", [2]), ("the 2nd biggest", [0]), ("the two cheapest", [0, 1]), ("the cheapest two", [0, 1]), ("the last but one", [1]), ("the second last", [1]),
        ("the second to last", [1]), ("the cheapest of them", [1]), ("the cheapest", [1]), ("the second", [1]), ("no, the first", [0]), ("the first, not too expensive", [0]), ("why not the second", [1]), ("is the second not too sweet", [1]),
    ],
)  # fmt: skip
def test_what_is_excluded_ranked_or_chosen_among_some_is_told(text: str, meant: list[int]) -> None:
    assert resolve(text, THREE, focus="Oat milk") == meant


@pytest.mark.parametrize(
    ("text", "query", "without"),
    [
        ("no salt crackers", "crackers", ("salt",)), ("no nuts muesli please", "muesli", ("nuts",)), ("no sugar added ketchup", "ketchup", ("sugar",)), ("no added sugar ketchup", "ketchup", ("added sugar",)), ("do you have no egg noodles", "noodles", ("egg",)),
        ("show me no-alcohol beer", "beer", ("alcohol",)), ("no nuts or soy granola", "granola", ("nuts or soy",)), ("no nuts please", "", ("nuts",)), ("snacks no nuts", "snacks", ("nuts",)), ("no peanut butter", "", ("peanut butter",)),
        ("anything but wine", "", ("wine",)), ("everything except beer", "", ("beer",)), ("bread but not white", "bread", ("white",)), ("milk, not oat", "milk", ("oat",)), ("milk not oat", "milk", ("oat",)), ("milk, not oat milk", "milk", ("oat",)),
        ("cheese but no blue", "cheese", ("blue",)), ("any cheese but cheddar", "cheese", ("cheddar",)), ("snacks other than crisps", "snacks", ("crisps",)), ("fruit excluding bananas please", "fruit", ("bananas",)), ("tea that is not green", "tea", ("green",)),
        ("fruit but not tomatoes", "fruit", ("tomatoes",)), ("juice, just not orange", "juice", ("orange",)), ("all fruit besides apples", "fruit", ("apples",)), ("cereal except for the chocolate one", "cereal", ("chocolate",)), ("wine, but not red, under 10 dollars", "wine", ("red",)),
        ("I'd like a drink, anything but cola", "drink", ("cola",)), ("coffee not decaf", "coffee", ("decaf",)), ("cheese but not vegan", "cheese", ("vegan",)),
    ],
)  # fmt: skip
def test_what_is_excepted_is_left_out(text: str, query: str, without: tuple[str, ...]) -> None:
    wish = searched(text, [("product", without[0])])
    assert (wish.query, wish.without, wish.has) == (query, without, ())


@pytest.mark.parametrize(
    "text",
    ["why do you not have bread", "is the milk not available", "something sweet but not too expensive", "I need milk but I have no money", "not the first", "bread but cheap", "cheese, but please hurry", "anything but the second", "coffee, not sure which", "wait why not tho"],
)  # fmt: skip
def test_what_excepts_nothing_leaves_nothing_out(text: str) -> None:
    assert searched(text).without in {(), ("money",)}
