"""A campaign before it is launched: arrivals of the last weeks are replayed against its ladder by the allocator that serves.

Each arrival is decided as it would be, by the response model at hand, the pacer's price, the promise and the credit, and the
fairness prices; whoever is held out gets nothing. What is told is expected, not drawn: the sum of the probabilities of what was
chosen, against those without a coupon. Intervals are 95 % and cover three things: which members were sampled (bootstrap), chance
at the till, and how little the response model has seen: its base rate and its steepness are drawn from the belief of training.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from personalization.coupons.allocator import MARGIN_SHARE, VALID_FOR, DualAllocator
from personalization.coupons.campaign_plan import CampaignPlan
from personalization.coupons.caps import Cap
from personalization.coupons.commitment import Rules
from personalization.coupons.dependence import History, unknown
from personalization.coupons.features import Record
from personalization.coupons.objective import Objective
from personalization.coupons.pacing import Pacer
from personalization.coupons.prior import BASE, CEILING, STRENGTH
from personalization.coupons.response import ResponseModel
from personalization.coupons.traffic import WEEK_S, Traffic, TrafficShape
from personalization.offers import Allotment, BudgetState, Offer, Terms
from personalization.ports import FairPrices
from personalization.tuning import SHIPPED, TuningPolicy
from personalization.types import (
    CampaignId,
    Channel,
    Context,
    MemberId,
    Money,
    Product,
    Profile,
    Purchase,
    Reason,
    SlateItem,
    Subject,
    VisitorId,
)

Floats = NDArray[np.float64]
Interval = tuple[float, float]
RESAMPLES = 400
DOUBT = 0.5
"""Deviation of how steeply shoppers respond to discounts, as a share of the prior's: estimates differ that much from brand to brand."""
TOLD_EVERY = 50
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Shopper:
    """Somebody in the audience: `products` are what a slate of theirs would show of what the campaign covers, best first."""

    member_id: str | None
    products: tuple[Product, ...]
    profile: Profile | None = None
    purchases: Sequence[Purchase] = ()
    record: Record = field(default_factory=Record)
    history: History | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Market:
    """A sample of the audience and when it comes.

    arrivals : (when, which shopper), rising, within the campaign; per_shopper : how many people each stands for.
    """

    shoppers: Sequence[Shopper]
    arrivals: Sequence[tuple[datetime, int]]
    per_shopper: float = 1.0


@dataclass(frozen=True, slots=True)
class Figure:
    """An expectation with its 95 % interval."""

    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Day:
    """How the money goes, at the end of a day since the start: minor units expected to be spent so far, and the price λ."""

    day: int
    spent: float
    price: float


@dataclass(slots=True)
class Simulated:
    """What a campaign is expected to do.

    gained : in the objective's unit; lift : conversions with coupons per conversion without, less 1.
    """

    arrivals: float
    coupons: float
    spend: Figure
    conversions: Figure
    without: float
    gained: Figure
    lift: Figure
    path: list[Day]
    weighed: list[tuple[int, Allotment]] = field(default_factory=list)


