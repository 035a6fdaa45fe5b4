"""Stand-ins for the stores, for tests of the brain alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from personalization.coupons.allocator import DualAllocator
from personalization.coupons.caps import Cap
from personalization.coupons.commitment import Rules
from personalization.coupons.dependence import History, unknown
from personalization.coupons.features import FEATURES, Record
from personalization.coupons.log import CouponLog
from personalization.coupons.prior import PriorResponse
from personalization.coupons.response import ResponseModel
from personalization.decisions import Decision
from personalization.offers import BudgetState, Campaign, Coupon, Offer
from personalization.profiling.labeller import Labeller, views
from personalization.profiling.labels import LabelSource, MemberView
from personalization.profiling.state import ProductFacts, ProfileState, fold, micros
from personalization.types import (
    CampaignId,
    DecisionId,
    Label,
    MemberId,
    Money,
    OrderId,
    Product,
    ProductId,
    Purchase,
    Purpose,
    Subject,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def product(product_id: str, category: str = "Milk", price: int = 400) -> Product:
    return Product(
        ProductId(product_id), product_id.replace("-", " ").title(), "Grocery", category, "", Money(price, "USD")
    )


def purchase(product_id: str, days_ago: float, order: str | None = None) -> Purchase:
    at = NOW - timedelta(days=days_ago)
    return Purchase(OrderId(order or f"{product_id}-{days_ago}"), ProductId(product_id), at, 1, Money(400, "USD"))


class FakeCatalogue:
    def __init__(self, products: Sequence[Product]) -> None:
        self.known = {p.product_id: p for p in products}

    def products(self, product_ids: Sequence[ProductId]) -> Mapping[ProductId, Product]:
        return {i: self.known[i] for i in product_ids if i in self.known}


class FakePurchases:
    """Counts reads, so that a test can say that none happened."""

    def __init__(self, bought: Mapping[str, Sequence[Purchase]]) -> None:
        self.bought, self.reads = bought, 0

    def of_member(self, member_id: MemberId, *, until: datetime) -> Sequence[Purchase]:
        self.reads += 1
        return self.bought.get(member_id, ())


class FakeViews:
    """Living profiles of what FakePurchases has, with the labels that `source` makes of them."""

    def __init__(self, purchases: FakePurchases, categories: Mapping[str, str], source: LabelSource) -> None:
        self.purchases, self.source = purchases, source
        self.facts = {product_id: ProductFacts(category, 400) for product_id, category in categories.items()}

    def view(self, member_id: MemberId, *, at: datetime) -> MemberView | None:
        state = ProfileState()
        for number, bought in enumerate(self.purchases.bought.get(member_id, ())):
            line = {"product_id": bought.product_id, "quantity": 1, "amount_minor": bought.amount.minor_units}
            payload = {"order_id": bought.order_id + str(number), "lines": [line]}
            fold(state, "bought", micros(bought.at), str(number), "api", None, payload, self.facts)
        return views({member_id: state}, at, {member_id: frozenset({Purpose.PROFILING})})[0] if state.orders else None

    def of_member(self, member_id: MemberId, *, at: datetime) -> Sequence[Label]:
        view = self.view(member_id, at=at)
        return [] if view is None else list(Labeller([self.source]).label([view])[member_id].values())


class FakeConsents:
    def __init__(self, *purposes: Purpose) -> None:
        self.purposes = frozenset(purposes)

    def granted(self, subject: Subject, *, at: datetime) -> frozenset[Purpose]:
        return self.purposes if subject.member_id else frozenset()


class FakeCampaigns:
    def __init__(self, *offers: Offer) -> None:
        self.offers = offers

    def active_offers(self, subject: Subject, *, at: datetime, product_ids: Collection[ProductId]) -> Sequence[Offer]:
        return [o for o in self.offers if not o.product_ids or o.product_ids & set(product_ids)]

    def campaign(self, campaign_id: CampaignId) -> Campaign | None:
        return Campaign(campaign_id, "C", NOW - timedelta(days=10), NOW + timedelta(days=10), Money(10_000, "USD"))


class FakePrices:
    """One price of money for every budget."""

    def __init__(self, price: float = 0.0) -> None:
        self.now = price

    def price(self, campaign_id: CampaignId, caps: Sequence[Cap], *, at: datetime) -> float:
        return self.now


class FakeRecords:
    def __init__(self, past: History | None = None) -> None:
        self.past = past or unknown()

    def of_subject(self, subject: Subject, *, at: datetime) -> Record:
        return Record()

    def history(self, subject: Subject, *, at: datetime) -> History:
        return self.past


def allocator(
    price: float = 0.0,
    *,
    explored: float = 0.0,
    seed: int = 7,
    past: History | None = None,
    rules: Rules | None = Rules(),  # noqa: B008
) -> DualAllocator:
    rng, response = np.random.default_rng(seed), ResponseModel(PriorResponse())
    return DualAllocator(response, FakePrices(price), FakeRecords(past), rng=rng, explored=explored, rules=rules)


def no_coupon_log() -> CouponLog:
    none = np.zeros(0)
    return CouponLog(np.zeros(0, np.int64), np.zeros((0, len(FEATURES))), none, none, none, none, np.zeros(0, np.str_))


class FakeLedger:
    """A budget of `total`; refuses when it is used up, and may say that it has more than it will give."""

    def __init__(self, total: int = 10_000, *, refuses: bool = False) -> None:
        self.total, self.reserved, self.refuses = total, 0, refuses
        self.coupons: list[Coupon] = []

    def reserve(
        self,
        coupon: Coupon,
        subject: Subject,
        *,
        decision_id: DecisionId | None,
        caps: Sequence[Cap] = (),
    ) -> bool:
        if self.refuses or self.reserved + coupon.discount.minor_units > self.total:
            return False
        self.reserved += coupon.discount.minor_units
        self.coupons.append(coupon)
        return True

    def open_coupon(self, subject: Subject, *, at: datetime) -> Coupon | None:
        return self.coupons[-1] if self.coupons else None

    def state(self, campaign_id: CampaignId) -> BudgetState | None:
        return BudgetState(campaign_id, Money(self.total, "USD"), Money(self.reserved, "USD"), Money(0, "USD"))


class FakeDecisions:
    def __init__(self) -> None:
        self.kept: dict[DecisionId, Decision] = {}

    def append(self, decision: Decision) -> None:
        self.kept[decision.decision_id] = decision

    def get(self, decision_id: DecisionId) -> Decision | None:
        return self.kept.get(decision_id)


class FakeExposures:
    """Finds the same products worn out for everybody, and remembers whom it was asked about."""

    def __init__(self, *products: str) -> None:
        self.products, self.asked = frozenset(map(ProductId, products)), list[Subject]()

    def worn_out(self, subject: Subject, *, at: datetime) -> frozenset[ProductId]:
        self.asked.append(subject)
        return self.products


class FakeResponses:
    def counts(self, product_ids: Sequence[ProductId]) -> Mapping[ProductId, tuple[int, int]]:
        return {}


def offer(discount: int = 100, *product_ids: str) -> Offer:
    return Offer(
        "o1",
        CampaignId("c1"),
        Money(discount, "USD"),
        frozenset(map(ProductId, product_ids)),
        NOW - timedelta(days=1),
        NOW + timedelta(days=1),
    )
