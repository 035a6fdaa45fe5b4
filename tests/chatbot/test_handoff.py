"""Hand-off: the states a conversation can be in, when a person is wanted, and what they are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.briefing import Exchange, briefing, did, topic
from chatbot.handoff import (
    TRANSITIONS,
    HandoffError,
    Reason,
    Situation,
    State,
    Step,
    Wanted,
    after,
    expected_wait_s,
    mood_wants_person,
    person_wanted,
)
from chatbot.hours import parse, told
from chatbot.people import asks_for_person, sensitive, withdraws
from chatbot.voice.responses import RESPONSES, load
from chatbot.voice.states import Felt
from personalization.tuning import DIALS, People

FINE, ANGRY, IN_A_HURRY = Felt(0.0, "neutral"), Felt(-0.6, "angry"), Felt(-0.6, "impatient")


@given(steps=st.lists(st.sampled_from(Step), max_size=30))
def test_a_person_only_gets_what_was_asked_for_and_always_can_give_it_back(steps: list[Step]) -> None:
    state, asked = State.BOT, False
    for step in steps:
        try:
            before, state = state, after(state, step)
        except HandoffError:
            continue
        asked = asked or step is Step.ASK
        assert state is not State.HUMAN or (asked and before is State.QUEUED)
    assert {State.HUMAN: Step.HAND_BACK, State.QUEUED: Step.CLAIM}.get(state, Step.ASK) in {
        step for (one, step) in TRANSITIONS if one is state
    }


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (Situation("hi", ["conversation.greet"], [FINE]), None),
        (Situation("no!", ["conversation.clarify", "conversation.clarify.again"], [FINE]), (Reason.MISUNDERSTOOD, False)),
        (Situation("no!", ["search.found", "conversation.clarify"], [FINE]), None),
        (Situation("no!", ["search.found"], [FINE, ANGRY], fallen=1.3), (Reason.FALLING_AFFECT, False)),
        (Situation("no!", ["search.found"], [ANGRY, ANGRY]), (Reason.FALLING_AFFECT, False)),
        (Situation("no!", ["search.found"], [FINE, ANGRY]), None),
        (Situation("no!", ["search.found"], [IN_A_HURRY, IN_A_HURRY]), None),
        (Situation("no!", ["search.found"], [FINE, ANGRY], valuable=True), (Reason.VALUE_AT_RISK, False)),
        (Situation("my son had an allergic reaction", ["search.found"], [FINE]), (Reason.SENSITIVE, True)),
    ],
)  # fmt: skip
def test_a_person_is_wanted_for_a_reason(seen: Situation, wanted: tuple[Reason, bool] | None) -> None:
    assert person_wanted(seen) == (Wanted(*wanted) if wanted else None)


def test_the_dials_say_from_what_mood_and_how_fast_a_person_is_offered() -> None:
    uneasy, angry = [Felt(-0.15, "confused")] * 2, [FINE, ANGRY]
    offered = {
        name: [mood_wants_person(moods, fallen, rule) for moods, fallen in ((uneasy, 0.0), (angry, 0.0), (angry, 1.0))]
        for name, rule in {
            "as it ships": People(), "from a better mood": People(mood=-0.1), "at a smaller fall": People(fall=0.8),
            "at the first message": People(patience=1),
        }.items()
    }  # fmt: skip
    assert offered == {
        "as it ships": [False, False, False], "from a better mood": [True, False, False],
        "at a smaller fall": [False, False, True], "at the first message": [False, True, True],
    }  # fmt: skip


def test_wherever_the_dials_stand_who_stays_angry_is_offered_a_person_and_sensitive_topics_go_to_one() -> None:
    stubborn = People(
        *(
            DIALS[f"people.{name}"].least if name == "mood" else DIALS[f"people.{name}"].most
            for name in ("mood", "fall", "patience")
        )
    )  # type: ignore[arg-type]
    rule = replace(stubborn, patience=int(stubborn.patience))
    assert mood_wants_person([ANGRY] * 4, 0.0, rule)
    assert person_wanted(Situation("I will call my lawyer", [], [FINE]), rule) == Wanted(Reason.SENSITIVE, True)
    lost = ["conversation.clarify", "conversation.clarify.again"]
    assert person_wanted(Situation("no", lost, [FINE]), rule) == Wanted(Reason.MISUNDERSTOOD, False)


@pytest.mark.parametrize(
    "text",
    [
        "there was a piece of glass in the jam",
        "I will sue you",
        "somebody hacked my account",
        "she is in hospital",
        "i dont want to live anymore",
        "I want to end my life",
    ],
)
def test_what_a_machine_must_not_settle_is_heard(text: str) -> None:
    assert sensitive(text)


@pytest.mark.parametrize("text", ["do you have a glass", "the cheese is bad", "is this gluten free", "my phone died"])
def test_everyday_trouble_is_the_bots_own(text: str) -> None:
    assert not sensitive(text)


def test_the_wait_grows_with_the_queue_and_shrinks_with_people() -> None:
    assert expected_wait_s(1, 1, None) < expected_wait_s(3, 1, None)
    assert expected_wait_s(3, 3, None) < expected_wait_s(3, 1, None)
    assert expected_wait_s(1, 2, 1.0) == 30


def test_an_agent_reads_why_how_and_what_first() -> None:
    lines = briefing(
        reason="falling_affect", states=["neutral", "angry"], cause="was neutral, is angry since the coupon",
        exchanges=[Exchange("hello", ("conversation.greet",)), Exchange("anything off for me?", ("coupon.none",)), Exchange("you must be joking", ("conversation.clarify",))],
    )  # fmt: skip
    assert lines == [
        "Why: is getting more and more upset.",
        "Mood: angry; was neutral, is angry since the coupon.",
        "Wants a coupon: “anything off for me?”",
        "The assistant: had no coupon for them; did not understand.",
        "Wrote last: “you must be joking”",
    ]


def test_a_wish_about_an_order_is_told_with_the_words_that_began_it() -> None:
    asked = Exchange("send back the mug", ("order.identify.ask",))
    told = [
        Exchange("any tea?", ("search.found",)),
        asked,
        Exchange("me@example.org", ("order.identified", "order.return.confirm")),
    ]
    lines = briefing(
        reason="asked", states=[], cause=None, exchanges=[*told, Exchange("get me someone", ("handoff.queued",))]
    )
    assert "Wants to return something: “send back the mug”" in lines
    assert (
        "The assistant: showed products; asked who they are; found their account; asked for what an order change needs."
        in lines
    )


def test_every_act_but_small_talk_has_words_for_an_agent() -> None:
    acts = [
        act for act in load(RESPONSES / "en") if not act.startswith(("conversation.", "desk.", "handoff.", "tone."))
    ]
    assert [act for act in acts if not did(act)] == []
    assert [act for act in acts if not topic([act])] == []


def test_a_person_can_be_asked_for_without_the_dialogue_engine() -> None:
    assert asks_for_person("Talk to a human")
    assert not asks_for_person("where is the milk")


def test_hours_are_read_as_they_are_written() -> None:
    hours = parse("Mon-Sat 8:00-20:00, Sun 10:00-18:00", "Europe/Berlin")
    friday_night = datetime(2026, 5, 1, 21, tzinfo=UTC)  # 23:00 in Berlin
    assert not hours.open_at(friday_night)
    opening = hours.opens_after(friday_night)
    assert opening is not None
    assert told(opening, friday_night) == "08:00 tomorrow"
    assert hours.open_at(datetime(2026, 5, 3, 8, 30, tzinfo=UTC))
    assert not hours.open_at(datetime(2026, 5, 3, 7, 30, tzinfo=UTC))
    assert parse("").open_at(friday_night)
    assert parse("").opens_after(friday_night) is None


def test_hours_that_are_not_understood_are_named() -> None:
    with pytest.raises(ValueError, match="'sometimes' is not like"):
        parse("Mon 8:00-9:00, sometimes")


@pytest.mark.parametrize(
    ("text", "off"),
    [
        ("no need for anybody any more", True), ("I found it myself", True), ("it works again, call them off", True), ("never mind", True),
        ("how long does it take", False), ("I found a beetle in the rice", False), ("no, I still want to talk to a person", False), ("it is about my order", False),
    ],
)  # fmt: skip
def test_who_waits_for_a_person_may_say_in_any_words_that_none_is_needed(text: str, off: bool) -> None:
    assert withdraws(text) is off
