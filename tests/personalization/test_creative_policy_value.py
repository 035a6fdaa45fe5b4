"""Off-policy estimates: right on average, honest about how far the log speaks, and none when it does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.creative.policy_value import (
    Log,
    Method,
    bernstein,
    cross_fitted,
    evaluate,
    gain,
    interval,
    overlap,
)
from personalization.creative.reward import fit

CHANCE = np.array([0.02, 0.05, 0.1, 0.2])
OLD, NEW = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.05, 0.05, 0.2, 0.7])
TRUE = float(NEW @ CHANCE)


def logged(seed: int, n: int = 4_000) -> Log:
    rng = np.random.default_rng(seed)
    variant = rng.choice(4, n, p=OLD)
    reward = (rng.random(n) < CHANCE[variant]).astype(float)
    audience = np.zeros(n, np.int64)

    def learned(some: np.ndarray):
        model = fit(audience[some], variant[some], reward[some], audiences=1, variants=4)
        return lambda held: (model.rate[0, variant[held]], np.full(len(held), NEW @ model.rate[0]))

    predicted, expected = cross_fitted(n, learned, rng)
    return Log(reward, OLD[variant], NEW[variant], predicted=predicted, expected=expected)


@pytest.mark.parametrize("method", list(Method))
def test_an_estimate_is_right_on_average(method: Method) -> None:
    found = [evaluate(logged(seed), method).value for seed in range(60)]
    error = np.std(found) / np.sqrt(len(found))
    assert np.mean(found) == pytest.approx(TRUE, abs=4 * error)


def test_the_model_makes_the_estimate_surer() -> None:
    log = logged(1)
    ips, dr = evaluate(log, Method.IPS), evaluate(log, Method.DR)
    assert dr.high - dr.low < ips.high - ips.low


def test_the_same_policy_has_the_logs_own_value_and_gains_nothing() -> None:
    log = logged(2)
    same = Log(log.reward, log.propensity, log.propensity)
    for method in (Method.IPS, Method.SNIPS):
        assert evaluate(same, method).value == pytest.approx(log.reward.mean())
        found = gain(same, method)
        assert (found.value, found.low, found.high) == pytest.approx((0, 0, 0), abs=1e-12)


def test_the_gain_of_a_better_policy_is_seen() -> None:
    found = gain(logged(3), Method.DR)
    assert 0 < found.low < TRUE - OLD @ CHANCE < found.high


@given(st.floats(0.01, 100))
def test_snips_does_not_change_when_all_weights_are_multiplied(factor: float) -> None:
    log = logged(4, 200)
    scaled = Log(log.reward, log.propensity, log.target * factor)
    assert evaluate(scaled, Method.SNIPS).value == pytest.approx(evaluate(log, Method.SNIPS).value)


def test_poor_overlap_is_told() -> None:
    log = logged(5)
    assert overlap(log).warnings == ()
    one = int(np.flatnonzero(log.reward)[0])
    rare = np.where(np.arange(4_000) == one, 0.5, 1e-6)
    propensity = np.where(np.arange(4_000) == one, 0.001, 0.5)
    poor = overlap(Log(log.reward, propensity, rare, missing=np.full(4_000, 0.3)))
    assert poor.largest == pytest.approx(500)
    told = " ".join(poor.warnings)
    assert all(words in told for words in ("hardly overlap", "counts as 500", "30% of what", "rewards"))


def test_impressions_of_one_shopper_count_as_one() -> None:
    log = logged(6, 500)
    twice = [np.repeat(part, 4) for part in (log.reward, log.propensity, log.target)]
    as_many = evaluate(Log(*twice), Method.IPS)
    as_one = evaluate(Log(*twice, cluster=np.repeat(np.arange(500), 4)), Method.IPS)
    alone = evaluate(Log(log.reward, log.propensity, log.target), Method.IPS)
    assert as_one.high - as_one.low == pytest.approx(alone.high - alone.low, rel=1e-6)
    assert as_many.high - as_many.low < 0.6 * (alone.high - alone.low)


def test_an_interval_of_rare_clicks_reaches_further_up_than_down() -> None:
    clicks = np.zeros(2_000)
    clicks[:12] = 1.0
    low, high = interval(0.006, clicks - 0.006)
    assert 0 < low < 0.006 < high
    assert high - 0.006 > 1.2 * (0.006 - low)


@settings(deadline=None)
@given(st.integers(0, 1_000))
def test_a_guaranteed_interval_is_wider(seed: int) -> None:
    log = logged(seed, 1_000)
    low, high = bernstein(log, bound=float((NEW / OLD).max()))
    found = evaluate(log, Method.IPS)
    assert low <= found.value <= high
    assert high - low > found.high - found.low


def test_no_outcome_is_judged_by_a_model_that_has_seen_it_or_its_shoppers_others() -> None:
    cluster = np.repeat(np.arange(50), 3)

    def learned(some: np.ndarray):
        def predict(held: np.ndarray):
            assert not set(cluster[held]) & set(cluster[some])
            return np.zeros(len(held)), np.zeros(len(held))

        return predict

    predicted, _ = cross_fitted(150, learned, np.random.default_rng(0), cluster=cluster)
    assert (predicted == 0).all()


def test_a_log_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot have been drawn"):
        Log(np.ones(2), np.array([0.5, 0.0]), np.ones(2))
    with pytest.raises(ValueError, match="needs a reward model"):
        evaluate(Log(np.ones(2), np.ones(2), np.ones(2)), Method.DR)
    with pytest.raises(ValueError, match="one entry for each"):
        Log(np.ones(2), np.ones(3), np.ones(2))
