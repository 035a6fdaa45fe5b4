"""A choice that says how many, goods of a kind that the catalogue has no word for, and second thoughts on amounts."""

from __future__ import annotations

import pytest

from chatbot.actions.meaning import gives_up
from chatbot.shopping.changes import Deed, changes
from chatbot.shopping.kinds import kinds
from chatbot.shopping.picks import picked, picks
from chatbot.shopping.references import resolve
from chatbot.shopping.wish import rules_out, searched
from tests.chatbot.test_following import heard
from tests.chatbot.test_search_words import product

SHOWN = [product(name) for name in ("White bread", "Rye bread", "Bagels")]


@pytest.mark.parametrize(
    ("text", "count", "at"),
    [
        ("take first, 5", 5, [0]), ("alright going with the first, a single one", 1, [0]), ("The first one looks like his. One, please", 1, [0]),
        ("three packs, the second kind", 3, [1]), ("grab me two of whatever's second there", 2, [1]), ("the last, a couple please", 2, [2]),
    ],
)  # fmt: skip
def test_a_number_beside_a_place_counts_what_stands_there(text: str, count: int, at: list[int]) -> None:
    found = picked(text)
    assert found is not None
    assert (found[0], resolve(found[1], SHOWN)) == (count, at)
    assert heard(text, "pick_item", "search.found", shown=True) == "basket_add"


@pytest.mark.parametrize("text", ["second one goes in the cart", "going with the second one", "grab the last"])
@pytest.mark.parametrize("taken", ["complaint", "pick_item", "goodbye"])
def test_who_chooses_of_the_shown_gets_it_whatever_was_heard(text: str, taken: str) -> None:
    assert heard(text, taken, "search.found", shown=True) == "basket_add"


@pytest.mark.parametrize(
    "text", ["first one, pork or no", "take the first back", "is the second one any good, 5 stars?", "the first", "take the first one tomorrow"],
)  # fmt: skip
def test_a_question_or_a_refusal_is_no_choice(text: str) -> None:
    assert heard(text, "product_details", "search.found", shown=True) != "basket_add"


def test_places_may_be_told_from_the_top_or_from_what_is_talked_of() -> None:
    assert resolve("two of the one on top", SHOWN) == [0]
    assert resolve("whatever's on top", SHOWN) == [0]
    assert resolve("I meant the one right above it", SHOWN, SHOWN[1].product_id) == [0]
    assert resolve("the one below that", SHOWN, SHOWN[1].product_id) == [2]
    assert not picks("the one on top of the fridge")


@pytest.mark.parametrize(
    ("text", "deed", "count"),
    [
        ("hmm six is a lot isn't it. four", Deed.SET, 4), ("no i was right the first time, back up to six please", Deed.SET, 6),
        ("Better make that a pair, he's a big eater", Deed.SET, 2), ("actually cut that in half", Deed.TIMES, 0.5),
        ("one more on top of that just to be safe", Deed.ADD, 1), ("n double whats left", Deed.TIMES, 2),
        ("Sorry, mistake of me. One box only is enough for us.", Deed.SET, 1), ("drop all but one", Deed.SET, 1),
        ("Dump the whole cart, I was never here", Deed.CLEAR, None), ("actually im broke lol leave it out", Deed.REMOVE, None),
        ("Put it back on the shelf", Deed.REMOVE, None),
    ],
)  # fmt: skip
def test_second_thoughts_on_what_was_just_put_in(text: str, deed: Deed, count: float | None) -> None:
    [one] = changes(text)
    assert (one.deed, one.what, one.count) == (deed, "", count)


@pytest.mark.parametrize("text", ["Leave the food be", "leave the milk alone", "I was there. four"])
def test_what_is_left_in_peace_is_not_taken_out(text: str) -> None:
    assert not changes(text)


@pytest.mark.parametrize(
    ("text", "given_up"),
    [
        ("NEVER MIND ILL HAVE MY DAUGHTER DO IT", True), ("actually nvm my mom just got here", True), ("you know what forget it, let it come", True),
        ("nvm regular milk is fine", False), ("never mind, i need bread", False), ("forget it, my wife wants eggs, can you add them", False),
    ],
)  # fmt: skip
def test_who_gives_up_may_say_why_but_not_wish_for_something(text: str, given_up: bool) -> None:
    assert gives_up(text) is given_up


def test_what_is_refused_first_is_left_out() -> None:
    assert searched("not soy, wrecks my stomach").without == ("soy",)
    assert rules_out("not soy, wrecks my stomach")
    assert not rules_out("not sure")
    assert not searched("no like the honey ones").without
    assert searched("need motor oil no scratch that i need paper towels").query == "paper towels"


def test_the_kind_of_goods_is_known_where_a_catalogue_may_not_know_the_word() -> None:
    assert kinds("kielbasa please") == [("kielbasa", "sausage")]
    assert kinds("something for a migraine") == [("migraine", "pain reliever")]
    assert not kinds("a padsaw")


@pytest.mark.parametrize(
    ("text", "taken", "last", "intent"),
    [
        ("who gets to see that?", "why", "account.knowledge", "what_do_you_know"),
        ("is this conversation being saved", "forget_chat", "conversation.greet", "what_do_you_know"),
        ("the milk is sour, can i bring it back", "product_search", "conversation.greet", "return_policy"),
        ("alright, i'll show it at the register. bye now", "clarify", "coupon.given", "goodbye"),
        ("and where exactly", "product_search", "shop.hours", "store_location"),
    ],
)  # fmt: skip
def test_what_is_plain_is_heard_whatever_the_model_took_it_for(text: str, taken: str, last: str, intent: str) -> None:
    assert heard(text, taken, last) == intent
