"""A campaign owns its creatives: they start, pause and end with it, for its audience, and only what is approved is shown."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
import pytest
from alembic import command
from sqlalchemy import insert, select, text

from personalization.coupons.campaign_plan import AudienceKind, AudienceSpec, CampaignPlan, State
from personalization.creative.approval import Mode
from personalization.creative.approval import State as VariantState
from personalization.creative.variants import Audience
from personalization.types import MemberId, ProductId, Purpose, Subject, VisitorId
from stores.campaign_creatives import SqlCampaignCreatives
from stores.campaign_plans import Person, SqlCampaignPlans, StoredPlan
from stores.consents import ConsentEntry, SqlConsents
from stores.coupon_tables import campaign_audience
from stores.creative_placing import SqlPlacer
from stores.creatives import SqlCreativeCampaigns, add
from stores.database import Database, new_id
from stores.errors import ConflictError, NotFoundError
from stores.tables import members
from tests.personalization.creative_world import VARIANTS
from tests.small_shop import NOW
from tests.stores.test_campaign_plans import plan
from tests.stores.test_creatives import CAMPAIGN

ADA, BO = Person("a", "Ada"), Person("b", "Bo")
POSTERS = replace(
    CAMPAIGN, product_id=ProductId("milk-1"), starts_at=NOW - timedelta(days=3), ends_at=NOW + timedelta(days=3)
)
MEMBER, OTHER = Subject(member_id=MemberId("m-1")), Subject(member_id=MemberId("m-2"))
BOTH = (Purpose.MARKETING, Purpose.PROFILING)


class Desk:
    """Ada's and Bo's campaigns, and whether posters of milk are placed."""

    def __init__(self, db: Database) -> None:
        self.plans, self.creatives = SqlCampaignPlans(db), SqlCreativeCampaigns(db)
        self.owned, self.placer = SqlCampaignCreatives(db), SqlPlacer(db, np.random.default_rng(1))
        self.db, self.consents = db, SqlConsents(db)

    def agrees(self, subject: Subject, *purposes: Purpose, granted: bool = True) -> None:
        assert subject.member_id is not None
        self.consents.record(
            ConsentEntry(subject.member_id, purpose, granted, NOW, "api", "t1") for purpose in purposes
        )

    def for_some(self, kind: AudienceKind, *members: str) -> str:
        """Launch a campaign for an audience of a kind, which these members are; return its posters' name."""
        some = AudienceSpec(kind, of="1", labels={"pets": "dog"})
        made = self.drafted(replace(plan("coffee"), audience=some), posters_for=("milk-1",))
        [name] = made.plan.creative_campaign_ids
        self.approve_all(name)
        self.launched(made, members)
        return name

    def audience(self) -> list[str]:
        with self.db.read() as connection:
            return sorted(connection.scalars(select(campaign_audience.c.member_id)))

    def drafted(self, one: CampaignPlan, **more: Any) -> StoredPlan:
        return self.plans.create(one, (), by=ADA, at=NOW, **more)

    def launched(self, one: StoredPlan, members: tuple[str, ...] = ()) -> StoredPlan:
        own = one.plan.campaign_id
        approved = self.plans.approve(own, version=one.version, above=10**9, by=BO, at=NOW)
        return self.plans.launch(own, members, version=approved.version, by=BO, at=NOW)

    def shows(self, subject: Subject = MEMBER, *, days: int = 0) -> bool:
        at = NOW + timedelta(days=days)
        found = self.placer.for_product("milk-1", at=at, member_id=subject.member_id)
        if found is None:
            return False
        return self.placer.place(found, Audience(), subject, decision_id=new_id(), at=at) is not None

    def approve_all(self, campaign_id: str) -> None:
        self.creatives.propose(campaign_id, VARIANTS, by="studio", at=NOW)
        for one in VARIANTS:
            self.creatives.decide(campaign_id, one.variant_id, VariantState.APPROVED, of_family=False, by="mia", at=NOW)