class _Price:
    """The pacer's price of the simulated budget."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer

    def price(self, campaign_id: CampaignId, caps: Sequence[Cap], *, at: datetime) -> float:
        return self._pacer.price(at.timestamp())


class _Records:
    """What shoppers had before, and were offered in the simulation."""

    def __init__(self, shoppers: Sequence[Shopper]) -> None:
        self._of: dict[str | None, Shopper] = {
            shopper.member_id: shopper for shopper in shoppers if shopper.member_id is not None
        }

    def of_subject(self, subject: Subject, *, at: datetime) -> Record:
        own = self._of.get(subject.member_id)
        return own.record if own else Record()

    def history(self, subject: Subject, *, at: datetime) -> History:
        own = self._of.get(subject.member_id)
        return unknown() if own is None or own.history is None else own.history


def simulate(
    plan: CampaignPlan, market: Market, response: ResponseModel, *, seed: int, margin_share: float = MARGIN_SHARE,
    rules: Rules | None = None, fair: FairPrices | None = None, category_of: Mapping[str, str] | None = None, weekly: int = 0,
    tuning: TuningPolicy = SHIPPED, progress: Callable[[float], None] = lambda _: None,
) -> Simulated:  # fmt: skip
    """Return what the plan is expected to do among the market's shoppers; the same seed gives the same answer.

    weekly : coupons for one shopper in seven days, 0 for no limit.
    """
    rng = np.random.default_rng(seed)
    budget = plan.budget.minor_units / market.per_shopper
    pacer = Pacer(budget, _traffic(plan, market), validity_s=VALID_FOR.total_seconds())
    allocator = DualAllocator(
        response, _Price(pacer), _Records(market.shoppers), rng=rng, category_of=category_of, margin_share=margin_share, explored=0.0,
        rules=rules, fair=fair,
    )  # fmt: skip
    offers = offers_of(plan)
    given: dict[int, list[datetime]] = {}
    due: list[tuple[float, float, float]] = []  # when a coupon comes to its end, what it holds, what is paid
    reserved = spent = expected = 0.0
    weighed: list[tuple[int, Allotment]] = []
    path: list[Day] = []
    for number, (at, who) in enumerate(market.arrivals):
        if number % TOLD_EVERY == 0:
            progress(number / max(len(market.arrivals), 1))
        now, shopper = at.timestamp(), market.shoppers[who]
        while due and due[0][0] <= now:
            _, held, paid = heapq.heappop(due)
            reserved, spent = reserved - held, spent + paid
            pacer.reconcile(spent, now)
        path += _days(path, (at - plan.starts_at) // DAY, now, expected, pacer)
        if shopper.held or _had_enough(plan, given.get(who, []), at, weekly):
            continue
        left = int(budget - reserved - spent)
        taken = _decide(allocator, shopper, offers, plan, left, at, tuning)
        if taken is None:
            continue
        weighed.append((who, taken))
        value, cost = (np.array([[getattr(rung, name) for rung in taken.rungs]]) for name in ("value", "cost"))
        pacer.observe(value, cost, np.array([taken.chosen]), now)
        if taken.coupon is not None:
            given.setdefault(who, []).append(at)
            amount = float(taken.coupon.discount.minor_units)
            paid = amount if rng.random() < taken.rung.conversion else 0.0
            # what is not redeemed holds its money until it expires, as in the ledger
            ends = min(now + VALID_FOR.total_seconds(), plan.ends_at.timestamp())
            reserved, expected = reserved + amount, expected + taken.rung.cost
            heapq.heappush(due, (now + rng.random() * (ends - now) if paid else ends, amount, paid))
    path += _days(path, -((plan.starts_at - plan.ends_at) // DAY), plan.ends_at.timestamp(), expected, pacer)
    progress(1.0)
    found = _told(plan, market, weighed, response, rng)
    found.path = [Day(one.day, one.spent * market.per_shopper, one.price) for one in path]
    return found


def offers_of(plan: CampaignPlan) -> list[Offer]:
    """Return the plan's ladder as the offers that launching would make of it; what they cover is in each shopper's products."""
    return [
        Offer(
            f"{plan.campaign_id}-{number}", CampaignId(plan.campaign_id), Money(step.discount_minor, plan.budget.currency), frozenset(),
            plan.starts_at, plan.ends_at, plan.objective.value, Terms(step.percent_bp, plan.minimum_basket),
        )
        for number, step in enumerate(plan.ladder, 1)
    ]  # fmt: skip


def replayed(
    past: Sequence[tuple[datetime, int]], starts: datetime, ends: datetime, *, now: datetime, weeks: int
) -> list[tuple[datetime, int]]:
    """Return the arrivals of the `weeks` before `now`, shifted by whole weeks and repeated until they fill the time from start to end."""
    span = weeks * WEEK
    first = starts - (starts - now) % WEEK - WEEK  # so that each weekday and hour stays what it was
    found, base = [], first
    while base < ends:
        shift = base - (now - span)
        found += [(at + shift, who) for at, who in past if starts <= at + shift < ends]
        base += span
    return sorted(found)


def _traffic(plan: CampaignPlan, market: Market) -> Traffic:
    times = np.array([at.timestamp() for at, _ in market.arrivals], float)
    length = max((plan.ends_at - plan.starts_at).total_seconds(), 1.0)
    shape = TrafficShape.learn(times) if len(times) else TrafficShape.even()
    start = plan.starts_at.timestamp()
    return Traffic(shape, max(len(times) / length * WEEK_S, 1.0), plan.ends_at.timestamp(), start)


def _had_enough(plan: CampaignPlan, given: list[datetime], at: datetime, weekly: int) -> bool:
    if (
        given and at - given[-1] < VALID_FOR / 2
    ):  # one that is still open; half of its validity, as redemptions are spread over it
        return True
    lately = sum(at - one < timedelta(days=7) for one in given)
    return (plan.per_member is not None and len(given) >= plan.per_member) or bool(weekly and lately >= weekly)


def _decide(
    allocator: DualAllocator, shopper: Shopper, offers: Sequence[Offer], plan: CampaignPlan, left: int, at: datetime,
    tuning: TuningPolicy,
) -> Allotment | None:  # fmt: skip
    reason = Reason("asked", "", {"source": "asked"})
    slate = [SlateItem(product, rank, 0.0, reason, ("asked",)) for rank, product in enumerate(shopper.products, 1)]
    currency = plan.budget.currency
    state = BudgetState(
        CampaignId(plan.campaign_id), Money(max(left, 0), currency), Money(0, currency), Money(0, currency)
    )
    member = None if shopper.member_id is None else MemberId(shopper.member_id)
    subject = Subject(member, None if member else VisitorId("a visitor"))
    context = Context(Channel.WIDGET, at, wants_coupon=True, tuning=tuning)
    return allocator.choose(
        subject, context, shopper.profile, shopper.purchases, slate, offers, {CampaignId(plan.campaign_id): state}
    )


def _days(path: Sequence[Day], today: int, now: float, expected: float, pacer: Pacer) -> list[Day]:
    done = path[-1].day if path else 0
    return [Day(day, expected, pacer.price(now)) for day in range(done + 1, today + 1)]


def _told(
    plan: CampaignPlan, market: Market, weighed: Sequence[tuple[int, Allotment]], response: ResponseModel, rng: np.random.Generator
) -> Simulated:  # fmt: skip
    """Return sums over all people that the sample stands for, with their intervals."""
    n, scale, shape = len(market.shoppers), market.per_shopper, BASE * (STRENGTH + response.rows)
    doubt = (STRENGTH / (STRENGTH + response.rows)) ** 0.5 * DOUBT
    who = np.array([one for one, _ in weighed], np.int64)
    with_, without, off, gained = _columns(weighed)
    ratio = with_ / np.maximum(without, 1e-12)
    # what a purchase is worth, as the value was made from it: value = with (worth - off) - without worth, orders count without off
    paid = 0.0 if plan.objective is Objective.ORDERS else off
    worth = np.divide(gained + with_ * paid, with_ - without, out=np.zeros_like(gained), where=with_ > without)
    draws = np.empty((RESAMPLES, 4))  # cost, conversions, conversions without, gained
    for turn in range(RESAMPLES):
        times = np.bincount(rng.integers(max(n, 1), size=n), minlength=n)[who] * scale
        steeper = rng.gamma(1 / doubt**2, doubt**2)
        level = without * rng.gamma(shape, 1 / shape)
        bought_ = np.minimum(level * ratio**steeper, CEILING)
        draws[turn] = (
            times @ (bought_ * off), times @ bought_, times @ level, times @ (bought_ * (worth - paid) - level * worth)
        )  # fmt: skip
    chance = with_ * (1 - with_)
    noise = np.array([(chance * off**2).sum(), chance.sum()])
    till = rng.normal(size=(RESAMPLES, 2)) * np.sqrt(noise * scale)
    spend = np.clip(draws[:, 0] + till[:, 0], 0, plan.budget.minor_units)
    bought = np.maximum(draws[:, 1] + till[:, 1], 0)
    total = np.array([(with_ * off).sum(), with_.sum(), without.sum(), gained.sum()]) * scale
    lift = np.divide(draws[:, 1], draws[:, 2], out=np.ones(RESAMPLES), where=draws[:, 2] > 0) - 1
    middle = total[1] / total[2] - 1 if total[2] else 0.0
    coupons = sum(one.coupon is not None for _, one in weighed) * scale
    return Simulated(
        len(market.arrivals) * scale, coupons, _figure(min(total[0], plan.budget.minor_units), spend), _figure(total[1], bought),
        float(total[2]), _figure(total[3], draws[:, 3]), _figure(middle, lift), [], list(weighed),
    )  # fmt: skip


def _columns(weighed: Sequence[tuple[int, Allotment]]) -> Floats:
    """Return by arrival: conversion with what was chosen and without a coupon, discount, and value before any fairness price, (4, n)."""
    rows = [
        (one.rung.conversion, one.rungs[0].conversion, one.rung.discount_minor, one.rung.value + one.fairness * one.rung.discount_minor)
        for _, one in weighed
    ]  # fmt: skip
    return np.array(rows, float).reshape(-1, 4).T


def _figure(expected: float, draws: Floats) -> Figure:
    low, high = np.percentile(draws, [2.5, 97.5])
    return Figure(float(expected), min(float(low), float(expected)), max(float(high), float(expected)))
