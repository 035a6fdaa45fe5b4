"""Which discount for whom, now: each rung's worth against the price of its budget's money, and a little chance to learn from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from uuid_utils import uuid7

from personalization.coupons.caps import caps_for
from personalization.coupons.codes import new_code
from personalization.coupons.commitment import Rules, standing_of
from personalization.coupons.dependence import dependence, evidence, unknown
from personalization.coupons.dual import choose, score
from personalization.coupons.features import DAY_S, Habits, Record, Scope, features_of
from personalization.coupons.isotonic import isotonic
from personalization.coupons.objective import Objective, expected_cost, worth
from personalization.coupons.response import ResponseModel
from personalization.memo import PurchaseMemo
from personalization.offers import Allotment, BudgetState, Coupon, Offer, Rung
from personalization.ports import BudgetPrices, CouponRecords, FairPrices
from personalization.types import CampaignId, Context, CouponId, Money, Profile, Purchase, Reason, SlateItem, Subject

Floats = NDArray[np.float64]
VALID_FOR = timedelta(days=14)
MOST_OF_PRICE = 0.5
MOST_WEIGHED = 8  # of the slate's products on offer, best first
EXPLORED = 0.02
MARGIN_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class _Ladder:
    """One campaign's affordable offers on one product, rising; rung 0, no coupon, is not among them."""

    campaign_id: CampaignId
    item: SlateItem
    offers: tuple[Offer, ...]

    @property
    def objective(self) -> Objective:
        return Objective(self.offers[0].objective)


class DualAllocator:
    """Takes, of every rung on every product of the slate that an offer covers, the best value less priced cost.

    With `rules`, who waits for coupons is offered no more than before, and no more than was earned (`commitment`). The price λ
    is the budget's and its caps' (`BudgetPrices`); of equal scores, no coupon's included, the cheaper is taken. With probability `explored` the
    rung, not the product, is drawn evenly from those allowed, and every allotment says with which probability it came about.
    `fair` charges a discount, so that groups are treated alike (`trust.fair_prices`). The hard limit is not here but in the ledger, which refuses what a budget does not hold.
    """

    def __init__(
        self, response: ResponseModel, prices: BudgetPrices, records: CouponRecords, *, rng: np.random.Generator,
        category_of: Mapping[str, str] | None = None, margin_share: float = MARGIN_SHARE, explored: float = EXPLORED,
        rules: Rules | None = Rules(),  # noqa: B008 - frozen
        fair: FairPrices | None = None,
    ) -> None:  # fmt: skip
        self._fair = fair
        self._response, self._prices, self._records, self._rng = response, prices, records, rng
        self._category_of, self._margin_share, self._explored = category_of or {}, margin_share, explored
        self._rules = rules
        self._habits: PurchaseMemo[Habits] = PurchaseMemo()
        self.version = f"dual-1-{response.rows or 'prior'}"

    def choose(
        self,
        subject: Subject,
        context: Context,
        profile: Profile | None,
        purchases: Sequence[Purchase],
        slate: Sequence[SlateItem],
        offers: Sequence[Offer],
        budgets: Mapping[CampaignId, BudgetState],
    ) -> Allotment | None:
        """Return what was weighed and taken, its coupon not yet reserved; None when no offer fits the slate."""
        tuned = context.tuning.discounts
        deepest = MOST_OF_PRICE if tuned.deepest is None else tuned.deepest
        ladders = _ladders(slate, offers, budgets, deepest)[:MOST_WEIGHED]
        if not ladders:
            return None
        at, segment = context.at, profile.segment.segment_id if profile and profile.segment else ""
        features = self._features(subject, context, profile, purchases, ladders)
        discount, allowed = _discounts(ladders)
        drawn = self._response.before_isotonic(features, discount, [segment] * len(ladders))
        curves = isotonic(drawn)
        price = np.array([ladder.item.product.price.minor_units for ladder in ladders], float)
        past = self._records.history(subject, at=at) if profile else unknown()
        waits = dependence(evidence(past)[None])
        if self._rules is not None:
            standing = standing_of(past, at.timestamp() / DAY_S, self._rules)
            allowed &= standing.allows(discount.ravel()).reshape(discount.shape)
        caps = caps_for(context, segment)
        fairness = self._fair.price(subject.member_id) if self._fair and profile and subject.member_id else 0.0
        weighed, gains = [], []
        for row, ladder in enumerate(ladders):
            one = slice(row, row + 1)
            value = worth(
                curves[one],
                price[one],
                np.full(1, self._margin_share),
                discount[one],
                waits,
                ladder.objective,
                drop=self._response.drop,
            )
            value = value - fairness * discount[one]
            cost = expected_cost(curves[one], discount[one])
            money = tuned.thrift * self._prices.price(ladder.campaign_id, caps, at=at)
            scores = score(value, cost, money)
            rung = int(choose(value, cost, money, allowed=allowed[one])[0])
            weighed.append((value[0], cost[0], scores[0], money, rung, np.flatnonzero(allowed[row])))
            # an order is counted at its margin, so that campaigns of different objectives compare
            gains.append(
                scores[0, rung] * (price[row] * self._margin_share if ladder.objective is Objective.ORDERS else 1.0)
            )
        row = int(np.argmax(gains))
        tried = context.tuning.exploration.coupons
        share = self._explored if tried is None else tried
        taken = self._taken(ladders[row], drawn[row], curves[row], weighed[row], features[row], segment, at, share)
        return replace(taken, fairness=fairness)

    def _features(
        self, subject: Subject, context: Context, profile: Profile | None, purchases: Sequence[Purchase], ladders: Sequence[_Ladder]
    ) -> Floats:  # fmt: skip
        member = profile.features if profile else {}
        record = self._records.of_subject(subject, at=context.at) if profile else Record()
        habits = self._habits.get(purchases, lambda: Habits.of_purchases(purchases, self._category_of, context.at))
        days = VALID_FOR / timedelta(days=1)
        return np.stack(
            [
                features_of(member, record, habits, Scope.of_product(ladder.item.product, days), context)
                for ladder in ladders
            ]
        )

    def _taken(
        self, ladder: _Ladder, drawn: Floats, curve: Floats, weighed: tuple[Floats, Floats, Floats, float, int, NDArray[np.int64]],
        features: Floats, segment: str, at: datetime, share: float,
    ) -> Allotment:  # fmt: skip
        value, cost, scores, money, best, among = weighed
        explored = bool(self._rng.random() < share)
        chosen = int(self._rng.choice(among)) if explored else best
        probability = np.zeros(len(value))
        probability[among] = share / len(among)
        probability[best] += 1 - share
        given = [(None, 0), *((offer.offer_id, offer.discount.minor_units) for offer in ladder.offers)]
        numbers = np.column_stack([drawn, curve, value, cost, scores, probability]).tolist()
        rungs = tuple(Rung(*own, *told) for own, told in zip(given, numbers, strict=False))
        read = tuple(None if math.isnan(x) else float(x) for x in features.tolist())
        coupon = None
        if chosen:
            coupon = _coupon(ladder.offers[chosen - 1], ladder.item, at, _why(rungs, chosen, money))
        return Allotment(
            ladder.campaign_id, ladder.item.product.product_id, ladder.objective.value, money, rungs, chosen, explored,
            read, segment, coupon,
        )  # fmt: skip


