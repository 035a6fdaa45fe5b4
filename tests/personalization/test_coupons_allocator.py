"""The allocator takes the rung that is worth most at the price of money, leaves a little to chance, and says what it weighed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.coupons.allocator import MOST_OF_PRICE
from personalization.coupons.caps import WHOLE, Cap
from personalization.coupons.dependence import History
from personalization.coupons.planning import Account, Arrivals, Loops, Running, Visit
from personalization.coupons.prior import PriorResponse
from personalization.coupons.response import ResponseModel
from personalization.offers import Allotment, BudgetState, Offer
from personalization.types import (
    CampaignId,
    Channel,
    Context,
    MemberId,
    Money,
    ProductId,
    Profile,
    Reason,
    SlateItem,
    Subject,
    VisitorId,
)
from tests.personalization.fakes import NOW, allocator, product

SUBJECT = Subject(None, VisitorId("v"))
REASON = Reason("popular", "Many shoppers buy this.", {})
CAMPAIGN = CampaignId("c")


def shown(*prices: int) -> list[SlateItem]:
    return [
        SlateItem(product(f"p{n}", price=price), n + 1, 1.0, REASON, ("popular",)) for n, price in enumerate(prices)
    ]


def offer(discount: int, *product_ids: str, campaign: str = "c", objective: str = "orders") -> Offer:
    ids = frozenset(map(ProductId, product_ids))
    end = NOW + timedelta(days=20)
    return Offer(
        f"{campaign}-{discount}",
        CampaignId(campaign),
        Money(discount, "USD"),
        ids,
        NOW - end.resolution,
        end,
        objective,
    )


def budget(total: int = 10_000, campaign: str = "c") -> dict[CampaignId, BudgetState]:
    money = [Money(amount, "USD") for amount in (total, 0, 0)]
    return {CampaignId(campaign): BudgetState(CampaignId(campaign), *money)}


def choose(
    offers: Sequence[Offer], price: float = 0.0, *, slate: Sequence[SlateItem] = (), **given: Any
) -> Allotment | None:
    budgets = given.pop("budgets", budget())
    context = Context(Channel.API, NOW, slate_size=5, wants_coupon=True)
    return allocator(price, **given).choose(SUBJECT, context, None, (), slate or shown(400), offers, budgets)


LADDER = [offer(d) for d in (40, 80, 120, 160)]


def test_money_that_is_free_buys_the_most_orders_and_money_that_is_dear_buys_none() -> None:
    free, dear = choose(LADDER, 0.0), choose(LADDER, 1.0)
    assert free is not None
    assert free.coupon is not None
    assert free.coupon.discount.minor_units == 160
    assert dear is not None
    assert dear.coupon is None
    assert [rung.discount_minor for rung in dear.rungs] == [0, 40, 80, 120, 160]


@given(st.lists(st.floats(0, 0.02), min_size=2, max_size=6))
@settings(deadline=None, max_examples=40)
def test_the_dearer_the_money_the_smaller_the_discount(prices: list[float]) -> None:
    found = [choose(LADDER, price) for price in sorted(prices)]
    taken = [one.rung.discount_minor for one in found if one is not None]
    assert taken == sorted(taken, reverse=True)


@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=8, unique=True), st.integers(50, 900), st.integers(0, 600), st.floats(0, 0.05),
    st.sampled_from(["orders", "revenue", "margin", "lifetime"]),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_what_is_taken_is_the_best_that_is_allowed(
    discounts: list[int], price: int, left: int, money: float, objective: str
) -> None:
    offers = [offer(d, objective=objective) for d in discounts]
    found = choose(
        offers, money, slate=shown(price), budgets=budget(left), explored=1e-12
    )  # whatever is allowed has a chance
    fitting = [d for d in discounts if d <= min(MOST_OF_PRICE * price, left)]
    if found is None:
        assert not fitting
        return
    assert [rung.discount_minor for rung in found.rungs] == [0, *sorted(fitting)]
    assert found.rung.score == max(rung.score for rung in found.rungs if rung.probability > 0)
    assert all(after.conversion >= before.conversion for before, after in pairwise(found.rungs))


def test_chance_takes_every_rung_as_often_as_it_says() -> None:
    made, counts = allocator(0.001, explored=0.5), np.zeros(5)
    context = Context(Channel.API, NOW, slate_size=5, wants_coupon=True)
    for _ in range(4000):
        found = made.choose(SUBJECT, context, None, (), shown(400), LADDER, budget())
        assert found is not None
        counts[found.chosen] += 1
        said = np.array([rung.probability for rung in found.rungs])
    assert said.sum() == pytest.approx(1.0)
    spread = np.sqrt(said * (1 - said) / counts.sum())
    assert (np.abs(counts / counts.sum() - said) < 5 * spread).all()


def test_an_offer_on_another_product_or_in_another_currency_is_not_weighed() -> None:
    assert choose([offer(40, "elsewhere")]) is None
    assert choose([replace(offer(40), discount=Money(40, "EUR"))]) is None


def test_campaigns_for_margin_give_nothing_that_costs_more_than_it_brings() -> None:
    found = choose([offer(200, objective="margin")])
    assert found is not None
    assert found.coupon is None
    assert found.rungs[1].value < 0


def test_who_let_an_offer_pass_is_offered_no_more_before_the_next_purchase() -> None:
    day = NOW.timestamp() / 86_400
    none = np.zeros(0)
    passed = History(none, none, none, np.array([day - 1]), np.array([80.0]), np.array([False]))
    profile = Profile(MemberId("m"), NOW, None, 0, None, {}, None)
    made = allocator(0.0, past=passed)
    context = Context(Channel.API, NOW, slate_size=5, wants_coupon=True)
    found = made.choose(Subject(MemberId("m")), context, profile, (), shown(400), LADDER, budget())
    assert found is not None
    assert found.rung.discount_minor == 80
    assert [rung.probability for rung in found.rungs if rung.discount_minor > 80] == [0.0, 0.0]
    free = allocator(0.0, past=passed, rules=None)
    found = free.choose(Subject(MemberId("m")), context, profile, (), shown(400), LADDER, budget())
    assert found is not None
    assert found.rung.discount_minor == 160


class Memory:
    """`Pacing` for one campaign."""

    def __init__(self, total: int, caps: dict[Cap, int] | None = None) -> None:
        self.total, self.spent, self.seq, self.caps = total, 0, 0, caps or {}
        self.states: dict[Cap, dict[str, Any]] = {}
        self.prices: dict[Cap, float] = {}
        self.log: list[Allotment] = []

    @property
    def price(self) -> float:
        return self.prices[WHOLE]

    def running(self, *, at: datetime) -> Sequence[Running]:
        own = Account(WHOLE, self.total, self.spent, self.states.get(WHOLE))
        capped = [Account(cap, total, 0, self.states.get(cap)) for cap, total in self.caps.items()]
        return [Running(CAMPAIGN, "orders", NOW + timedelta(days=14), (own, *capped), self.seq)]

    def arrivals(self, campaign_id: CampaignId, *, after: int, most: int) -> Arrivals | None:
        found = self.log[after : after + most]
        if not found:
            return None
        value, cost = (np.array([[getattr(r, name) for r in one.rungs] for one in found]) for name in ("value", "cost"))
        at = NOW.timestamp() + 60.0 * np.arange(after, after + len(found))
        caps = [[("segment", one.segment)] for one in found]
        return Arrivals(after + len(found), at, value, cost, np.array([one.chosen for one in found]), caps)

    def order_times(self, *, since: datetime) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.linspace(since.timestamp(), NOW.timestamp(), 4_000, endpoint=False)

    def visits(self, campaign_id: CampaignId, *, most: int) -> Sequence[Visit]:
        return [Visit(NOW - timedelta(hours=h), product("p0", price=400), (40, 80, 120, 160)) for h in range(200)]

    def save(
        self, campaign_id: CampaignId, kept: Mapping[Cap, tuple[dict[str, Any], float]], *, seq: int, at: datetime
    ) -> None:
        self.states = {cap: state for cap, (state, _) in kept.items()}
        self.prices = {cap: price for cap, (_, price) in kept.items()}
        self.seq = seq


def test_a_scarce_budget_has_a_price_from_the_first_minute_and_an_ample_one_has_none() -> None:
    scarce, ample = Memory(2_000), Memory(10_000_000)
    for memory in (scarce, ample):
        Loops(memory, ResponseModel(PriorResponse())).advance(now=NOW)
    assert scarce.price > 0
    assert ample.price == 0


def test_the_price_rises_when_money_goes_faster_than_planned_and_survives_a_restart() -> None:
    memory = Memory(20_000)
    response = ResponseModel(PriorResponse())
    loops = Loops(memory, response)
    loops.advance(now=NOW)
    begun = memory.price
    one = choose(LADDER, 0.0)
    assert one is not None
    memory.log, memory.spent = [one] * 1500, 9_000
    later = NOW + timedelta(minutes=1500)
    assert loops.advance(now=later) == 1500
    assert memory.price > begun
    again = Memory(20_000)
    again.states, again.seq, again.spent, again.log = memory.states, memory.seq, memory.spent, memory.log
    assert Loops(again, response).advance(now=later) == 0
    assert again.price == pytest.approx(memory.price)


def test_a_loop_takes_a_clock_that_steps_back_for_one_that_stands_still() -> None:
    memory = Memory(20_000)
    loops = Loops(memory, ResponseModel(PriorResponse()))
    loops.advance(now=NOW + timedelta(hours=2))
    price = memory.price
    loops.advance(now=NOW)
    assert memory.price == pytest.approx(price, rel=0.05)


def test_a_group_that_meets_its_limit_gets_a_price_of_its_own_and_the_others_none() -> None:
    limited, free = ("segment", "bargains"), ("segment", "regulars")
    memory = Memory(10_000_000, {limited: 500, free: 10_000_000})
    loops = Loops(memory, ResponseModel(PriorResponse()))
    loops.advance(now=NOW)
    one = choose(LADDER, 0.0)
    assert one is not None
    memory.log = [replace(one, segment="bargains"), replace(one, segment="regulars")] * 500
    loops.advance(now=NOW + timedelta(minutes=1000))
    assert memory.prices[limited] > 0
    assert memory.prices[free] == memory.prices[WHOLE] == 0
    shy = allocator(memory.prices[limited])
    context = Context(Channel.API, NOW, slate_size=5, wants_coupon=True)
    found = shy.choose(SUBJECT, context, None, (), shown(400), LADDER, budget())
    assert found is not None
    assert found.rung.discount_minor < one.rung.discount_minor
