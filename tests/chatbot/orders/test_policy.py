"""The policy file: what it can say, and what is refused as a mistake in it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from chatbot.orders.flow import OrderFlow
from chatbot.orders.operations import Return
from chatbot.orders.policy import FILE, Policy, PolicyError, load_policy
from chatbot.orders.service import ForbiddenError, OrderService
from tests.chatbot.orders.shop import Talk, small_book


def changed(**actions: object) -> Policy:
    raw = yaml.safe_load(FILE.read_text())
    raw["actions"].update(actions)
    return Policy(raw)


def test_a_shop_that_refunds_to_any_own_card_says_so_in_the_file() -> None:
    strict = OrderService(small_book(), load_policy())
    there = Return("#A100005", ("100000202",), "paypal_12")
    with pytest.raises(ForbiddenError, match="gift card"):
        strict.propose("omar_stone_1002", there)
    rules = [
        {"order_is": ["delivered"], "because": "no"},
        {"items": "of_the_order", "because": "no"},
        {"method": ["own"], "because": "no"},
    ]
    generous = OrderService(small_book(), changed(**{"return": {"becomes": "return requested", "rules": rules}}))
    assert generous.propose("omar_stone_1002", there).amount.minor_units == -2600


def test_a_shop_may_ask_for_more_proof() -> None:
    raw = yaml.safe_load(FILE.read_text())
    raw["identity"]["proofs"] = [["email", "postcode"]]
    talk = Talk()
    talk.flow = OrderFlow(talk.book, OrderService(talk.book, Policy(raw)))
    talk.say("where is my order?")
    assert talk.say("nora.fields@example.com") == ["order.identify.more"]
    assert talk.say("11111") == ["order.identify.unknown"]
    talk.say("nora.fields@example.com")
    assert talk.say("97201")[0] == "order.identified"


@pytest.mark.parametrize(
    "rule",
    [
        {"order_is": ["pending"]},
        {"status": ["pending"], "because": "x"},
        {"method": ["any"], "because": "x"},
        {"order_is": ["pending"], "reason_is": ["x"], "because": "x"},
    ],
)
def test_a_rule_that_cannot_be_read_is_named(rule: dict[str, object]) -> None:
    with pytest.raises(PolicyError, match="cancel"):
        changed(cancel={"rules": [rule]})


def test_a_missing_action_is_a_mistake_not_a_permission(tmp_path: Path) -> None:
    raw = yaml.safe_load(FILE.read_text())
    del raw["actions"]["return"]
    (tmp_path / "policy.yml").write_text(yaml.safe_dump(raw))
    with pytest.raises(PolicyError, match="return"):
        load_policy(tmp_path / "policy.yml")


def test_a_file_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "policy.yml")
