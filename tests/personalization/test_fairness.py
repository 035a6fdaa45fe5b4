"""The fairness audit finds gaps that were put in, does not find what is not there, and its prices close gaps within a budget."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from personalization.trust.fair_prices import Arrived, charged, enforce, gaps, steered, unit_of, within_budget, worst
from personalization.trust.fairness import (
    FairnessError,
    Limit,
    Measure,
    Policy,
    audit,
    fifths,
    read_policy,
    standardised,
)
from personalization.trust.fairness_page import page

WITHIN = Limit(within=0.05, how="relative")
POLICY = Policy(least_members=20, resamples=200, measures={"coupon_value": WITHIN})
GROUPS = {"age": {f"m{i}": "young" if i % 2 else "old" for i in range(400)}}


def measure(lift: float, seed: int = 1, **more: np.ndarray) -> Measure:
    """Five decisions of each of 400 members; the young are given `lift` more."""
    rng, who = np.random.default_rng(seed), np.repeat(np.arange(400), 5)
    value = 100 * (1 + lift * (who % 2)) + rng.normal(0, 10, len(who))
    none = np.zeros(len(who), dtype="<U1")
    plain = Measure(
        "coupon_value", "minor units", np.array([f"m{i}" for i in who]), none, np.zeros(len(who), np.int64), value
    )
    return replace(plain, **more)


def test_a_gap_that_was_put_in_is_found_with_its_size() -> None:
    [found] = audit([measure(0.3)], GROUPS, POLICY)
    assert found.verdict == "beyond"
    assert found.gap == pytest.approx(0.13, abs=0.01), "115 is everybody's mean"
    assert found.difference == pytest.approx(30, abs=1)
    assert {figure.group: figure.members for figure in found.figures} == {"old": 200, "young": 200}
    assert "beyond the limit of ±5 %" in found.sentence


def test_where_there_is_none_the_limit_is_kept_and_chance_is_not_called_a_gap() -> None:
    assert audit([measure(0.0)], GROUPS, POLICY)[0].verdict == "within"
    verdicts = []
    for seed in range(20):
        noisy = measure(0.0, seed)
        noise = np.random.default_rng(seed).normal(0, 300, len(noisy.value))
        verdicts.append(audit([replace(noisy, value=noisy.value + noise)], GROUPS, POLICY)[0].verdict)
    assert verdicts.count("beyond") <= 1
    assert "unclear" in verdicts


def test_few_members_are_told_and_not_judged() -> None:
    few = {"age": {f"m{i}": "young" if i < 5 else "old" for i in range(400)}}
    [found] = audit([measure(0.3)], few, POLICY)
    assert found.verdict == "too few"
    assert [figure.judged for figure in found.figures] == [True, False]


def test_at_equal_strata_a_difference_of_mix_is_no_gap() -> None:
    value = np.array([10.0] * 90 + [20.0] * 10 + [10.0] * 10 + [20.0] * 90)
    group, stratum = np.repeat([0, 1], 100), np.array([0] * 90 + [1] * 10 + [0] * 10 + [1] * 90)
    fair, overall = standardised(value, group, stratum, 2)
    assert fair == pytest.approx([15, 15])
    assert overall == 15
    plain, _ = standardised(value, group, np.zeros(200, np.int64), 2)
    assert plain == pytest.approx([11, 19])


def test_a_difference_that_turns_round_within_segments_is_told() -> None:
    who = np.arange(400)
    young, rich = who % 2 == 1, np.where(who % 2 == 1, who % 10 < 9, who % 10 < 1)
    value = np.where(rich, 200.0, 50.0) - 20.0 * young
    segment = np.where(rich, "rich", "poor")
    one = Measure("coupon_value", "", np.array([f"m{i}" for i in who]), segment, np.zeros(400, np.int64), value)
    [found] = audit([one], GROUPS, POLICY)
    assert set(found.reversed_in_segments) == {"young", "old"}
    assert "turns round" in found.sentence


def ladders(n: int = 1500, seed: int = 3) -> Arrived:
    """Shoppers whose response depends on their group, so that the best choice treats groups differently."""
    rng = np.random.default_rng(seed)
    old, poor = rng.random(n) < 0.4, rng.random(n) < 0.3
    discount = np.tile([0.0, 50.0, 100.0, 200.0], (n, 1))
    pull = 0.6 + 0.5 * old - 0.3 * poor + rng.random(n) * 0.4
    value = pull[:, None] * np.array([0, 0.1, 0.16, 0.22])
    cost = discount * (0.1 + value)
    label = {"age": np.where(old, "old", "young"), "income": np.where(poor, "low", "high")}
    return Arrived(value, cost, discount, np.ones((n, 4), bool), np.zeros(n, np.int64), label)


JUDGED = {"age": ["old", "young"], "income": ["low", "high"]}


def test_the_budget_is_used_up_and_never_overspent() -> None:
    found = ladders()
    for budget in (0.0, 500.0, 3_000.0, 1e9):
        _, rung = within_budget(found, {}, budget)
        spent = found.cost[np.arange(1500), rung].sum()
        assert spent <= budget
        if 0 < budget < 1e9:
            assert spent > 0.97 * budget


def test_in_hindsight_prices_keep_groups_within_the_limit_at_the_same_budget() -> None:
    found = ladders()
    _, rung = within_budget(found, {}, 3_000.0)
    free = float(found.value[np.arange(1500), rung].sum())
    assert worst(gaps(found, rung, JUDGED)) > 0.2, "there is something to close"
    kept = enforce(found, 3_000.0, 0.05, JUDGED)
    assert kept.gap <= 0.05
    assert found.cost[np.arange(1500), kept.rung].sum() <= 3_000.0
    lot = np.random.default_rng(1).permutation(1500)  # fair, too: small coupons by lot, until the money is gone
    drawn = lot[np.cumsum(found.cost[lot, 1]) <= 3_000.0]
    assert float(found.value[drawn, 1].sum()) < kept.worth <= free


def test_prices_that_follow_what_was_given_close_the_gap_for_arrivals_that_they_did_not_see() -> None:
    found, batch = ladders(4_000, seed=5), 50
    taken, prices = np.zeros(4_000, np.int64), dict[str, dict[str, float]]()

    def rows(of: np.ndarray) -> Arrived:
        label = {name: each[of] for name, each in found.label.items()}
        return Arrived(found.value[of], found.cost[of], found.discount[of], found.allowed[of], found.stratum[of], label)

    plain = np.zeros(4_000, np.int64)
    for start in range(0, 4_000, batch):
        now = np.arange(start, start + batch)
        taken[now] = within_budget(rows(now), prices, 100.0)[1]
        plain[now] = within_budget(rows(now), {}, 100.0)[1]
        past = rows(np.arange(start + batch))
        prices = steered(gaps(past, taken[: start + batch], JUDGED), unit_of(past), 0.05)
    assert worst(gaps(found, plain, JUDGED)) > 0.2
    assert worst(gaps(found, taken, JUDGED)) <= 0.05


def test_a_price_is_taken_from_every_minor_unit_of_the_groups_discounts() -> None:
    found = ladders(10)
    less = charged(found, {"age": {"old": 0.001}})
    assert (found.value - less == np.where(found.label["age"] == "old", 0.001, 0.0)[:, None] * found.discount).all()


def test_equal_values_are_in_one_fifth() -> None:
    assert set(fifths(np.full(10, 0.12)).tolist()) == {1}
    assert np.bincount(fifths(np.arange(100.0))).tolist() == [20] * 5


def test_the_page_stands_alone_and_escapes_what_operators_write() -> None:
    groups = {"age<b>": {f"m{i}": "<script>" if i % 2 else "old" for i in range(400)}}
    html = page(audit([measure(0.3)], groups, POLICY), at=datetime(2026, 1, 1, tzinfo=UTC), about="a & b", price="")
    assert "<script" not in html
    assert "<b>" not in html
    assert "http" not in html
    assert html.count("<svg") == 1
    assert "a &amp; b" in html


def test_a_policy_file_is_read_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    assert read_policy().measures["coupon_value"].within == 0.05
    wrong = tmp_path / "policy.yml"
    wrong.write_text("measures: {coupon_value: {within: -1, how: relative}}")
    with pytest.raises(FairnessError, match="no fairness policy"):
        read_policy(wrong)


@pytest.mark.parametrize(
    ("line", "told"),
    [("deal_exposure: {within: 0.1, how: relative, enforce: true}", "deal_exposure (relative)"),
     ("coupon_value: {within: 10, how: absolute, enforce: true}", "coupon_value (absolute)")],
)  # fmt: skip
def test_a_limit_that_nothing_keeps_to_is_refused(tmp_path: Path, line: str, told: str) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text(f"measures: {{{line}}}")
    with pytest.raises(FairnessError) as caught:
        read_policy(policy)
    assert told in str(caught.value)
    assert "only coupon_value can be enforced" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_gap_of_many_equal_groups_covers_none_and_none_of_them_is_beyond() -> None:
    runs, alpha, covered, beyond = 60, 0.05, 0, 0
    six = {"part": {f"m{i}": "abcdef"[i % 6] for i in range(600)}}
    close = Policy(least_members=20, resamples=200, measures={"coupon_value": Limit(within=1e-9, how="absolute")})
    who = np.array([f"m{i}" for i in range(600)])
    for seed in range(runs):
        value = np.random.default_rng(seed).normal(100, 10, 600)
        equal = replace(
            measure(0.0), member=who, segment=np.zeros(600, "<U1"), stratum=np.zeros(600, np.int64), value=value
        )
        [found] = audit([equal], six, close)
        assert found.low <= found.gap <= found.high
        covered += found.low == 0
        beyond += found.verdict == "beyond"
    error = 3 * np.sqrt(alpha * (1 - alpha) / runs)
    assert covered / runs >= 1 - alpha - error
    assert beyond / runs <= alpha + error
    [apart] = audit([measure(0.3)], GROUPS, POLICY)
    assert 0 < apart.low < 0.3 / 2.3 < apart.high, "the true gap: 15 of 115"