@pytest.fixture
def desk(database: Database) -> Desk:
    rows = [
        {"member_id": one, "display_name": one, "name_is_synthetic": True, "created_at": NOW} for one in ("m-1", "m-2")
    ]
    with database.write() as connection:
        connection.execute(insert(members), rows)
    return Desk(database)


def test_posters_of_its_own_wait_for_the_launch_and_for_somebody_to_approve_them(desk: Desk) -> None:
    made = desk.drafted(plan("coffee"), posters_for=("milk-1", "milk-1"))
    [name] = made.plan.creative_campaign_ids
    own = desk.creatives.get(name)
    assert (own.owner, own.held, own.mode, own.ends_at) == ("coffee", True, Mode.EACH, made.plan.ends_at)
    desk.approve_all(name)
    assert not desk.shows(), "nothing is shown before the launch"
    desk.launched(made)
    assert desk.shows()
    [told] = desk.owned.of(made.plan)
    assert (told.approved, told.proposed) == (len(VARIANTS), 0)


def test_nothing_unapproved_is_shown_by_a_launch(desk: Desk) -> None:
    made = desk.drafted(plan("coffee"), posters_for=("milk-1",))
    [name] = made.plan.creative_campaign_ids
    desk.creatives.propose(name, VARIANTS, by="studio", at=NOW)
    desk.launched(made)
    assert not desk.shows()
    desk.creatives.decide(name, VARIANTS[0].variant_id, VariantState.APPROVED, of_family=False, by="mia", at=NOW)
    assert desk.shows()


def test_posters_pause_go_on_and_end_with_their_campaign(desk: Desk) -> None:
    desk.creatives.create(POSTERS)
    desk.creatives.propose("spring", VARIANTS, by="studio", at=NOW)
    made = desk.drafted(plan("coffee", creative_campaign_ids=("spring",)))
    assert desk.creatives.get("spring").owner is None, "a draft takes nothing"
    running = desk.launched(made)
    assert desk.creatives.get("spring").ends_at == made.plan.ends_at
    assert desk.shows(days=20), "the campaign's dates count, not their own"
    paused = desk.plans.pause("coffee", version=running.version, by=ADA, at=NOW)
    assert not desk.shows()
    resumed = desk.plans.resume("coffee", version=paused.version, by=ADA, at=NOW)
    assert desk.shows()
    desk.plans.end("coffee", version=resumed.version, by=ADA, at=NOW)
    assert not desk.shows()


def test_posters_end_with_a_campaign_whose_date_has_come(desk: Desk) -> None:
    made = desk.launched(desk.drafted(plan("coffee"), posters_for=("milk-1",)))
    desk.approve_all(made.plan.creative_campaign_ids[0])
    assert desk.plans.finish(at=NOW + timedelta(days=31)) == 1
    assert not desk.shows(days=31)


def test_posters_are_for_the_campaigns_audience(desk: Desk) -> None:
    for subject in (MEMBER, OTHER):
        desk.agrees(subject, Purpose.MARKETING)
    name = desk.for_some(AudienceKind.LIST, "m-1")
    assert desk.shows(MEMBER)
    assert not desk.shows(OTHER)
    assert not desk.shows(Subject(visitor_id=VisitorId("somebody")))
    assert desk.placer.place(name, Audience(), OTHER, decision_id=new_id(), at=NOW) is None
    assert desk.creatives.may_be_shown(name, VARIANTS[0].variant_id, at=NOW, to_anybody=False)
    assert not desk.creatives.may_be_shown(name, VARIANTS[0].variant_id, at=NOW, to_anybody=True)


