"""What campaigns give away: offers and their terms, coupons, budgets, and how a coupon was weighed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from personalization.types import CampaignId, CouponId, Money, ProductId, Reason


class Stacking(StrEnum):
    """How a coupon goes with others: together, with none after it, or alone where that is best for the shopper."""

    STACK = "stack"
    STOP = "stop"
    BEST = "best"


@dataclass(frozen=True, slots=True)
class Terms:
    """When a coupon counts, and how.

    `percent_bp` (basis points) above 0 makes the coupon's discount the most that it takes off; `minimum_basket` is in
    minor units, before coupons; `categories` is what it is for (empty: any).
    """

    percent_bp: int = 0
    minimum_basket: int = 0
    categories: frozenset[str] = frozenset()
    stacking: Stacking = Stacking.STACK


@dataclass(frozen=True, slots=True)
class Offer:
    """What a campaign can give: `discount` off one of `product_ids` (any product when empty).

    objective : what the campaign is for, a `coupons.objective.Objective`.
    """

    offer_id: str
    campaign_id: CampaignId
    discount: Money
    product_ids: frozenset[ProductId]
    starts_at: datetime
    ends_at: datetime
    objective: str = "orders"
    terms: Terms = Terms()


@dataclass(frozen=True, slots=True)
class Campaign:
    """A marketing action with a hard budget."""

    campaign_id: CampaignId
    name: str
    starts_at: datetime
    ends_at: datetime
    budget: Money


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A campaign's money: `reserved` is promised in open coupons, `spent` is redeemed; both count against `total`.

    `scope` is empty for the campaign's own budget; "store" or "channel" for what it may spend in `scope_id` of those.
    """

    campaign_id: CampaignId
    total: Money
    reserved: Money
    spent: Money
    scope: str = ""
    scope_id: str = ""

    @property
    def available(self) -> Money:
        """What can still be promised."""
        return Money(self.total.minor_units - self.reserved.minor_units - self.spent.minor_units, self.total.currency)


@dataclass(frozen=True, slots=True)
class Coupon:
    """A discount that was promised to one subject and is held in its campaign's budget until it expires."""

    coupon_id: CouponId
    code: str
    campaign_id: CampaignId
    offer_id: str
    discount: Money
    product_ids: frozenset[ProductId]
    issued_at: datetime
    expires_at: datetime
    reason: Reason | None = None
    terms: Terms = Terms()


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder of discounts as it was weighed; the first, without an offer, is no coupon.

    conversion : P(buys) at that discount, `drawn` before the curve was made monotone; value : what it adds to the campaign's
    objective (conversions or minor units); cost : expected minor units; score : value less priced cost; probability : of being
    chosen.
    """

    offer_id: str | None
    discount_minor: int
    drawn: float
    conversion: float
    value: float
    cost: float
    score: float
    probability: float


@dataclass(frozen=True, slots=True)
class Allotment:
    """What an allocator weighed for one subject and product, and which rung it took.

    price : the budget's price of money λ, in value per minor unit; explored : whether chance chose the rung; features : what
    the response model read; coupon : None where the rung is no coupon; budget : the campaign's money at that moment;
    fairness : what the rungs' values were charged per minor unit of discount, so that groups are treated alike.
    """

    campaign_id: CampaignId
    product_id: ProductId
    objective: str
    price: float
    rungs: tuple[Rung, ...]
    chosen: int
    explored: bool
    features: tuple[float | None, ...]
    segment: str
    coupon: Coupon | None = None
    budget: BudgetState | None = None
    fairness: float = 0.0

    @property
    def rung(self) -> Rung:
        """The rung that was taken."""
        return self.rungs[self.chosen]
