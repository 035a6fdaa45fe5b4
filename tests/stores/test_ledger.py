"""Budgets that cannot be overspent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from personalization.offers import Coupon
from personalization.types import CampaignId, Channel, CouponId, MemberId, Money, ProductId, Subject, VisitorId
from stores.coupon_tables import budgets, campaigns
from stores.database import Database, new_id
from stores.errors import (
    AmountError,
    ConflictError,
    CouponAlreadyRedeemedError,
    CouponBoundError,
    CouponExpiredError,
    CouponNotFoundError,
    LedgerBusyError,
    NoRedemptionError,
    RequestMismatchError,
    RolledBackError,
    SuspiciousError,
)
from stores.ledger import SqlLedger
from stores.tables import members
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
    assert ledger.release_expired(later) == 1
    assert ledger.release_expired(later) == 0
    with pytest.raises(CouponExpiredError):
        ledger.redeem("LATE", at=later)
    assert figures(ledger) == (100, 0, 0)


def test_a_coupon_that_was_refused_as_too_late_stays_so_when_the_clock_goes_back(database: Database) -> None:
    ledger = campaign(database, 100)
    ledger.reserve(coupon(100, "LATE", days=1), SOMEBODY, decision_id=None)
    for at in (NOW + timedelta(days=2), NOW):
        with pytest.raises(CouponExpiredError):
            ledger.redeem("LATE", at=at)
    assert ledger.release_expired(NOW + timedelta(days=2)) == 0
    assert figures(ledger) == (100, 0, 0)


def test_what_a_redemption_leaves_of_a_coupon_goes_back_to_the_budget(database: Database) -> None:
    ledger = campaign(database, 100)
    ledger.reserve(coupon(100, "PART"), SOMEBODY, decision_id=None)
    for wrong in (0, -1, 101):
        with pytest.raises(AmountError, match="worth"):
            ledger.redeem("PART", at=NOW, order_id="o", amount=wrong)
    done = ledger.redeem("PART", at=NOW, order_id="o", amount=30)
    assert (done.amount, figures(ledger)) == (Money(30, "USD"), (100, 0, 30))
    assert ledger.reserve(coupon(70), SOMEBODY, decision_id=None)


def test_a_rollback_opens_the_coupon_again_and_the_same_request_is_not_redeemed_twice(database: Database) -> None:
    ledger = campaign(database, 100)
    ledger.reserve(coupon(60, "BACK"), SOMEBODY, decision_id=None)
    ledger.redeem("BACK", at=NOW, order_id="o1")
    back = ledger.rollback("BACK", at=NOW, order_id="o1")
    assert (back.status, back.repeated, figures(ledger)) == ("open", False, (100, 60, 0))
    assert ledger.rollback("BACK", at=NOW, order_id="o1").repeated
    with pytest.raises(RolledBackError, match="new request_id"):
        ledger.redeem("BACK", at=NOW, order_id="o1")
    again = ledger.redeem("BACK", at=NOW, order_id="o1", request_id="second try")
    assert figures(ledger) == (100, 0, 60)
    assert ledger.rollback("BACK", at=NOW, redemption_id=back.redemption_id).repeated, "that one only"
    assert figures(ledger) == (100, 0, 60)
    assert not ledger.rollback("BACK", at=NOW, redemption_id=again.redemption_id).repeated
    with pytest.raises(NoRedemptionError):
        ledger.rollback("BACK", at=NOW, order_id="o9")
    assert [bool(one.rolled_back_at) for one in ledger.redemptions("BACK")] == [True, True]


def test_a_rollback_of_a_part_restores_the_value_only_where_the_budget_still_has_it(database: Database) -> None:
    ledger = campaign(database, 100)
    for code, taken in (("ROOM", False), ("GONE", True)):
        assert ledger.reserve(coupon(50, code), SOMEBODY, decision_id=None)
        ledger.redeem(code, at=NOW, order_id="o", amount=20)
        state = ledger.state(CAMPAIGN)
        assert state is not None
        if taken:
            assert ledger.reserve(coupon(state.available.minor_units), SOMEBODY, decision_id=None)
        assert ledger.rollback(code, at=NOW, order_id="o").coupon.discount.minor_units == (20 if taken else 50)
    assert figures(ledger) == (100, 100, 0)


def test_a_rollback_after_the_end_gives_the_money_back_and_leaves_no_coupon(database: Database) -> None:
    ledger = campaign(database, 100)
    ledger.reserve(coupon(60, "OVER", days=1), SOMEBODY, decision_id=None)
    ledger.redeem("OVER", at=NOW, order_id="o1")
    assert ledger.rollback("OVER", at=NOW + timedelta(days=3), order_id="o1").status == "expired"
    assert figures(ledger) == (100, 0, 0)
    with pytest.raises(CouponExpiredError):
        ledger.redeem("OVER", at=NOW, request_id="r2")


def test_the_same_request_with_another_content_is_an_error(database: Database) -> None:
    ledger = campaign(database, 100)
    ledger.reserve(coupon(60, "SAME"), SOMEBODY, decision_id=None)
    ledger.redeem("SAME", at=NOW, order_id="o1", amount=50)
    assert ledger.redeem("SAME", at=NOW, order_id="o1", amount=50).repeated
    with pytest.raises(RequestMismatchError):
        ledger.redeem("SAME", at=NOW, order_id="o1", amount=40)


def test_a_coupon_of_a_member_or_a_session_is_refused_for_another(database: Database) -> None:
    ledger = campaign(database, 100)
    member, visitor = Subject(MemberId("m1")), Subject(visitor_id=VisitorId("v1"))
    ledger.reserve(coupon(10, "MEMB"), member, decision_id=None)
    ledger.reserve(coupon(10, "VISI"), visitor, decision_id=None)
    for code, other in (("MEMB", Subject(MemberId("m2"))), ("VISI", Subject(visitor_id=VisitorId("v2")))):
        with pytest.raises(CouponBoundError):
            ledger.redeem(code, at=NOW, subject=other)
    assert ledger.redeem("MEMB", at=NOW, subject=member).amount.minor_units == 10
    assert ledger.redeem("VISI", at=NOW, subject=Subject(MemberId("m2"), VisitorId("v1"))).amount.minor_units == 10


def test_caps_of_a_store_and_a_channel_hold_within_the_campaigns_budget(database: Database) -> None:
    ledger = campaign(database, 1000)
    caps = [("store", "s1", 100), ("channel", "kiosk", 150)]
    with database.write() as connection:
        rows = [{"campaign_id": CAMPAIGN, "scope": scope, "scope_id": one, "currency": "USD", "total": total, "reserved": 0, "spent": 0}
                for scope, one, total in caps]  # fmt: skip
        connection.execute(insert(budgets), rows)

    def issue(amount: int, code: str, store: str, channel: Channel) -> bool:
        return ledger.reserve(
            coupon(amount, code), SOMEBODY, decision_id=None, caps=[("store", store), ("channel", channel)]
        )

    def used() -> list[tuple[int, int]]:
        return [(state.reserved.minor_units, state.spent.minor_units) for state in ledger.states(CAMPAIGN)]

    assert issue(80, "BOTH", "s1", Channel.KIOSK)
    assert not issue(30, "STORE", "s1", Channel.WIDGET), "the store has 20 left"
    assert not issue(80, "CHAN", "s2", Channel.KIOSK), "the channel has 70 left"
    assert issue(80, "FREE", "s2", Channel.WIDGET)
    assert used() == [(160, 0), (80, 0), (80, 0)]
    ledger.redeem("BOTH", at=NOW, order_id="o", amount=50)
    assert used() == [(80, 50), (0, 50), (0, 50)]
    ledger.rollback("BOTH", at=NOW, order_id="o")
    assert used() == [(160, 0), (80, 0), (80, 0)]
    assert ledger.release_expired(NOW + timedelta(days=9)) == 2
    assert used() == [(0, 0)] * 3


def test_a_campaign_gives_a_member_and_a_household_so_many_coupons_and_no_more(database: Database) -> None:
    refused: list[str] = []
    campaign(database, 1000)
    ledger = SqlLedger(database, refused.append)
    with database.write() as connection:
        connection.execute(update(campaigns).values(per_member=2, per_household=3))
        connection.execute(insert(members), [
            {"member_id": name, "household_id": home, "display_name": name, "name_is_synthetic": True, "created_at": NOW}
            for name, home in (("a", "h"), ("b", "h"), ("c", None))
        ])  # fmt: skip

    def issue(member: str) -> bool:
        return ledger.reserve(coupon(10), Subject(MemberId(member)), decision_id=None)

    assert [issue("a"), issue("a"), issue("a")] == [True, True, False]
    assert [issue("b"), issue("b")] == [True, False]
    assert [issue("c"), issue("c"), issue("c")] == [True, True, False]
    assert refused == ["per_member", "per_household", "per_member"]


def test_a_device_on_which_many_members_get_coupons_is_stopped(database: Database) -> None:
    refused: list[str] = []
    campaign(database, 1000)
    ledger = SqlLedger(database, refused.append)
    got = [
        ledger.reserve(coupon(10), Subject(MemberId(f"m{n}"), VisitorId("device")), decision_id=None) for n in range(5)
    ]
    assert got == [True, True, True, False, False]
    assert set(refused) == {"multi_account"}


def test_a_member_who_redeems_more_than_a_shopper_would_is_stopped_with_a_reason(database: Database) -> None:
    ledger, member = campaign(database, 1000), Subject(MemberId("m"))
    for n in range(21):
        ledger.reserve(coupon(1, f"V{n}"), member, decision_id=None)
    for n in range(20):
        ledger.redeem(f"V{n}", at=NOW + timedelta(minutes=n))
    with pytest.raises(SuspiciousError) as stopped:
        ledger.redeem("V20", at=NOW + timedelta(minutes=21))
    assert stopped.value.code == "member-velocity"


def test_whoever_waits_too_long_for_a_budget_is_told_so_and_nothing_has_changed(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = campaign(postgres_database, 100)
    monkeypatch.setattr("stores.ledger.LOCK_TIMEOUT_MS", 50)
    with postgres_database.write() as connection:
        connection.execute(select(budgets).with_for_update())
        with pytest.raises(LedgerBusyError, match="same request again"):
            ledger.reserve(coupon(10), SOMEBODY, decision_id=None)
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
