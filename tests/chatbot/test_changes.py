"""What a message changes of a basket, in whatever words."""

from __future__ import annotations

import pytest

from chatbot.shopping.changes import Deed, changes

A, R, S, T, W, K, C = Deed.ADD, Deed.REMOVE, Deed.SET, Deed.TIMES, Deed.SWAP, Deed.KEEP, Deed.CLEAR
U = Deed.UNDO


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
        ("on second thoughts just the first is enough", K, "the first", None), ("hm that's two too many", R, "", 2), ("make it zero", S, "", 0), ("and back to 2", S, "", 2),
        ("wait make it 3, everyone is coming over", S, "", 3), ("the lads want some too so 4", S, "", 4), ("no, three jars", S, "", 3), ("hm, let's say two", S, "", 2), ("scrap that, back to three", S, "", 3),
        ("reduce that by one", R, "", 1), ("remove one", R, "", 1), ("increase it by 2", A, "", 2), ("the kids have a friend over, so one more pack", A, "", 1),
        ("on reflection just the first. could you take the other one out?", K, "the first", None), ("remove all but the first", K, "the first", None),
        ("actually 2 of it", S, "", 2), ("+1", A, "", 1), ("-2", R, "", 2), ("the first, add it", A, "the first", None), ("another of the last one I added", A, "", None),
        ("oops, undo that", U, "", None), ("put it back how it was", U, "", None),
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
        ("swap for the 1st", "", "the 1st"), ("I said the first one, not the second!", "", "the first one"), ("no sorry, not this, number 2", "", "number 2"),
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


@pytest.mark.parametrize(
    "text", ["please put everything in the basket", "I'll take all", "take them all", "put it all in"]
)
def test_who_wants_everything_has_no_basket_emptied(text: str) -> None:
    assert Deed.CLEAR not in {change.deed for change in changes(text)}


@pytest.mark.parametrize(
    "text",
    [
        "take everything out",
        "put them all back",
        "empty the whole basket",
        "yes, everything out",
        "throw all of it out",
    ],
)
def test_a_basket_is_emptied_in_many_words(text: str) -> None:
    assert [change.deed for change in changes(text)] == [Deed.CLEAR]


@pytest.mark.parametrize(
    "text",
    [
        "I want everything but the bread", "all but the third please", "leave everything except the first", "only the first is on offer?", "only the first arrived", "that's all, clear", "clear, thanks",
        "don't take it out", "leave the first in", "why so 3", "we were 6 last year so 4",
    ],
)  # fmt: skip
def test_what_only_sounds_like_a_change_takes_nothing_out(text: str) -> None:
    assert [change for change in changes(text) if change.deed is not A] == []


def test_one_deed_comes_after_the_other_and_one_that_is_taken_back_is_said_anew() -> None:
    assert [(one.deed, one.what) for one in changes("take the milk out and add two of the second")] == [
        (R, "the milk"), (A, "two of the second"),
    ]  # fmt: skip
    assert [(one.deed, one.what) for one in changes("put the third in. oh no sorry, the first")] == [(A, "the first")]
    assert [(one.deed, one.what) for one in changes("same again, but the cheaper one")] == [(A, "the cheaper one")]
    assert [one.what for one in changes("take the jam out, I found some at home")] == ["the jam"]


@pytest.mark.parametrize(
    "text",
    [
        "bin bags", "bin liners please", "drop scones", "lose weight tea", "another question", "one more question", "I don't need a receipt", "I won't need a paper receipt", "add me to the newsletter", "add my coupon",
        "add a note for the driver", "remove my credit card", "add this to my wish list", "I don't need any help", "does not work", "I did not put that there", "it's not working", "pop tarts", "cut flowers",
        "sugar not salt", "white bread not brown", "I want my money back", "call me back", "check out", "10 dollars off", "can you find out", "baby back ribs please", "I'll be back", "straight away", "half off", "delete my account",
        "add my phone number", "I don't want an account", "another coupon please", "can I add a comment", "another time", "remove me from the mailing list", "cancel my membership", "of course not me", "any oat milk thats not like a million dollars", "my money is small, let it not pass 5 dollars", "delete my face", "dont have the receipt tho", "I don't need a receipt anymore",
    ],
)  # fmt: skip
def test_what_is_no_goods_is_put_nowhere(text: str) -> None:
    assert changes(text) == []


@pytest.mark.parametrize(
    ("text", "sold"), [("drop crackers", "Drop Crackers"), ("minus one soda", "Minus One Soda"), ("add ons", "Add Ons"), ("bin cleaner", "Bin Cleaner")]
)  # fmt: skip
def test_what_the_catalogue_calls_so_is_no_deed(text: str, sold: str) -> None:
    assert changes(text)
    assert changes(text, lambda _: [("product", sold)]) == []
    assert changes(f"remove the {text}", lambda _: [("product", sold)]), "an article says that it is one"


@pytest.mark.parametrize(
    ("text", "deed", "what", "count", "new"),
    [
        ("make that 3 not 2", S, "", 3, ""), ("make it three, not two", S, "", 3, ""), ("I said 3 not 2", S, "", 3, ""), ("make the eggs 4 not 2", S, "the eggs", 4, ""), ("I want five rather than four", S, "", 5, ""), ("3 packs not 2", S, "", 3, ""),
        ("drop it into my basket", A, "", None, ""), ("give me the tea not the coffee", W, "the coffee", None, "the tea"), ("the second not the first", W, "the first", None, "the second"),
        ("remove milk", R, "milk", None, ""), ("drop the bread", R, "the bread", None, ""), ("bin it", R, "", None, ""), ("remove the birthday card", R, "the birthday card", None, ""), ("add sticky notes", A, "sticky notes", None, ""),
        ("onions out please", R, "onions", None, ""),
    ],
)  # fmt: skip
def test_a_deed_is_still_a_deed(text: str, deed: Deed, what: str, count: float | None, new: str) -> None:
    [change] = changes(text)
    assert (change.deed, change.what, change.count, change.new) == (deed, what, count, new)


def test_an_apology_takes_no_deed_back() -> None:
    [change] = changes("put 4 cans of the first one in. sorry about the caps my eyes are bad")
    assert (change.deed, change.what, change.anew) == (A, "4 cans of the first one", False)
    assert [one.what for one in changes("put the third in, sorry, the first")] == ["the first"]
