"""Which coupon a decision promises, if any: proposed by the allocator, granted or refused by the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from personalization.coupons.caps import caps_for
from personalization.deciding.arms import Arms
from personalization.deciding.dependencies import CoreDependencies
from personalization.deciding.working import Working
from personalization.offers import Coupon
from personalization.types import DecisionId, Profile, Purchase, Purpose, SlateItem

COUPON_WINDOW = timedelta(days=7)


class Promises:
    """Gives coupons, at most so many a week, while their campaigns' budgets last."""

    def __init__(self, dependencies: CoreDependencies, arms: Arms) -> None:
        self._deps, self._arms = dependencies, arms

    def coupon(
        self, work: Working, profile: Profile | None, purchases: Sequence[Purchase], slate: Sequence[SlateItem], decision_id: DecisionId
    ) -> Coupon | None:  # fmt: skip
        """Return a coupon whose money is reserved, the one that is still open, or none."""
        if work.subject.member_id is not None and not work.access.allows(Purpose.MARKETING):
            return None
        return work.attempt(
            "coupons", "no coupon", lambda: self._allot(work, profile, purchases, slate, decision_id), None
        )

    def _allot(
        self, work: Working, profile: Profile | None, purchases: Sequence[Purchase], slate: Sequence[SlateItem], decision_id: DecisionId
    ) -> Coupon | None:  # fmt: skip
        deps, at = self._deps, work.context.at
        if (held := deps.ledger.open_coupon(work.subject, at=at)) is not None:
            work.inputs.append("a coupon that is still open")
            return held
        if deps.allocator is None:
            work.fall_back("coupons", "no coupon", "no allocator")
            return None
        if self._had_enough(work):
            work.inputs.append("how many coupons were given this week")
            return None
        slate = [*slate, *work.ranking.missed]  # an offer may be on what just missed it
        ids = [item.product.product_id for item in slate]
        offers = self._arms.held_out(work, list(deps.campaigns.active_offers(work.subject, at=at, product_ids=ids)))
        budgets = {campaign_id: state for campaign_id in {offer.campaign_id for offer in offers}
                   if (state := deps.ledger.state(campaign_id)) is not None}  # fmt: skip
        work.inputs.append("running campaigns and their budgets")
        while offers:
            found = deps.allocator.choose(work.subject, work.context, profile, purchases, slate, offers, budgets)
            if (
                found is None
                or found.coupon is None
                or deps.ledger.reserve(
                    found.coupon,
                    work.subject,
                    decision_id=decision_id,
                    caps=caps_for(work.context, found.segment),
                )
            ):
                work.allotment = None if found is None else replace(found, budget=budgets.get(found.campaign_id))
                return found.coupon if found else None
            offers = [offer for offer in offers if offer.campaign_id != found.campaign_id]  # its budget just ran out
        return None

    def _had_enough(self, work: Working) -> bool:
        pressure, tuned = self._deps.pressure, work.context.tuning.discounts.weekly
        most = self._deps.coupons_a_week if tuned is None else tuned
        if pressure is None or not most or not work.is_one_person():
            return False
        return pressure.offered(work.subject, since=work.context.at - COUPON_WINDOW) >= most
