"""A campaign through the API: from draft to results, by two people, without a minor unit too many."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from api.services import simulating
from personalization.coupons.campaign_plan import AudienceKind, AudienceSpec, experiment_of
from personalization.profiling.own_segments import Condition, SegmentRule
from personalization.types import Purpose
from stores import campaign_plans
from stores.audiences import SqlAudiences
from stores.consents import ConsentEntry, SqlConsents
from stores.coupon_tables import allotments, budgets, campaign_audience, campaigns, offers, pacing
from stores.groups import SqlGroups
from stores.tables import experiments, exposures
from tests.api.conftest import Api
from tests.small_shop import KINDS

NOW = datetime.now(UTC)
DRAFT: dict[str, Any] = {
    "campaign_id": "coffee", "name": "Autumn coffee", "budget_minor": 2_000, "starts_at": (NOW - timedelta(hours=1)).isoformat(),
    "ends_at": (NOW + timedelta(days=14)).isoformat(), "ladder": [{"discount_minor": 100}, {"discount_minor": 50}], "holdout": 0,
}  # fmt: skip


class Person:
    """Somebody with a key of their own."""

    def __init__(self, api: Api, *scopes: str) -> None:
        self.api, self.key = api, api.make_key(*(scopes or ("campaigns", "recommend", "decisions:read", "experiments")))

    def __call__(self, method: str, path: str, body: Any = None, tag: str | None = None) -> Any:
        more = {"If-Match": tag} if tag else {}
        headers = self.api.headers(self.key) | more
        return self.api.client.request(method, f"/v1{path}", json=body, headers=headers)

    def move(self, campaign_id: str, move: str) -> Any:
        tag = self("GET", f"/campaigns/{campaign_id}").headers["ETag"]
        return self("POST", f"/campaigns/{campaign_id}/{move}", tag=tag)


def only_mine(api: Api) -> None:
    """End the shop's own campaign, so that coupons are this one's."""
    with api.services.db.write() as connection:
        connection.execute(update(campaigns).where(campaigns.c.campaign_id == "c1").values(ends_at=NOW))


def asked(who: Person, external_id: str) -> Any:
    member = who.api.member(external_id).member_id
    return who("POST", "/recommendations", {"member_id": member, "wants_coupon": True}).json()


def test_from_draft_to_results(api: Api) -> None:
    me = Person(api)
    only_mine(api)
    made = me("POST", "/campaigns", DRAFT)
    assert made.status_code == 201
    assert (made.json()["state"], made.headers["ETag"]) == ("draft", '"campaign-1"')
    assert [step["discount_minor"] for step in made.json()["ladder"]] == [50, 100]
    assert asked(me, "pets-1")["coupon"] is None
    assert me.move("coffee", "launch").status_code == 409
    assert me.move("coffee", "approve").json()["state"] == "approved"
    running = me.move("coffee", "launch").json()
    assert (running["state"], running["moves"]) == ("running", ["pause", "end"])
    coupon = asked(me, "pets-1")["coupon"]
    assert coupon["campaign_id"] == "coffee"
    assert me.move("coffee", "pause").json()["state"] == "paused"
    assert asked(me, "pets-2")["coupon"] is None
    assert asked(me, "pets-1")["coupon"]["code"] == coupon["code"]
    assert "paused" in me("GET", "/campaigns/coffee/pacing").json()["sentence"]
    assert me.move("coffee", "resume").json()["state"] == "running"
    assert asked(me, "pets-2")["coupon"]["campaign_id"] == "coffee"
    api.services.pace(now=datetime.now(UTC))
    pacing = me("GET", "/campaigns/coffee/pacing").json()
    assert pacing["coupons"]["open"] == 2
    assert pacing["points"][-1]["reserved"] == pacing["reserved"] > 0
    assert me.move("coffee", "end").json()["state"] == "ended"
    assert asked(me, "pets-3")["coupon"] is None
    told = me("GET", "/campaigns/coffee/results").json()
    assert sum(rung["given"] for rung in told["rungs"]) == 2
    assert "no holdout" in told["conclusion"][0]
    lines = me("GET", "/campaigns/coffee").json()["history"]
    assert [line["what"] for line in lines] == ["create", "approve", "launch", "pause", "resume", "end"]


def test_a_large_budget_wants_a_second_person_and_a_change_wants_approval_again(api: Api) -> None:
    author, other = Person(api), Person(api)
    author("POST", "/campaigns", DRAFT | {"budget_minor": 90_000})
    refused = author.move("coffee", "approve")
    assert (refused.status_code, refused.json()["code"]) == (403, "second-person")
    assert author("GET", "/campaigns/coffee").json()["may_approve"] is False
    assert other("GET", "/campaigns/coffee").json()["may_approve"] is True
    assert other.move("coffee", "approve").json()["approved_by"] == "test"
    tag = other("GET", "/campaigns/coffee").headers["ETag"]
    changed = other("PUT", "/campaigns/coffee", DRAFT | {"budget_minor": 95_000}, tag).json()
    assert (changed["state"], changed["approved_by"]) == ("draft", None)
    assert other.move("coffee", "approve").status_code == 403, "who wrote a part of it is no second person"
    assert author.move("coffee", "approve").status_code == 403
    assert Person(api).move("coffee", "approve").status_code == 200


def test_who_comes_second_changes_nothing(api: Api) -> None:
    me = Person(api)
    made = me("POST", "/campaigns", DRAFT)
    assert me("POST", "/campaigns", DRAFT).status_code == 409
    assert me("POST", "/campaigns", DRAFT | {"campaign_id": "c1"}).status_code == 409, (
        "the shop's file has one of this name"
    )
    assert me("PUT", "/campaigns/coffee", DRAFT).status_code == 428
    assert me("PUT", "/campaigns/coffee", DRAFT, "W/nonsense").status_code == 412
    assert me("PUT", "/campaigns/coffee", DRAFT | {"name": "Tea"}, made.headers["ETag"]).json()["name"] == "Tea"
    late = me("PUT", "/campaigns/coffee", DRAFT, made.headers["ETag"])
    assert (late.status_code, late.json()["code"]) == (412, "changed")
    assert "test has changed it" in late.json()["detail"]


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"ends_at": DRAFT["starts_at"]}, "ends_at"), ({"budget_minor": 60}, "ladder"), ({"budget_minor": 0}, "budget_minor"),
        ({"ladder": [{"discount_minor": 5}, {"discount_minor": 5}]}, "ladder"), ({"caps": {"kiosk": 5_000}}, "caps"),
        ({"audience": {"kind": "list", "members": ["nobody"]}}, "audience.members"), ({"audience": {"kind": "labels"}}, "audience"),
        ({"creative_campaign_ids": ["posters"]}, "creative_campaign_ids"), ({"posters_for": ["nothing"]}, "posters_for"), ({"audience": {"kind": "cluster"}}, "audience"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_with_its_place(api: Api, wrong: dict[str, Any], where: str) -> None:
    answer = Person(api)("POST", "/campaigns", DRAFT | wrong)
    assert answer.status_code == 422
    assert where in {error["where"] for error in answer.json()["errors"]}


def test_launching_writes_the_live_tables_for_the_audience_of_that_moment(api: Api) -> None:
    me = Person(api)
    only_mine(api)
    mine = [f"pets-{n}" for n in range(5)]
    count = me("POST", "/campaigns/audience", {"kind": "list", "members": [*mine, "nobody"]}).json()
    assert count == {"members": 5, "reachable": 5, "unknown": ["nobody"]}
    made = me(
        "POST", "/campaigns",
        DRAFT | {"audience": {"kind": "list", "members": mine}, "caps": {"kiosk": 500}, "categories": ["Coffee"], "holdout": 0.1},
    ).json()  # fmt: skip
    assert made["audience"]["listed"] == 5
    me.move("coffee", "approve")
    me.move("coffee", "launch")
    with api.services.db.read() as connection:
        audience = set(
            connection.scalars(select(campaign_audience.c.member_id).where(campaign_audience.c.campaign_id == "coffee"))
        )
        money = {
            row.scope: row.total for row in connection.execute(select(budgets).where(budgets.c.campaign_id == "coffee"))
        }
        given = connection.execute(
            select(offers).where(offers.c.campaign_id == "coffee").order_by(offers.c.offer_id)
        ).all()
        measured = connection.scalar(
            select(experiments.c.status).where(experiments.c.experiment_id == experiment_of("coffee"))
        )
    assert audience == {api.member(name).member_id for name in mine}
    assert money == {"": 2_000, "channel": 500}
    assert [(row.discount_minor, row.categories) for row in given] == [(50, "Coffee"), (100, "Coffee")]
    assert measured == "running"


def test_who_is_held_out_gets_no_coupon_and_measures_the_rest(api: Api) -> None:
    me = Person(api)
    only_mine(api)
    me("POST", "/campaigns", DRAFT | {"holdout": 0.5, "budget_minor": 40_000})
    me.move("coffee", "approve")
    me.move("coffee", "launch")
    got = {f"{kind}-{n}": asked(me, f"{kind}-{n}") for kind in ("pets", "baby", "cheese") for n in range(20)}
    with api.services.db.read() as connection:
        arms = {row.unit_id: row.arm for row in connection.execute(select(exposures))}
    assert set(arms.values()) == {"holdout", "campaign"}
    for name, answer in got.items():
        assert arms[api.member(name).member_id] == ("campaign" if answer["coupon"] else "holdout")
    early = me("GET", "/campaigns/coffee/results").json()
    assert sum(early["exposed"].values()) == 60
    assert early["conclusion"] == ["Nothing can be said yet: nobody's 14 days have passed since their first exposure."]
    with api.services.db.write() as connection:
        connection.execute(update(exposures).values(at=NOW - timedelta(days=20)))
    late = me("GET", "/campaigns/coffee/results").json()
    assert sum(late["units"].values()) == 60
    assert me.move("coffee", "end").json()["state"] == "ended"
    assert api.services.experiments.get(experiment_of("coffee")).status == "ended"


def test_a_campaign_ends_by_itself(api: Api) -> None:
    me = Person(api)
    me("POST", "/campaigns", DRAFT)
    me.move("coffee", "approve")
    me.move("coffee", "launch")
    assert api.services.campaign_plans.finish(at=NOW + timedelta(days=13)) == 0
    assert api.services.campaign_plans.finish(at=NOW + timedelta(days=15)) == 1
    found = me("GET", "/campaigns/coffee").json()
    assert (found["state"], found["history"][-1]["by"]) == ("ended", "its end date")


def test_pages_of_campaigns_and_what_one_can_be_made_of(api: Api) -> None:
    me = Person(api)
    for number in range(5):
        me("POST", "/campaigns", DRAFT | {"campaign_id": f"number-{number}"})
    seen, cursor = [], ""
    while True:
        page = me("GET", f"/campaigns?limit=2{cursor}").json()
        seen += [one["campaign_id"] for one in page["campaigns"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [f"number-{number}" for number in (4, 3, 2, 1, 0)]
    for forged in ("2026-01-01T00:00:00+00:00 a\0b", "0001-01-01T00:00:00+14:00 a", "never a"):
        cursor = base64.urlsafe_b64encode(forged.encode()).decode()
        assert me("GET", f"/campaigns?cursor={cursor}").status_code == 422, forged
        assert me("GET", f"/experiments?cursor={cursor}").status_code == 422, forged
    choices = me("GET", "/campaign-choices").json()
    assert (choices["members"], choices["reachable"], choices["holdout"]) == (60, 60, 0.1)
    assert {"category": "Coffee", "products": 3, "cheapest_minor": 349, "dearest_minor": 549} in choices["categories"]


def test_labels_make_an_audience(api: Api) -> None:
    me, now = Person(api), datetime.now(UTC)
    while api.services.profiles.consume(now=now):
        pass
    labels = {one["name"]: one["values"] for one in me("GET", "/campaign-choices").json()["labels"]}
    assert labels, "the small shop's rules say something of its members"
    name, values = next(iter(labels.items()))
    told = me("POST", "/campaigns/audience", {"kind": "labels", "labels": {name: values[0]["value"]}}).json()
    assert told["members"] == values[0]["members"]


def test_a_simulation_replays_the_shop_and_says_that_priors_were_used(api: Api) -> None:
    me = Person(api)
    me("POST", "/campaigns", DRAFT | {"holdout": 0.1, "budget_minor": 50_000})
    started = me("POST", "/campaigns/coffee/simulate", {"seed": 3}).json()
    api.client.app.state.simulating._pool.submit(lambda: None).result(60)  # type: ignore[attr-defined]
    found = me("GET", f"/campaigns/coffee/simulations/{started['simulation_id']}").json()
    assert found["state"] == "done", found["reason"]
    told = found["result"]
    assert told["priors"] is True
    assert "Priors were used" in told["notes"][0]
    assert told["spend"]["low"] <= told["spend"]["expected"] <= told["spend"]["high"] <= 50_000
    assert told["conversions"]["expected"] > told["conversions_without"] > 0
    assert len(told["path"]) == 15
    with api.services.db.read() as connection:
        assert connection.scalar(select(func.count()).select_from(allotments)) == 0, "nothing is given"
    again = api.services.simulations.newest("coffee", at=datetime.now(UTC))
    assert again is not None
    assert again.result == told


def test_keys_without_the_scope_are_refused(api: Api) -> None:
    other = Person(api, "experiments")
    assert other("GET", "/campaigns").status_code == 403
    assert Person(api)("GET", "/campaigns/nothing").status_code == 404


def test_an_own_segment_is_an_audience(api: Api) -> None:
    me = Person(api)
    rule = SegmentRule("all", (Condition("feature", "orders", "at_least", 1.0),))
    made = api.services.segments.create("Buyers", "", rule, author="test", at=datetime.now(UTC))
    while api.services.profiles.consume(now=datetime.now(UTC)):
        pass
    audience = {"kind": "segment", "of": made.segment_id}
    assert me("POST", "/campaigns/audience", audience).json()["members"] == 60
    assert me("POST", "/campaigns", DRAFT | {"audience": audience}).status_code == 201
    withdrawn = ConsentEntry(api.member("pets-1").member_id, Purpose.PROFILING, False, datetime.now(UTC), "api", "1")
    SqlConsents(api.services.db).record([withdrawn])
    found = SqlAudiences(api.services.db, api.services.segments.member_ids)
    reach = found.reach(AudienceSpec(AudienceKind.SEGMENT, made.segment_id), at=datetime.now(UTC))
    assert reach.members == 59, "nobody is found by a profile from the moment at which they withdraw"
    gone = me("POST", "/campaigns", DRAFT | {"audience": {"kind": "segment", "of": "gone"}})
    assert gone.json()["errors"][0]["where"] == "audience"


def test_a_simulation_tells_who_would_get_what_and_what_fairness_costs(api: Api) -> None:
    me, groups = Person(api), SqlGroups(api.services.db)
    rows = [(f"{kind}-{n}", "age", "young" if kind == "pets" else "old") for kind in KINDS for n in range(20)]
    groups.declare(rows, at=datetime.now(UTC))
    me("POST", "/campaigns", DRAFT | {"holdout": 0, "budget_minor": 1_500, "ladder": [{"discount_minor": 100}]})
    plan = api.services.campaign_plans.get("coffee").plan
    told = simulating.run(api.services, plan, seed=3, now=datetime.now(UTC), progress=lambda _: None)
    assert {(one["attribute"], one["group"]) for one in told["groups"]} == {("age", "young"), ("age", "old")}
    assert sum(one["people"] for one in told["groups"]) == told["people"] == 60
    assert 0 <= told["fairness"]["lost"] <= 1
    assert told["fairness"]["sentence"].startswith("Without a limit groups would be up to")


def test_a_simulation_in_an_empty_shop_says_what_it_assumes(api: Api) -> None:
    me = Person(api)
    nobody = api.client.post("/v1/members", json={"display_name": "New"}, headers=api.headers()).json()["member_id"]
    audience = {"kind": "list", "members": [nobody]}
    me("POST", "/campaigns", DRAFT | {"audience": audience})
    plan = api.services.campaign_plans.get("coffee").plan
    told = simulating.run(api.services, plan, seed=3, now=datetime.now(UTC), progress=lambda _: None)
    assert any("50 visits a week by people of whom nothing is known were assumed" in note for note in told["notes"])
    assert told["coupons"] > 0
    nothing = replace(plan, categories=("Unicorns",))
    told = simulating.run(api.services, nothing, seed=3, now=datetime.now(UTC), progress=lambda _: None)
    assert "covers no product" in " ".join(told["notes"])
    assert told["coupons"] == 0


def test_a_pause_is_no_time_in_which_somebody_was_due(api: Api) -> None:
    me = Person(api)
    only_mine(api)
    me("POST", "/campaigns", DRAFT | {"budget_minor": 30_000})
    me.move("coffee", "approve")
    me.move("coffee", "launch")
    asked(me, "pets-1")
    api.services.pace(now=NOW)
    api.services.pace(now=NOW + timedelta(minutes=2))
    running = state_of(api)
    store, by = api.services.campaign_plans, campaign_plans.Person("x", "Cy")
    store.pause("coffee", version=store.get("coffee").version, by=by, at=NOW + timedelta(minutes=3))
    api.services.pace(now=NOW + timedelta(days=2))
    assert state_of(api) == running, "nobody counts while it is paused"
    again = NOW + timedelta(days=5)
    store.resume("coffee", version=store.get("coffee").version, by=by, at=again)
    api.services.pace(now=again + timedelta(minutes=2))
    traffic = state_of(api)["traffic"]
    assert traffic["at"] == pytest.approx((again + timedelta(minutes=2)).timestamp())
    assert traffic["due"] - running["traffic"]["due"] < running["traffic"]["per_period"] / 100


def state_of(api: Api) -> dict[str, Any]:
    """Return what the control loop of the campaign knows."""
    with api.services.db.read() as connection:
        return dict(connection.scalar(select(pacing.c.state).where(pacing.c.campaign_id == "coffee")))


def test_a_campaign_tells_what_its_posters_lack_and_starts_them_with_its_launch(api: Api) -> None:
    me, studio = Person(api), Person(api, "creatives")
    found = me("GET", "/campaign-products?q=COFFEE").json()["products"]
    assert found
    product = found[0]["product_id"]
    assert me("GET", "/campaign-products?q=nothing-like-it").json() == {"products": []}
    first = found[0]
    assert me("GET", f"/campaign-products?ids={first['product_id']}&ids=gone").json() == {"products": [first]}
    made = me("POST", "/campaigns", DRAFT | {"posters_for": [product]}).json()
    [name] = made["creative_campaign_ids"]
    assert (
        me("GET", "/campaigns/coffee/creatives").json()["creatives"][0] | {"state": "held", "missing": "drawing"}
        == (me("GET", "/campaigns/coffee/creatives").json()["creatives"][0])
    )
    drawn = {"variants": [{"variant_id": "v1", "choices": {"layout": "split"}}], "by": "studio"}
    assert studio("POST", f"/creative-campaigns/{name}/variants", drawn).status_code == 201
    assert me("GET", "/campaigns/coffee/creatives").json()["creatives"][0]["missing"] == "approval"
    decision = {"subject": "v1", "state": "approved", "by": "mia"}
    assert studio("POST", f"/creative-campaigns/{name}/approvals", decision).status_code == 201
    me.move("coffee", "approve")
    me.move("coffee", "launch")
    ready = me("GET", "/campaigns/coffee/creatives").json()
    assert (ready["approved"], ready["proposed"]) == (1, 0)
    told = ready["creatives"][0]
    assert (told["state"], told["missing"], told["product"]) == ("running", None, found[0]["name"])
    placing = {"decision_id": "0" * 8, "visitor_id": "somebody"}
    assert studio("POST", f"/creative-campaigns/{name}/placements", placing).status_code == 201
    me.move("coffee", "pause")
    assert me("GET", "/campaigns/coffee/creatives").json()["creatives"][0]["state"] == "held"
    assert studio("POST", f"/creative-campaigns/{name}/placements", placing).status_code == 404
    me.move("coffee", "end")
    assert me("GET", "/campaigns/coffee/creatives").json()["creatives"][0]["state"] == "ended"
