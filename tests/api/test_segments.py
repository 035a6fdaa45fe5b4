"""Segments through the API: trained and own ones, counts while building, the map, sizes, two side by side."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from personalization.profiling import clustering
from personalization.profiling.segments import SegmentModel
from stores.member_features import segment_of
from tests.api.conftest import Api
from tests.small_shop import name_dog_owners

MANY = {"conditions": [{"kind": "feature", "name": "orders", "how": "at_least", "value": 1}]}
FEW = {"conditions": [{"kind": "label", "name": "has_dog", "how": "is_not"}]}


@pytest.fixture
def shop(api: Api) -> Api:
    name_dog_owners(api.services.db)
    while api.services.profiles.consume(now=datetime.now(UTC)):
        pass
    return api


def call(api: Api, method: str, path: str = "", body: Any = None, **parameters: Any) -> Any:
    return api.client.request(method, f"/v1/segments{path}", json=body, params=parameters, headers=api.headers())


def make(api: Api, name: str, rule: Any) -> Any:
    answer = call(api, "POST", "", {"name": name, "rule": rule})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_segment_is_counted_made_changed_and_deleted(shop: Api) -> None:
    counted = call(shop, "POST", "/count", {"rule": MANY}).json()
    assert counted == {"members": 60, "of": 60, "sentence": "Orders in 26 weeks at least 1."}
    made = make(shop, "Everybody", MANY)
    assert (made["members"], made["share"], made["kind"]) == (60, 1.0, "own")
    assert call(shop, "POST", "", {"name": "Everybody", "rule": FEW}).status_code == 409
    changed = call(shop, "PUT", f"/{made['segment_id']}", {"name": "Without a dog", "rule": FEW}).json()
    assert changed["members"] == 40
    assert [one["name"] for one in call(shop, "GET").json()["segments"]] == ["Without a dog"]
    shop.services.figures.snapshot(now=datetime.now(UTC))
    sizes = call(shop, "GET", "/sizes").json()
    assert sizes["sizes"][made["segment_id"]][-1] == changed["members"]
    assert call(shop, "DELETE", f"/{made['segment_id']}").json() == {"deleted": True}
    assert call(shop, "GET", f"/{made['segment_id']}").status_code == 404


def test_two_side_by_side(shop: Api) -> None:
    many, few = make(shop, "Many", MANY), make(shop, "Few", FEW)
    found = call(shop, "GET", "/compare", a=many["segment_id"], b=few["segment_id"]).json()
    assert (found["a"]["members"], found["both"]) == (60, few["members"])
    first = found["features"][0]
    assert abs(first["effect"]) == max(abs(one["effect"]) for one in found["features"])
    assert first["low"] <= first["difference"] <= first["high"]
    owners = next(one for one in found["labels"] if one["name"] == "has_dog")
    assert owners["b"]["value"] == 0
    assert owners["a"]["low"] <= owners["a"]["value"] <= owners["a"]["high"]
    assert call(shop, "GET", "/compare", a=many["segment_id"], b="s99").status_code == 404


def test_what_rules_may_be_about(shop: Api) -> None:
    found = call(shop, "GET", "/vocabulary").json()
    assert {"orders", "promo_share"} <= {one["name"] for one in found["features"]}
    assert {"name": "shopping_rhythm", "values": ["weekly"]} in found["labels"]
    assert "face_valence_28d" not in {one["name"] for one in found["features"]}


def test_members_lie_on_the_map_of_the_trained_segments(shop: Api) -> None:
    views = shop.services.profiles.sample(100, now=datetime.now(UTC))
    columns = {name: np.array([one.features[name] for one in views]) for name in views[0].features}
    categories = sorted({name for one in views for name in one.shares})
    shares = np.array([[one.shares.get(name, 0.0) for name in categories] for one in views])
    model = clustering.fit(columns, shares, categories, seed=7, bootstraps=2)
    places = SegmentModel(model).plane(views)
    assert places.shape == (len(views), 2)
    assert (places == SegmentModel(model).plane(views)).all(), "the same each time"
    assert call(shop, "GET", "/map").json()["points"] == [], "nothing is trained here"
    assert segment_of({}) is None


@pytest.mark.parametrize("rule", [{"conditions": []}, {"conditions": [{"kind": "feature", "name": "luck", "how": "above", "value": 1}]},
                                  {"match": "some", "conditions": MANY["conditions"]}])  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(shop: Api, rule: Any) -> None:
    assert call(shop, "POST", "/count", {"rule": rule}).status_code == 422


def test_counting_is_reading_and_making_is_writing(api: Api) -> None:
    reader = api.headers(api.make_key("members:read"))
    assert api.client.post("/v1/segments/count", json={"rule": MANY}, headers=reader).status_code == 200
    assert api.client.post("/v1/segments", json={"name": "x", "rule": MANY}, headers=reader).status_code == 403
