from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from personalization.coupons.isotonic import isotonic
from personalization.coupons.objective import DROP, Objective, estimated_drop, expected_cost, learned_drop, worth
from tests.personalization.coupon_market import LADDER, logged, shoppers

PRICE, SHARE, DEPENDENCE = np.array([400.0, 200.0]), np.array([0.3, 0.5]), np.array([0.0, 1.0])
CURVES = np.array([[0.1, 0.2, 0.3, 0.4], [0.2, 0.2, 0.25, 0.25]])


def of(objective, **more):
    return worth(CURVES, PRICE, SHARE, LADDER, DEPENDENCE, objective, **more)


def test_each_objective_by_hand():
    np.testing.assert_allclose(of(Objective.ORDERS)[0], [0, 0.1, 0.2, 0.3])
    np.testing.assert_allclose(of(Objective.REVENUE)[0], [0, 0.2 * 350 - 40, 0.3 * 300 - 40, 0.4 * 200 - 40])
    np.testing.assert_allclose(of(Objective.MARGIN)[1], [0, 0.2 * 50 - 20, 0.25 * 0 - 20, 0.25 * -100 - 20])
    gap = of(Objective.MARGIN) - of(Objective.LIFETIME, ahead_minor=np.array([9_000.0, 9_000.0]), drop=0.2)
    np.testing.assert_allclose(gap[0], 0)  # nobody who does not depend on discounts learns to wait
    np.testing.assert_allclose(gap[1, 3], 0.25 * 1.0 * 0.2 * 1.0 * 9_000 * 0.5)


@given(arrays(float, (3, 4), elements=st.floats(0, 1)), st.sampled_from(list(Objective)))
@settings(max_examples=60, deadline=None)
def test_no_coupon_adds_nothing_and_orders_never_fall(curves, objective):
    found = worth(isotonic(curves), np.full(3, 400.0), np.full(3, 0.3), LADDER, np.full(3, 0.5), objective)
    assert (found[:, 0] == 0).all()
    if objective is Objective.ORDERS:
        assert (np.diff(found, axis=1) >= 0).all()


@given(st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_the_more_a_shopper_waits_for_discounts_the_less_a_coupon_is_worth(one, other):
    low, high = sorted((one, other))
    less = worth(CURVES, PRICE, SHARE, LADDER, np.full(2, high), Objective.LIFETIME)
    more = worth(CURVES, PRICE, SHARE, LADDER, np.full(2, low), Objective.LIFETIME)
    assert (less <= more + 1e-9).all()


def test_money_is_paid_on_conversion_only():
    np.testing.assert_allclose(expected_cost(CURVES, LADDER)[0], [0, 10, 30, 80])


def test_the_drop_is_found_again_from_random_coupons():
    rng = np.random.default_rng(12)
    features, wish = shoppers(60_000, rng)
    log = logged(features, wish, rng, explored=1.0)
    depth, before, dependence = LADDER / 400.0, rng.gamma(5, 2_000, len(log)), np.full(len(log), 0.8)
    depth_given = log.discount / 400.0
    after = before * (1 - 0.5 * 0.8 * depth_given * log.converted) * rng.gamma(50, 1 / 50, len(log))
    told = replace(log, full_before=before, full_after=after, dependence=dependence)
    found = estimated_drop(told, LADDER, depth)
    assert found is not None
    drop, error = found
    assert drop == pytest.approx(0.5, abs=4 * error)
    assert error < 0.1
    assert estimated_drop(told.where(np.arange(100)), LADDER, depth) is None
    price = np.full(len(log), 400.0)
    assert DROP < learned_drop(told, price) < drop
    assert learned_drop(log, price) == DROP