def _ladders(
    slate: Sequence[SlateItem], offers: Sequence[Offer], budgets: Mapping[CampaignId, BudgetState], deepest: float
) -> list[_Ladder]:
    """Return the ladders in the slate's order; of equal discounts of a campaign on a product the first offer counts."""
    found = []
    left = {campaign_id: budget.available.minor_units for campaign_id, budget in budgets.items()}
    for item in slate:
        price = item.product.price
        rungs: dict[CampaignId, dict[int, Offer]] = {}
        for offer in sorted(
            (_on(each, price) for each in offers), key=lambda each: (each.discount.minor_units, each.offer_id)
        ):
            discount = offer.discount
            if (
                (not offer.product_ids or item.product.product_id in offer.product_ids)
                and discount.currency == price.currency
                and 0 < discount.minor_units <= min(deepest * price.minor_units, left.get(offer.campaign_id, 0))
            ):
                rungs.setdefault(offer.campaign_id, {}).setdefault(discount.minor_units, offer)
        found += [_Ladder(campaign_id, item, tuple(each.values())) for campaign_id, each in rungs.items()]
    return found


def _on(offer: Offer, price: Money) -> Offer:
    """Return the offer with what it takes off one product: a percentage becomes money, at most the offer's discount."""
    if not offer.terms.percent_bp:
        return offer
    part = price.minor_units * offer.terms.percent_bp // 10_000
    return replace(offer, discount=Money(min(part, offer.discount.minor_units), offer.discount.currency))


def _discounts(ladders: Sequence[_Ladder]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return discounts (n, k), the last one repeated where a ladder is shorter, and which rungs there are."""
    k = max(len(ladder.offers) for ladder in ladders) + 1
    discount, allowed = np.zeros((len(ladders), k)), np.zeros((len(ladders), k), bool)
    for row, ladder in enumerate(ladders):
        own = [0, *(offer.discount.minor_units for offer in ladder.offers)]
        discount[row] = [*own, *[own[-1]] * (k - len(own))]
        allowed[row, : len(own)] = True
    return discount, allowed


def _why(rungs: Sequence[Rung], chosen: int, money: float) -> dict[str, str | int | float | bool | None]:
    """Return the numbers behind a coupon that its reason carries; the whole ladder is in the decision."""
    taken, none = rungs[chosen], rungs[0]
    return {
        "conversion": round(taken.conversion, 4), "conversion_without": round(none.conversion, 4),
        "price_of_money": round(money, 6), "rungs_weighed": len(rungs),
    }  # fmt: skip


def _coupon(offer: Offer, item: SlateItem, at: datetime, why: Mapping[str, str | int | float | bool | None]) -> Coupon:
    told = f"{offer.discount} off {item.product.name}."
    return Coupon(
        coupon_id=CouponId(str(uuid7())),
        code=new_code(),
        campaign_id=offer.campaign_id,
        offer_id=offer.offer_id,
        discount=offer.discount,
        product_ids=frozenset({item.product.product_id}),
        issued_at=at,
        expires_at=min(at + VALID_FOR, offer.ends_at),
        terms=offer.terms,
        reason=Reason(
            "offer_on_slate_item",
            told if item.reason.code == "asked" else f"{told} {item.reason.sentence}",
            {
                "product_id": item.product.product_id,
                "product_name": item.product.name,
                "rank": item.rank,
                "campaign_id": offer.campaign_id,
                **why,
            },
        ),
    )
