"""Patience that ends without swearing is heard; what only sounds like it is calm."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chatbot.affect import begin, see
from chatbot.emotion.model_ import EmotionModel
from chatbot.signals import from_text, repeats, without_courtesy
from chatbot.voice.states import DISTRESSED

NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture(scope="module")
def model() -> EmotionModel:
    return EmotionModel()


def felt(model: EmotionModel, text: str) -> str:
    heard = model.read(without_courtesy(text))
    seen = from_text(text, heard.affect, heard.state.chances, exasperated=heard.exasperated)
    return see(begin(NOW), seen, "neutral", NOW).state


@pytest.mark.parametrize(
    "text",
    [
        "you have got to be kidding me", "why is everything so difficult with you", "right, i'll take my money elsewhere then", "it happens every single time i come",
        "third time now: when does it come", "this is going nowhere", "same answer again. great.",
    ],
)  # fmt: skip
def test_the_end_of_patience_is_heard(model: EmotionModel, text: str) -> None:
    assert felt(model, text) in DISTRESSED


@pytest.mark.parametrize(
    "text",
    [
        "she hates flowers", "i buy your rolls every single time, so good", "could you show me those again", "anything for cleaning the oven or do i get that elsewhere",
        "not that one, the smaller bottle", "show me some noodles", "no, I meant the other shop", "the lid was cracked, can I return it?", "damn good coffee",
    ],
)  # fmt: skip
def test_what_only_sounds_like_it_is_calm(model: EmotionModel, text: str) -> None:
    assert felt(model, text) not in DISTRESSED


def test_words_said_again_with_stress_are_a_question_asked_again() -> None:
    assert repeats("hello??? FRESH basil!!!", ["fresh basil"])
    assert repeats("with LIME", ["sparkling water with lime"])
    assert not repeats("basil", ["fresh basil"])


def test_a_third_time_and_a_time_with_stress_count_twice() -> None:
    assert repeats("where is my order", ["where is my order?"]) == 1
    assert repeats("where is my order. i can type it all evening", ["where is my order", "where is my order?"]) == 2
    assert repeats("Gluten. Free. Pasta.", ["gluten free pasta"]) == 2
    assert repeats("Where is my order today", ["do you have milk"]) == 0


@pytest.mark.parametrize("more", ["show me oat milkshakes", "show me oat milk under $3", "show me oat milk and bread"])
def test_who_asks_for_less_or_more_of_it_does_not_ask_again(more: str) -> None:
    assert repeats(more, ["show me oat milk"]) == 0
