"""P(dissatisfied) over a conversation: what raises it, what calms it, and that it says why."""

from __future__ import annotations

import pytest

from chatbot.emotion import EmotionModel
from chatbot.emotion.satisfaction import Turn, alike, dissatisfied, evidence


@pytest.fixture(scope="module")
def model() -> EmotionModel:
    return EmotionModel()


def talk(model: EmotionModel, *lines: str) -> list[Turn]:
    """Shopper and bot in turns, the shopper first."""
    return [Turn(text, model.read(text), lines[at - 1] if at else "") for at, text in enumerate(lines) if at % 2 == 0]


SMOOTH = (
    "I need a birthday cake", "Chocolate or vanilla?", "chocolate please", "It is in your basket.", "great, thank you!",
)  # fmt: skip
STUCK = (
    "I need a birthday cake", "Sorry, I did not understand.", "a birthday cake", "Sorry, I did not understand.", "no! I said a birthday cake",
)  # fmt: skip


def test_a_talk_that_is_stuck_is_told_from_one_that_flows(model: EmotionModel) -> None:
    assert dissatisfied(talk(model, *SMOOTH)) < 0.1
    assert dissatisfied(talk(model, *STUCK)) > 0.6


def test_it_rises_while_nothing_helps(model: EmotionModel) -> None:
    turns = talk(model, *STUCK)
    course = [dissatisfied(turns[: count + 1]) for count in range(3)]
    assert course == sorted(course)


def test_the_same_words_weigh_more_after_a_failure(model: EmotionModel) -> None:
    asked, bread = Turn("do you have rye bread", model.read("do you have rye bread")), model.read("white bread then")
    found, failed = (
        Turn("white bread then", bread, "Here it is."),
        Turn("white bread then", bread, "Unfortunately there is none."),
    )
    known = Turn("white bread then", bread, "Here it is.", failed=True)
    assert dissatisfied([asked, found]) < dissatisfied([asked, failed]) == dissatisfied([asked, known])


def test_thanks_after_trouble_calm_it(model: EmotionModel) -> None:
    turns = talk(model, *STUCK, "Found it: chocolate cake, $18.", "perfect, thank you so much")
    assert dissatisfied(turns) < 0.4 < dissatisfied(turns[:-1])


def test_a_first_wish_is_no_verdict(model: EmotionModel) -> None:
    for text in ("show me horror movies", "I want to return a broken kettle", "cancel my order please"):
        assert dissatisfied(talk(model, text)) < 0.3, text


def test_it_says_why(model: EmotionModel) -> None:
    reasons = evidence(talk(model, *STUCK))
    assert reasons["failed"] > 0
    assert reasons["loop"] > 0
    assert reasons["again"] > 0
    assert evidence(talk(model, *SMOOTH))["loop"] == 0


def test_saying_it_again_is_seen_through_other_words_around_it() -> None:
    assert alike("I said a birthday cake!", "I need a birthday cake") > 0.5
    assert alike("yes", "yes") == 0
    assert alike("what about milk chocolate", "opening hours on sunday") == 0
