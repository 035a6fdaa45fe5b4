"""What allocators weighed is kept, paces budgets, and is learned from with consent only."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import insert

from personalization.coupons.features import FEATURES
from personalization.coupons.planning import Loops
from personalization.coupons.prior import PriorResponse
from personalization.coupons.response import ResponseModel
from personalization.decisions import Decision
from personalization.offers import Allotment, Rung
from personalization.types import (
    CampaignId,
    Channel,
    Context,
    DecisionId,
    ProductId,
    Purpose,
    StoreId,
    Subject,
    VisitorId,
)
from stores.allotments import SqlCouponRecords, SqlPacing
from stores.catalogue import SqlCatalogue
from stores.consents import ConsentEntry, SqlConsents
from stores.coupon_log import coupon_log
from stores.coupon_tables import budgets
from stores.database import Database, new_id
from stores.decisions import SqlDecisions
from stores.members import SqlMembers
from stores.tables import order_lines
from tests.stores.test_ledger import CAMPAIGN, NOW, campaign, coupon

HORIZON = timedelta(days=14)


def member(db: Database, *, agrees: bool = True) -> Subject:
    made = SqlMembers(db).create(external_id=None, display_name="Ada", email=None, at=NOW)
    if agrees:
        SqlConsents(db).record([ConsentEntry(made.member_id, Purpose.PROFILING, True, NOW, "api", "1")])
    return Subject(made.member_id)


def decide(
    db: Database, subject: Subject, at: datetime, *, chosen: int = 1, cost: float = 5.0, store: StoreId | None = None
) -> Decision:
    rungs = (Rung(None, 0, 0.1, 0.1, 0.0, 0.0, 0.0, 0.01), Rung("o", 50, 0.2, 0.2, 0.1, cost, 0.1, 0.99))
    weighed = Allotment(CAMPAIGN, ProductId("p"), "orders", 0.0, rungs, chosen, False, (None,) * len(FEATURES), "s")
    decision = Decision(
        DecisionId(new_id()), at, subject, Context(Channel.API, at, store_id=store), (), None, None, None, "", (), (), (), {}, 1.0, allotment=weighed
    )  # fmt: skip
    SqlDecisions(db).append(decision)
    return decision


def buy(db: Database, subject: Subject, at: datetime) -> None:
    with db.write() as connection:
        connection.execute(
            insert(order_lines).values(
                order_id=new_id(), line_no=1, member_id=subject.member_id, product_id="p", at=at, quantity=1, amount_minor=400, currency="USD"
            )
        )  # fmt: skip


def test_an_allotment_comes_back_as_it_was_weighed(database: Database) -> None:
    made = decide(database, Subject(visitor_id=VisitorId("v")), NOW)
    assert SqlDecisions(database).get(made.decision_id) == made


def test_the_loop_reads_every_allotment_once_and_leaves_a_price(database: Database) -> None:
    campaign(database, 300)
    pacing = SqlPacing(database, SqlCatalogue(database))
    for minute in range(30):
        decide(database, Subject(visitor_id=VisitorId(f"v{minute}")), NOW + timedelta(minutes=minute))
    loops, later = Loops(pacing, ResponseModel(PriorResponse())), NOW + timedelta(minutes=30)
    assert loops.advance(now=later) == 30
    assert loops.advance(now=later) == 0
    assert pacing.price(CAMPAIGN, (), at=later) > 0
    restarted = Loops(SqlPacing(database, SqlCatalogue(database)), ResponseModel(PriorResponse()))
    assert restarted.advance(now=later) == 0


def test_a_store_with_a_cap_has_a_price_of_its_own_that_comes_on_top(database: Database) -> None:
    campaign(database, 100_000)
    with database.write() as connection:
        row = {
            "campaign_id": CAMPAIGN,
            "scope": "store",
            "scope_id": "s1",
            "currency": "USD",
            "reserved": 0,
            "spent": 0,
        }
        connection.execute(insert(budgets).values(**row, total=20))
    pacing = SqlPacing(database, SqlCatalogue(database))
    for minute in range(30):
        decide(
            database, Subject(visitor_id=VisitorId(f"v{minute}")), NOW + timedelta(minutes=minute), store=StoreId("s1")
        )
    later = NOW + timedelta(minutes=30)
    assert Loops(pacing, ResponseModel(PriorResponse())).advance(now=later) == 30
    elsewhere, there = (pacing.price(CAMPAIGN, [("store", one)], at=later) for one in ("s2", "s1"))
    assert there > elsewhere


def test_a_campaign_whose_loop_has_not_begun_has_no_price(database: Database) -> None:
    assert SqlPacing(database, SqlCatalogue(database)).price(CampaignId("none"), (), at=NOW) == 0.0


def test_only_members_who_agree_are_learned_from_and_what_they_bought_in_time_counts(database: Database) -> None:
    campaign(database, 10_000)
    keen, late, silent = member(database), member(database), member(database, agrees=False)
    for subject in (keen, late, silent, Subject(visitor_id=VisitorId("v"))):
        decide(database, subject, NOW)
    buy(database, keen, NOW + timedelta(days=3))
    buy(database, late, NOW + timedelta(days=15))
    buy(database, late, NOW - timedelta(days=3))
    buy(database, silent, NOW + timedelta(days=1))
    log = coupon_log(database, since=NOW, until=NOW + timedelta(seconds=1), horizon=HORIZON)
    assert log.converted.tolist() == [1.0, 0.0]
    assert log.full_before.tolist() == [0.0, 400.0]
    assert log.full_after.tolist() == [400.0, 0.0]
    assert ((log.dependence > 0) & (log.dependence < 1)).all()
    assert log.propensity.tolist() == [0.99, 0.99]
    assert log.discount.tolist() == [50.0, 50.0]
    assert np.isnan(log.features).all()
    assert len(coupon_log(database, since=NOW + timedelta(days=1), until=NOW + timedelta(days=2), horizon=HORIZON)) == 0


def test_what_a_coupon_took_is_its_cost_unless_it_was_rolled_back(database: Database) -> None:
    ledger, subject = campaign(database, 10_000), member(database)
    made = decide(database, subject, NOW)
    given = replace(coupon(50), product_ids=frozenset({ProductId("p")}))
    assert ledger.reserve(given, subject, decision_id=made.decision_id)
    ledger.redeem(given.code, at=NOW + timedelta(hours=1))
    log = coupon_log(database, since=NOW, until=NOW + timedelta(seconds=1), horizon=HORIZON)
    assert log.cost.tolist() == [50.0]
    record = SqlCouponRecords(database).of_subject(subject, at=NOW + timedelta(days=1))
    assert (record.offered, record.redeemed, record.lately) == (1, 1, 1)
    assert record.days == pytest.approx(23 / 24)


def test_the_history_holds_orders_and_decisions_before_the_moment(database: Database) -> None:
    campaign(database, 10_000)
    subject = member(database)
    buy(database, subject, NOW)
    decide(database, subject, NOW + timedelta(days=1))
    decide(database, subject, NOW + timedelta(days=2), chosen=0)
    decide(database, member(database), NOW)
    records = SqlCouponRecords(database)
    past = records.history(subject, at=NOW + timedelta(days=3))
    assert past.paid.tolist() == [400.0]
    assert past.discount.tolist() == [50.0, 0.0]
    assert not past.chance.any()
    assert len(records.history(subject, at=NOW).bought) == 0
    assert len(records.history(Subject(visitor_id=VisitorId("v")), at=NOW + timedelta(days=3)).bought) == 0
