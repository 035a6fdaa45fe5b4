"""Lists behind the console ask the database as often for many rows as for few, and answer as one row by itself does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from stores.switches import Terms, Use
from tests.api.conftest import Api
from tests.api.test_campaigns import DRAFT
from tests.statements import statements

FEW, MANY = 2, 12


def kiosks(api: Api, numbers: range) -> None:
    for number in numbers:
        store, now = f"branch-{number:02}", datetime.now(UTC)
        kiosk = api.services.kiosks.create(f"kiosk {number:02}", store_id=store, at=now)
        api.services.kiosk_health.display(kiosk.kiosk_id, at=now)
        api.services.kiosk_health.camera(kiosk.kiosk_id, late_s=0.1, at=now)
        terms = Terms(frozenset({Use.RECOGNITION}), "Greet members.", 30, "A camera recognises members.")
        api.services.switches.enable(store, terms, by="a test", at=now)
        if number % 2:
            api.services.switches.disable(store, by="a test", at=now)


def campaigns(api: Api, numbers: range) -> None:
    for number in numbers:
        own = f"coffee-{number:02}"
        whom = [api.member(name).member_id for name in ("pets-1", "baby-1", "cheese-1")[: 1 + number % 3]]
        body = DRAFT | {"campaign_id": own, "audience": {"kind": "list", "members": whom}}
        assert api.client.post("/v1/campaigns", json=body, headers=api.headers()).status_code == 201
        for move in ("approve", "launch") if number % 2 else ():
            tag = api.client.get(f"/v1/campaigns/{own}", headers=api.headers()).headers["ETag"]
            headers = api.headers() | {"If-Match": tag}
            assert api.client.post(f"/v1/campaigns/{own}/{move}", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("path", "name", "make"),
    [
        ("/v1/fleet", "kiosks", kiosks),
        ("/v1/stores/cameras", "stores", kiosks),
        ("/v1/campaigns?limit=100", "campaigns", campaigns),
    ],
)
def test_a_long_list_asks_as_often_as_a_short_one(
    api: Api, path: str, name: str, make: Callable[[Api, range], None]
) -> None:
    def count() -> tuple[int, int]:
        with statements(api.services.db) as asked:
            answer = api.client.get(path, headers=api.headers())
        assert answer.status_code == 200, answer.text
        return len(answer.json()[name]), len(asked)

    make(api, range(FEW))
    count()  # whoever asks first pays for what is remembered
    rows, asked = count()
    make(api, range(FEW, MANY))
    assert count() == (rows + MANY - FEW, asked)


def listed(api: Api, path: str, name: str) -> list[dict[str, Any]]:
    return list(api.client.get(path, headers=api.headers()).json()[name])


def test_a_camera_that_is_off_is_off_in_the_list_of_kiosks(api: Api) -> None:
    kiosks(api, range(4))
    api.services.kiosks.create("nowhere", store_id=None, at=datetime.now(UTC))
    found = {one["name"]: one["camera"] for one in listed(api, "/v1/fleet", "kiosks")}
    want = {"kiosk 00": "on", "kiosk 01": "off", "kiosk 02": "on", "kiosk 03": "off", "nowhere": "off"}
    assert {name: found[name] for name in want} == want


def test_a_store_in_the_list_is_told_as_by_itself(api: Api) -> None:
    kiosks(api, range(3))
    found = [one for one in listed(api, "/v1/stores/cameras", "stores") if one["store_id"].startswith("branch")]
    assert [len(one["history"]) for one in found] == [1, 2, 1]
    for one in found:
        alone = api.client.get(f"/v1/stores/{one['store_id']}/cameras", headers=api.headers())
        assert one == alone.json()


def test_a_campaign_in_the_list_is_told_as_by_itself(api: Api) -> None:
    campaigns(api, range(4))
    found = listed(api, "/v1/campaigns", "campaigns")
    assert [one["audience"]["listed"] for one in found] == [1, 3, 2, 1]
    assert [one["spent"] is None for one in found] == [False, True, False, True]
    for one in found:
        alone = api.client.get(f"/v1/campaigns/{one['campaign_id']}", headers=api.headers())
        assert one == alone.json()
