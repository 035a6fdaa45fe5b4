"""Whatever is done in whatever order, the ledger agrees with a model of a few lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test
from sqlalchemy import func, insert, select

from personalization.offers import Coupon
from personalization.types import CampaignId, CouponId, Money, Subject, VisitorId
from stores.accounts import EFFECTS
from stores.coupon_tables import budgets, campaigns, coupons, ledger_entries, redemptions
from stores.database import Database, new_id
from stores.errors import (
    AmountError,
    CouponAlreadyRedeemedError,
    CouponExpiredError,
    NoRedemptionError,
    RequestMismatchError,
    RolledBackError,
)
from stores.ledger import SqlLedger

START = datetime(2026, 5, 1, tzinfo=UTC)
TOTALS = {"": 500, "s1": 200}


@dataclass
class Known:
    """What the model knows of a coupon."""

    coupon: Coupon
    store: str
    worth: int
    status: str = "open"
    spent: int = 0
    order: str = ""
    # order -> amount asked, and what became of it
    asked: dict[str, tuple[int | None, str]] = field(default_factory=dict)


class LedgerMachine(RuleBasedStateMachine):
    """One campaign with a budget and a store's cap within it, and everything that can be asked of it, also twice."""

    issued = Bundle("issued")

    def __init__(self, db: Database) -> None:
        super().__init__()
        self.db, self.ledger, self.campaign, self.now = db, SqlLedger(db), CampaignId(new_id()), START
        self.known: dict[str, Known] = {}
        end = START + timedelta(days=90)
        with db.write() as connection:
            connection.execute(
                insert(campaigns).values(
                    campaign_id=self.campaign, name="C", starts_at=START, ends_at=end, for_everybody=True
                )
            )
            rows = [{"campaign_id": self.campaign, "scope": "store" if one else "", "scope_id": one, "currency": "USD",
                     "total": total, "reserved": 0, "spent": 0} for one, total in TOTALS.items()]  # fmt: skip
            connection.execute(insert(budgets), rows)

    def figures(self, store: str) -> tuple[int, int]:
        """Reserved and spent of the campaign ("") or of a store."""
        mine = [one for one in self.known.values() if store in {"", one.store}]
        return sum(one.worth for one in mine if one.status == "open"), sum(one.spent for one in mine)

    def room(self, store: str) -> int:
        return min(TOTALS[one] - sum(self.figures(one)) for one in {"", store} & TOTALS.keys())

    @rule(target=issued, amount=st.integers(1, 220), hours=st.integers(-5, 90), store=st.sampled_from(["", "s1", "s2"]))
    def reserve(self, amount: int, hours: int, store: str) -> Any:
        made, end = new_id(), self.now + timedelta(hours=hours)
        coupon = Coupon(
            CouponId(made), made[-12:], self.campaign, "o", Money(amount, "USD"), frozenset(), self.now, end
        )
        fits = amount <= self.room(store)
        assert self.ask(coupon, store) is fits
        if not fits:
            return multiple()
        self.known[coupon.code] = Known(coupon, store, amount)
        return coupon.code

    def ask(self, coupon: Coupon, store: str) -> bool:
        visitor = Subject(visitor_id=VisitorId(coupon.coupon_id))
        return self.ledger.reserve(coupon, visitor, decision_id=None, caps=[("store", store)] if store else [])

    @rule(code=issued)
    def reserving_again_changes_nothing(self, code: str) -> None:
        assert self.ask(self.known[code].coupon, self.known[code].store)

    @rule(code=issued, order=st.sampled_from(["a", "b", "c"]), amount=st.one_of(st.none(), st.integers(0, 230)))
    def redeem(self, code: str, order: str, amount: int | None) -> None:
        one = self.known[code]
        expected = self.refusal(one, order, amount)
        if expected is not None:
            with pytest.raises(expected):
                self.ledger.redeem(code, at=self.now, order_id=order, amount=amount)
            if expected is CouponExpiredError:
                one.status = "expired"
            return
        done = self.ledger.redeem(code, at=self.now, order_id=order, amount=amount)
        assert done.repeated is (order in one.asked)
        if not done.repeated:
            one.status, one.spent, one.order = "redeemed", amount or one.worth, order
            one.asked[order] = amount, "stands"
        assert done.amount.minor_units == one.spent

    def refusal(self, one: Known, order: str, amount: int | None) -> type[Exception] | None:
        if order in one.asked:
            before, became = one.asked[order]
            if before != amount:
                return RequestMismatchError
            return RolledBackError if became == "rolled back" else None
        if one.status == "redeemed":
            return CouponAlreadyRedeemedError
        if one.status == "expired" or one.coupon.expires_at <= self.now:
            return CouponExpiredError
        return None if amount is None or 0 < amount <= one.worth else AmountError

    @rule(code=issued, order=st.sampled_from(["a", "b", "c"]))
    def rollback(self, code: str, order: str) -> None:
        one = self.known[code]
        if order not in one.asked:
            with pytest.raises(NoRedemptionError):
                self.ledger.rollback(code, at=self.now, order_id=order)
            return
        amount, became = one.asked[order]
        done = self.ledger.rollback(code, at=self.now, order_id=order)
        assert done.repeated is (became == "rolled back")
        if done.repeated:
            return
        spent, one.spent = one.spent, 0
        one.asked[order] = amount, "rolled back"
        one.status = "expired"
        if one.coupon.expires_at > self.now:
            one.worth = one.worth if self.room(one.store) >= one.worth else spent
            one.status = "open"
        assert (done.status, done.coupon.discount.minor_units) == (one.status, one.worth)

    @rule(hours=st.integers(-30, 48))
    def the_clock_moves_and_sometimes_back(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def release(self) -> None:
        overdue = [one for one in self.known.values() if one.status == "open" and one.coupon.expires_at <= self.now]
        for one in overdue:
            one.status = "expired"
        assert self.ledger.release_expired(self.now) == len(overdue)
        assert self.ledger.release_expired(self.now) == 0

    @invariant()
    def the_figures_are_the_models(self) -> None:
        for state in self.ledger.states(self.campaign):
            assert (state.reserved.minor_units, state.spent.minor_units) == self.figures(state.scope_id)
            assert 0 <= state.available.minor_units <= TOTALS[state.scope_id]

    @invariant()
    def the_entries_add_up_to_the_figures(self) -> None:
        entries = ledger_entries.c
        query = (
            select(entries.scope_id, entries.kind, func.sum(entries.amount_minor))
            .where(entries.campaign_id == self.campaign)
            .group_by(entries.scope_id, entries.kind)
        )
        sums = {store: [0, 0] for store in TOTALS}
        with self.db.read() as connection:
            for store, kind, amount in connection.execute(query):
                for place in (0, 1):
                    sums[store][place] += EFFECTS[kind][place] * int(amount)
        assert {store: tuple(pair) for store, pair in sums.items()} == {store: self.figures(store) for store in TOTALS}

    def teardown(self) -> None:
        with self.db.write() as connection:  # the next run's `release` counts coupons of all campaigns
            connection.execute(redemptions.delete())
            connection.execute(coupons.delete())


def test_the_ledger_agrees_with_a_model_whatever_is_done_in_whatever_order(database: Database) -> None:
    run_state_machine_as_test(
        lambda: LedgerMachine(database),
        settings=settings(
            max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
