"""All kiosks at a glance: signs of life, what is shown, and nothing about who stands there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from personalization.types import Purpose
from stores.kiosks import Kiosk, SqlKioskHealth
from tests.api.conftest import Api
from tests.api.test_displays import agree, observation, somebody


@pytest.fixture
def door(api: Api) -> dict[str, str]:
    body = {"name": "door", "store_id": "s1"}
    return dict(api.client.post("/v1/kiosks", json=body, headers=api.headers()).json())


def fleet(api: Api) -> dict[str, Any]:
    answer = api.client.get("/v1/fleet", headers=api.headers(api.make_key("kiosks")))
    assert answer.status_code == 200, answer.text
    return {kiosk["name"]: kiosk for kiosk in answer.json()["kiosks"]}


def connected(api: Api, door: dict[str, str]) -> None:
    api.services.kiosk_health.display(door["kiosk_id"], at=datetime.now(UTC))
    api.client.app.state.displays.display(Kiosk(door["kiosk_id"], "door", "s1"))  # type: ignore[attr-defined]


def test_a_kiosk_that_never_connected_shows_nothing(api: Api, door: dict[str, str]) -> None:
    found = fleet(api)["door"]
    assert (found["display"], found["camera"], found["shown"]) == ("never", "never", None)


def test_a_connected_kiosk_tells_its_posters(api: Api, door: dict[str, str]) -> None:
    connected(api, door)
    found = fleet(api)["door"]
    assert found["display"] == "on"
    assert found["shown"]["mode"] == "attract"
    assert found["shown"]["items"]
    picture = api.client.get(found["shown"]["poster_url"] or found["shown"]["items"][0]["picture_url"])
    assert picture.status_code == 200


def test_a_personal_screen_tells_only_that_it_is_personal(api: Api, door: dict[str, str]) -> None:
    member = api.member("pets-6")
    agree(api, member.member_id, Purpose.FACE_RECOGNITION, Purpose.PROFILING)
    connected(api, door)
    body = observation(somebody(member_id=member.member_id))
    device = {"Authorization": f"Bearer {door['device_key']}"}
    assert api.client.post("/v1/kiosks/door/observations", json=body, headers=device).status_code == 202
    found = fleet(api)["door"]
    assert found["camera"] == "on"
    assert found["shown"]["personal"]
    assert member.display_name not in json.dumps(found)
    assert (found["shown"]["headline"], found["shown"]["items"]) == (None, [])


def test_what_has_been_silent_for_a_minute_is_told_and_a_camera_that_is_off_is_off(
    api: Api, door: dict[str, str]
) -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=2)
    api.services.kiosk_health.display(door["kiosk_id"], at=long_ago)
    api.services.kiosk_health.camera(door["kiosk_id"], late_s=0.4, at=long_ago)
    found = fleet(api)["door"]
    assert (found["display"], found["camera"], found["camera_late_s"]) == ("silent", "silent", 0.4)
    api.client.app.state.cameras.disable("s1", by="a test")  # type: ignore[attr-defined]
    assert fleet(api)["door"]["camera"] == "off"


def test_signs_of_life_are_written_once_in_a_while_and_keep_each_other(api: Api) -> None:
    health, at = SqlKioskHealth(api.services.db), datetime.now(UTC)
    health.display("k", at=at)
    health.camera("k", late_s=0.1, at=at)
    health.display("k", at=at + timedelta(seconds=1))
    found = health.all()["k"]
    assert (found.display_seen_at, found.camera_seen_at) == (at, at)
    health.display("k", at=at + SqlKioskHealth.EVERY)
    assert health.all()["k"].display_seen_at == at + SqlKioskHealth.EVERY
