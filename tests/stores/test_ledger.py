"""Budgets that cannot be overspent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from personalization.types import CampaignId, Coupon, CouponId, Money, ProductId, Subject, VisitorId
from stores.database import Database, new_id
from stores.errors import ConflictError, CouponAlreadyRedeemedError, CouponExpiredError, CouponNotFoundError
from stores.ledger import SqlLedger
from stores.tables import budgets, campaigns
from tests.stores.at_once import spend_at_once

NOW = datetime(2026, 5, 1, tzinfo=UTC)
CAMPAIGN = CampaignId("c")
SOMEBODY = Subject(visitor_id=VisitorId("v"))


def campaign(db: Database, total: int) -> SqlLedger:
    with db.write() as connection:
        connection.execute(
            insert(campaigns).values(
                campaign_id=CAMPAIGN, name="C", starts_at=NOW, ends_at=NOW + timedelta(days=9), for_everybody=True
            )
        )
        connection.execute(
            insert(budgets).values(campaign_id=CAMPAIGN, currency="USD", total=total, reserved=0, spent=0)
        )
    return SqlLedger(db)


def coupon(amount: int, code: str | None = None, days: float = 1) -> Coupon:
    made = new_id()
    return Coupon(
        CouponId(made),
        code or made[-8:],
        CAMPAIGN,
        "o",
        Money(amount, "USD"),
        frozenset({ProductId("p")}),
        NOW,
        NOW + timedelta(days=days),
    )


def figures(ledger: SqlLedger) -> tuple[int, int, int]:
    state = ledger.state(CAMPAIGN)
    assert state is not None
    return state.total.minor_units, state.reserved.minor_units, state.spent.minor_units


def test_a_reservation_holds_money_and_a_redemption_spends_it(database: Database) -> None:
    ledger = campaign(database, 300)
    assert ledger.reserve(coupon(100, "AAAA"), SOMEBODY, decision_id=None)
    assert figures(ledger) == (300, 100, 0)
    ledger.redeem("AAAA", at=NOW, order_id="o1")
    assert figures(ledger) == (300, 0, 100)


def test_a_budget_with_too_little_left_refuses_and_stores_nothing(database: Database) -> None:
    ledger = campaign(database, 150)
    assert ledger.reserve(coupon(100), SOMEBODY, decision_id=None)
    assert not ledger.reserve(coupon(100, "NOPE"), SOMEBODY, decision_id=None)
    with pytest.raises(CouponNotFoundError):
        ledger.get("NOPE")
    assert figures(ledger) == (150, 100, 0)


def test_the_same_order_may_redeem_again_and_another_may_not(database: Database) -> None:
    ledger = campaign(database, 150)
    ledger.reserve(coupon(100, "ONCE"), SOMEBODY, decision_id=None)
    assert not ledger.redeem("ONCE", at=NOW, order_id="o1").repeated
    assert ledger.redeem("ONCE", at=NOW, order_id="o1").repeated
    with pytest.raises(CouponAlreadyRedeemedError):
        ledger.redeem("ONCE", at=NOW, order_id="o2")
    assert figures(ledger) == (150, 0, 100)


def test_an_expired_coupon_gives_its_money_back_and_cannot_be_redeemed(database: Database) -> None:
    ledger = campaign(database, 100)
    ledger.reserve(coupon(100, "LATE", days=1), SOMEBODY, decision_id=None)
    later = NOW + timedelta(days=2)
    with pytest.raises(CouponExpiredError):
        ledger.redeem("LATE", at=later)
    assert ledger.release_expired(later) == 1
    assert ledger.release_expired(later) == 0
    assert figures(ledger) == (100, 0, 0)


def test_the_newest_open_coupon_is_found_and_an_expired_one_is_not(database: Database) -> None:
    ledger = campaign(database, 300)
    ledger.reserve(coupon(100, "OPEN"), SOMEBODY, decision_id=None)
    found = ledger.open_coupon(SOMEBODY, at=NOW)
    assert found is not None
    assert found.code == "OPEN"
    assert ledger.open_coupon(SOMEBODY, at=NOW + timedelta(days=3)) is None
    assert ledger.open_coupon(Subject(visitor_id=VisitorId("other")), at=NOW) is None


def test_a_coupon_that_is_reserved_twice_holds_its_money_once(database: Database) -> None:
    ledger, once = campaign(database, 300), coupon(100, "TWICE")
    assert ledger.reserve(once, SOMEBODY, decision_id=None)
    assert ledger.reserve(once, SOMEBODY, decision_id=None)
    assert figures(ledger) == (300, 100, 0)


def test_two_coupons_cannot_have_one_code(database: Database) -> None:
    ledger = campaign(database, 300)
    assert ledger.reserve(coupon(100, "SAME"), SOMEBODY, decision_id=None)
    with pytest.raises(ConflictError, match="another coupon has this code"):
        ledger.reserve(coupon(100, "SAME"), SOMEBODY, decision_id=None)
    assert figures(ledger) == (300, 100, 0)


def test_a_discount_of_nothing_or_less_cannot_free_money(database: Database) -> None:
    ledger = campaign(database, 300)
    ledger.reserve(coupon(200), SOMEBODY, decision_id=None)
    for amount in (0, -100):
        with pytest.raises(ValueError, match="above nothing"):
            ledger.reserve(coupon(amount), SOMEBODY, decision_id=None)
    assert figures(ledger) == (300, 200, 0)


def test_the_table_itself_refuses_an_overspent_budget(database: Database) -> None:
    campaign(database, 100)
    with pytest.raises(Exception, match="never_overspent"), database.write() as connection:
        connection.execute(update(budgets).values(spent=101))


def test_fifty_processes_never_overspend_one_budget(database: Database) -> None:
    ledger = campaign(database, 1000)
    redeemed = spend_at_once(50, database.url.render_as_string(hide_password=False), CAMPAIGN, amount=70, times=6)
    total, reserved, spent = figures(ledger)
    assert spent == sum(redeemed) == 980  # 14 coupons of 70 fit into 1,000, however many ask
    assert reserved == 0
    assert spent <= total
