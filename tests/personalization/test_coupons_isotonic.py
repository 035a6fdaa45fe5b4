import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.isotonic import IsotonicRegression

from personalization.coupons.isotonic import isotonic

SHAPES = st.tuples(st.integers(1, 8), st.integers(1, 30))


@st.composite
def curves_and_weights(draw):
    shape = draw(SHAPES)
    values = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.1, 0.5, 1.0]))  # ties, too
    return draw(arrays(float, shape, elements=values)), draw(arrays(float, shape, elements=st.floats(0.01, 100)))


@given(curves_and_weights())
@settings(max_examples=60, deadline=None)
def test_it_is_what_scikit_learn_finds(both):
    curves, weights = both
    found = isotonic(curves, weights)
    for row, weight, fit in zip(curves, weights, found, strict=True):
        expected = IsotonicRegression().fit_transform(np.arange(len(row)), row, sample_weight=weight)
        np.testing.assert_allclose(fit, expected, atol=1e-9)


@given(curves_and_weights())
@settings(max_examples=60, deadline=None)
def test_nothing_falls_means_stay_and_a_second_time_changes_nothing(both):
    curves, weights = both
    found = isotonic(curves)
    assert (np.diff(found, axis=1) >= 0).all()
    assert (np.diff(isotonic(curves, weights), axis=1) >= 0).all()
    np.testing.assert_allclose(found.mean(axis=1), curves.mean(axis=1), atol=1e-12)
    np.testing.assert_array_equal(isotonic(found), found)
    assert found.min() >= curves.min() - 1e-12
    assert found.max() <= curves.max() + 1e-12


def test_rising_rows_come_back_untouched_and_the_argument_too():
    curves = np.array([[0.1, 0.2, 0.3], [0.3, 0.2, 0.4]])
    kept = curves.copy()
    found = isotonic(curves)
    np.testing.assert_array_equal(found[0], kept[0])
    np.testing.assert_allclose(found[1], [0.25, 0.25, 0.4])
    np.testing.assert_array_equal(curves, kept)


def test_many_rows_are_fitted_as_each_alone():
    curves = np.random.default_rng(1).random((5_000, 10))
    found = isotonic(curves)
    for row in (0, 1_700, 4_999):
        np.testing.assert_array_equal(found[row], isotonic(curves[row : row + 1])[0])


def test_weights_may_be_one_row_for_all():
    curves, weights = np.random.default_rng(2).random((20, 6)), np.array([1.0, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(isotonic(curves, weights), isotonic(curves, np.tile(weights, (20, 1))))
