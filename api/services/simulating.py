"""Simulates campaigns in the background: gathers a market from what is known, replays it, and tells what came of it in figures and words."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import structlog

from api.wiring import Services
from personalization.coupons.campaign_plan import CampaignPlan
from personalization.coupons.commitment import Rules
from personalization.coupons.planning import HISTORY, LEAST_WEEKLY
from personalization.coupons.simulation import Market, Shopper, Simulated, replayed, simulate
from personalization.said import Fact, Said
from personalization.trust.fair_prices import Arrived, enforce, gaps, worst
from personalization.trust.fairness import fifths, read_policy
from personalization.types import MemberId, Money, Product, Subject
from stores.allotments import SqlCouponRecords
from stores.groups import SqlFairPrices, SqlGroups
from stores.simulations import SILENT, Simulation

PRIORS = Said(
    "simulation.priors",
    "Priors were used: this shop has no coupon decisions to learn from yet, so how shoppers respond is taken from published research. "
    "The intervals are wide for that reason.",
)
log = structlog.get_logger(__name__)
MOST_SHOPPERS, MOST_ARRIVALS = 300, 2_500
SLATE = 5
AT_ONCE_S = 1.5
"""How long a request waits for its simulation before it is told to come back."""
BEAT_S = SILENT.total_seconds() / 4
FAIR_STEPS, FAIR_ROWS = 40, 1_200
VALUE = "coupon_value"


class Simulating:
    """One simulation at a time in each process; what was asked for twice is done once."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._pool = ThreadPoolExecutor(1, "simulation")
        self._running: dict[str, Future[None]] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._pulse: threading.Thread | None = None

    def begin(self, plan: CampaignPlan, version: int, *, seed: int) -> Simulation:
        """Start, or find, the simulation of this version of a plan with this seed; it may be done already when this returns."""
        store = self._services.simulations
        with self._lock:
            made, is_new = store.begin(plan.campaign_id, version, seed, at=datetime.now(UTC))
            waiting = self._running.get(made.simulation_id)
            if is_new:  # else this process, or another one, has it
                waiting = self._pool.submit(self._work, made.simulation_id, plan, seed)
                self._running[made.simulation_id] = waiting
                waiting.add_done_callback(lambda _: self._running.pop(made.simulation_id, None))
                if self._pulse is None:
                    self._pulse = threading.Thread(target=self._beat, name="simulations-alive", daemon=True)
                    self._pulse.start()
        if waiting is not None:
            with suppress(NotYetError):
                waiting.result(AT_ONCE_S)
        return store.get(made.simulation_id, at=datetime.now(UTC))

    def close(self) -> None:
        """Begin nothing more."""
        self._closed.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _beat(self) -> None:
        while not self._closed.wait(BEAT_S):
            if here := list(self._running):
                self._services.simulations.alive(here, at=datetime.now(UTC))

    def _work(self, simulation_id: str, plan: CampaignPlan, seed: int) -> None:
        store = self._services.simulations

        def progress(done: float) -> None:
            store.progress(simulation_id, done, at=datetime.now(UTC))

        try:
            result = run(self._services, plan, seed=seed, now=datetime.now(UTC), progress=progress)
            store.finish(simulation_id, result, at=datetime.now(UTC))
        except Exception as error:
            log.exception("a simulation failed", kind=type(error).__name__)
            reason = "The simulation failed on our side; the log says why. Start it again."
            store.fail(simulation_id, reason, at=datetime.now(UTC))


def run(
    services: Services, plan: CampaignPlan, *, seed: int, now: datetime, progress: Callable[[float], None]
) -> dict[str, Any]:
    """Return what the plan is expected to do, as JSON types."""
    response, settings = services.response, services.settings
    market, notes = gather(services, plan, seed=seed, now=now)
    progress(0.2)
    rules = Rules() if settings.coupons_commitment else None
    tuning = services.tunings.current()
    weekly = settings.coupons_a_week if tuning.discounts.weekly is None else tuning.discounts.weekly
    found = simulate(
        plan, market, response, seed=seed, margin_share=settings.margin_share, rules=rules, fair=SqlFairPrices(services.db), weekly=weekly,
        tuning=tuning, category_of=services.category_of, progress=lambda done: progress(0.2 + 0.6 * done),
    )  # fmt: skip
    if not response.rows:
        notes.insert(0, PRIORS)
    if plan.caps:
        notes.append(Said("simulation.no_channel_caps", "Limits by channel are not part of a simulation."))
    groups = SqlGroups(services.db).declared()
    judged, said = _by_group(market, found, groups), _said(plan, found)
    return {
        "seed": seed, "priors": not response.rows, "people": round(len(market.shoppers) * market.per_shopper),
        "arrivals": round(found.arrivals), "coupons": round(found.coupons), "currency": plan.budget.currency,
        "budget_minor": plan.budget.minor_units, "objective": plan.objective.value, "spend": asdict(found.spend),
        "conversions": asdict(found.conversions), "conversions_without": found.without, "gained": asdict(found.gained),
        "lift": asdict(found.lift), "path": [asdict(day) for day in found.path], "groups": judged,
        "fairness": _fairness(market, found, groups, plan), "notes": [one.sentence for one in notes],
        "notes_told": [one.told() for one in notes], "sentence": said.sentence, "told": said.told(),
    }  # fmt: skip


