from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.coupons_market import DAY_S, IID, MISSPECIFIED, REDEEMED, UNSEEN, Scenario, draw, history
from bench.coupons_policies import Fixed, Priced, Random, pacer_of, run
from personalization.coupons.dual import TOO_DEAR, choose, dual_value, solve
from personalization.coupons.pacing import Gains, Pacer
from personalization.coupons.several import Pacers, patterns
from personalization.coupons.traffic import Traffic, TrafficShape

START = 1_600_000_000.0


def a_pacer(budget: float = 10_000.0, *, validity_s: float = 0.0, forecast: float = 1_000.0) -> Pacer:
    shape = TrafficShape.even(DAY_S)
    return Pacer(budget, Traffic(shape, forecast, START + DAY_S, START), validity_s=validity_s)


def rows(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    value, cost = np.sort(rng.random((n, 5)), axis=1), np.sort(rng.random((n, 5)) * 100, axis=1)
    value[:, 0] = cost[:, 0] = 0.0
    return value, cost


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from([IID, MISSPECIFIED, REDEEMED, *UNSEEN]),
    st.integers(0, 10_000),
    st.integers(1, 400),
    st.floats(0.0, 1.5),
    st.sampled_from(["paced", "fixed", "random"]),
)
def test_no_sequence_of_arrivals_passes_the_cap(scenario, seed, n, share, kind):
    day = draw(scenario, n, seed)
    if not len(day.at):
        return
    budget = float(int(share * day.table("true cost")[:, -1].sum()))
    past = history(scenario, 500, seed)
    policy = {"paced": Priced(), "fixed": Fixed(5), "random": Random(np.random.default_rng(seed))}[kind]
    pacer = pacer_of(day, budget, past) if kind == "paced" and budget > 0 else None
    played = run(day, budget, policy, pacer=pacer, every=7)
    assert played.promised <= budget
    assert 0 <= played.paid <= budget


@pytest.mark.parametrize("scenario", [IID, MISSPECIFIED, REDEEMED], ids=lambda s: s.name)
def test_a_day_comes_near_the_optimum_and_uses_its_budget(scenario):
    day, past = draw(scenario, 3_000, 1), history(scenario, 10_000, 1)
    value, cost = day.table("true value"), day.table("true cost")
    budget = float(int(0.3 * cost[:, -1].sum()))
    played = run(day, budget, Priced(), pacer=pacer_of(day, budget, past), every=15)
    assert played.value >= 0.95 * dual_value(value, cost, [budget], solve(value, cost, [budget]))
    assert played.paid >= 0.97 * budget


def test_single_arrivals_and_chunks_take_the_same_path():
    day, past = draw(IID, 600, 2), history(IID, 2_000, 2)
    budget = float(int(0.2 * day.table("true cost")[:, -1].sum()))
    one, five = (run(day, budget, Priced(), pacer=pacer_of(day, budget, past), every=m) for m in (1, 5))
    assert five.value == pytest.approx(one.value, rel=0.01)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100), st.one_of(st.just(0.0), st.floats(1, 3_600)), st.integers(1, 30))
def test_a_pacer_survives_being_stored(seed, validity_s, steps):
    day = draw(IID, 300, seed)
    pacer = pacer_of(day, 5_000.0, history(IID, 500, seed))
    pacer.validity_s = validity_s
    for step in range(steps):
        value, cost = rows(5, step)
        pacer.observe(value, cost, choose(value, cost, pacer.price(START)), day.start + 60.0 * step)
        pacer.settle(3.0, day.start + 60.0 * step, np.array([min(validity_s, 5.0)]))
    again = Pacer.from_state(json.loads(json.dumps(pacer.state())))
    at = day.start + 60.0 * steps
    assert again.price(at) == pytest.approx(pacer.price(at), rel=1e-12)
    value, cost = rows(5)
    for loop in (pacer, again):
        loop.observe(value, cost, np.ones(5, dtype=np.int64), at)
        loop.reconcile(50.0, at)
    assert again.state() == pacer.state()


def test_the_ratio_does_not_wind_up():
    pacer = a_pacer()
    value, cost = rows(10)
    for step in range(200):  # nothing is ever paid: the ratio stops at its bound
        pacer.observe(value, cost, np.full(10, 4), START + step)
        pacer.reconcile(0.0, START + step)
    assert pacer.ratio >= 1 / pacer.gains.bound - 1e-9
    recovered, spent = 0, 0.0
    while pacer.ratio < 0.9 and recovered < 100:  # and comes back as fast as it could be learnt at first
        pacer.observe(value, cost, np.full(10, 4), START + 200 + recovered)
        spent += float(cost[:, 4].sum())
        pacer.reconcile(spent, START + 200 + recovered)
        recovered += 1
    assert recovered < 100
    before = pacer.ratio
    for step in range(100):  # nothing is chosen, so nothing is learnt
        pacer.observe(value, cost, np.zeros(10, dtype=np.int64), START + 1_000 + step)
        pacer.reconcile(spent, START + 1_000 + step)
    assert pacer.ratio == before


