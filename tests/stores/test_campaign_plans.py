"""Whatever is launched, paused, resumed, given and redeemed: no budget is overspent, and nobody approves their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from personalization.coupons.campaign_plan import MOVES, AudienceSpec, CampaignPlan, Move, State, Step
from personalization.coupons.objective import Objective
from personalization.offers import Coupon
from personalization.types import CampaignId, CouponId, MemberId, Money, ProductId, Subject
from stores.campaign_figures import SqlCampaignFigures
from stores.campaign_plans import Person, SqlCampaignPlans
from stores.console_tables import pacing_points
from stores.coupon_tables import budgets
from stores.database import Database, new_id
from stores.errors import ChangedError, ConflictError, CouponError, SelfApprovalError
from stores.experiments import SqlExperiments
from stores.ledger import SqlLedger
from tests.small_shop import NOW

PEOPLE = [Person("a", "Ada"), Person("b", "Bo"), Person("c", "Cy")]
LIMIT = 1_000
ONCE = settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def plan(campaign_id: str, budget: int = 500, **more: Any) -> CampaignPlan:
    given_ = {"starts_at": NOW - timedelta(days=1), "ends_at": NOW + timedelta(days=30), "ladder": (Step(40), Step(70))}
    return CampaignPlan(
        campaign_id, "A campaign", Objective.ORDERS, AudienceSpec(), Money(budget, "USD"), **(given_ | more)
    )


def coupon(campaign_id: str, minor: int) -> Coupon:
    own = new_id()
    return Coupon(
        CouponId(own), own[-12:].upper(), CampaignId(campaign_id), f"{campaign_id}-1", Money(minor, "USD"), frozenset({ProductId("milk-1")}),
        NOW, NOW + timedelta(days=14),
    )  # fmt: skip


def act(store: SqlCampaignPlans, own: str, move: Move, version: int) -> None:
    """Make a move as Ada."""
    common: dict[str, Any] = {"version": version, "by": PEOPLE[0], "at": NOW}
    if move is Move.CHANGE:
        store.change(plan(own, per_member=None), None, **common)
    elif move is Move.APPROVE:
        store.approve(own, above=LIMIT, **common)
    elif move is Move.LAUNCH:
        store.launch(own, (), **common)
    else:
        {Move.PAUSE: store.pause, Move.RESUME: store.resume, Move.END: store.end}[move](own, **common)


@ONCE
@given(
    steps=st.lists(st.tuples(st.sampled_from(["give", "redeem", *Move]), st.sampled_from([40, 70, 200])), max_size=25)
)
def test_no_budget_is_overspent_and_nothing_is_given_while_it_does_not_run(
    small_shop: Database, steps: list[tuple[str, int]]
) -> None:
    store, ledger, own = SqlCampaignPlans(small_shop), SqlLedger(small_shop), new_id()
    store.create(plan(own, per_member=None), (), by=PEOPLE[0], at=NOW)
    state, version, codes = State.DRAFT, 1, list[str]()
    for what, minor in steps:
        if what == "give":
            made = coupon(own, minor)
            held = ledger.reserve(made, Subject(MemberId(new_id())), decision_id=None)
            codes += [made.code] if held else []
            assert state is State.RUNNING or not held
        elif what == "redeem":
            if codes:
                ledger.redeem(codes.pop(), at=NOW, order_id=new_id())
        else:
            move = Move(what)
            since, after = MOVES[move]
            if state in since:
                act(store, own, move, version)
                state, version = after, version + 1
            else:
                with pytest.raises(ConflictError):
                    act(store, own, move, version)
        with small_shop.read() as connection:
            money = connection.execute(select(budgets).where(budgets.c.campaign_id == own)).first()
        assert money is None or 0 <= money.reserved + money.spent <= money.total == 500
    assert store.get(own).state is state


@ONCE
@given(
    writers=st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4), approver=st.sampled_from(PEOPLE),
    budget=st.sampled_from([LIMIT, LIMIT + 1, 5 * LIMIT]),
)  # fmt: skip
def test_nobody_approves_what_they_wrote_a_part_of(
    small_shop: Database, writers: list[Person], approver: Person, budget: int
) -> None:
    store, own = SqlCampaignPlans(small_shop), new_id()
    store.create(plan(own, budget), (), by=writers[0], at=NOW)
    for version, writer in enumerate(writers[1:], 1):
        store.change(plan(own, budget), None, version=version, by=writer, at=NOW)
    approve = lambda: store.approve(own, version=len(writers), above=LIMIT, by=approver, at=NOW)  # noqa: E731
    if budget > LIMIT and approver in writers:
        with pytest.raises(SelfApprovalError):
            approve()
        assert store.get(own).state is State.DRAFT
    else:
        assert approve().approved_by == approver.name


def test_a_launch_that_fails_leaves_nothing(small_shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store, own = SqlCampaignPlans(small_shop), new_id()
    store.create(plan(own), (), by=PEOPLE[0], at=NOW)
    store.approve(own, version=1, above=LIMIT, by=PEOPLE[0], at=NOW)

    def broken(*_: Any, **__: Any) -> None:
        raise CouponError("the last step breaks")

    with monkeypatch.context() as patched:
        patched.setattr("stores.campaign_plans.run_at_once", broken)
        with pytest.raises(CouponError):
            store.launch(own, (), version=2, by=PEOPLE[0], at=NOW)
    assert store.get(own).state is State.APPROVED
    assert SqlLedger(small_shop).state(CampaignId(own)) is None
    assert store.launch(own, (), version=2, by=PEOPLE[0], at=NOW).state is State.RUNNING
    with pytest.raises(ChangedError):
        store.pause(own, version=2, by=PEOPLE[1], at=NOW)


def test_pacing_is_told_thinly_and_with_its_last_point(small_shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stores.campaign_figures.MOST_POINTS", 4)
    made = [
        {"campaign_id": "c1", "at": NOW + timedelta(minutes=5 * n), "price": 1.0, "spent": n, "reserved": 0}
        for n in range(11)
    ]
    with small_shop.write() as connection:
        connection.execute(insert(pacing_points), [*made, made[0] | {"campaign_id": "other", "spent": 99}])
    points, state = SqlCampaignFigures(small_shop).pacing("c1")
    assert ([point.spent for point in points], state) == ([1, 4, 7, 10], None)


def test_an_id_that_is_taken_is_a_conflict_and_what_an_offer_cannot_keep_is_a_flaw(small_shop: Database) -> None:
    store, own = SqlCampaignPlans(small_shop), new_id()
    store.create(plan(own, holdout=0.1), (), by=PEOPLE[0], at=NOW)
    store.approve(own, version=1, above=LIMIT, by=PEOPLE[0], at=NOW)
    measured = plan(own, holdout=0.1).experiment()
    assert measured is not None
    SqlExperiments(small_shop).create(measured, at=NOW)
    with pytest.raises(ConflictError, match="another id"):
        store.launch(own, (), version=2, by=PEOPLE[0], at=NOW)
    assert store.get(own).state is State.APPROVED
    for categories in (("Tea; coffee",), tuple(f"{number:0120}" for number in range(20))):
        assert [flaw.where for flaw in plan("fine", categories=categories).flaws()] == ["categories"]
    assert plan("fine", categories=("Tea", "Coffee")).flaws() == []
