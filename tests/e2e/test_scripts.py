"""A dozen scripted shoppers, of the half to tune on, get what they came for from the real product."""

from __future__ import annotations

import pytest

from bench.conversations.outcomes import Outcomes
from bench.conversations.run import chosen, play
from bench.conversations.script import load
from bench.conversations.shops import opened
from bench.report import ROOT
from bench.stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.rasa]
FOLDER = ROOT / "tests" / "e2e" / "conversations"
PLAYED = (
    "account-kiosk-code", "complaint-mouldy", "coupon-ask-member", "human-asked-in-one-word", "human-then-more-words", "odd-html-injection",
    "odd-role-play", "search-cheese-under-five", "search-correction-of-product", "search-same-thing-twice", "shop-hours-sunday",
    "talk-bot-then-human",
)  # fmt: skip


def test_scripted_shoppers_get_what_they_came_for(stack: Stack) -> None:
    outcomes = Outcomes.of(FOLDER)
    scripts = chosen(load(FOLDER, outcomes.names), split="tune", ids=PLAYED)
    assert len(scripts) == len(PLAYED) >= 12
    with opened(stack) as shop:
        results = play(scripts, shop, outcomes)
    wrong = [
        (result.script.id, turn.heard.sent, turn.heard.acts, turn.failures)
        for result in results
        for turn in result.turns
        if turn.failures
    ]
    assert wrong == []