def test_money_that_is_promised_is_not_planned_again():
    pacer = a_pacer(validity_s=600.0)
    value, cost = rows(50)
    pacer.observe(value, cost, np.full(50, 4), START)
    assert pacer.pending(START) == pytest.approx(cost[:, 4].sum(), rel=0.05)
    assert pacer.pending(START) > pacer.pending(START + 300) > pacer.pending(START + 590) > 0
    assert pacer.pending(START + 700) == 0


def test_no_money_has_no_price_that_anything_is_worth():
    pacer = a_pacer(budget=100.0)
    value, cost = rows(20)
    pacer.observe(value, cost, np.zeros(20, dtype=np.int64), START)
    pacer.reconcile(100.0, START + 1)
    assert pacer.price(START + 1) == TOO_DEAR
    assert not choose(value, cost, pacer.price(START + 1)).any()


def test_missing_events_are_made_good_by_the_ledger():
    deaf = Scenario("deaf", validity_s=600.0, missing=1.0)
    day, past = draw(deaf, 3_000, 5), history(deaf, 10_000, 5)
    budget = float(int(0.3 * day.table("true cost")[:, -1].sum()))
    played = run(day, budget, Priced(), pacer=pacer_of(day, budget, past), every=15)
    assert 0.97 * budget <= played.paid <= budget


def test_traffic_learns_its_shape_and_today_s_level():
    rng = np.random.default_rng(0)
    at = START + np.sort(
        np.concatenate([rng.uniform(0, 28, 200) * DAY_S, np.repeat(np.arange(28), 100) * DAY_S + 3_600])
    )
    shape = TrafficShape.learn(at)
    assert shape.share.sum() == pytest.approx(1.0)
    hour = shape.between(START + 3_000, START + 4_200)
    assert hour > 20 * shape.between(START + 40_000, START + 41_200)
    assert shape.between(START, START + 14 * DAY_S) == pytest.approx(2.0)
    traffic = Traffic(TrafficShape.even(DAY_S), 1_000.0, START + DAY_S, START)
    assert traffic.remaining(START) == pytest.approx(1_000)
    traffic.observe(750, START + DAY_S / 2)  # half as many again as forecast
    assert traffic.remaining(START + DAY_S / 2) == pytest.approx(750, rel=0.02)
    traffic.observe(0, START)  # a clock that steps back
    assert traffic.at == START + DAY_S / 2
    assert traffic.remaining(START + DAY_S) == 0
    assert Traffic.from_state(json.loads(json.dumps(traffic.state()))).level == traffic.level


@settings(deadline=None)
@given(st.lists(st.floats(0, 5e6), min_size=3, max_size=3))
def test_arrivals_of_parts_sum_to_those_of_the_whole(times):
    shape = TrafficShape(np.random.default_rng(1).dirichlet(np.ones(48)))
    a, b, c = sorted(times)
    assert shape.between(a, b) + shape.between(b, c) == pytest.approx(shape.between(a, c), abs=1e-9)


def test_several_budgets_are_paced_at_once():
    day, past = draw(IID, 4_000, 3), history(IID, 8_000, 3)
    tables = []
    for index, each in enumerate((past, day)):
        rng = np.random.default_rng(index)
        draws = np.zeros((len(each.at), 4))
        draws[np.arange(len(draws)), rng.integers(0, 2, len(draws))] = 1
        draws[np.arange(len(draws)), 2 + rng.integers(0, 2, len(draws))] = 1
        tables.append((each.table("value"), each.table("cost")[:, :, None] * draws[:, None, :]))
    (past_value, past_cost), (value, cost) = tables
    budgets = np.array([0.1, 0.3, 0.4, 0.15]) * cost[:, -1].sum(axis=0)
    prices = solve(past_value, past_cost, budgets * len(past.at) / len(day.at))
    per_period = len(day.at) / 2 / day.shape.between(day.start, day.end)
    pacers = Pacers(
        [
            Pacer(budget, Traffic(day.shape, per_period, day.end, day.start), pattern=pattern, gains=Gains())
            for budget, pattern in zip(budgets, patterns(past.at, past_value, past_cost, prices), strict=True)
        ]
    )
    used, gained = np.zeros(4), 0.0
    for i, at in enumerate(day.at):
        v, c = value[i : i + 1], cost[i : i + 1]
        if i % 10 == 0:
            now = pacers.prices(float(at))
        rung = choose(v, c, now, allowed=(used + c <= budgets).all(axis=2))
        used += c[0, rung[0]]
        gained += float(v[0, rung[0]])
        pacers.observe(v, c, rung, float(at))
        for pacer, paid in zip(pacers.pacers, used, strict=True):
            pacer.reconcile(float(paid), float(at))
    assert (used <= budgets).all()
    assert gained >= 0.97 * dual_value(value, cost, budgets, solve(value, cost, budgets))
