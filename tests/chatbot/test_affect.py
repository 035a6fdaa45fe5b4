"""Affect over a conversation: what words, faces and clicks do to it, how sure it is, and where it turned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chatbot.affect import AffectState, begin, load, see
from chatbot.signals import BEHAVIOURS, Observation, cause_of, from_behaviour, from_face, from_text, repeats
from chatbot.voice.states import STATES
from personalization.types import Affect

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
CALM = Affect(0.0, 0.1, {"neutral": 0.9})
ANGRY = Affect(-0.8, 0.9, {"anger": 0.9, "annoyance": 0.3})
GLAD = Affect(0.8, 0.4, {"gratitude": 0.9})


def hear(*messages: tuple[str, Affect], cause: str | None = None, state: AffectState | None = None) -> AffectState:
    at = NOW
    for text, felt in messages:
        at += timedelta(seconds=30)
        seen = from_text(text, felt)
        seen = Observation(seen.valence, seen.arousal, seen.variance, seen.states, cause)
        state = see(state, seen, max(felt.emotions, key=lambda name: felt.emotions[name]), at)
    assert state is not None
    return state


@pytest.mark.parametrize(
    ("felt", "state"),
    [
        (ANGRY, "angry"),
        (GLAD, "grateful"),
        (CALM, "neutral"),
        (Affect(-0.6, 0.3, {"disappointment": 0.8}), "frustrated"),
        (Affect(-0.8, 0.3, {"sadness": 0.9}), "sad"),
        (Affect(-0.6, 0.8, {"fear": 0.8}), "anxious"),
        (Affect(-0.2, 0.4, {"confusion": 0.8}), "confused"),
        (Affect(0.8, 0.9, {"excitement": 0.9}), "excited"),
    ],
)
def test_a_clear_message_is_a_state_at_once(felt: Affect, state: str) -> None:
    assert hear(("…", felt)).state == state


def test_who_is_in_a_hurry_is_impatient() -> None:
    assert hear(("I have been waiting, how much longer??", Affect(-0.2, 0.4, {"neutral": 0.5}))).state == "impatient"


def test_a_distribution_is_one_and_uncertainty_shrinks_with_messages_and_grows_with_silence() -> None:
    first, third = hear(("a", CALM)), hear(*[("a", CALM)] * 3)
    assert sum(third.states.values()) == pytest.approx(1, abs=0.01)
    assert set(third.states) == STATES
    assert third.uncertainty < first.uncertainty < begin(NOW).uncertainty
    late = see(third, from_text("a", CALM), "neutral", NOW + timedelta(hours=3))
    assert late.uncertainty > third.uncertainty


def test_a_fall_is_found_with_its_cause_and_forgotten_when_the_mood_is_well_again() -> None:
    fine = hear(("hi", GLAD), ("ok", CALM))
    assert (fine.falling, fine.cause) == (False, None)
    fallen = hear(("it does not work", ANGRY), cause="the coupon", state=fine)
    assert fallen.falling
    assert fallen.cause is not None
    assert fallen.cause.endswith("is angry since the coupon")
    assert hear(*[("thank you", GLAD)] * 3, state=fallen).cause is None


def test_a_plain_conversation_never_falls() -> None:
    state = None
    for _ in range(12):
        state = hear(("where is the milk", CALM), state=state)
        assert not state.falling


@pytest.mark.parametrize("kind", ["rage_click", "repeated_question", "failed_turn"])
def test_what_a_shopper_does_lowers_the_mood_without_a_word(kind: str) -> None:
    calm = hear(("hi", CALM))
    told = see(calm, from_behaviour(kind), "neutral", NOW + timedelta(seconds=40), turn=False)
    assert told.valence < calm.valence - 0.05
    assert len(told.recent) == len(calm.recent), "it refines the turn, and is none of its own"


def test_a_face_counts_less_than_words() -> None:
    calm = hear(("hi", CALM))
    seen = see(calm, from_face("negative"), "neutral", NOW + timedelta(seconds=31), turn=False)
    said = see(calm, from_text("no", Affect(-0.6, 0.5, {"annoyance": 0.9})), "annoyance", NOW + timedelta(seconds=31))
    assert said.valence < seen.valence < calm.valence


def test_a_members_mood_of_yesterday_is_a_hint_and_that_of_last_month_none() -> None:
    upset = hear(("no", ANGRY), ("no", ANGRY))
    tomorrow, next_month = begin(NOW + timedelta(days=1), upset), begin(NOW + timedelta(days=30), upset)
    assert upset.valence < tomorrow.valence < next_month.valence < 0.01
    assert next_month.valence == pytest.approx(0, abs=0.01)
    assert tomorrow.uncertainty > upset.uncertainty


def test_what_an_older_version_stored_can_be_read() -> None:
    assert load({"valence": -0.5, "arousal": 0.5, "label": "anger", "at": NOW.isoformat()}) is not None
    assert load({"valence": 0.2}) is not None
    assert load(None) is None


def test_the_same_question_in_nearly_the_same_words_is_a_repetition() -> None:
    assert repeats("where is my order now", ["hi", "where is my order"])
    assert not repeats("yes", ["yes"])
    assert not repeats("do you have oat milk", ["where is my order"])


def test_causes_are_words() -> None:
    assert cause_of("coupon.none") == "there was no coupon"
    assert cause_of("greeting") is None
    assert all(from_behaviour(kind).cause for kind in BEHAVIOURS)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("how many times must I say that", "frustrated"),
        ("cheers, thanks for nothing", "frustrated"),
        ("ffs where is it", "angry"),
        ("great, thanks", "content"),
    ],
)
def test_what_is_said_in_so_many_words_is_heard_even_where_the_model_hears_calm(text: str, state: str) -> None:
    seen = from_text(text, CALM, {"content": 0.8})
    assert max(seen.states, key=lambda name: seen.states[name]) == state


def test_only_plain_distress_is_named_and_a_guess_still_counts_as_distress() -> None:
    guessed = from_text(
        "so until what time are you open", Affect(0.0, 0.2, {"neutral": 0.9}), {"neutral": 0.8}, exasperated=0.7
    )
    plain = from_text("this is useless", Affect(-0.6, 0.6, {"annoyance": 0.8}), {"frustrated": 0.8}, exasperated=0.98)
    for seen, named in ((guessed, False), (plain, True)):
        state = see(None, seen, "neutral", datetime.now(UTC))
        assert state.state == "frustrated"
        assert state.plain is named
