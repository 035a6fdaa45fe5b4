"""Emotion of a message, mood of a conversation."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.affect import AffectState, load, see, update
from chatbot.emotion import EmotionModel
from chatbot.emotion.model_ import top_label
from chatbot.signals import from_text, without_courtesy
from personalization.types import Affect

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def model() -> EmotionModel:
    return EmotionModel()


def mood(model: EmotionModel, text: str) -> str:
    felt = model.predict(text)
    return update(None, felt, top_label(felt), NOW).mood


@pytest.mark.parametrize(
    "text",
    ["do you have oat milk?", "where is the bread", "opening hours", "2 pounds of ground beef", "show me my orders"],
)
def test_a_plain_question_is_not_taken_for_trouble(model: EmotionModel, text: str) -> None:
    assert mood(model, text) == "neutral"


@pytest.mark.parametrize(
    "text",
    [
        "this is the third time my coupon fails, ridiculous",
        "I am so angry right now",
        "your service is terrible and disgusting",
        "I hate this stupid app",
    ],
)
def test_anger_and_annoyance_are_heard(model: EmotionModel, text: str) -> None:
    assert mood(model, text) == "troubled"


@pytest.mark.parametrize("text", ["thank you so much", "wow this is great, I love it"])
def test_gratitude_and_joy_are_heard(model: EmotionModel, text: str) -> None:
    assert mood(model, text) == "pleased"


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=200))
def test_whatever_is_written_probabilities_and_mood_stay_in_their_ranges(text: str) -> None:
    felt = _shared().predict(text)
    assert all(0 <= chance <= 1 for chance in felt.emotions.values())
    assert -1 <= felt.valence <= 1
    assert 0 <= felt.arousal <= 1


_kept: list[EmotionModel] = []


def _shared() -> EmotionModel:
    if not _kept:
        _kept.append(EmotionModel())
    return _kept[0]


@given(values=st.lists(st.tuples(st.floats(-1, 1), st.integers(0, 5000)), min_size=1, max_size=20))
def test_a_mood_lies_between_the_moods_it_was_made_of(values: list[tuple[float, int]]) -> None:
    state: AffectState | None = None
    at = NOW
    for valence, seconds in values:
        at += timedelta(seconds=seconds)
        state = update(state, Affect(valence, 0.5), "x", at)
    assert state is not None
    felt = [0.0, *(v for v, _ in values)]  # 0: what a mood fades to
    assert min(felt) - 1e-3 <= state.valence <= max(felt) + 1e-3
    assert load(json.loads(json.dumps(state.as_json()))) == state


def test_a_neutral_question_right_after_does_not_end_a_bad_mood() -> None:
    annoyed = update(None, Affect(-0.6, 0.6), "annoyance", NOW)
    asked = update(annoyed, Affect(0.0, 0.1), "neutral", NOW + timedelta(seconds=20))
    pleased = update(annoyed, Affect(0.7, 0.4), "gratitude", NOW + timedelta(seconds=20))
    assert (annoyed.mood, asked.mood, pleased.mood) == ("troubled", "troubled", "neutral")


def test_an_old_mood_fades() -> None:
    angry = update(None, Affect(-0.9, 0.9), "anger", NOW)
    soon = update(angry, Affect(0.0, 0.1), "neutral", NOW + timedelta(seconds=10))
    later = update(angry, Affect(0.0, 0.1), "neutral", NOW + timedelta(hours=2))
    assert soon.valence < later.valence < 0.01


@pytest.mark.parametrize(
    "text",
    [
        "oh no sorry, the first", "sorry, do you have rice", "ok, I'm sorry. and noodles?",
    ],
)  # fmt: skip
def test_who_corrects_themselves_is_polite_and_not_sad(model: EmotionModel, text: str) -> None:
    felt = model.predict(without_courtesy(text))
    assert update(None, felt, top_label(felt), NOW).mood != "troubled"


def test_an_apology_alone_is_left_as_it_is() -> None:
    assert without_courtesy("I am so sorry") == "I am so sorry"


@pytest.mark.parametrize(
    "text",
    [
        "super, just super", "you are a real genius", "what the hell", "that was very helpful, not", "are you even reading this", "I drove an hour for nothing", "no, organic i said",
    ],
)  # fmt: skip
def test_scorn_and_having_to_say_it_again_are_heard_as_trouble(text: str) -> None:
    felt = Affect(0.4, 0.3, {"admiration": 0.9})
    assert see(None, from_text(text, felt), "admiration", NOW).state in {"frustrated", "angry"}


@pytest.mark.parametrize("text", ["that was very helpful", "I got a coupon for nothing but milk", "you are a star"])
def test_praise_is_praise(text: str) -> None:
    felt = Affect(0.6, 0.3, {"admiration": 0.9})
    assert from_text(text, felt).valence > 0


@pytest.mark.parametrize(
    ("text", "angry"),
    [
        ("do you have bloody mary mix?", False), ("crap fishing bait", False), ("damn daniel hat", False), ("some expert advice on wine please", False),
        ("what a joke book costs", False), ("a total clown costume", False), ("a real hero sandwich", False), ("a super hero mask", False),
        ("where is my bloody order", True), ("this is crap", True), ("damn it", True), ("some expert you are", True), ("what a joke", True), ("what a joke this shop is", True),
        ("real genius, aren't you", True), ("total clown", True), ("crappy service", True),
    ],
)  # fmt: skip
def test_goods_whose_names_hold_rude_words_are_no_anger(text: str, angry: bool) -> None:
    seen = from_text(text, Affect(0.0, 0.1, {"neutral": 1.0}))
    assert (seen.valence <= -0.6) is angry
