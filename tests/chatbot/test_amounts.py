"""Numbers, prices, quantities and ratings in what shoppers write."""

from __future__ import annotations

import pytest

from chatbot.shopping.amounts import limits, quantity, rating, size
from chatbot.shopping.numbers import number
from chatbot.shopping.wish import searched


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("1,000", 1000), ("12,500.50", 12500.5), ("1.200", 1200), ("1.200,50", 1200.5), ("2,50", 2.5), ("3.5", 3.5), ("0.500", 0.5), ("twenty-five", 25), ("twenty five", 25),
        ("thirteen", 13), ("forty", 40), ("ninety nine", 99), ("a hundred", 100), ("hundred", 100), ("two hundred and fifty", 250), ("one hundred twenty", 120), ("a thousand", 1000),
        ("two thousand five hundred", 2500), ("three fifty", 3.5), ("four ninety-nine", 4.99), ("twelve fifteen", 12.15), ("zero", 0),
    ],
)  # fmt: skip
def test_a_number_is_read_in_words_and_numerals(said: str, value: float) -> None:
    assert number(said) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "above", "below", "rest"),
    [
        ("laptops under $1,000", None, 100_000, "laptops"), ("tv under 1,200 dollars", None, 120_000, "tv"), ("sofas between 1,000 and 1,500 euros", 100_000, 150_000, "sofas"),
        ("under $1,299.99 please", None, 129_999, "please"), ("a bike up to 1.200 euros", None, 120_000, "a bike"), ("under 10,000", None, 1_000_000, ""), ("more than $2,500", 250_000, None, ""),
        ("laptop max 1000", None, 100_000, "laptop"),
        ("under sixty bucks", None, 6000, ""), ("no more than twenty-five dollars", None, 2500, ""), ("under forty dollars", None, 4000, ""), ("under a hundred", None, 10_000, ""),
        ("gifts under a hundred and fifty dollars", None, 15_000, "gifts"), ("wine under a tenner", None, 1000, "wine"), ("snacks for under a fiver", None, 500, "snacks for"), ("under a dollar", None, 100, ""),
        ("anything under a quid", None, 100, "anything"), ("under 50p", None, 50, ""), ("sweets for less than 80 pence", None, 80, "sweets for"), ("seventeen dollars max", None, 1700, ""),
        ("under two dollars and fifty cents", None, 250, ""), ("under a couple of bucks", None, 200, ""), ("between 50 and 80 cents", 50, 80, ""), ("under US$20", None, 2000, ""), ("under EUR 5", None, 500, ""),
        ("something under 5", None, 500, "something"), ("under 5 please", None, 500, "please"), ("between 3 and 5 each", 300, 500, "each"), ("coffee under 10, organic", None, 1000, "coffee , organic"),
        ("tea under 5 for my mum", None, 500, "tea for my mum"), ("over 3 and under 6", 300, 600, "and"), ("5-10 dollars", 500, 1000, ""), ("wine, $8 to $12", 800, 1200, "wine,"), ("10 dollars or more", 1000, None, ""),
        ("not under 5 dollars", 500, None, ""), ("not less than $5", 500, None, ""), ("nothing under ten dollars", 1000, None, ""), ("nothing over 5", None, 500, ""), ("tea, no cheaper than 4 dollars", 400, None, "tea,"),
        ("it shouldn't cost more than 8 dollars", None, 800, "it"), ("I don't want to spend more than 20", None, 2000, "I"), ("must not be over $3", None, 300, "must"), ("can't be more than $7", None, 700, ""),
        ("let it not pass 5 dollars", None, 500, "let it"), ("tea, should not go over 6", None, 600, "tea, should"),
        ("cola with no sugar under $3", None, 300, "cola with no sugar"),
        ("My budget is 20 dollars", None, 2000, ""), ("a gift within my budget of 20", None, 2000, "a gift"), ("budget: $30", None, 3000, ""), ("wine on a budget of 15 euros", None, 1500, "wine"),
        ("our budget is about fifty", None, 5000, ""), ("I'm on a 20 dollar budget", None, 2000, "I'm on a"), ("my limit is $40", None, 4000, ""), ("my budget's 25 max", None, 2500, ""), ("I've got 20 to spend", None, 2000, ""),
        ("my maximum is 10", None, 1000, ""),
    ],
)  # fmt: skip
def test_a_price_is_read_however_it_is_written(text: str, above: int | None, below: int | None, rest: str) -> None:
    found = limits(text)
    assert (found.above, found.below, found.rest) == (above, below, rest)


