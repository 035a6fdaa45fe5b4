from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.coupons.batch import allocate, spent
from personalization.coupons.dual import TOO_DEAR, choose, dual_value, exact, relaxed_bound, score, solve, solve_chunks
from personalization.coupons.hull import SpendCurve, increments

ladders = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(2, 8), st.floats(0.0, 1.2))


def made(seed: int, n: int, k: int, *, whole: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Random ladders whose costs rise; with `whole`, of few whole numbers, so that there are ties and dominated rungs."""
    rng = np.random.default_rng(seed)
    if whole:
        value, cost = rng.integers(0, 4, (n, k)).astype(float), rng.integers(0, 4, (n, k)).astype(float)
    else:
        value, cost = rng.random((n, k)) * rng.gamma(1, 1, (n, 1)), np.sort(rng.random((n, k)) * 100, axis=1)
    value[:, 0] = cost[:, 0] = 0.0
    return value, cost


def test_a_million_members_need_no_other_path_than_one():
    value, cost = made(1, 500, 10)
    together = choose(value, cost, [0.01])
    alone = [choose(value[i : i + 1], cost[i : i + 1], [0.01])[0] for i in range(500)]
    assert together.tolist() == alone


@settings(deadline=None)
@given(ladders, st.floats(0, 2))
def test_a_dominated_rung_is_never_taken(ladder, price):
    seed, n, k, _ = ladder
    value, cost = made(seed, n, k, whole=True)
    rung = choose(value, cost, [price])
    for i, j in enumerate(rung):
        better = (
            (value[i] >= value[i, j]) & (cost[i] <= cost[i, j]) & ((value[i] > value[i, j]) | (cost[i] < cost[i, j]))
        )
        assert not better.any()


def test_of_equal_scores_the_cheapest_wins_and_nothing_beats_a_bad_coupon():
    value, cost = np.array([[0.0, 2.0, 3.0], [0.0, -1.0, -2.0]]), np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    assert choose(value, cost, [1.0]).tolist() == [1, 0]
    assert choose(value, cost, [0.0], allowed=np.array([[False, True, False]] * 2)).tolist() == [1, 0]
    assert choose(value[:1], cost[:1], [TOO_DEAR]).tolist() == [0]


@settings(deadline=None)
@given(ladders, st.floats(0, 2))
def test_the_steps_of_the_hull_are_what_prices_take(ladder, price):
    seed, n, k, _ = ladder
    value, cost = made(seed, n, k)
    row, slope, step, gain = increments(value, cost)
    rung = choose(value, cost, [price])
    for i in range(n):
        above = (row == i) & (slope > price)
        assert step[above].sum() == pytest.approx(cost[i, rung[i]])
        assert gain[above].sum() == pytest.approx(value[i, rung[i]])


@settings(deadline=None)
@given(ladders)
def test_the_dual_is_at_least_the_primal_and_money_has_a_price_only_where_it_is_short(ladder):
    seed, n, k, share = ladder
    value, cost = made(seed, n, k)
    budget = share * cost[:, -1].sum()
    price = solve(value, cost, [budget])
    rung = choose(value, cost, price)
    used, gained = spent(cost, rung)[0], value[np.arange(n), rung].sum()
    bound = dual_value(value, cost, [budget], price)
    assert used <= budget * (1 + 1e-9) + 1e-9
    assert gained <= bound + 1e-9
    # Complementary slackness: what is left over is less than the step at which the price stands.
    assert price[0] * (budget - used) <= value.max() + 1e-9
    # No other price has a lower dual.
    for factor in (0.5, 0.9, 1.1, 2.0):
        assert dual_value(value, cost, [budget], price * factor) >= bound - 1e-9 * max(bound, 1.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.floats(0.05, 0.9))
def test_the_bound_holds_for_the_exact_optimum_and_a_batch_comes_near(seed, n, share):
    value, cost = made(seed, n, 5)
    budget = share * cost[:, -1].sum()
    best = value[np.arange(n), exact(value, cost, [budget])].sum()
    rung = allocate(value, cost, [budget])
    assert spent(cost, rung)[0] <= budget
    ours = value[np.arange(n), rung].sum()
    assert ours <= best * (1 + 1e-5) + 1e-9
    assert best <= relaxed_bound(value, cost, [budget]) * (1 + 1e-5) + 1e-9
    assert ours >= best - value.max() - 1e-9, (
        "the relaxation splits one member's step at most (Sinha and Zoltners 1979)"
    )


def test_a_batch_spends_its_budget_to_the_last_and_never_more():
    value, cost = made(3, 20_000, 10)
    budget = 0.2 * cost[:, -1].sum()
    rung = allocate(value, cost, [budget])
    assert 0.99999 <= spent(cost, rung)[0] / budget <= 1
    assert value[np.arange(20_000), rung].sum() >= 0.9999 * relaxed_bound(value, cost, [budget])


def test_chunks_give_the_same_price_as_the_whole():
    value, cost = made(4, 30_000, 6)
    budget = 0.1 * cost[:, -1].sum()
    parts = lambda: ((value[i : i + 999], cost[i : i + 999]) for i in range(0, 30_000, 999))  # noqa: E731
    assert solve_chunks(parts, budget) == pytest.approx(solve(value, cost, [budget])[0], rel=1e-9)
    assert solve_chunks(parts, cost.sum()) == 0.0


@pytest.mark.parametrize("share", [0.0, 1e-6, 0.5])
def test_half_precision_of_the_usual_stays_inside(share):
    value, cost = (x.astype(np.float32) for x in made(5, 2_000, 10))
    budget = share * float(cost[:, -1].sum())
    assert spent(cost, allocate(value, cost, [budget]))[0] <= budget


def several(seed: int, n: int, b: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Every arrival draws on one of each pair of budgets."""
    value, cost = made(seed, n, 6)
    rng = np.random.default_rng(seed + 1)
    draws = np.zeros((n, b))
    for pair in range(0, b, 2):
        draws[np.arange(n), pair + rng.integers(0, 2, n)] = 1
    return value, cost[:, :, None] * draws[:, None, :]


def test_several_budgets_are_each_kept_and_used_well():
    value, cost = several(7, 4_000)
    budgets = np.array([0.1, 0.3, 0.15, 0.2, 0.4, 0.05]) * cost[:, -1].sum(axis=0)
    prices = solve(value, cost, budgets)
    bound = dual_value(value, cost, budgets, prices)
    rung = allocate(value, cost, budgets, prices)
    assert (spent(cost, rung) <= budgets).all()
    assert value[np.arange(4_000), rung].sum() >= 0.998 * bound
    used = spent(cost, choose(value, cost, prices))
    assert (prices * np.abs(budgets - used)).sum() <= 0.01 * bound


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.lists(st.floats(0, 0.6), min_size=4, max_size=4))
def test_several_budgets_are_never_passed(seed, n, shares):
    value, cost = several(seed, n, 4)
    budgets = np.array(shares) * cost[:, -1].sum(axis=0)
    assert (spent(cost, allocate(value, cost, budgets)) <= budgets).all()


@settings(deadline=None)
@given(ladders)
def test_a_spend_curve_tells_the_price_of_a_cost_to_a_bin_and_survives_being_stored(ladder):
    seed, n, k, share = ladder
    value, cost = made(seed, n, k)
    curve = SpendCurve()
    wanted = share * curve.add(value, cost) / n
    found, bin_width = curve.price(wanted), 2 ** (1 / 16)
    if found > 0:
        low, high = (spent(cost, choose(value, cost, [p]))[0] / n for p in (found * bin_width, found / bin_width))
        assert low - 1e-9 <= wanted <= high + 1e-9
    else:
        assert wanted >= curve.most * (1 - 1e-9)
    assert SpendCurve.from_state(curve.state()).price(wanted) == found


def test_a_score_is_value_less_priced_cost():
    value, cost = several(9, 10, 4)
    prices = np.array([0.1, 0.0, 0.2, 0.3])
    assert score(value, cost, prices) == pytest.approx(value - (cost * prices).sum(axis=2))
