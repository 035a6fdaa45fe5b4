"""The audit over the real log, and coupons that keep to its prices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import delete, insert, update

from api.services.fairness import run, steer
from api.worker import Worker
from personalization.trust.fairness import Limit, Policy
from personalization.types import MemberId
from stores.group_tables import variety
from stores.groups import SqlFairPrices, SqlGroups
from stores.variety import monday
from tests.api.conftest import Api
from tests.api.test_api import post

LIMIT = Limit(within=0.05, how="relative", given="conversion", enforce=True)
POLICY = Policy(least_members=2, resamples=100, measures={"coupon_value": LIMIT, "deal_exposure": LIMIT})


def test_auditors_read_how_many_members_are_shown_too_little_and_whether_that_is_an_alarm(api: Api) -> None:
    def read() -> dict[str, Any]:
        answer = api.client.get("/v1/trust/variety", headers=api.headers())
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    assert (read()["state"], read()["weeks"]) == ("unknown", [])
    last = monday(datetime.now(UTC)) - timedelta(weeks=1)
    row = {"week": last, "slates": 4, "diversity": 0.5, "novelty": 0.25, "entropy": 1.5, "widened": False, "why": ""}
    with api.services.db.write() as connection:
        connection.execute(insert(variety), [{**row, "member_id": f"m{number:02}"} for number in range(20)])
    assert (read()["state"], read()["weeks"]) == ("unknown", []), "a worker is still at it"
    api.services.variety.work_out({}, now=datetime.now(UTC))
    assert (read()["state"], read()["why"]) == ("quiet", [])
    for narrow, state, why in ((1, "widened", []), (2, "alarm", ["share"])):
        with api.services.db.write() as connection:
            connection.execute(update(variety).where(variety.c.member_id < f"m{narrow:02}").values(widened=True))
        told = read()
        assert (told["state"], told["why"], told["weeks"][-1]["narrow"]) == (state, why, narrow)
    assert told["weeks"] == [
        {"week": last.date().isoformat(), "members": 20, "narrow": 2, "share": 0.1, "diversity": 0.5, "novelty": 0.25, "entropy": 1.5},
    ]  # fmt: skip
    with api.services.db.write() as connection:
        connection.execute(update(variety).values(week=last - timedelta(weeks=2)))
    told = read()
    assert (told["state"], told["why"]) == ("unknown", []), "what was narrow three weeks ago is no alarm of now"
    assert told["weeks"][-1]["narrow"] == 2
    other = api.make_key("members:read")
    assert api.client.get("/v1/trust/variety", headers=api.headers(other)).status_code == 403


def test_the_alarm_of_narrow_slates_rises_and_falls(api: Api) -> None:
    row = {"member_id": "m", "slates": 4, "diversity": 0.0, "novelty": 0.0, "entropy": 0.0, "widened": True, "why": "x"}
    with api.services.db.write() as connection:
        connection.execute(insert(variety).values(week=monday(datetime.now(UTC)) - timedelta(weeks=1), **row))
    alarm = []
    for _ in range(2):
        Worker(api.services)._keep_house()
        alarm.append(api.services.metrics.registry.get_sample_value("aisle_narrow_members"))
        with api.services.db.write() as connection:
            connection.execute(delete(variety))
    assert alarm == [1.0, 0.0]


def test_logged_decisions_are_audited_and_prices_reach_the_next_coupon(api: Api) -> None:
    now, groups = datetime.now(UTC), SqlGroups(api.services.db)
    rows = [(f"{kind}-{n}", "age", "old" if n % 2 else "young") for kind in ("pets", "baby") for n in range(4)]
    assert groups.declare([*rows, ("nobody", "age", "old"), ("pets-1", "age", "")], at=now) == 8
    while api.services.profiles.consume(now=now):
        pass
    asked = [
        post(api, "/v1/recommendations", {"member_id": api.member(who).member_id, "wants_coupon": True}).json()
        for who, _, _ in rows
    ]
    found = run(api.services.db, POLICY, now=datetime.now(UTC), days=1)
    assert found.decisions == 8
    values = {one.measure: one for one in found.findings}
    given = [max(rung["discount_minor"] for rung in one["allotment"]["rungs"] if rung["taken"]) for one in asked]
    assert values["coupon_value"].overall == np.mean(given)
    assert {figure.group for figure in values["coupon_value"].figures} == {"old", "young"}
    assert steer(api.services.db, POLICY, now=datetime.now(UTC), days=1).keys() == {"age"}
    prices, member = SqlFairPrices(api.services.db), MemberId(api.member("pets-7").member_id)
    groups.declare([("pets-7", "age", "old")], at=now)
    assert prices.price(member) == 0.0, "equal groups are charged nothing"
    prices.set({"age": {"old": 5.0}}, at=now)
    assert prices.price(member) == 5.0
    charged = post(api, "/v1/recommendations", {"member_id": member, "wants_coupon": True})
    assert charged.json()["coupon"] is not None, "this process looks at prices once a minute"
    api.services.core_dependencies.allocator._fair._until = 0.0  # type: ignore[union-attr]
    other = MemberId(api.member("pets-9").member_id)
    groups.declare([("pets-9", "age", "old")], at=now)
    none = post(api, "/v1/recommendations", {"member_id": other, "wants_coupon": True}).json()
    assert none["coupon"] is None, "so dear a discount is never the best"
    off = Policy(least_members=2, resamples=100, measures={})
    assert steer(api.services.db, off, now=now, days=1) == {}
    assert SqlFairPrices(api.services.db).price(other) == 0.0
