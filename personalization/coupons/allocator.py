"""Which offer, for now by rule: one that fits what is on the slate, as small as will do, within the campaign's pace."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from uuid_utils import uuid7

from personalization.ports import Campaigns
from personalization.types import (
    BudgetState,
    CampaignId,
    Context,
    Coupon,
    CouponId,
    Offer,
    Profile,
    Reason,
    SlateItem,
)

VALID_FOR = timedelta(days=14)
HEAD_START = 0.25  # how far spending may run ahead of time
MOST_OF_PRICE = 0.5
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class BudgetPacedAllocator:
    """Takes the first item of the slate that an affordable offer covers, and of its offers the smallest discount.

    A campaign may be ahead of an even pace by HEAD_START of its budget, no more; a discount never exceeds half of the
    price. The hard limit is not here but in the ledger, which refuses what a budget does not hold.
    """

    version = "paced-1"

    def __init__(self, campaigns: Campaigns) -> None:
        self._campaigns = campaigns

    def choose(
        self,
        context: Context,
        profile: Profile | None,
        slate: Sequence[SlateItem],
        offers: Sequence[Offer],
        budgets: Mapping[CampaignId, BudgetState],
    ) -> Coupon | None:
        """Return a coupon that is not yet reserved, or None."""
        open_offers = [offer for offer in offers if self._affordable(offer, budgets.get(offer.campaign_id), context.at)]
        for item in slate:
            product = item.product
            fitting = [
                offer
                for offer in open_offers
                if (not offer.product_ids or product.product_id in offer.product_ids)
                and offer.discount.currency == product.price.currency
                and offer.discount.minor_units <= MOST_OF_PRICE * product.price.minor_units
            ]
            if fitting:
                offer = min(fitting, key=lambda found: (found.discount.minor_units, found.offer_id))
                return _coupon(offer, item, context.at)
        return None

    def _affordable(self, offer: Offer, budget: BudgetState | None, at: datetime) -> bool:
        campaign = self._campaigns.campaign(offer.campaign_id) if budget is not None else None
        if budget is None or campaign is None or budget.available.minor_units < offer.discount.minor_units:
            return False
        length = campaign.ends_at - campaign.starts_at
        elapsed = (at - campaign.starts_at) / length if length > timedelta(0) else 1.0
        used = budget.spent.minor_units + budget.reserved.minor_units
        return used + offer.discount.minor_units <= budget.total.minor_units * min(elapsed + HEAD_START, 1.0)


def _coupon(offer: Offer, item: SlateItem, at: datetime) -> Coupon:
    name = item.product.name
    return Coupon(
        coupon_id=CouponId(str(uuid7())),
        code="".join(secrets.choice(_CROCKFORD) for _ in range(8)),
        campaign_id=offer.campaign_id,
        offer_id=offer.offer_id,
        discount=offer.discount,
        product_ids=frozenset({item.product.product_id}),
        issued_at=at,
        expires_at=min(at + VALID_FOR, offer.ends_at),
        reason=Reason(
            "offer_on_slate_item",
            f"{offer.discount} off {name}. {item.reason.sentence}",
            {"product_id": item.product.product_id, "rank": item.rank, "campaign_id": offer.campaign_id},
        ),
    )
