"""From placements to an estimate of another policy."""

from __future__ import annotations

import numpy as np
import pytest

from personalization.creative.policy_log import Outcome, Policy, judged, log_of, policy_of
from personalization.creative.policy_value import Method
from personalization.creative.variants import Audience

KIOSK, CHAT = Audience(channel="kiosk"), Audience(channel="widget")
RATES = {("kiosk", "a"): 0.30, ("kiosk", "b"): 0.10, ("widget", "a"): 0.10, ("widget", "b"): 0.30}


def placements(n: int = 6000, seed: int = 1) -> list[Outcome]:
    rng = np.random.default_rng(seed)
    found = []
    for number in range(n):
        audience = KIOSK if rng.random() < 0.5 else CHAT
        shown = "a" if rng.random() < 0.6 else "b"
        clicked = float(rng.random() < RATES[audience.channel, shown])
        found.append(
            Outcome(audience, shown, ("a", "b"), 0.6 if shown == "a" else 0.4, clicked, f"shopper {number // 3}")
        )
    return found


def test_a_policy_that_gives_everyone_what_they_like_is_estimated_at_its_worth() -> None:
    best = policy_of([{"audience": {"channel": "kiosk"}, "shares": {"a": 1.0}}, {"shares": {"b": 1.0}}])
    log = log_of(placements(), best)
    for value, gain in judged(log):
        assert value.low < 0.30 < value.high, value.method
        assert gain.low > 0.05, value.method
    assert {value.method for value, _ in judged(log)} == set(Method)


def test_without_rules_everything_in_the_set_is_shown_evenly() -> None:
    log = log_of(placements(), Policy())
    assert set(np.round(log.weight, 6)) == {round(0.5 / 0.6, 6), 1.25}
    assert all(value.low < 0.20 < value.high for value, _ in judged(log))


def test_what_the_old_policy_could_not_show_is_told() -> None:
    log = log_of(placements(200), policy_of([{"shares": {"a": 0.4, "new": 0.6}}]))
    [value, _] = judged(log)[0]
    assert value.overlap.unseen == pytest.approx(0.6)
    assert any("never shown" in one for one in value.overlap.warnings)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({}, "a list of rules"), ([], "a list of rules"), ([{"shares": {"a": 0.5}}], "add up to 1"), ([{"shares": {"a": 2, "b": -1}}], "not below 0"),
        ([{"share": {}}], "rule 1 has `shares`"), ([{"audience": {"age": "30"}, "shares": {"a": 1}}], "audience of rule 1"),
    ],
)  # fmt: skip
def test_a_policy_that_is_none_says_where(told: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        policy_of(told)


def test_too_few_placements_and_an_audience_without_a_rule_are_refused() -> None:
    with pytest.raises(ValueError, match="20 are the least"):
        log_of(placements(5), Policy())
    with pytest.raises(ValueError, match="no rule of the policy fits"):
        log_of(placements(50), policy_of([{"audience": {"channel": "kiosk"}, "shares": {"a": 1}}]))
