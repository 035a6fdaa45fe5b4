"""A screened set is good and varied, keeps what had no chance yet, and drops what lost with stated confidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from personalization.creative.screening import Rules, keep, likeness, screen, spread
from tests.personalization.creative_world import DESIGN, VARIANTS

OPTIONS = DESIGN.own - len(DESIGN.measures)
ALIKE = likeness(DESIGN.encode(VARIANTS), OPTIONS)
N = len(VARIANTS)


def test_likeness_is_the_share_of_choices_in_common() -> None:
    places = {variant.variant_id: place for place, variant in enumerate(VARIANTS)}
    one, other = places["wide-warm-still"], places["wide-warm-drift"]
    assert ALIKE[one, one] == pytest.approx(1.0)
    assert ALIKE[one, other] == pytest.approx(0.75)  # type, layout and palette of four


@settings(deadline=None)
@given(arrays.arrays(float, (3, N), elements=st.floats(-1, 1)), st.integers(1, N))
def test_a_set_has_no_variant_twice_and_the_best_is_in_it(quality: np.ndarray, size: int) -> None:
    chosen = screen(quality, ALIKE, size, temperature=0.1)
    for row, scores in zip(chosen, quality, strict=True):
        assert len(set(row.tolist())) == size
        assert scores[row].max() == pytest.approx(scores.max())


@settings(deadline=None)
@given(
    arrays.arrays(float, (2, N), elements=st.floats(-1, 1)), arrays.arrays(bool, (2, N)), arrays.arrays(bool, (2, N)),
)  # fmt: skip
def test_only_what_is_allowed_is_taken_and_what_is_kept_stays(
    quality: np.ndarray, allowed: np.ndarray, kept: np.ndarray
) -> None:
    size = N
    chosen = screen(quality, ALIKE, size, temperature=0.1, kept=kept, allowed=allowed)
    for row, may, stays in zip(chosen, allowed, kept, strict=True):
        taken = set(row[row >= 0].tolist())
        assert taken <= set(np.flatnonzero(may).tolist())
        assert set(np.flatnonzero(stays & may).tolist()) <= taken
        assert len(taken) == may.sum()


def test_a_set_of_equally_good_variants_differs_more_than_a_random_one() -> None:
    rng = np.random.default_rng(5)
    chosen = screen(np.zeros((1, N)), ALIKE, 5, temperature=0.1)[0]
    at_random = [spread(ALIKE, rng.choice(N, 5, replace=False)) for _ in range(200)]
    assert spread(ALIKE, chosen) >= np.quantile(at_random, 0.9) > np.mean(at_random)


def test_copies_of_the_best_do_not_fill_the_set() -> None:
    copies = np.array([0, 0, 0, 0, 1, 2])
    alike = np.where(copies[:, None] == copies, 1.0, 0.2).astype(np.float32)
    quality = np.array([[0.3, 0.3, 0.3, 0.3, 0.0, 0.0]])
    chosen = screen(quality, alike, 3, temperature=0.1)[0]
    assert set(copies[chosen].tolist()) == {0, 1, 2}


def test_a_better_variant_is_taken_although_it_is_more_alike() -> None:
    quality = np.zeros((1, N))
    quality[0, :2] = 1.0  # the first two differ in motion only
    assert {0, 1} <= set(screen(quality, ALIKE, 3, temperature=0.1)[0].tolist())


def test_a_loser_is_retired_once_it_was_shown_enough() -> None:
    rng = np.random.default_rng(2)
    drawn = (np.array([[0.5], [0.45], [-0.5]]) + 0.05 * rng.standard_normal((3, 500))).astype(np.float32)
    assert keep(drawn, np.array([900, 900, 900]), Rules()).tolist() == [True, True, False]
    assert keep(drawn, np.array([900, 900, 100]), Rules()).tolist() == [True, True, True]


def test_something_always_stays() -> None:
    drawn = np.random.default_rng(1).standard_normal((8, 50)).astype(np.float32)
    assert keep(drawn, np.full(8, 10_000), Rules(doubt=1.0)).any()
