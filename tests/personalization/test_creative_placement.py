"""What placement promises: probabilities that are what they say, and caps that hold whatever comes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from personalization.creative.placement import Limits, Shares, place, shares_of

FLOATS = st.floats(-3, 3, width=32)
NAMES = tuple("abcdef")


@settings(deadline=None)
@given(
    arrays.arrays(np.float32, (3, 6, 20), elements=FLOATS), arrays.arrays(bool, (3, 6)), arrays.arrays(bool, (3, 6)),
    st.floats(0.01, 0.3), st.floats(0.3, 0.95),
)  # fmt: skip
def test_shares_sum_to_one_are_above_zero_and_keep_the_exploration_cap(
    drawn: np.ndarray, new: np.ndarray, here: np.ndarray, floor: float, cap: float
) -> None:
    assume(here.any(1).all())
    mean = np.where(here, drawn.mean(2), -np.inf)
    limits = Limits(exploration=cap, floor=floor)
    shares, best = shares_of(drawn, mean, new, limits)
    np.testing.assert_allclose(shares.sum(1), 1.0)
    assert (shares[here] > 0).all()
    assert (shares[~here] == 0).all()
    for row, top, scores in zip(shares, best, mean, strict=True):
        assert scores[top] == scores.max()
        assert 1.0 - row[top] <= cap + 1e-9


def test_the_new_get_their_minimum_exposure() -> None:
    drawn = np.zeros((1, 4, 100), np.float32)
    drawn[0, 0] = 5.0  # surely the best
    new = np.array([[False, False, False, True]])
    shares, _ = shares_of(drawn, drawn.mean(2), new, Limits(floor=0.1))
    assert shares[0, 3] > 0.05 > shares[0, 1] > 0


def test_votes_are_the_chance_to_be_best() -> None:
    rng = np.random.default_rng(4)
    drawn = rng.standard_normal((1, 2, 20_000)).astype(np.float32) + np.array([0.0, 1.0], np.float32)[None, :, None]
    for width, chance in ((1.0, 0.76), (0.5, 0.92)):  # P(N(1, 2) > 0), P(N(1, 0.5) > 0)
        limits = Limits(floor=1e-6, exploration=0.9, width=width)
        shares, best = shares_of(drawn, drawn.mean(2), np.zeros((1, 2), bool), limits)
        assert best[0] == 1
        assert shares[0, 1] == pytest.approx(chance, abs=0.02)


shares = st.lists(st.floats(0.01, 1), min_size=6, max_size=6).map(lambda w: tuple(x / sum(w) for x in w))


@settings(deadline=None)
@given(
    shares, st.sets(st.sampled_from(NAMES)), st.dictionaries(st.sampled_from(NAMES), st.integers(0, 4)),
    st.integers(0, 50), st.integers(0, 60), st.integers(0, 2**32),
)  # fmt: skip
def test_nothing_unapproved_or_seen_too_often_is_placed_and_the_propensity_is_what_was_drawn(
    weights: tuple[float, ...], allowed: set[str], seen: dict[str, int], explored: int, more: int, seed: int
) -> None:
    limits = Limits(per_shopper=3, of_campaign=8)
    standing = Shares(NAMES, weights, int(np.argmax(weights)))
    rng = np.random.default_rng(seed)
    placed = place(
        standing, allowed=allowed, seen=seen, explored=explored, placed=explored + more, limits=limits, rng=rng
    )
    if placed is None:
        assert sum(seen.values()) >= 8 or all(seen.get(name, 0) >= 3 for name in allowed)
        return
    assert placed.variant_id in allowed
    assert seen.get(placed.variant_id, 0) < 3
    assert set(placed.variant_ids) <= allowed
    assert sum(placed.shares) == pytest.approx(1.0)
    assert placed.propensity > 0
    if placed.capped:
        assert placed.propensity == 1.0
        assert not placed.explored


@settings(deadline=None, max_examples=40)
@given(shares, st.floats(0.05, 0.9), st.integers(0, 2**32))
def test_the_exploration_cap_holds_after_every_impression(weights: tuple[float, ...], cap: float, seed: int) -> None:
    limits, rng = (
        Limits(exploration=cap, floor=0.05, per_shopper=10_000, of_campaign=10_000),
        np.random.default_rng(seed),
    )
    standing, explored = Shares(NAMES, weights, 2), 0
    for placed in range(150):
        found = place(standing, allowed=NAMES, seen={}, explored=explored, placed=placed, limits=limits, rng=rng)
        assert found is not None
        explored += found.explored
        assert explored <= cap * (placed + 1) + 1e-9


def test_what_is_drawn_follows_the_shares() -> None:
    standing, rng = Shares(NAMES[:3], (0.6, 0.3, 0.1), 0), np.random.default_rng(6)
    limits, n = Limits(exploration=0.5), 4_000
    drawn = [
        place(standing, allowed=NAMES, seen={}, explored=0, placed=10**6, limits=limits, rng=rng) for _ in range(n)
    ]
    counts = Counter(one.variant_id for one in drawn if one)
    for name, share in zip(standing.variant_ids, standing.shares, strict=True):
        assert counts[name] / n == pytest.approx(share, abs=5 * (share * (1 - share) / n) ** 0.5)


def test_without_the_best_guess_the_others_take_its_place() -> None:
    standing, rng = Shares(NAMES[:3], (0.6, 0.3, 0.1), 0), np.random.default_rng(6)
    placed = place(standing, allowed={"b", "c"}, seen={}, explored=0, placed=100, limits=Limits(), rng=rng)
    assert placed is not None
    assert placed.variant_ids == ("b", "c")
    assert placed.shares == pytest.approx((0.75, 0.25))


@pytest.mark.parametrize(
    "wrong", [{"exploration": 0.0}, {"exploration": 1.0}, {"floor": 0.9}, {"per_shopper": 0}, {"width": 0.0}]
)
def test_limits_that_could_never_learn_or_show_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"is needed|at least 1"):
        Limits(**wrong)