def gather(services: Services, plan: CampaignPlan, *, seed: int, now: datetime) -> tuple[Market, list[Said]]:
    """Return a sample of the audience with the arrivals of its last weeks, and what is to be said about it."""
    rng = np.random.default_rng(seed)
    audience = services.audiences.members(plan.audience, at=now, campaign_id=plan.campaign_id)
    reachable = services.audiences.reachable(audience)
    until = min((services.audiences.last_visit(until=now) or now) + timedelta(seconds=1), now)
    past, weeks = services.audiences.visits(since=until - HISTORY, until=until), HISTORY // timedelta(weeks=1)
    favourites = services.audiences.favourites(plan.product_ids, plan.categories, since=now - 3 * HISTORY)
    covered = services.catalogue.products(favourites)
    popular = [covered[one] for one in favourites if one in covered]
    if not popular:
        nothing = "The campaign covers no product that is sold: choose other products or categories."
        return Market((), ()), [Said("simulation.nothing_covered", nothing)]
    here = [member for member in reachable if member in past]
    if not here:
        why, told = (
            ("members", "There are no members yet") if not audience
            else ("marketing", "Nobody in the audience agrees to marketing") if not reachable
            else ("visits", "Nobody in the audience has bought anything in the last four weeks")
        )  # fmt: skip
        assumed = f"{told}: {LEAST_WEEKLY:g} visits a week by people of whom nothing is known were assumed."
        return _made(plan, popular, rng), [Said(f"simulation.no_{why}", assumed, {"weekly": LEAST_WEEKLY})]
    most = min(MOST_SHOPPERS, _fitting(plan, past, here))
    chosen = [here[i] for i in np.sort(rng.permutation(len(here))[:most])]
    experiment = plan.experiment()
    shoppers = [_shopper(services, member, popular, experiment, now) for member in chosen]
    visits = [(at, number) for number, member in enumerate(chosen) for at in past[member]]
    arrivals = replayed(visits, plan.starts_at, plan.ends_at, now=until, weeks=weeks)
    told = f"The visits of {len(chosen):,} of {len(here):,} members in the {weeks} weeks until {until:%Y-%m-%d} were replayed."
    facts: dict[str, Fact] = {"chosen": len(chosen), "of": len(here), "weeks": weeks, "until": f"{until:%Y-%m-%d}"}
    return Market(shoppers, arrivals, len(here) / len(chosen)), [Said("simulation.replayed", told, facts)]


def _fitting(plan: CampaignPlan, past: Mapping[str, Sequence[datetime]], here: Sequence[str]) -> int:
    """Return how many shoppers make about MOST_ARRIVALS arrivals."""
    each = sum(len(past[member]) for member in here) / len(here) / (HISTORY / timedelta(days=1))
    days = max((plan.ends_at - plan.starts_at) / timedelta(days=1), 1.0)
    return max(int(MOST_ARRIVALS / max(each * days, 1e-9)), 20)


def _made(plan: CampaignPlan, popular: Sequence[Product], rng: np.random.Generator) -> Market:
    days = (plan.ends_at - plan.starts_at) / timedelta(days=1)
    count = max(min(int(LEAST_WEEKLY * days / 7), MOST_ARRIVALS), 1)
    at = np.sort(rng.random(count)) * days
    shoppers = [Shopper(None, tuple(popular[:SLATE])) for _ in range(count)]
    return Market(shoppers, [(plan.starts_at + timedelta(days=float(one)), number) for number, one in enumerate(at)])


def _shopper(services: Services, member: str, popular: Sequence[Product], experiment: Any, now: datetime) -> Shopper:
    member_id, records = MemberId(member), SqlCouponRecords(services.db)
    held = False
    if experiment is not None:
        arm = experiment.assign(member)
        held = arm is not None and bool(arm.without)
    subject = Subject(member_id)
    profile = services.profiler.profile(member_id, at=now)  # None without consent to profiling
    if profile is None:
        return Shopper(member, tuple(popular[:SLATE]), held=held)
    bought = services.purchases.of_member(member_id, until=now)
    own = Counter(purchase.product_id for purchase in bought)
    covered = {product.product_id: product for product in popular}
    first = [covered[one] for one, _ in own.most_common() if one in covered][:SLATE]
    rest = [product for product in popular if product not in first]
    slate = tuple([*first, *rest][:SLATE])
    return Shopper(
        member, slate, profile, bought, records.of_subject(subject, at=now), records.history(subject, at=now), held
    )


