from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.calibration import brier, ece, log_loss, log_odds, platt, sigmoid
from personalization.coupons.features import FEATURES, PRICE
from personalization.coupons.log import doubly_robust, rungs
from personalization.coupons.prior import BASE, CEILING, STRENGTH, PriorResponse
from personalization.coupons.response import ResponseModel, added, fit
from tests.personalization.coupon_market import LADDER, logged, shoppers, truth


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(6)
    features, wish = shoppers(12_000, rng)
    log = logged(features, wish, rng, explored=0.1)
    others, wishes = shoppers(20_000, rng)
    return log, fit(log, seed=1), others, wishes, logged(others, wishes, rng, explored=1.0)


def test_curves_never_fall_whatever_the_shopper_and_the_ladder(world):
    model, rng = world[1], np.random.default_rng(7)
    for k in (1, 2, 7, 30):
        features = rng.normal(0, 1, (500, len(FEATURES))) * rng.choice([0.1, 10, 1e4], (500, 1))
        features[rng.random(features.shape) < 0.2] = np.nan
        ladder = np.sort(rng.uniform(0, 900, (500, k)), axis=1)
        found = model.curves(features, ladder)
        assert found.shape == (500, k)
        assert (np.diff(found, axis=1) >= 0).all()
        assert ((found > 0) & (found < 1)).all()


def test_it_is_calibrated_and_isotonic_does_not_spoil_it(world):
    _, model, others, _, asked = world
    at = np.arange(len(asked)), rungs(asked.discount, LADDER)
    before, after = model.before_isotonic(others, LADDER)[at], model.curves(others, LADDER)[at]
    assert brier(asked.converted, after) <= brier(asked.converted, before) + 2e-4
    assert ece(asked.converted, after) <= ece(asked.converted, before) + 5e-3
    assert ece(asked.converted, after) < 0.04


def test_averages_are_near_the_truth_though_a_hidden_wish_decided_who_got_what(world):
    log, model, others, wishes, _ = world
    true = truth(others, wishes).mean(axis=0)
    assert np.abs(model.curves(others, LADDER).mean(axis=0) - true).max() < 0.05
    given = rungs(log.discount, LADDER) == len(LADDER) - 1
    assert log.converted[given].mean() - true[-1] > 0.1  # what the log alone seems to say


def test_it_survives_json(world):
    _, model, others, _, _ = world
    again = ResponseModel.from_json(model.as_json())
    np.testing.assert_array_equal(again.curves(others[:50], LADDER), model.curves(others[:50], LADDER))
    with pytest.raises((KeyError, TypeError, ValueError)):
        ResponseModel.from_json('{"prior": {}}')


def test_the_same_seed_gives_the_same_model(world):
    log = world[0].where(np.arange(1_500))
    assert fit(log, seed=3) == fit(log, seed=3)


def test_trees_that_may_only_rise_do_so_by_themselves(world):
    log = world[0].where(np.arange(1_500))
    model = fit(log, seed=1, constrained=True)
    grid = np.broadcast_to(np.linspace(0, 350, 20), (200, 20))
    assert (np.diff(model.raw(world[2][:200], grid), axis=1) >= -1e-9).all()


def test_without_a_log_the_prior_answers(world):
    log, _, others, _, _ = world
    empty = fit(log.where(np.arange(0)), seed=1)
    np.testing.assert_allclose(empty.curves(others[:5], LADDER), PriorResponse().curves(others[:5], LADDER))
    assert empty.booster_text is None


def test_after_as_many_rows_as_the_belief_is_worth_both_weigh_the_same(world):
    base = PriorResponse().bases[""]
    assert base == BASE
    half = world[0].where(np.arange(int(STRENGTH)))
    n = len(half)
    plain = replace(half, discount=np.zeros(n), propensity=np.ones(n), converted=np.tile([1.0, 0.0], n // 2))
    assert PriorResponse().learned(plain).bases[""] == pytest.approx((BASE + 0.5) / 2)
    assert PriorResponse().learned(plain.where(np.arange(0))) == PriorResponse()


def test_segments_have_their_own_bases_and_strangers_the_common_one(world):
    log = world[0]
    prior = PriorResponse({"": 0.1, "keen": 0.4})
    found = prior.curves(log.features[:2], LADDER, ["keen", "unheard of"])
    assert found[0, 0] == pytest.approx(0.4)
    assert found[1, 0] == pytest.approx(0.1)
    assert set(prior.learned(log).bases) == {"", "s1"}


@given(st.floats(1e-4, 0.9), st.floats(1, 5_000), st.lists(st.floats(0, 6_000), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_the_prior_never_falls_and_stays_a_probability(base, price, discounts):
    features = np.full((1, len(FEATURES)), np.nan)
    features[0, PRICE] = price
    found = PriorResponse({"": base}).curves(features, np.sort(discounts))
    assert (np.diff(found) >= 0).all()
    assert 0 < found.min() <= found.max() <= CEILING


def test_what_a_coupon_adds_is_nothing_without_one_and_never_negative(world):
    gain = added(world[1].curves(world[2][:100], LADDER))
    assert (gain[:, 0] == 0).all()
    assert (gain >= 0).all()


def test_correcting_averages_leaves_less_of_a_gap_than_there_was(world):
    log, model, _, _, _ = world
    proven, error = doubly_robust(log, LADDER, model.curves(log.features, LADDER, log.segment.tolist()))
    said = model.curves(log.features, LADDER, log.segment.tolist()).mean(axis=0)
    assert (np.abs(said - proven) < 3 * error).all()


def test_platt_finds_the_line_that_was_hidden():
    rng = np.random.default_rng(8)
    raw = rng.normal(0, 1.5, 40_000)
    slope, offset = platt(raw, (rng.random(40_000) < sigmoid(0.6 * raw - 0.5)).astype(float), np.ones(40_000))
    assert slope == pytest.approx(0.6, abs=0.04)
    assert offset == pytest.approx(-0.5, abs=0.04)


def test_scores_of_probabilities():
    y, p = np.array([1.0, 0.0]), np.array([0.8, 0.4])
    assert brier(y, p) == pytest.approx(0.1)
    assert log_loss(y, p) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    assert ece(np.array([1.0, 0.0] * 50), np.full(100, 0.5)) == pytest.approx(0.0)
    np.testing.assert_allclose(sigmoid(log_odds(p)), p)