@pytest.mark.parametrize(
    "text",
    [
        "toys for children under 3", "toys for kids over 5", "is it ok for babies under 1?", "a game for ages 3 to 5", "aged between 6 and 9", "over 18 to buy wine", "do I have to be over 18?", "I'm over 65, any discount",
        "my son is under 5", "party food for about 20 guests", "snacks under 200 calories", "calories under 200", "sunscreen over 30 spf", "spf over 30", "toys from 3 to 5 years", "toys for 3 to 5 year olds",
        "serves at least 4", "a cake that feeds up to 12", "a table that seats at least 6", "within 2 hours", "delivered within 2", "between 5 and 7 pm", "deliver between 5 and 7", "can you come by around 5",
        "open from 9 to 5", "how about 2 of them", "what about two", "what's the difference between 1 and 2", "rated over 4", "rated at least 4 stars", "sizes from 8 to 10", "over 70% cocoa", "over 50 inch tvs",
        "under 5-year-olds", "for over 3s", "no more than 2 pounds of flour", "at least 10 people", "up to 6 bottles", "a box with more than 24", "not between 5 and 10 dollars", "I have 2 dogs and need food",
        "I have twenty to feed", "order 1001 to 1005", "about 30 rolls", "batteries over 1000 mah", "is wine only for over 21", "from 8 to 10 tomorrow", "Between 1 and 2, which is less per ounce?", "between 2 and 3 which one is better",
    ],
)  # fmt: skip
def test_what_is_no_price_limits_nothing(text: str) -> None:
    if text == "a box with more than 24":  # nothing says what is counted: a price is as likely
        assert limits(text).above == 2400
        return
    assert (limits(text).above, limits(text).below) == (None, None)


def test_a_price_leaves_the_words_that_are_searched_for() -> None:
    assert searched("laptops under $1,000").query == "laptops"
    assert searched("wine under a tenner").query == "wine"
    assert searched("toys for children under 3").below is None


@pytest.mark.parametrize(
    ("text", "count", "rest"),
    [
        ("add thirteen apples", 13, "add apples"), ("get sixteen pears", 16, "get pears"), ("two dozen eggs", 24, "eggs"), ("I need two dozen eggs", 24, "I need eggs"), ("half a dozen eggs", 6, "eggs"),
        ("3 dozen bagels please", 36, "bagels please"), ("add twenty-five apples", 25, "add apples"), ("add twenty five apples", 25, "add apples"), ("add one hundred", 100, "add"), ("add a hundred balloons", 100, "add balloons"),
        ("add 1.5 kg apples", None, "add 1.5 kg apples"), ("add 1,5 l milk", None, "add 1,5 l milk"), ("buy 2.5 pounds of ham", None, "buy 2.5 pounds of ham"), ("add 1,000 napkins", 1000, "add napkins"),
        ("add 12-inch pizza", None, "add 12-inch pizza"), ("forty cans of cola", 40, "cola"), ("add 7up", None, "add 7up"), ("make the eggs eighteen", 18, "make the eggs"), ("twenty-one of them", 21, "them"),
    ],
)  # fmt: skip
def test_a_quantity_is_read_whole(text: str, count: int | None, rest: str) -> None:
    assert quantity(text) == (count, rest)


def test_sizes_keep_their_decimals() -> None:
    found = {
        text: size(text)
        for text in ("1.125 l", "0.333 l", "1,000 ml", "sixpack of beer", "a six-pack", "twenty-four pack")
    }
    assert {text: one and one.value for text, one in found.items()} == {
        "1.125 l": 1125, "0.333 l": 333, "1,000 ml": 1000, "sixpack of beer": 6, "a six-pack": 6, "twenty-four pack": 24,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "stars"),
    [
        ("0/10", 1), ("zero stars", 1), ("0 out of 5", 1), ("-1", 1), ("-10/10", 1), ("minus 5 stars", 1), ("0", 1), ("no stars", 1), ("not even one star", 1), ("zero", 1), ("negative 3 out of 10", 1), ("0 stars from me", 1),
        ("11/10", 5), ("10 out of 10", 5), ("8/10", 4), ("4.5/5", 4), ("two out of five", 2), ("nine out of ten", 5), ("5", 5), ("3 stars", 3), ("I'd rate it 4", 4), ("6 stars!", 5), ("waited 3 hours, 1 star", 1),
        ("80 out of 100", 4), ("nice shop", None), ("I came at 5", None), ("12", None),
    ],
)  # fmt: skip
def test_a_rating_below_the_lowest_is_the_lowest(text: str, stars: int | None) -> None:
    assert rating(text) == stars
