"""Creatives in the database: what may be shown, what was, and what that taught; the same on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from personalization.creative.approval import POLICY, ApprovalError, Mode, State
from personalization.creative.forecast import forecast
from personalization.creative.loop import CreativeLoop
from personalization.creative.placement import Limits
from personalization.creative.screening import Rules
from personalization.creative.variants import Audience, Variant
from personalization.types import EventType, ProductId, Subject, VisitorId
from stores import creative_placing
from stores.creative_placing import Placement, SqlPlacer
from stores.creatives import CreativeCampaign, SqlCreativeCampaigns
from stores.database import Database, new_id
from stores.errors import ConflictError, NotFoundError
from stores.events import Event, SqlEvents
from tests.personalization.creative_world import CALM, VARIANTS

NOW = datetime(2026, 11, 1, tzinfo=UTC)
CAMPAIGN = CreativeCampaign(
    "spring", ProductId("p1"), "clicks", Mode.AUTOMATIC, Limits(exploration=0.5, per_shopper=10_000, of_campaign=10_000),
    Rules(size=6), NOW - timedelta(days=1), NOW + timedelta(days=30),
)  # fmt: skip
SOMEONE = Subject(visitor_id=VisitorId("someone"))


def started(
    db: Database, campaign: CreativeCampaign = CAMPAIGN, variants: list[Variant] = VARIANTS
) -> SqlCreativeCampaigns:
    store = SqlCreativeCampaigns(db)
    store.create(campaign)
    store.propose(campaign.campaign_id, variants, by="studio", at=NOW)
    return store


def placer(db: Database, seed: int = 1) -> SqlPlacer:
    return SqlPlacer(db, np.random.default_rng(seed))


def place(
    db: Database, *, audience: Audience = CALM, subject: Subject = SOMEONE, at: datetime = NOW, seed: int = 1
) -> Placement | None:
    return placer(db, seed).place("spring", audience, subject, decision_id=new_id(), at=at)


def told(db: Database, decision_id: str, *types: EventType, at: datetime = NOW) -> list[Event]:
    events = [Event(new_id(), type_, at, "widget", None, "someone", decision_id, "p1") for type_ in types]
    SqlEvents(db).append_batch(events, received_at=at)
    return events


def test_only_what_is_approved_is_placed(database: Database) -> None:
    store = started(database, replace(CAMPAIGN, mode=Mode.EACH))
    assert place(database) is None
    store.decide("spring", VARIANTS[3].variant_id, State.APPROVED, of_family=False, by="mia", at=NOW)
    CreativeLoop(store, np.random.default_rng(0)).advance(now=NOW)
    for _ in range(5):
        placed = place(database)
        assert placed is not None
        assert placed.variant == VARIANTS[3]
    store.decide("spring", VARIANTS[3].variant_id, State.REJECTED, of_family=False, by="mia", at=NOW, note="too loud")
    assert place(database) is None


def test_the_queue_and_the_history_tell_who_decided_what(database: Database) -> None:
    store = started(database, replace(CAMPAIGN, mode=Mode.FAMILY))
    family = VARIANTS[0].family
    assert len(store.standings("spring", state=State.PROPOSED)) == len(VARIANTS)
    store.decide("spring", family, State.APPROVED, of_family=True, by="mia", at=NOW)
    approved = [one.variant for one in store.standings("spring", state=State.APPROVED)]
    assert {variant.family for variant in approved} == {family}
    assert [(line.subject, line.by) for line in store.history("spring") if line.of_family] == [(family, "mia")]
    assert all(
        line.by == POLICY for line in store.history("spring") if line.state is State.APPROVED and not line.of_family
    )


def test_what_cannot_be_decided_is_refused_and_changes_nothing(database: Database) -> None:
    store = started(database)
    before = store.history("spring")
    with pytest.raises(ApprovalError):
        store.decide("spring", VARIANTS[0].variant_id, State.APPROVED, of_family=False, by="mia", at=NOW)
    with pytest.raises(NotFoundError):
        store.decide("spring", "nobody's", State.APPROVED, of_family=False, by="mia", at=NOW)
    with pytest.raises(NotFoundError):
        store.propose("autumn", VARIANTS, by="mia", at=NOW)
    with pytest.raises(ConflictError):
        store.create(CAMPAIGN)
    assert store.propose("spring", VARIANTS, by="studio", at=NOW) == []
    assert store.history("spring") == before


def test_the_same_decision_gets_the_same_placement_and_counts_once(database: Database) -> None:
    store, decision = started(database), new_id()
    found = {
        (one := placer(database, seed).place("spring", CALM, SOMEONE, decision_id=decision, at=NOW))
        and one.variant.variant_id
        for seed in range(4)
    }
    assert len(found) == 1
    assert store.get("spring").placed == 1


def test_a_shopper_sees_a_variant_and_a_campaign_only_so_often(database: Database) -> None:
    started(database, replace(CAMPAIGN, limits=Limits(per_shopper=1, of_campaign=4)))
    seen = [place(database, seed=seed) for seed in range(6)]
    names = [one.variant.variant_id for one in seen if one is not None]
    assert len(names) == len(set(names)) == 4
    assert place(database, at=NOW + timedelta(days=8)) is not None
    assert place(database, subject=Subject(visitor_id=VisitorId("another"))) is not None


def test_the_exploration_cap_holds_when_many_place_at_once(database: Database) -> None:
    store = started(database)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda seed: place(database, seed=seed), range(40)))
    campaign = store.get("spring")
    assert campaign.placed == 40
    assert campaign.explored == sum(one.explored for one in found if one is not None) <= 0.5 * 40


def test_a_campaign_places_while_it_runs_only(database: Database) -> None:
    started(database)
    with pytest.raises(NotFoundError):
        place(database, at=NOW + timedelta(days=40))
    assert placer(database).for_product("p1", at=NOW) == "spring"
    assert placer(database).for_product("p1", at=NOW + timedelta(days=40)) is None


def test_an_event_counts_once_however_often_it_is_told(database: Database) -> None:
    store = started(database)
    placed = place(database)
    assert placed is not None
    events = told(
        database, placed.decision_id, EventType.VIEWED, EventType.CLICKED, EventType.CLICKED, EventType.BOUGHT
    )
    SqlEvents(database).append_batch(events, received_at=NOW)
    told(database, placed.decision_id, EventType.VIEWED, EventType.ADDED_TO_BASKET)
    told(database, placed.decision_id, EventType.CLICKED, at=NOW + timedelta(days=8))  # too late to be its merit
    while store.credit(now=NOW, limit=2):
        pass
    mine = next(one for one in store.standings("spring") if one.variant == placed.variant)
    assert (mine.shown, mine.clicked, mine.converted) == (1, 1, 1)
    assert [credit.kind for credit in store.credits(after=0, most=10)] == ["click", "conversion"]


def clicks_on(db: Database, store: SqlCreativeCampaigns, wanted: str, loop: CreativeLoop, rounds: int) -> None:
    """Let everybody click on one layout, and nobody on another."""
    for number in range(rounds):
        placed = place(db, seed=number)
        if placed is not None and placed.variant.choices["layout"] == wanted:
            told(db, placed.decision_id, EventType.CLICKED)
        while store.credit(now=NOW, limit=500):
            pass
        loop.advance(now=NOW + timedelta(seconds=number))


def share_of(store: SqlCreativeCampaigns, layout: str) -> float:
    [campaign] = [one for one in store.running(at=NOW) if one.campaign_id == "spring"]
    shares = campaign.sets[CALM]
    assert shares is not None
    assert sum(shares.shares) == pytest.approx(1.0)
    assert min(shares.shares) > 0
    return sum(share for name, share in zip(shares.variant_ids, shares.shares, strict=True) if name.startswith(layout))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_clicks_move_the_shares_at_once_and_a_restart_goes_on(database: Database) -> None:
    store = started(database)
    loop = CreativeLoop(store, np.random.default_rng(0))
    place(database)
    loop.advance(now=NOW)
    before = share_of(store, "tall")
    clicks_on(database, store, "tall", loop, 60)
    after = share_of(store, "tall")
    assert after > before + 0.1
    loop.close(now=NOW + timedelta(hours=1))
    again = CreativeLoop(store, np.random.default_rng(0))
    assert again.advance(now=NOW + timedelta(hours=1)) == 0  # nothing is learned twice
    assert share_of(store, "tall") == pytest.approx(after, abs=0.15)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_without_a_saved_state_everything_is_learned_again(database: Database) -> None:
    store = started(database)
    loop = CreativeLoop(store, np.random.default_rng(0))
    place(database)
    loop.advance(now=NOW)
    clicks_on(database, store, "tall", loop, 60)
    learned = share_of(store, "tall")
    fresh = CreativeLoop(store, np.random.default_rng(0))
    assert fresh.advance(now=NOW + timedelta(hours=1)) > 0
    assert share_of(store, "tall") == pytest.approx(learned, abs=0.15)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_campaign_learns_from_its_own_variants_whatever_another_calls_its(database: Database) -> None:
    store = started(database)
    others = [replace(one, variant_id=other.variant_id) for one, other in zip(VARIANTS, VARIANTS[::-1], strict=True)]
    started(database, replace(CAMPAIGN, campaign_id="autumn", product_id=ProductId("p2")), others)
    loop = CreativeLoop(store, np.random.default_rng(0))
    place(database)
    loop.advance(now=NOW)
    before = share_of(store, "tall")
    clicks_on(database, store, "tall", loop, 60)
    assert share_of(store, "tall") > before + 0.1
    loop.close(now=NOW)
    model = store.load_model()
    assert model is not None
    for name, variants in (("spring", VARIANTS), ("autumn", others)):
        ratios = {
            one.variant_id: forecast(model[0], name, variants, [CALM])[CALM][one.variant_id].ratio for one in variants
        }
        best = max(variants, key=lambda one: ratios[one.variant_id])
        assert best.choices["layout"] == "tall", "by what it looks like, not by its name"


def test_an_audience_that_was_not_met_before_gets_everybodys_set_and_then_its_own(database: Database) -> None:
    store = started(database)
    loop = CreativeLoop(store, np.random.default_rng(0))
    loop.advance(now=NOW)
    assert store.running(at=NOW)[0].sets.keys() == {Audience()}
    assert place(database) is not None
    loop.advance(now=NOW)
    shares = store.running(at=NOW)[0].sets[CALM]
    assert shares is not None
    assert len(shares.variant_ids) == CAMPAIGN.rules.size


def test_words_that_somebody_makes_up_make_no_audience_without_end(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creative_placing, "MOST_AUDIENCES", 5)
    store = started(database)
    for number in range(9):
        assert place(database, audience=Audience(segment=f"made up {number}")) is not None
    assert len(store.sets("spring")) == 5
    assert place(database, audience=Audience(segment="made up 0")) is not None  # it was met
