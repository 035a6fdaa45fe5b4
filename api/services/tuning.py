"""Tries dials out: on sample members, without anybody noticing, and on what was logged last week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from api import views
from api.services import tuning_moods
from api.services.trying import trial_core
from api.wiring import Services
from personalization.core import Core
from personalization.coupons.allocator import MOST_OF_PRICE
from personalization.decisions import Decision, LoggedRequest
from personalization.ranking.shopper import Shopper, Shoppers
from personalization.ranking.slate import KNOBS
from personalization.ranking.tuned import Replayed, Rungs, replay, rungs, still
from personalization.tuning import DIALS, TuningPolicy
from personalization.types import Channel, Context, MemberId, Purpose, Subject
from stores.groups import logged_decisions
from stores.logged import logged_requests

SAMPLE, LOOKED_AT = 6, 80
REQUESTS, DECISIONS = 100, 200
WEEK = timedelta(days=7)


def shipped(services: Services) -> dict[str, float]:
    """Return where each dial stands that nobody has turned."""
    settings = services.settings
    own = {f"variety.{channel.value}": knob for channel, knob in KNOBS.items()}
    own |= {
        "discounts.deepest": MOST_OF_PRICE, "discounts.weekly": float(settings.coupons_a_week),
        "exploration.coupons": settings.coupons_explored,
    }  # fmt: skip
    tree = TuningPolicy().tree()
    for name in DIALS:
        group, _, dial = name.partition(".")
        own.setdefault(name, float(tree[group][dial] or 0))
    return own


def preview(
    services: Services, now_: TuningPolicy, tried: TuningPolicy, members: Sequence[str], *, at: datetime
) -> dict[str, Any]:
    """Return sample members' slates and coupons as they are and as they would be, and last week's log under both."""
    core = trial_core(services)
    sides = [[_shown(core, each, member, at) for each in (now_, tried)] for member in members]
    sampled = [
        {"who": f"Shopper {chr(65 + place)}", "segment": one[0], "before": one[1], "after": other[1], "changed": one[2] != other[2]}
        for place, (one, other) in enumerate(sides)
    ]  # fmt: skip
    requests = list(logged_requests(services.db, since=at - WEEK, most=REQUESTS))
    decisions = logged_decisions(services.db, since=at - WEEK, most=DECISIONS)
    return {
        "members": sampled, "metrics": _metrics(services, requests, now_, tried), "coupons": _coupons(decisions, now_, tried),
        "moods": tuning_moods.preview(services, now_, tried, at=at),
        "sentence": _sentence(sampled, len(requests), trained=services.artifacts is not None),
    }  # fmt: skip


def sample(services: Services) -> list[str]:
    """Return a few members who agree to profiling and marketing, always the same."""
    found = services.audiences.first(LOOKED_AT)
    wanted = {Purpose.PROFILING, Purpose.MARKETING}
    agreeing = services.audiences.agreeing(found, wanted)
    step = max(len(agreeing) // SAMPLE, 1)
    return agreeing[::step][:SAMPLE]


def _shown(core: Core, tuning: TuningPolicy, member: str, at: datetime) -> tuple[str | None, dict[str, Any], list[str]]:
    context = Context(Channel.WIDGET, at, slate_size=5, wants_coupon=True, tuning=still(tuning))
    decision = core.decide(Subject(MemberId(member)), context)
    coupon = decision.coupon
    shown = {
        "items": [views.card(item) for item in decision.slate],
        "coupon": None if coupon is None else {"discount": views.money(coupon.discount), "product_ids": sorted(coupon.product_ids)},
    }  # fmt: skip
    told = [item.product.product_id for item in decision.slate] + ([str(coupon.discount)] if coupon else [])
    return decision.segment.name if decision.segment else None, shown, list(map(str, told))


def _metrics(
    services: Services, requests: Sequence[LoggedRequest], now_: TuningPolicy, tried: TuningPolicy
) -> list[dict[str, Any]]:
    trained = services.artifacts
    if trained is None or not requests:
        return []
    shoppers, known = Shoppers(trained.items), dict[str, Shopper]()

    def shopper_of(request: LoggedRequest) -> Shopper:
        if request.decision_id not in known:
            bought = services.purchases.of_member(request.member_id, until=request.context.at)
            known[request.decision_id] = shoppers.of(request.context, bought)
        return known[request.decision_id]

    one, other = (replay(requests, trained.items, shopper_of, each, now_) for each in (now_, tried))
    return [_pair(name, one, other) for name in ("ndcg", "recall", "diversity", "novelty")]


def _coupons(decisions: Sequence[Decision], now_: TuningPolicy, tried: TuningPolicy) -> list[dict[str, Any]]:
    weighed = [one for one in decisions if one.allotment is not None and one.tuning_version == now_.version]
    allotments = [one.allotment for one in weighed if one.allotment is not None]
    prices = {
        str(item.product.product_id): float(item.product.price.minor_units) for one in weighed for item in one.slate
    }
    one, other = (rungs(allotments, prices, each, now_, MOST_OF_PRICE) for each in (now_, tried))
    if not one.decisions:
        return []
    return [_pair(name, one, other) for name in ("with_coupon", "discount_minor", "cost_minor")]


def _pair(name: str, one: Replayed | Rungs, other: Replayed | Rungs) -> dict[str, Any]:
    before, after = asdict(one), asdict(other)
    count = before.get("requests", before.get("decisions"))
    return {"name": name, "before": before[name], "after": after[name], "count": count}


def _sentence(sampled: Sequence[dict[str, Any]], requests: int, *, trained: bool) -> str:
    changed = sum(bool(one["changed"]) for one in sampled)
    told = f"{changed} of {len(sampled)} sample shoppers would see something else." if sampled else (
        "There are no members who agree to profiling and marketing to show it on."
    )  # fmt: skip
    if not trained:
        return f"{told} Ranking is not trained here, so only what does not need it is shown: run `aisle train`."
    if not requests:
        return f"{told} Nothing that was shown last week was looked at, so there is nothing to measure it on."
    return f"{told} The figures put {requests} requests of last week together again; only what was shown then can have been clicked, so a change looks worse there than it is."