def _by_group(market: Market, found: Simulated, groups: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """Return who gets what, by declared group."""
    told = []
    for attribute, declared in groups.items():
        people = Counter(declared.get(shopper.member_id or "", "") for shopper in market.shoppers)
        rows: dict[str, list[tuple[float, float, float]]] = {}
        for who, one in found.weighed:
            group = declared.get(market.shoppers[who].member_id or "", "")
            added = one.rung.conversion - one.rungs[0].conversion
            rows.setdefault(group, []).append((float(one.coupon is not None), float(one.rung.discount_minor), added))
        for group, each in sorted(rows.items()):
            if group:
                share, discount, added = np.array(each).mean(axis=0)
                told.append({
                    "attribute": attribute, "group": group, "people": round(people[group] * market.per_shopper),
                    "visits": round(len(each) * market.per_shopper), "with_coupon": float(share),
                    "discount_minor": float(discount), "added_conversion": float(added),
                })  # fmt: skip
    return told


def _fairness(
    market: Market, found: Simulated, groups: Mapping[str, Mapping[str, str]], plan: CampaignPlan
) -> dict[str, Any] | None:
    """Return what keeping groups alike would cost; None where nobody declared a group or no limit is set."""
    policy = read_policy()
    limit = policy.measures.get(VALUE)
    rows = found.weighed[:FAIR_ROWS]
    if limit is None or not groups or not rows:
        return None
    k = max(len(one.rungs) for _, one in rows)
    value, cost, discount = (np.zeros((len(rows), k)) for _ in range(3))
    allowed = np.zeros((len(rows), k), bool)
    for row, (_, one) in enumerate(rows):
        for place, rung in enumerate(one.rungs):
            value[row, place] = rung.value + one.fairness * rung.discount_minor
            cost[row, place], discount[row, place], allowed[row, place] = rung.cost, rung.discount_minor, True
    label = {
        name: np.array([own.get(market.shoppers[who].member_id or "", "") for who, _ in rows])
        for name, own in groups.items()
    }
    base = fifths(np.array([one.rungs[0].conversion for _, one in rows]))
    arrived = Arrived(value, cost, discount, allowed, base, label)
    judged = {
        name: [group for group, n in Counter(own.tolist()).items() if group and n >= policy.least_members]
        for name, own in label.items()
    }
    if not any(judged.values()):
        return None
    budget = plan.budget.minor_units / market.per_shopper * len(rows) / max(len(found.weighed), 1)
    free = enforce(arrived, budget, limit.within, {}, steps=1)
    kept = enforce(arrived, budget, limit.within, judged, steps=FAIR_STEPS)
    lost = 1 - kept.worth / free.worth if free.worth > 0 else 0.0
    before = worst(gaps(arrived, free.rung, judged))
    sentence = (
        f"Without a limit groups would be up to {before:.1%} apart in what they are given; keeping them within {kept.gap:.1%} "
        f"costs {max(lost, 0.0):.1%} of what the campaign brings."
    )
    return {"apart": before, "within": limit.within, "kept": kept.gap, "lost": max(lost, 0.0), "sentence": sentence}


def _said(plan: CampaignPlan, found: Simulated) -> Said:
    spend, lift = found.spend, found.lift
    currency = plan.budget.currency
    money, low, high = (Money(round(one), currency) for one in (spend.expected, spend.low, spend.high))
    if not found.coupons and found.weighed:
        sentence = "No coupon would be given: none of these discounts adds more to the goal than it costs. Choose smaller discounts or another goal."
        return Said("simulation.none_worth", sentence)
    if not found.coupons:
        sentence = (
            "No coupon would be given: nobody in the audience comes, or the discounts are too large for what it covers."
        )
        return Said("simulation.nobody", sentence)
    sentence = (
        f"About {found.coupons:,.0f} coupons would be given, costing {money} ({low} to {high}) of {plan.budget}. Purchases of what the coupons "
        f"are for would rise by {lift.expected:.1%} ({lift.low:.1%} to {lift.high:.1%}) among those who can get one."
    )
    facts: dict[str, Fact] = {
        "coupons": round(found.coupons), "spend_minor": round(spend.expected), "low_minor": round(spend.low), "high_minor": round(spend.high),
        "budget_minor": plan.budget.minor_units, "currency": currency, "lift": lift.expected, "lift_low": lift.low, "lift_high": lift.high,
    }  # fmt: skip
    return Said("simulation.expected", sentence, facts)
