"""Playing scripts: each thing that a script can expect can fail, and is told so that one sees what to mend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.conversations.heard import Heard
from bench.conversations.play import Player, Result
from bench.conversations.score import score
from tests.bench.talks import PaperTalk, answer, item, outcomes_of, said, scripts_of

CHEESES = [item(1, "Brie", category="Cheese"), item(2, "Gouda", cents=500, category="Cheese")]
BASKET = {"lines": [{"product_id": "p-1", "name": "Brie", "quantity": 2}]}


def run(
    path: Path, turns: Sequence[Mapping[str, Any]], answers: Sequence[Heard], *, sold: bool | None = True
) -> Result:
    [script] = scripts_of(path, *turns)
    return Player(outcomes_of(path), lambda _: sold).play(script, PaperTalk(answers))


def found(*items: dict[str, Any], text: str = "Look.") -> Heard:
    return answer(said("search.found", text, items=list(items)))


EITHER: list[tuple[dict[str, Any], Heard, Heard, str]] = [
    ({"does": "greets"}, answer(), answer(said("talk.clarify")), "does talk.clarify, not greets"),
    ({"does": ["greets", "search.*"]}, found(*CHEESES), answer(said("x.y")), "not greets or search.*"),
    ({"finds": "cheese"}, found(*CHEESES), found(item(3, "Soap", category="Soap")), "no cheese, though it is sold"),
    ({"finds": "cheese"}, found(*CHEESES), found(CHEESES[0], *[item(n, "Soap") for n in (3, 4)]), "most of what is shown is not cheese"),
    ({"finds": "cheese"}, found(*CHEESES), answer(said("search.nothing")), "no cheese, though it is sold"),
    ({"items": {"under": 4}}, found(CHEESES[0]), found(*CHEESES), "a product above 4.00"),
    ({"items": {"without": ["gouda"]}}, found(CHEESES[0]), found(*CHEESES), "a product with gouda"),
    ({"items": {"min": 2}}, found(*CHEESES), found(CHEESES[0]), "1 products"),
    ({"items": "none"}, answer(), found(CHEESES[0]), "1 products"),
    ({"tells": ["\\d pm"]}, answer(said(text="Until 9 pm.")), answer(), "tells nothing like"),
    ({"never": ["(?i)sorry"]}, answer(), answer(said(text="SORRY")), "says 'SORRY', which it must not"),
    ({"coupon": True}, answer(said(coupon={"text": "$1 off"})), answer(), "no coupon"),
    ({"coupon": False}, answer(), answer(said(coupon={"text": "$1 off"})), "a coupon"),
    ({"handoff": "queued"}, answer(said(), handoff="queued"), answer(), "the hand-off is bot, and none is offered"),
    ({"handoff": "bot"}, answer(), answer(said(), handoff="queued"), "the hand-off is queued"),
    ({"handoff": "offered"}, answer(said(quick_replies=[{"title": "Talk to a human", "text": "x"}])), answer(), "none is offered"),
    ({"basket": {"lines": 1, "quantity": 2, "about": "brie"}}, answer(said(), basket=BASKET), answer(said(), basket={"lines": []}), "the basket holds nothing"),
    ({"basket": {"at_most": 2}}, answer(said(), basket=BASKET), answer(said(), basket=None), "no basket to look into"),
    ({}, answer(), answer(said(text="Hello {name}.")), "a blank in them: {name}"),
    ({}, answer(), answer(said("talk.failed")), "the assistant failed"),
    ({}, answer(), answer(said(text=" ")), "an empty message"),
    ({}, answer(), Heard("…", (), {}, "rasa", "bot", 0.1), "no answer"),
    ({}, answer(), Heard("…", (), {}, "", "bot", 0.1, trouble="ReadTimeout"), "ReadTimeout"),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "good", "bad", "told"), EITHER, ids=[told for *_, told in EITHER])
def test_every_expectation_can_be_met_and_can_fail(
    tmp_path: Path, expected: dict[str, Any], good: Heard, bad: Heard, told: str
) -> None:
    turn = {"user": "hello", **expected}
    assert run(tmp_path, [turn], [good]).succeeded
    failed = run(tmp_path, [turn], [bad])
    assert not failed.succeeded
    assert told in "; ".join(failed.turns[0].failures)


AFTER: list[tuple[dict[str, Any], Heard, Heard, str]] = [
    ({"items": {"cheaper": True}}, found(item(5, "Feta", cents=100), text="Here."), found(item(6, "Blue", cents=900), text="Here."), "not cheaper: 9.00"),
    ({"items": {"new": True}}, found(item(5, "Feta"), text="Here."), found(*CHEESES, text="Here."), "what was shown before"),
    ({"about_shown": [2]}, answer(said(text="Gouda is mild.")), answer(said(text="It is mild.")), "nothing about number 2, Gouda"),
    ({"about_shown": [-1]}, answer(said(text="gouda is mild.")), answer(said(text="Brie is mild.")), "nothing about number -1, Gouda"),
    ({"about_shown": [1, 2]}, found(*CHEESES, text="Both."), found(CHEESES[0], text="One."), "nothing about number 2"),
    ({"tells_price_of": 2}, answer(said(text="That is $5.00.")), answer(said(text="Cheap.")), "not the price of Gouda, $5.00"),
    ({"basket": {"shown": 1}}, answer(said(), basket=BASKET), answer(said(), basket={"lines": []}), "Brie is not in the basket"),
    ({}, answer(), found(*CHEESES), "the same answer as before"),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "good", "bad", "told"), AFTER, ids=[told for *_, told in AFTER])
def test_what_is_expected_of_a_follow_up_is_held_against_what_was_shown(
    tmp_path: Path, expected: dict[str, Any], good: Heard, bad: Heard, told: str
) -> None:
    turns = [{"user": "cheese", "finds": "cheese"}, {"user": "and now", **expected}]
    assert run(tmp_path, turns, [found(*CHEESES), good]).succeeded
    failed = run(tmp_path, turns, [found(*CHEESES), bad])
    assert told in "; ".join(failed.turns[1].failures)


def test_a_shop_that_does_not_sell_it_must_say_so(tmp_path: Path) -> None:
    turn = {"user": "submarines", "finds": "submarine"}
    assert run(tmp_path, [turn], [answer(said("search.nothing"))], sold=False).succeeded
    assert not run(tmp_path, [turn], [answer(said("search.found", items=[]))], sold=False).succeeded
    assert run(tmp_path, [turn], [answer(said("search.nothing"))], sold=None).succeeded  # nobody knows


def test_who_waits_for_a_human_may_hear_nothing(tmp_path: Path) -> None:
    silent = Heard("…", (), {}, "rasa", "queued", 0.1)
    assert run(tmp_path, [{"user": "hello?", "does": "any", "handoff": "queued"}], [silent]).succeeded


def test_asking_to_hear_it_again_is_no_loop(tmp_path: Path) -> None:
    turns = [{"user": "hi"}, {"user": "again?", "does": "repeats"}]
    assert run(tmp_path, turns, [answer(), answer(said("talk.repeat"))]).succeeded


def test_a_button_is_pressed_by_its_title_and_sends_its_text(tmp_path: Path) -> None:
    [script] = scripts_of(tmp_path, {"user": "hi"}, {"press": "human", "does": "queues_human"})
    talk = PaperTalk(
        [
            answer(said(quick_replies=[{"title": "Talk to a human", "text": "/human"}])),
            answer(said("handoff.queued", "One moment.")),
        ]
    )
    assert Player(outcomes_of(tmp_path), lambda _: True).play(script, talk).succeeded
    assert talk.heard == [("hi", None), ("/human", "Talk to a human")]


def test_a_button_that_is_not_there_fails_the_turn(tmp_path: Path) -> None:
    failed = run(tmp_path, [{"user": "hi"}, {"press": "human"}], [answer()])
    assert failed.turns[1].failures == ("no button says human",)


def test_a_reloaded_page_must_show_the_last_answer(tmp_path: Path) -> None:
    [script] = scripts_of(tmp_path, {"user": "hi"}, {"pause": "reload"})
    player = Player(outcomes_of(tmp_path), lambda _: True)
    assert player.play(script, PaperTalk([answer()])).succeeded
    assert not player.play(script, PaperTalk([answer()], kept=False)).succeeded


ASKED = {"answering": {"asks_identity": "me@example.org", "asks_order": "W1"}, "until": "order_cancelled", "within": 3}
IDENTITY, ORDER = answer(said("order.identity", "Who are you?")), answer(said("order.which", "Which one?"))
DONE = answer(said("order.cancel.done", "It is cancelled."))


def test_a_shopper_answers_what_is_asked_until_it_is_done(tmp_path: Path) -> None:
    [script] = scripts_of(tmp_path, {"user": "cancel it"}, ASKED)
    talk = PaperTalk([ORDER, IDENTITY, DONE])
    assert Player(outcomes_of(tmp_path), lambda _: True).play(script, talk).succeeded
    assert [text for text, _ in talk.heard] == ["cancel it", "W1", "me@example.org"]


def test_a_shopper_gives_up_on_questions_without_end_and_on_what_is_no_question(tmp_path: Path) -> None:
    again = answer(said("order.identity", "Your name?"))
    endless = run(tmp_path, [{"user": "cancel it"}, ASKED], [IDENTITY, again, IDENTITY, again])
    assert "not order_cancelled after 3 messages" in endless.turns[-1].failures
    lost = run(tmp_path, [{"user": "cancel it"}, ASKED], [answer()])
    assert lost.turns[-1].failures == ("asks nothing that has an answer: talk.greet",)


def feeling(state: str, text: str, *, offered: bool = False) -> Heard:
    replies = [{"title": "Talk to a human", "text": "x"}] if offered else []
    return answer(said(text=text, quick_replies=replies), affect={"state": state})


def test_the_score_counts_success_emotions_offers_loops_and_waiting(tmp_path: Path) -> None:
    turns = [
        {"user": "hi", "emotion": "neutral"},
        {"user": "this is awful", "emotion": ["angry", "frustrated"]},
        {"user": "really", "emotion": "angry"},
    ]
    good = run(tmp_path, turns, [feeling("neutral", "a"), feeling("neutral", "b"), feeling("angry", "c", offered=True)])
    bad = run(tmp_path, turns, [feeling("sad", "a"), feeling("neutral", "b"), feeling("neutral", "b")])
    counted = score([good, bad], outcomes_of(tmp_path))
    assert (counted.scripts, counted.succeeded, counted.turns, counted.loops) == (2, 1, 6, 1)
    assert (counted.emotions, counted.emotion_right) == (6, 2)
    assert (counted.upset, counted.noticed, counted.offered, counted.to_offer) == (2, 1, 1, (1,))
    assert counted.percentile_ms(50) == 100.0


def test_giving_up_and_answering_wrongly_are_counted_apart(tmp_path: Path) -> None:
    turns = [{"user": "milk", "does": "shows_products"}, {"user": "and now", "does": "clarifies"}]
    unsure = answer(said("talk.clarify", "I did not understand."))
    counted = score([run(tmp_path, turns, [unsure, answer(said("talk.clarify", "Pardon?"))])], outcomes_of(tmp_path))
    assert (counted.wrong, counted.fallbacks) == (0, 1)  # the second time it was the right thing to do
    counted = score([run(tmp_path, turns, [answer(), unsure])], outcomes_of(tmp_path))
    assert (counted.wrong, counted.fallbacks) == (1, 0)


def test_nothing_to_count_is_no_rate(tmp_path: Path) -> None:
    scripts_of(tmp_path, {"user": "hi"})
    counted = score([], outcomes_of(tmp_path))
    assert counted.task_success is counted.emotion_accuracy is counted.percentile_ms(95) is None
