"""What a message changes of a basket, in whatever words."""

from __future__ import annotations

import pytest

from chatbot.shopping.changes import Deed, changes

A, R, S, T, W, K, C = Deed.ADD, Deed.REMOVE, Deed.SET, Deed.TIMES, Deed.SWAP, Deed.KEEP, Deed.CLEAR


@pytest.mark.parametrize(
    ("text", "deed", "what", "count"),
    [
        ("double that please", T, "", 2), ("could you triple the rice", T, "the rice", 3), ("make it half as many", T, "", 0.5),
        ("make it four", S, "", 4), ("do two of it", S, "", 2), ("make the eggs 2", S, "the eggs", 2), ("change it to three packs", S, "", 3), ("only five of the apples please", S, "the apples", 5),
        ("leave just one of them", S, "", 1), ("five instead of two", S, "", 5), ("bump that up to 3", S, "", 3), ("two is enough", S, "", 2), ("bring the milk down to 2", S, "the milk", 2),
        ("remove the bread", R, "the bread", None), ("take two out again", R, "", 2), ("one fewer", R, "", 1), ("could you take the soap back out of my cart?", R, "the soap", None),
        ("I won't need the cheese after all", R, "the cheese", None), ("don't want the ham any more", R, "the ham", None), ("forget the salt", R, "the salt", None),
        ("throw out that yogurt", R, "that yogurt", None), ("get rid of it", R, "", None), ("no, onions out please", R, "onions", None),
        ("two more", A, "", 2), ("another one", A, "", None), ("stick three more of those in", A, "", 3), ("same again", A, "", None), ("pop the second into my bag", A, "the second", None),
        ("keep only the bread", K, "the bread", None), ("keep the second, remove the others", K, "the second", None), ("everything out except the tea", K, "the tea", None),
        ("empty the basket", C, "", None), ("throw it all out", C, "", None), ("let's start over", C, "", None), ("please remove everything", C, "", None),
    ],
)  # fmt: skip
def test_a_deed_is_read_with_what_it_is_done_to_and_how_many(
    text: str, deed: Deed, what: str, count: float | None
) -> None:
    [change] = changes(text)
    assert (change.deed, change.what, change.count) == (deed, what, count)


@pytest.mark.parametrize(
    ("text", "what", "new"),
    [
        ("swap the oat milk for the almond milk", "the oat milk", "the almond milk"), ("replace it with the third one", "", "the third one"), ("no, I meant the first", "", "the first"),
        ("can I have the bigger one instead", "", "the bigger one"), ("give me the tea instead of the coffee", "the coffee", "the tea"),
    ],
)  # fmt: skip
def test_one_thing_goes_and_another_comes(text: str, what: str, new: str) -> None:
    [change] = changes(text)
    assert (change.deed, change.what, change.new) == (W, what, new)


@pytest.mark.parametrize(
    "text",
    [
        "do you have bread", "thanks", "no", "what else is there", "without nuts", "not that brand", "how much is the second", "never mind", "a dozen eggs please",
        "something cheaper", "is it out of stock", "half a pound of ham", "when do you open", "I'm looking for tea", "not so expensive", "show me more",
    ],
)  # fmt: skip
def test_what_changes_no_basket_is_left_alone(text: str) -> None:
    assert [change for change in changes(text) if change.deed is not A] == []


def test_one_deed_comes_after_the_other_and_one_that_is_taken_back_is_said_anew() -> None:
    assert [(one.deed, one.what) for one in changes("take the milk out and add two of the second")] == [
        (R, "the milk"), (A, "two of the second"),
    ]  # fmt: skip
    assert [(one.deed, one.what) for one in changes("put the third in. oh no sorry, the first")] == [(A, "the first")]
    assert [(one.deed, one.what) for one in changes("same again, but the cheaper one")] == [(A, "the cheaper one")]
    assert [one.what for one in changes("take the jam out, I found some at home")] == ["the jam"]