@pytest.mark.parametrize("kind", [AudienceKind.CLUSTER, AudienceKind.LABELS, AudienceKind.SEGMENT])
def test_posters_for_who_is_known_need_marketing_and_profiling(desk: Desk, kind: AudienceKind) -> None:
    name = desk.for_some(kind, "m-1")
    for purpose in BOTH:
        assert not desk.shows(), "one of the two is missing"
        desk.agrees(MEMBER, purpose)
    assert desk.shows()
    desk.agrees(OTHER, *BOTH)
    assert desk.placer.place(name, Audience(), OTHER, decision_id=new_id(), at=NOW) is None


def test_posters_for_a_list_need_marketing_alone(desk: Desk) -> None:
    name = desk.for_some(AudienceKind.LIST, "m-1")
    desk.agrees(MEMBER, Purpose.PROFILING)
    assert not desk.shows()
    assert desk.placer.place(name, Audience(), MEMBER, decision_id=new_id(), at=NOW) is None
    desk.agrees(MEMBER, Purpose.PROFILING, granted=False)
    desk.agrees(MEMBER, Purpose.MARKETING)
    assert desk.shows()


def test_posters_for_everybody_need_no_consent(desk: Desk) -> None:
    made = desk.drafted(plan("coffee"), posters_for=("milk-1",))
    desk.approve_all(made.plan.creative_campaign_ids[0])
    desk.launched(made)
    desk.agrees(MEMBER, *BOTH, granted=False)
    assert desk.shows()


@pytest.mark.parametrize(
    ("kind", "withdrawn", "left"),
    [
        (AudienceKind.LIST, Purpose.MARKETING, ["m-2"]),
        (AudienceKind.LIST, Purpose.PROFILING, ["m-1", "m-2"]),
        (AudienceKind.LABELS, Purpose.MARKETING, ["m-2"]),
        (AudienceKind.LABELS, Purpose.PROFILING, ["m-2"]),
        (AudienceKind.LABELS, Purpose.RESEARCH, ["m-1", "m-2"]),
    ],
)
def test_who_withdraws_leaves_the_audiences_that_need_it(
    desk: Desk, kind: AudienceKind, withdrawn: Purpose, left: list[str]
) -> None:
    desk.agrees(MEMBER, *BOTH, Purpose.RESEARCH)
    desk.for_some(kind, "m-1", "m-2")
    desk.agrees(MEMBER, withdrawn, granted=False)
    assert desk.audience() == left
    desk.agrees(MEMBER, withdrawn)
    assert desk.shows() == ("m-1" in left), "who agrees again is in the audiences of later launches"


def test_films_play_while_their_campaign_runs(desk: Desk) -> None:
    desk.creatives.create(POSTERS)
    desk.creatives.propose("spring", VARIANTS, by="studio", at=NOW)

    def plays(days: int) -> bool:
        at = NOW + timedelta(days=days)
        return desk.creatives.may_be_shown("spring", VARIANTS[0].variant_id, at=at, to_anybody=True)

    assert [plays(days) for days in (-4, 0, 4)] == [False, True, False]


def test_posters_run_with_one_campaign_at_a_time_and_a_refused_launch_starts_nothing(desk: Desk) -> None:
    desk.creatives.create(POSTERS)
    first = desk.launched(desk.drafted(plan("coffee", creative_campaign_ids=("spring",))))
    late = desk.drafted(plan("tea", creative_campaign_ids=("spring",)))
    [told] = desk.owned.of(late.plan)
    assert told.taken_by == "coffee"
    with pytest.raises(ConflictError, match="runs with the campaign coffee"):
        desk.launched(late)
    assert desk.plans.get("tea").state is State.APPROVED
    desk.plans.end("coffee", version=first.version, by=ADA, at=NOW)
    approved = desk.plans.get("tea")
    desk.plans.launch("tea", (), version=approved.version, by=BO, at=NOW)
    assert desk.creatives.get("spring").owner == "tea"


