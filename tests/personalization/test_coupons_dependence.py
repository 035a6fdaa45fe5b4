"""The discount-dependence score, and the rules under which waiting for a better coupon does not pay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from personalization.coupons.commitment import Rules, Standing, newcomers, standing_of
from personalization.coupons.dependence import (
    COLUMNS,
    DISCOUNTED,
    FULL,
    History,
    Population,
    dependence,
    evidence,
    population_of,
)

Floats = NDArray[np.float64]
NOTHING = np.zeros(0)
LADDER = np.array([0.0, 100.0, 200.0, 400.0, 600.0])
RULES = Rules()


def history(
    bought: list[float], saved: list[float], decided: list[float] = [], discount: list[float] = [], chance: bool = True  # noqa: B006
) -> History:  # fmt: skip
    paid = np.full(len(bought), 2_000.0)
    return History(
        np.array(bought, float), paid, np.array(saved, float), np.array(decided, float), np.array(discount, float),
        np.full(len(decided), chance),
    )  # fmt: skip


def score(of: History, population: Population | None = None) -> float:
    return float(dependence(evidence(of)[None], population)[0])


@st.composite
def histories(draw: st.DrawFn) -> History:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    m, o = draw(st.integers(0, 40)), draw(st.integers(0, 40))
    return History(
        bought=np.sort(rng.uniform(0, 400, m)).round(1),
        paid=rng.uniform(50, 5_000, m).round(),
        saved=rng.choice([0.0, 200.0], m),
        decided=np.sort(rng.uniform(0, 400, o)).round(1),
        discount=rng.choice(LADDER, o),
        chance=rng.random(o) < 0.5,
    )


@given(histories())
def test_a_score_lies_between_nothing_and_all(of: History) -> None:
    assert 0.0 <= score(of) <= 1.0


@given(histories(), st.floats(-1_000, 1_000).map(round))
def test_only_what_happened_counts_and_not_how_long_ago(of: History, days: int) -> None:
    later = replace(of, bought=of.bought + days, decided=of.decided + days)
    assert score(later) == pytest.approx(score(of))


def test_without_a_past_the_population_speaks() -> None:
    assert score(history([], []), Population(0.37, 5.0)) == pytest.approx(0.37)


@given(st.integers(1, 40), st.data())
def test_a_purchase_with_a_coupon_instead_of_full_price_raises_the_share(n: int, data: st.DataObject) -> None:
    saved = data.draw(st.lists(st.sampled_from([0.0, 100.0]), min_size=n, max_size=n))
    at = data.draw(st.integers(0, n - 1))
    days = [7.0 * i for i in range(n)]  # even gaps say nothing
    with_it, without = ([*saved[:at], value, *saved[at + 1 :]] for value in (100.0, 0.0))
    assert score(history(days, with_it)) > score(history(days, without))


def test_a_short_past_is_drawn_to_the_population_more_than_a_long_one() -> None:
    short, long = (score(history([7.0 * i for i in range(n)], [100.0] * n), Population(0.2, 10.0)) for n in (2, 40))
    assert 0.2 < short < 0.4
    assert long > 0.7


def test_buying_ahead_with_coupons_tells_of_dependence() -> None:
    ahead, even, saved = [0.0], [0.0], [0.0]
    for i in range(20):
        with_coupon = i % 2 == 1
        ahead.append(ahead[-1] + (3.0 if with_coupon else 11.0))  # soon with a coupon, late after one
        even.append(even[-1] + 7.0)
        saved.append(100.0 if with_coupon else 0.0)
    assert score(history(ahead, saved)) > score(history(even, saved))
    late = [0.0]
    for i in range(20):
        late.append(late[-1] + (11.0 if i % 2 == 1 else 3.0))
    assert score(history(late, saved)) < score(history(ahead, saved))


def test_purchases_that_only_happen_with_a_coupon_tell_of_dependence() -> None:
    decided = [10.0 * i for i in range(20)]
    discount = [100.0 if i % 2 == 0 else 0.0 for i in range(20)]
    only = [at + 1 for at, money in zip(decided, discount, strict=True) if money > 0]
    both = [at + 1 for at in decided]
    no_money = [0.0] * 20
    moved, unmoved = history(only, no_money[:10], decided, discount), history(both, no_money, decided, discount)
    assert score(moved) > score(history(only, no_money[:10])) > score(unmoved)
    assert score(replace(moved, chance=np.zeros(20, bool))) == score(
        history(only, no_money[:10])
    )  # what was chosen proves nothing


def test_parts_of_a_past_must_fit_together() -> None:
    with pytest.raises(ValueError, match="purchases"):
        History(np.zeros(2), np.zeros(1), np.zeros(2), NOTHING, NOTHING, np.zeros(0, bool))
    with pytest.raises(ValueError, match="decisions"):
        History(NOTHING, NOTHING, NOTHING, np.zeros(2), np.zeros(1), np.zeros(2, bool))


def test_a_population_is_found_again_from_its_members() -> None:
    rng = np.random.default_rng(5)
    share = rng.beta(0.3 * 8, 0.7 * 8, 4_000)
    buys = rng.integers(1, 40, 4_000)
    members = np.zeros((4_000, COLUMNS))
    members[:, DISCOUNTED] = rng.binomial(buys, share)
    members[:, FULL] = buys - members[:, DISCOUNTED]
    found = population_of(members)
    assert found.mean == pytest.approx(0.3, abs=0.01)
    assert found.strength == pytest.approx(8.0, rel=0.1)


@pytest.mark.parametrize("full", [0.0, 5.0])
def test_a_population_without_differences_or_members_is_still_one(full: float) -> None:
    members = np.zeros((3, COLUMNS))
    members[:, FULL] = full
    found = population_of(members)
    assert found.strength > 0
    assert 0 <= found.mean <= 1
    assert population_of(members[:1]) == Population()


def one(credit: float = 600.0, ceiling: float = np.inf) -> Standing:
    return Standing(np.array([credit]), np.array([ceiling]), np.zeros(1))


def number(value: float) -> Floats:
    return np.array([float(value)])


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 4)), max_size=12))
def test_no_visit_without_a_purchase_brings_more_than_was_to_be_had_at_once(visits: list[tuple[float, int]]) -> None:
    now, day, best = one(), 0.0, np.inf
    for gap, wanted in visits:
        day += gap
        if day >= RULES.forgiven_days:
            return
        now = now.arrived(number(day), RULES)
        given_ = LADDER[np.flatnonzero(now.allows(LADDER)[0])].tolist()
        discount = given_[min(wanted, len(given_) - 1)]
        assert discount <= best
        best = discount
        now = now.offered(number(discount))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=10), st.lists(st.integers(0, 5), min_size=10, max_size=10))
def test_a_plan_with_waits_saves_no_more_than_buying_at_once(wanted: list[int], waits: list[int]) -> None:
    """`wanted` is what an allocator would give at the start of each spell, if it may."""
    assert _saved(wanted, waits) <= _saved(wanted, [0] * 10) + 1e-9


def _saved(wanted: list[int], waits: list[int]) -> float:
    now, total = one(), 0.0
    for spell, rung in enumerate(wanted):
        for _ in range(waits[spell] + 1):
            may = LADDER[now.allows(LADDER)[0]]
            discount = float(min(LADDER[rung], may[-1]))
            now = now.offered(number(discount))
        total += discount
        now = now.bought(number(2_000.0 - discount), number(discount), number(0.0), RULES)
    return total


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 5_000), st.booleans()), max_size=30))
def test_all_coupons_together_stay_within_the_welcome_and_a_share_of_the_money_paid(
    spells: list[tuple[int, float, bool]],
) -> None:
    now, redeemed, paid = one(), 0.0, 0.0
    for rung, price, uses in spells:
        may = LADDER[now.allows(LADDER)[0]]
        discount = float(min(LADDER[rung], may[-1], price))
        now = now.offered(number(discount))
        used = discount if uses else 0.0
        redeemed, paid = redeemed + used, paid + price - used
        now = now.bought(number(price - used), number(used), number(0.0), RULES)
        assert redeemed <= RULES.welcome + RULES.share * paid + 1e-6
        assert 0.0 <= now.credit[0] <= RULES.most


def test_a_refused_coupon_uses_up_credit_as_a_redeemed_one_does() -> None:
    start = one().offered(number(400.0))
    refused = start.bought(number(2_000.0), number(0.0), number(1.0), RULES)
    redeemed = start.bought(number(1_600.0), number(400.0), number(1.0), RULES)
    assert refused.credit[0] - redeemed.credit[0] == pytest.approx(RULES.share * 400.0)


def test_a_sweet_does_not_open_a_new_spell_nor_save_a_coupon_for_later() -> None:
    held = one().offered(number(0.0))
    assert held.bought(number(50.0), number(0.0), number(3.0), RULES).most[0] == 0.0
    promised = one().offered(number(200.0))
    assert promised.bought(number(50.0), number(0.0), number(3.0), RULES).most[0] == 200.0
    assert promised.bought(number(50.0), number(100.0), number(3.0), RULES).most[0] == 0.0


def test_after_half_a_year_all_is_forgiven_once() -> None:
    held = one().offered(number(0.0))
    assert held.arrived(number(179.0), RULES).most[0] == 0.0
    back = held.arrived(number(180.0), RULES)
    assert back.most[0] == 600.0
    assert back.offered(number(100.0)).arrived(number(200.0), RULES).most[0] == 100.0


@settings(max_examples=200)
@given(histories(), st.floats(0, 500))
def test_one_member_replayed_stands_where_the_rules_put_everybody(of: History, day: float) -> None:
    found = standing_of(of, day, RULES)
    events = [(at, 0, money, 0.0) for at, money in zip(of.decided, of.discount, strict=True) if at < day]
    events += [(at, 1, *money) for at, *money in zip(of.bought, of.paid, of.saved, strict=True) if at < day]
    events.sort(key=lambda event: event[:2])
    now = newcomers(number(events[0][0] if events else day), RULES)
    for at, kind, money, saved in events:
        if kind == 1:
            now = now.bought(number(money), number(saved), number(at), RULES)
        else:
            now = now.arrived(number(at), RULES).offered(number(money))
    now = now.arrived(number(day), RULES)
    assert (found.credit, found.ceiling, found.began) == (now.credit, now.ceiling, now.began)


def test_only_visitors_are_offered_something() -> None:
    standing = newcomers(np.zeros(2), RULES)
    after = standing.offered(np.array([100.0, 100.0])).where(np.array([True, False]), standing)
    assert after.most.tolist() == [100.0, 600.0]
    assert after.credit.tolist() == [500.0, 600.0]


@pytest.mark.parametrize("wrong", [{"share": 1.0}, {"share": -0.1}, {"welcome": 2_000.0}])
def test_rules_that_could_not_hold_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="share"):
        Rules(**wrong)
