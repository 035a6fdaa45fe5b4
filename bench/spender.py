"""One of many processes that spend from one budget: `python -m bench.spender URL CAMPAIGN AMOUNT TIMES`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

from personalization.offers import Coupon
from personalization.types import CampaignId, CouponId, Money, Subject, VisitorId
from stores.database import Database, new_id
from stores.ledger import SqlLedger


def main(url: str, campaign: str, amount: int, times: int) -> int:
    """Reserve and redeem `times` coupons; return the minor units that were redeemed."""
    db = Database(url, bytes(range(32)))
    ledger, redeemed = SqlLedger(db), 0
    for _ in range(times):
        now, made = datetime.now(UTC), new_id()
        coupon = Coupon(
            CouponId(made),
            made[-12:],
            CampaignId(campaign),
            "o",
            Money(amount, "USD"),
            frozenset(),
            now,
            now + timedelta(days=1),
        )
        if ledger.reserve(coupon, Subject(visitor_id=VisitorId("v")), decision_id=None):
            redeemed += ledger.redeem(coupon.code, at=now, order_id=made).coupon.discount.minor_units
    db.dispose()
    return redeemed


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
