"""A simulated campaign: the same seed the same answer, within its budget, by the holdout, and humble where nothing was learned."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from personalization.coupons.campaign_plan import AudienceSpec, CampaignPlan, Step
from personalization.coupons.objective import Objective
from personalization.coupons.prior import PriorResponse
from personalization.coupons.response import ResponseModel
from personalization.coupons.simulation import Market, Shopper, replayed, simulate
from personalization.types import Money
from tests.personalization.fakes import NOW, product

PRIOR = ResponseModel(PriorResponse())
GOODS = tuple(product(f"milk-{n}", price=300 + 50 * n) for n in range(4))


def plan(budget: int = 20_000, **more: Any) -> CampaignPlan:
    base = CampaignPlan(
        "c", "A campaign", Objective.ORDERS, AudienceSpec(), Money(budget, "USD"), NOW, NOW + timedelta(days=14),
        (Step(40), Step(90)), per_member=None,
    )  # fmt: skip
    return replace(base, **more)


def market(people: int = 60, visits: int = 4, per_shopper: float = 1.0, held: int = 0) -> Market:
    shoppers = [Shopper(f"m{n}", GOODS, held=n < held) for n in range(people)]
    arrivals = [(NOW + timedelta(days=3 * v, minutes=n), n) for v in range(visits) for n in range(people)]
    return Market(shoppers, sorted(arrivals), per_shopper)


def test_the_same_seed_gives_the_same_answer_and_a_day_by_day_path() -> None:
    one, two = (simulate(plan(), market(), PRIOR, seed=5) for _ in range(2))
    assert (one.spend, one.lift, one.path) == (two.spend, two.lift, two.path)
    assert simulate(plan(), market(), PRIOR, seed=6).spend != one.spend
    assert [day.day for day in one.path] == list(range(1, 15))
    spent = [day.spent for day in one.path]
    assert spent == sorted(spent)
    assert spent[-1] == pytest.approx(one.spend.expected)


@settings(max_examples=25, deadline=None, phases=(Phase.generate,))
@given(st.integers(100, 20_000), st.sampled_from(list(Objective)), st.sampled_from([1.0, 7.5]), st.integers(0, 99))
def test_no_simulation_spends_more_than_its_budget(budget: int, objective: Objective, each: float, seed: int) -> None:
    found = simulate(plan(budget, objective=objective), market(20, 3, each), PRIOR, seed=seed)
    assert 0 <= found.spend.low <= found.spend.expected <= found.spend.high <= budget
    assert found.conversions.expected >= found.without
    assert found.lift.low <= found.lift.expected <= found.lift.high


def test_a_sample_stands_for_everybody() -> None:
    one, ten = (
        simulate(plan(), market(), PRIOR, seed=5),
        simulate(plan(200_000), market(per_shopper=10.0), PRIOR, seed=5),
    )
    assert ten.spend.expected == pytest.approx(10 * one.spend.expected, rel=0.2)
    assert ten.arrivals == 10 * one.arrivals


def test_who_is_held_out_gets_nothing_and_nobody_gets_two_at_once() -> None:
    found = simulate(plan(), market(held=30), PRIOR, seed=5)
    assert min(who for who, _ in found.weighed) >= 30
    assert simulate(plan(), market(held=60), PRIOR, seed=5).coupons == 0
    assert simulate(plan(per_member=1), market(visits=4), PRIOR, seed=5).coupons <= 60
    assert simulate(plan(), market(visits=4), PRIOR, seed=5, weekly=1).coupons <= 120


def test_the_less_was_learned_the_wider_the_intervals() -> None:
    prior, learned = (simulate(plan(), market(), replace(PRIOR, rows=rows), seed=5) for rows in (0, 50_000))
    for name in ("lift", "conversions", "gained"):
        wide, narrow = getattr(prior, name), getattr(learned, name)
        assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low), name


def test_visits_come_again_at_their_weekday_and_hour_and_fill_a_longer_campaign() -> None:
    past = [(NOW - timedelta(days=d, hours=3), d) for d in range(1, 28)]
    starts = NOW + timedelta(days=3, hours=5)
    found = replayed(past, starts, starts + timedelta(days=56), now=NOW, weeks=4)
    assert all(starts <= at < starts + timedelta(days=56) for at, _ in found)
    assert len(found) == pytest.approx(2 * len(past), abs=2)
    was = {who: at for at, who in past}
    assert all((at - was[who]) % timedelta(weeks=1) == timedelta(0) for at, who in found)
    assert replayed([], starts, starts + timedelta(days=7), now=NOW, weeks=4) == []