def test_a_draft_that_drops_its_posters_lets_go_of_them_and_takes_the_same_again(desk: Desk) -> None:
    made = desk.drafted(plan("coffee"), posters_for=("milk-1",))
    [name] = made.plan.creative_campaign_ids
    same = desk.plans.change(made.plan, None, version=1, by=ADA, at=NOW, posters_for=("milk-1",))
    assert same.plan.creative_campaign_ids == (name,)
    later = replace(plan("coffee"), ends_at=NOW + timedelta(days=9))
    without = desk.plans.change(later, None, version=2, by=ADA, at=NOW)
    assert without.plan.creative_campaign_ids == ()
    with pytest.raises(NotFoundError):
        desk.creatives.get(name)  # nobody had proposed a variant
    again = desk.plans.change(later, None, version=3, by=ADA, at=NOW, posters_for=("milk-1",))
    assert again.plan.creative_campaign_ids == (name,)


def test_posters_that_a_draft_lets_go_of_are_not_shown_until_a_plan_takes_them(desk: Desk) -> None:
    made = desk.drafted(plan("coffee"), posters_for=("milk-1", "bread-1"))
    [name, empty] = made.plan.creative_campaign_ids
    desk.approve_all(name)
    desk.plans.change(plan("coffee"), None, version=1, by=ADA, at=NOW)
    let_go = desk.creatives.get(name)
    assert (let_go.owner, let_go.held) == (None, False)
    assert not desk.shows()
    assert [one.campaign_id for one in desk.creatives.page()] == [name] != [empty]


def test_a_name_that_somebody_takes_at_the_same_moment_is_a_conflict(postgres_database: Database) -> None:
    desk = Desk(postgres_database)
    made = desk.drafted(plan("coffee"))
    change = partial(desk.plans.change, made.plan, None, version=1, by=ADA, at=NOW, posters_for=("milk-1",))
    with ThreadPoolExecutor(1) as pool:
        with (
            postgres_database.engine.begin() as other
        ):  # as another process does: it takes no turn with this one's threads
            add(other, replace(POSTERS, campaign_id="posters-coffee-1"))
            late = pool.submit(change)
            wait_until_blocked(postgres_database)
        with pytest.raises(ConflictError, match="made meanwhile"):
            late.result(timeout=30)
    assert desk.plans.get("coffee").version == 1
    assert change().plan.creative_campaign_ids == ("posters-coffee-2",)


def wait_until_blocked(db: Database) -> None:
    """Return once a session of the database waits for another's transaction."""
    waits = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with db.read() as connection:
            if connection.scalar(waits):
                return
    raise AssertionError("nobody waits")


def test_a_page_goes_on_where_it_was_when_a_launch_changes_dates(desk: Desk) -> None:
    for name in "abcd":
        desk.creatives.create(replace(POSTERS, campaign_id=name))
    made = desk.drafted(plan("coffee", creative_campaign_ids=("b", "d")))
    first = desk.creatives.page(limit=2)
    desk.launched(made)
    second = desk.creatives.page(limit=2, after=first[-1].campaign_id)
    assert [one.campaign_id for one in [*first, *second]] == ["a", "b", "c", "d"]


def test_what_is_held_ends_where_the_version_before_knows_no_holding(database: Database) -> None:
    desk = Desk(database)
    made = desk.drafted(plan("coffee"), posters_for=("milk-1",))
    desk.creatives.create(POSTERS)
    command.downgrade(database.alembic_config(), "0048")
    database.upgrade()
    assert desk.creatives.get(made.plan.creative_campaign_ids[0]).ends_at < made.plan.ends_at
    assert desk.creatives.get("spring").ends_at == POSTERS.ends_at


def test_a_plan_of_the_time_of_one_poster_campaign_is_still_read() -> None:
    old = plan("coffee").tree() | {"creative_campaign_id": "spring"}
    del old["creative_campaign_ids"]
    assert CampaignPlan.from_tree("coffee", old).creative_campaign_ids == ("spring",)
    none = plan("coffee").tree() | {"creative_campaign_id": ""}
    del none["creative_campaign_ids"]
    assert CampaignPlan.from_tree("coffee", none).creative_campaign_ids == ()
