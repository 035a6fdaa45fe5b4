"""The wish behind an opening word, and openings that are all there is."""

import pytest

from chatbot.openings import beside_dropping, wish_of, wishes_of
from chatbot.spelling import spelled


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ("okay and two lemons", "two lemons"),
        ("alright then rice please", "rice please"),
        ("thanks but where do I find it?", "where do I find it?"),
        ("Hello there! Do you sell candles", "Do you sell candles"),
        ("Good morning. Any marmalade?", "Any marmalade?"),
        ("no, the blue one", "the blue one"),
        ("yes and add the soap", "add the soap"),
        ("also a bag of flour", "a bag of flour"),
        ("great, where does it stand", "where does it stand"),
        ("oh ok, fine, let me talk to somebody", "let me talk to somebody"),
    ],
)
def test_what_comes_after_an_opening_is_the_wish(said: str, wish: str) -> None:
    assert wish_of(said) == wish


@pytest.mark.parametrize(
    "said",
    [
        "ok", "thanks so much", "no thank you", "yes please", "hi again", "thank you for nothing", "no, I meant the other lamp", "no not those",
        "no sugar please", "great coffee please", "/leave_message", "well done", "oh no", "",
    ],
)  # fmt: skip
def test_an_opening_that_is_all_there_is_stays(said: str) -> None:
    assert wish_of(said) == said


@pytest.mark.parametrize(
    ("said", "wishes"),
    [
        ("when do you close and do you have firewood", ["when do you close", "do you have firewood"]),
        ("Hi! Can I pay by card? Where is the flour?", ["Can I pay by card", "Where is the flour?"]),
        ("do you have tents and how much are they", ["do you have tents and how much are they"]),
        ("cancel my order and show me the others", ["cancel my order and show me the others"]),
        ("bread and where is butter", ["bread and where is butter"]),
        ("salt and pepper", ["salt and pepper"]),
    ],
)
def test_two_unlike_questions_are_two_wishes(said: str, wishes: list[str]) -> None:
    assert wishes_of(said) == wishes


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("wheres teh cheepest tea", "where's the cheapest tea"),
        ("wats ur adress", "what's your address"),
        ("remov it pls", "remove it please"),
        ("Return policy", "Return policy"),
        ("returns and seconds", "returns and seconds"),
        ("/leave_message", "/leave_message"),
        ("US flag", "US flag"),
    ],
)
def test_what_is_typed_in_a_hurry_is_read(typed: str, meant: str) -> None:
    assert spelled(typed) == meant


@pytest.mark.parametrize(
    ("said", "wishes"),
    [
        ("first one in the basket and then show me tomatoes", ["first one in the basket", "show me tomatoes"]),
        ("rice and beans and how late do you deliver", ["rice and beans", "how late do you deliver"]),
        ("my kid has a fever, what do you have", ["my kid has a fever, what do you have"]),
        ("the dearest one please, i want to treat myself", ["the dearest one please, i want to treat myself"]),
    ],
)
def test_a_wish_of_any_form_is_one_of_two_and_a_reason_is_none(said: str, wishes: list[str]) -> None:
    assert wishes_of(said) == wishes


def test_what_is_asked_beside_dropping_something_is_kept() -> None:
    assert beside_dropping("never mind takes too long, where's the bread") == "where's the bread"
    assert beside_dropping("never mind, forget it") == ""


def test_a_grief_and_a_need_are_one_matter() -> None:
    assert len(wishes_of("my aunt passed away on Monday and I need lilies")) == 1
