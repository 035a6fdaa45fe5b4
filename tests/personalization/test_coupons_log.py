import numpy as np
import pytest

from personalization.coupons.log import MOST_WEIGHT, CouponLog, doubly_robust, naive, rungs
from tests.personalization.coupon_market import LADDER, logged, shoppers, truth


def test_with_two_percent_explored_the_doubly_robust_mean_is_unbiased_and_the_naive_one_is_not():
    rng = np.random.default_rng(3)
    proven, plain, covered = [], [], []
    for _ in range(200):
        features, wish = shoppers(4_000, rng)
        log = logged(features, wish, rng, explored=0.02)
        wrong = np.full((len(log), len(LADDER)), log.converted.mean())  # the model need not be right
        found, error = doubly_robust(log, LADDER, wrong)
        true = truth(features, wish).mean(axis=0)
        proven.append(found - true)
        plain.append(naive(log, LADDER) - true)
        covered.append(np.abs(found - true) < 1.96 * error)
    bias, noise = np.mean(proven, axis=0), np.std(proven, axis=0, ddof=1) / np.sqrt(len(proven))
    assert (np.abs(bias) < 3.5 * noise).all()
    assert (np.abs(np.mean(plain, axis=0))[[0, -1]] > 0.05).all()
    assert np.mean(covered) > 0.85  # weights of a rare rung are skewed, so that 95 % are not quite reached


def test_a_better_model_means_smaller_errors():
    rng = np.random.default_rng(4)
    features, wish = shoppers(4_000, rng)
    log = logged(features, wish, rng, explored=0.3)
    _, with_truth = doubly_robust(log, LADDER, truth(features, wish))
    _, without = doubly_robust(log, LADDER, np.zeros((len(log), len(LADDER))))
    assert (with_truth < without).all()


def test_weights_are_clipped_and_even_out():
    features, wish = shoppers(2_000, np.random.default_rng(5))
    log = logged(features, wish, np.random.default_rng(5), explored=0.02)
    weights = log.weights()
    assert weights.mean() == pytest.approx(1.0)
    assert weights.max() / weights.min() <= MOST_WEIGHT / 0.05


def test_a_log_must_fit_together():
    one = np.ones(2)
    with pytest.raises(ValueError, match="one length"):
        CouponLog(np.zeros(2, int), np.zeros((2, 1)), one, one, one, np.ones(3), np.array(["", ""]))
    with pytest.raises(ValueError, match="propensities"):
        CouponLog(np.zeros(2, int), np.zeros((2, 1)), one, 0 * one, one, one, np.array(["", ""]))
    with pytest.raises(ValueError, match="ladder"):
        rungs(np.array([70.0]), LADDER)
