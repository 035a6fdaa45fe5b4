"""Whatever is done in whatever order, the ledger agrees with a model of a few lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test
from sqlalchemy import func, insert, select

from personalization.types import CampaignId, Coupon, CouponId, Money, Subject, VisitorId
from stores.database import Database, new_id
from stores.errors import CouponAlreadyRedeemedError, CouponExpiredError
from stores.ledger import SqlLedger
from stores.tables import budgets, campaigns, coupons, ledger_entries

START = datetime(2026, 5, 1, tzinfo=UTC)
SOMEBODY = Subject(visitor_id=VisitorId("v"))
TOTAL = 500


class LedgerMachine(RuleBasedStateMachine):
    """One campaign with a budget of 500, and everything that can be asked of it, also twice."""

    issued = Bundle("issued")

    def __init__(self, db: Database) -> None:
        super().__init__()
        self.db, self.ledger, self.campaign, self.now = db, SqlLedger(db), CampaignId(new_id()), START
        self.open: dict[str, Coupon] = {}
        self.redeemed: dict[str, tuple[Coupon, str]] = {}
        end = START + timedelta(days=90)
        with db.write() as connection:
            connection.execute(
                insert(campaigns).values(
                    campaign_id=self.campaign, name="C", starts_at=START, ends_at=end, for_everybody=True
                )
            )
            connection.execute(
                insert(budgets).values(campaign_id=self.campaign, currency="USD", total=TOTAL, reserved=0, spent=0)
            )

    @property
    def held(self) -> int:
        return sum(coupon.discount.minor_units for coupon in self.open.values())

    @property
    def spent(self) -> int:
        return sum(coupon.discount.minor_units for coupon, _ in self.redeemed.values())

    @rule(target=issued, amount=st.integers(1, 220), days=st.integers(1, 4))
    def reserve(self, amount: int, days: int) -> Any:
        made, end = new_id(), self.now + timedelta(days=days)
        coupon = Coupon(
            CouponId(made), made[-12:], self.campaign, "o", Money(amount, "USD"), frozenset(), self.now, end
        )
        fits = self.held + self.spent + amount <= TOTAL
        assert self.ledger.reserve(coupon, SOMEBODY, decision_id=None) is fits
        if not fits:
            return multiple()
        self.open[coupon.code] = coupon
        return coupon

    @rule(coupon=issued)
    def reserving_again_changes_nothing(self, coupon: Coupon) -> None:
        assert self.ledger.reserve(coupon, SOMEBODY, decision_id=None)

    @rule(coupon=issued, order=st.sampled_from(["a", "b"]))
    def redeem(self, coupon: Coupon, order: str) -> None:
        if coupon.code in self.redeemed:
            first = self.redeemed[coupon.code][1]
            if first == order:
                assert self.ledger.redeem(coupon.code, at=self.now, order_id=order).repeated
            else:
                with pytest.raises(CouponAlreadyRedeemedError):
                    self.ledger.redeem(coupon.code, at=self.now, order_id=order)
        elif coupon.code in self.open and coupon.expires_at > self.now:
            assert not self.ledger.redeem(coupon.code, at=self.now, order_id=order).repeated
            self.redeemed[coupon.code] = (self.open.pop(coupon.code), order)
        else:
            with pytest.raises(CouponExpiredError):
                self.ledger.redeem(coupon.code, at=self.now, order_id=order)

    @rule(hours=st.integers(1, 48))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def release(self) -> None:
        overdue = {code for code, coupon in self.open.items() if coupon.expires_at <= self.now}
        self.open = {code: coupon for code, coupon in self.open.items() if code not in overdue}
        assert self.ledger.release_expired(self.now) == len(overdue)
        assert self.ledger.release_expired(self.now) == 0

    @invariant()
    def the_figures_are_the_models(self) -> None:
        state = self.ledger.state(self.campaign)
        assert state is not None
        assert (state.reserved.minor_units, state.spent.minor_units) == (self.held, self.spent)
        assert 0 <= state.available.minor_units <= TOTAL

    @invariant()
    def the_entries_add_up_to_the_figures(self) -> None:
        query = (
            select(ledger_entries.c.kind, func.sum(ledger_entries.c.amount_minor))
            .where(ledger_entries.c.campaign_id == self.campaign)
            .group_by(ledger_entries.c.kind)
        )
        with self.db.read() as connection:
            sums = {kind: int(amount) for kind, amount in connection.execute(query)}
        moved = sums.get("redeem", 0) + sums.get("release", 0)
        assert sums.get("reserve", 0) - moved == self.held
        assert sums.get("redeem", 0) == self.spent

    def teardown(self) -> None:
        with self.db.write() as connection:  # the next run's `release` counts coupons of all campaigns
            connection.execute(coupons.delete())


def test_the_ledger_agrees_with_a_model_whatever_is_done_in_whatever_order(database: Database) -> None:
    run_state_machine_as_test(
        lambda: LedgerMachine(database),
        settings=settings(
            max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
