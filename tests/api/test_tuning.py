"""The dials through the API: tried, proposed, applied by a second person, followed at once, and taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from personalization.tuning import DIALS, SHIPPED, TuningError, parse
from personalization.types import Affect, Channel, Context, MemberId, Subject
from stores.console_tables import tunings
from stores.coupon_tables import coupons
from stores.tables import decisions, experiments
from tests.api.conftest import Api
from tests.api.test_chat import Engine, echo, talk, use


class Person:
    """Somebody with a key of their own."""

    def __init__(self, api: Api) -> None:
        self.api, self.key = api, api.make_key("tuning", "recommend", "decisions:read", "experiments")

    def __call__(self, method: str, path: str, body: Any = None, tag: str | None = None) -> Any:
        headers = self.api.headers(self.key) | ({"If-Match": tag} if tag else {})
        return self.api.client.request(method, f"/v1{path}", json=body, headers=headers)

    def tag(self) -> str:
        return str(self("GET", "/tuning").headers["ETag"])

    def propose(self, values: dict[str, Any]) -> dict[str, Any]:
        return dict(self("POST", "/tuning/versions", {"values": values, "note": "a try"}, self.tag()).json())

    def ask(self, external_id: str) -> dict[str, Any]:
        body = {"member_id": self.api.member(external_id).member_id, "wants_coupon": True}
        answer = self("POST", "/recommendations", body).json()
        return dict(self("GET", f"/decisions/{answer['decision_id']}").json())


def test_a_small_turn_counts_at_once_and_a_large_one_wants_a_second_person(api: Api) -> None:
    author, other = Person(api), Person(api)
    assert author("GET", "/tuning").json()["current"]["version"] == 0
    small = author.propose({"variety": {"widget": 0.4}})
    assert (small["wants_second_person"], small["change"]) == (False, {"variety.widget": pytest.approx(0.1)})
    assert author("POST", "/tuning/versions/1/apply").json()["state"] == "applied"
    assert author.ask("pets-1")["model_versions"]["tuning"] == "1"
    large = author.propose({"variety": {"widget": 1.0}})
    assert large["may_apply"] is False
    refused = author("POST", "/tuning/versions/2/apply")
    assert (refused.status_code, refused.json()["code"]) == (403, "second-person")
    assert other("POST", "/tuning/versions/2/apply").json()["decided_by"] == "test"
    assert author.ask("pets-1")["model_versions"]["tuning"] == "2"


def test_many_small_turns_want_a_second_person_as_one_large_one_does(api: Api) -> None:
    author, other = Person(api), Person(api)
    assert author.propose({"variety": {"widget": 0.45}})["wants_second_person"] is False
    assert author("POST", "/tuning/versions/1/apply").status_code == 200
    further = author.propose({"variety": {"widget": 0.6}})
    assert further["change"] == {"variety.widget": pytest.approx(0.15)}
    assert (further["wants_second_person"], further["may_apply"]) == (True, False)
    preview = author("POST", "/tuning/preview", {"values": {"variety": {"widget": 0.6}}}).json()
    assert preview["wants_second_person"] is True
    assert author("POST", "/tuning/versions/2/apply").status_code == 403
    assert other("POST", "/tuning/versions/2/apply").status_code == 200
    assert author.propose({"variety": {"widget": 0.75}})["wants_second_person"] is False, "two people have seen 0.6"
    assert author("POST", "/tuning/versions/3/apply").status_code == 200
    listed = author("GET", "/tuning/versions").json()["versions"]
    assert [(one["version"], one["wants_second_person"]) for one in listed] == [(3, False), (2, True), (1, False)]


def test_going_back_to_a_turn_of_ones_own_starts_no_new_count(api: Api) -> None:
    author, other = Person(api), Person(api)
    author.propose({"variety": {"widget": 0.45}})
    author("POST", "/tuning/versions/1/apply")
    author("POST", "/tuning/versions/0/restore", tag=author.tag())
    assert author("POST", "/tuning/versions/1/restore", tag=author.tag()).json()["version"] == 3
    assert author.propose({"variety": {"widget": 0.6}})["wants_second_person"] is True
    assert other("POST", "/tuning/versions/4/apply").status_code == 200
    author("POST", "/tuning/versions/1/restore", tag=author.tag())
    assert author("POST", "/tuning/versions/4/restore", tag=author.tag()).json()["version"] == 6
    assert author.propose({"variety": {"widget": 0.75}})["wants_second_person"] is False


def test_two_proposals_from_one_state_cannot_both_count(api: Api) -> None:
    me = Person(api)
    tag = me.tag()
    for value in (0.35, 0.4):
        body = {"values": {"variety": {"widget": value}}, "note": "a try"}
        assert me("POST", "/tuning/versions", body, tag).status_code == 201
    assert me("POST", "/tuning/versions/1/apply").status_code == 200
    late = me("POST", "/tuning/versions/2/apply")
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    assert me("POST", "/tuning/versions/2/refuse").json()["state"] == "refused"
    overtaken = me("POST", "/tuning/versions", {"values": {}, "note": "late"}, tag)
    assert (overtaken.status_code, overtaken.json()["code"], overtaken.json()["by"]) == (412, "changed", "test")
    assert [one["version"] for one in me("GET", "/tuning/versions?limit=1").json()["versions"]] == [2]


def test_what_was_rolled_back_decides_as_it_did(api: Api) -> None:
    me, other = Person(api), Person(api)
    before = {name: me.ask(name) for name in ("pets-1", "baby-2", "cheese-3")}
    me.propose({"discounts": {"deepest": 0.05, "thrift": 4.0}})
    assert me("POST", "/tuning/versions/1/apply").status_code == 403
    other("POST", "/tuning/versions/1/apply")
    assert me.ask("pets-4")["coupon"] is None, (
        "no product of the shop is so dear that a twentieth of it pays for a coupon"
    )
    assert me("POST", "/tuning/versions/0/restore").status_code == 428
    assert me("POST", "/tuning/versions/0/restore", tag='"tuning-0"').status_code == 412
    restored = me("POST", "/tuning/versions/0/restore", tag=me.tag()).json()
    assert (restored["version"], restored["restored"], restored["state"]) == (2, 0, "applied")
    for name, was in before.items():
        now = me.ask(name)
        assert [item["product_id"] for item in now["items"]] == [item["product_id"] for item in was["items"]]
        assert (now["coupon"] or {}).get("discount") == (was["coupon"] or {}).get("discount")
    assert me.ask("pets-4")["coupon"] is not None


def test_a_proposal_that_never_counted_cannot_be_gone_back_to(api: Api) -> None:
    me = Person(api)
    me.propose({"moods": {"short": 2}})
    assert me("POST", "/tuning/versions/1/restore", tag=me.tag()).status_code == 409
    assert me("POST", "/tuning/versions/9/restore", tag=me.tag()).status_code == 404


def test_slates_of_chosen_members_take_the_scope_to_read_members(api: Api) -> None:
    ask = {"values": {"discounts": {"deepest": 0.05}}}
    chosen = {**ask, "member_ids": [api.member("pets-1").member_id]}

    def preview(body: dict[str, Any], *scopes: str) -> int:
        headers = api.headers(api.make_key("tuning", *scopes))
        return int(api.client.post("/v1/tuning/preview", json=body, headers=headers).status_code)

    assert preview(chosen) == 403
    assert preview(ask) == preview(chosen, "members:read") == 200


def test_a_preview_shows_both_sides_and_leaves_no_trace(api: Api) -> None:
    me, ask = Person(api), {"values": {"discounts": {"deepest": 0.05}}}
    told = me("POST", "/tuning/preview", ask).json()
    assert len(told["members"]) == 6
    assert all(one["who"].startswith("Shopper ") for one in told["members"])
    assert any(one["before"]["coupon"] for one in told["members"])
    assert not any(one["after"]["coupon"] for one in told["members"])
    assert told["wants_second_person"] is True
    assert me("POST", "/tuning/preview", ask).json()["members"] == told["members"], "the same question, the same answer"
    assert me("GET", "/tuning/versions").json()["versions"] == []
    with api.services.db.read() as connection:
        assert connection.scalar(select(func.count()).select_from(coupons)) == 0
        assert connection.scalar(select(func.count()).select_from(decisions)) == 0


ANGRY = ("this is terrible, I hate it", "you are useless, I am so angry", "horrible, awful service")


def test_the_chat_follows_the_dials_of_people_and_the_preview_counts_what_they_would_have_done(api: Api) -> None:
    engine = Engine(echo)
    use(api, engine)

    def offered_at() -> int | None:
        conversation, headers = talk(api)
        for place, text in enumerate(ANGRY):
            answer = api.client.post(f"/v1/conversations/{conversation}/messages", json={"text": text}, headers=headers)
            if any(message["act"] == "handoff.offer" for message in answer.json()["messages"]):
                return place
        return None

    me, other = Person(api), Person(api)
    assert offered_at() == 1
    assert [turn.sells for turn in engine.turns[:2]] == [False, False], "in a low mood nothing is sold"
    values = {"people": {"patience": 1, "mood": 0}, "moods": {"sell": -0.6, "brief": 0.2}}
    preview = {one["name"]: one for one in me("POST", "/tuning/preview", {"values": values}).json()["moods"]}
    assert (preview["offered"]["before"], preview["offered"]["after"], preview["offered"]["count"]) == (1, 1, 1)
    late = {"people": {"patience": 4, "fall": 2.4, "mood": -0.25}}
    later = {one["name"]: one for one in me("POST", "/tuning/preview", {"values": late}).json()["moods"]}
    assert (later["offered"]["before"], later["offered"]["after"]) == (1, 0)
    made = me.propose(values)
    assert made["wants_second_person"] is True
    assert other("POST", f"/tuning/versions/{made['version']}/apply").status_code == 200
    assert offered_at() == 0, "from the next message on, the first in trouble is enough"
    assert me("POST", "/tuning/versions/0/restore", tag=me.tag()).status_code == 200
    assert offered_at() == 1


def test_nobody_can_turn_the_offer_of_a_person_off(api: Api) -> None:
    for wrong in ({"mood": -0.3}, {"patience": 5}, {"fall": 3}, {"mood": None}):
        answer = Person(api)("POST", "/tuning/preview", {"values": {"people": wrong}})
        assert answer.status_code == 422, wrong


def test_slates_are_counted_by_the_moods_that_were_logged(api: Api) -> None:
    member, now = api.member("pets-1").member_id, datetime.now(UTC)
    for valence in (-0.5, -0.3, -0.1, 0.4):
        context = Context(Channel.WIDGET, now, affect=Affect(valence, 0.5))
        api.services.core.decide(Subject(MemberId(member)), context)
    api.services.core.decide(Subject(MemberId(member)), Context(Channel.WIDGET, now))
    values = {"moods": {"sell": -0.05, "brief": -0.4}}
    told = {one["name"]: one for one in Person(api)("POST", "/tuning/preview", {"values": values}).json()["moods"]}
    assert [told["unsold"][name] for name in ("before", "after", "count")] == [2, 3, 4]
    assert [told["brief"][name] for name in ("before", "after", "count")] == [2, 1, 4]
    pushed = Person(api)("POST", "/tuning/preview", {"values": {"moods": {"push": True}}}).json()["moods"]
    assert {one["name"]: one["after"] for one in pushed}["unsold"] == 0


def test_a_version_of_the_time_of_one_dial_for_low_moods_means_what_it_meant(api: Api) -> None:
    me, other = Person(api), Person(api)
    made = me.propose({"moods": {"low": -0.5}})
    assert other("POST", f"/tuning/versions/{made['version']}/apply").status_code == 200
    old = parse({"moods": {"low": -0.5}}).tree()
    for name in ("brief", "sell"):
        del old["moods"][name]
    del old["people"]
    with api.services.db.write() as connection:
        connection.execute(update(tunings).values(body=old))
    found = api.services.tunings.applied().policy
    assert (found.moods.brief, found.moods.sell, found.people) == (-0.5, -0.5, SHIPPED.people)


def test_nobody_is_treated_by_a_version_that_nobody_applied(api: Api) -> None:
    me = Person(api)
    large = me.propose({"variety": {"widget": 1.0}})["version"]

    def drafted(own: str, version: int) -> Any:
        arms = [{"name": "control", "share": 0.5}, {"name": "tried", "share": 0.5, "tuning": version}]
        return me("POST", "/experiments", {"experiment_id": own, "hypothesis": "It helps.", "arms": arms})

    assert [drafted(f"by-{n}", n).status_code for n in (large, large + 1, 0)] == [409, 409, 201]
    with api.services.db.write() as connection:  # as one that was drafted before anybody looked
        [spec] = connection.scalars(select(experiments.c.spec))
        arms = [spec["arms"][0], spec["arms"][1] | {"tuning": large}]
        connection.execute(update(experiments).values(spec=spec | {"arms": arms}))
    assert me("POST", "/experiments/by-0/start").status_code == 409
    assert api.services.tunings.version(large).version == 0


def test_an_arm_is_decided_by_its_own_version(api: Api) -> None:
    me, other = Person(api), Person(api)
    me.propose({"variety": {"widget": 0.4}})
    other("POST", "/tuning/versions/1/apply")
    draft = {
        "experiment_id": "dials", "hypothesis": "More variety sells more.", "window_days": 14,
        "arms": [{"name": "shipped", "share": 0.5, "tuning": 0}, {"name": "varied", "share": 0.5, "tuning": 1}],
    }  # fmt: skip
    assert me("POST", "/experiments", draft).status_code == 201
    me("POST", "/experiments/dials/start")
    seen = {}
    for number in range(12):
        decision = me.ask(f"pets-{number}")
        seen.setdefault(decision["arms"]["dials"], set()).add(decision["model_versions"].get("tuning"))
    assert seen == {"shipped": {None}, "varied": {"1"}}


def versus_as_it_is(me: Person, own: str, version: int) -> Any:
    arms = [{"name": "as-it-is", "share": 0.5}, {"name": "tried", "share": 0.5, "tuning": version}]
    return me("POST", "/experiments", {"experiment_id": own, "hypothesis": "It helps.", "arms": arms})


def test_an_arm_as_it_is_keeps_the_version_that_counted_when_the_experiment_started(api: Api) -> None:
    me, other = Person(api), Person(api)
    for number, value in ((1, 0.4), (2, 0.5)):
        me.propose({"variety": {"widget": value}})
        other("POST", f"/tuning/versions/{number}/apply")
    assert me("POST", "/tuning/versions/1/restore", tag=me.tag()).json()["version"] == 3
    versus_as_it_is(me, "dials", 2)
    started = me("POST", "/experiments/dials/start")
    assert [arm["tuning"] for arm in started.json()["arms"]] == [3, 2]
    me.propose({"variety": {"widget": 0.5}})
    assert other("POST", "/tuning/versions/4/apply").status_code == 200
    seen = {}
    for number in range(12):
        decision = me.ask(f"pets-{number}")
        seen.setdefault(decision["arms"]["dials"], set()).add(decision["model_versions"].get("tuning"))
    assert seen == {"as-it-is": {"3"}, "tried": {"2"}}


def test_an_experiment_of_dials_with_what_counts_already_has_nothing_to_compare(api: Api) -> None:
    me = Person(api)
    versus_as_it_is(me, "dials", 0)
    refused = me("POST", "/experiments/dials/start")
    assert (refused.status_code, "nothing to compare" in refused.json()["detail"]) == (409, True)
    assert me("GET", "/experiments/dials").json()["status"] == "draft"


def test_one_experiment_of_dials_runs_at_a_time(api: Api) -> None:
    me = Person(api)
    me.propose({"variety": {"widget": 0.4}})
    me("POST", "/tuning/versions/1/apply")
    for own in ("first", "second"):
        assert versus_as_it_is(me, own, 0).status_code == 201
    assert me("POST", "/experiments/first/start").status_code == 200
    refused = me("POST", "/experiments/second/start")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert "first" in refused.json()["detail"], "it names the one to wait for or to end"
    plain = [{"name": "off", "share": 0.5, "coupons": False}, {"name": "on", "share": 0.5}]
    me("POST", "/experiments", {"experiment_id": "coupons", "hypothesis": "They help.", "arms": plain})
    beside = me("POST", "/experiments/coupons/start").json()
    assert (beside["status"], [arm["tuning"] for arm in beside["arms"]]) == ("running", [None, None])
    me("POST", "/experiments/first/end")
    assert me("POST", "/experiments/second/start").status_code == 200


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"variety": {"widget": 2}}, "values.variety.widget"), ({"charm": {}}, "values.charm"), ({"moods": {"push": 1}}, "values.moods.push"),
        ({"lean": {"luck": 1}}, "values.lean.luck"), ({"discounts": {"weekly": 1.5}}, "values.discounts.weekly"), ({"lean": 3}, "values.lean"),
    ],
)  # fmt: skip
def test_values_that_no_dial_has_are_refused_with_their_place(api: Api, values: dict[str, Any], where: str) -> None:
    answer = Person(api)("POST", "/tuning/preview", {"values": values})
    assert answer.status_code == 422
    assert where in {error["where"] for error in answer.json()["errors"]}


_LEVEL = st.floats(0, 1)


@settings(max_examples=150, phases=(Phase.generate,), suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries(dict.fromkeys(DIALS, _LEVEL)))
def test_every_setting_within_its_bounds_reads_back_as_itself(levels: dict[str, float]) -> None:
    tree: dict[str, dict[str, Any]] = {}
    for name, level in levels.items():
        group, _, dial = name.partition(".")
        least, most = DIALS[name].least, DIALS[name].most
        value: Any = min(most, least + level * (most - least))  # -.6 + .8 is a little more than .2
        if name in {"discounts.weekly", "moods.short", "people.patience"}:
            value = round(value)
        tree.setdefault(group, {})[dial] = value > 0.5 if name == "moods.push" else value
    found = parse(tree, version=3)
    assert parse(found.tree(), version=3) == found
    assert SHIPPED.change(SHIPPED, {}) == {}
    with pytest.raises(TuningError):
        parse(tree | {"moods": {"low": 0.5}})
