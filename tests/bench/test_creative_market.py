"""The benchmark's markets and policies are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from bench.creative_market import DRIFTING, STATIONARY, WHO, Size, draw
from bench.creative_placing import LIMITS, OURS, RULES, policies
from bench.creative_policies import AbThenCommit, Choice, Ours, Uniform, play

SMALL = Size(campaigns=3, products=2, impressions=60_000, pool=24, periods=4, lasts=3)


def test_a_market_has_exactly_the_impressions_and_the_same_seed_gives_the_same_truth() -> None:
    one, other = draw(STATIONARY, 3, SMALL), draw(STATIONARY, 3, SMALL)
    assert one.crowd.sum() == 60_000
    np.testing.assert_array_equal(one.probability(1, 0), other.probability(1, 0))
    assert one.probability(1, 0).shape == (len(WHO), 24)
    assert 0.003 < one.probability(1, 0).mean() < 0.06


def test_tastes_stand_still_or_drift_as_the_scenario_says() -> None:
    still, drifting = draw(STATIONARY, 3, SMALL), draw(DRIFTING, 3, SMALL)
    np.testing.assert_array_equal(still.probability(0, 0), still.probability(0, 2))
    before, after = (np.log(drifting.probability(0, day)) for day in (0, 3))
    assert not np.allclose(before - before.mean(1, keepdims=True), after - after.mean(1, keepdims=True), atol=0.01)


def test_audiences_differ_in_what_they_like() -> None:
    odds = np.log(draw(STATIONARY, 3, SMALL).probability(0, 0))
    assert len(set(odds.argmax(1).tolist())) > 1


def test_every_policy_shows_every_impression_and_the_best_possible_is_never_passed() -> None:
    market = draw(STATIONARY, 3, SMALL)
    for name, made in policies(market, 3).items():
        played = play(market, made(), 3)
        assert played.impressions.sum() == 60_000, name
        assert (played.clicks <= played.best + 1e-9).all(), name


def test_a_test_commits_to_the_variant_with_the_highest_rate() -> None:
    market = draw(STATIONARY, 3, SMALL)
    rows = len(WHO)
    policy = AbThenCommit(market, [np.tile(np.arange(4), (rows, 1))] * 3, 0.3)
    start = int(market.starts[0])
    first = policy.choose(0, start)
    clicks = np.zeros((rows, 4), np.int64)
    clicks[:, 2] = 5
    policy.hear(0, first, np.full((rows, 4), 10), clicks, first=True)
    assert set(policy.choose(0, start + 1).sets.ravel().tolist()) == {2}


def test_ours_never_explores_above_its_cap_and_shows_everything_in_its_sets() -> None:
    market = draw(STATIONARY, 3, SMALL)
    ours = Ours(market, RULES, LIMITS, np.random.default_rng(0))
    choice = ours.choose(0, int(market.starts[0]))
    assert isinstance(choice, Choice)
    np.testing.assert_allclose(choice.shares.sum(1), 1.0)
    assert (choice.shares > 0).all()
    assert (choice.shares.max(1) >= 1 - LIMITS.exploration - 1e-9).all()
    assert OURS in policies(market, 3)


def test_uniform_is_uniform() -> None:
    found = Uniform([np.arange(5)[None]]).choose(0, 0)
    assert found.shares == pytest.approx(np.full((1, 5), 0.2))
