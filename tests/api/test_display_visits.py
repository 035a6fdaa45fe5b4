"""What a display shows those before it, and what they may ask of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import select

from api.services import kiosk_screens
from api.services.kiosk import Kiosks
from personalization.types import Purpose, Reason, SlateItem, Subject
from stores.tables import events
from tests.api.conftest import Api
from tests.api.test_displays import agree, door, observation, somebody

__all__ = ["door"]


def test_two_members_see_what_is_fine_for_both_and_no_name(api: Api, door: dict[str, str]) -> None:
    kiosk = api.services.kiosks.find("door")
    assert kiosk is not None
    first, second = api.member("pets-1").member_id, api.member("cheese-1").member_id
    agree(api, first, Purpose.FACE_RECOGNITION, Purpose.PROFILING)
    agree(api, second, Purpose.FACE_RECOGNITION)
    displays = Kiosks(api.services)
    displays.observe(kiosk, [somebody(member_id=first)])
    alone = api.services.bus.current(kiosk.kiosk_id)
    assert alone is not None
    assert "Pets-1" in alone["headline"]
    displays.observe(kiosk, [somebody(member_id=first), somebody(track_id=2, member_id=second)])
    together = api.services.bus.current(kiosk.kiosk_id)
    assert together is not None
    assert (together["mode"], together["headline"], together["coupon"]) == ("welcome", "Welcome back", None)
    decision = api.services.decisions.get(together["decision_id"])
    assert decision is not None
    assert decision.subject.member_id is None, "what one of them bought is not the other's to see"
    displays.observe(kiosk, [somebody(member_id=first)])
    again = api.services.bus.current(kiosk.kiosk_id)
    assert again is not None
    assert "Pets-1" in again["headline"]


def test_what_a_camera_tells_again_counts_once_and_what_it_tells_late_is_only_written_down(
    api: Api, door: dict[str, str]
) -> None:
    member = api.member("pets-3").member_id
    agree(api, member, Purpose.FACE_RECOGNITION)
    address, headers = f"/v1/kiosks/{door['kiosk_id']}/observations", api.headers(door["device_key"])
    minute = datetime.now(UTC) - timedelta(seconds=60)
    came, left = observation(somebody(member_id=member), at=minute), observation(at=minute + timedelta(seconds=20))
    for told in (came, came, left, left):
        assert api.client.post(address, json=told, headers=headers).json() == {"changed": False}
    shown = api.services.bus.current(door["kiosk_id"])
    assert shown is None or shown["mode"] == "attract"
    with api.services.db.read() as connection:
        [row] = connection.execute(select(events).where(events.c.type == "dwelled")).all()
    assert (row.member_id, row.payload["seconds"]) == (member, 20)


def test_a_camera_whose_clock_is_wrong_breaks_nothing(api: Api, door: dict[str, str]) -> None:
    address, headers = f"/v1/kiosks/{door['kiosk_id']}/observations", api.headers(door["device_key"])
    for at in (datetime(2001, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC), datetime.now(UTC)):
        for seen in ([somebody(track_id=at.year)], []):
            answer = api.client.post(address, json=observation(*seen, at=at), headers=headers)
            assert answer.status_code == 202, answer.text


def test_not_me_makes_the_display_anonymous_until_they_have_left(api: Api, door: dict[str, str]) -> None:
    clock, kiosk, member = [0.0], api.services.kiosks.find("door"), api.member("pets-1").member_id
    assert kiosk is not None
    agree(api, member, Purpose.FACE_RECOGNITION)
    displays = Kiosks(api.services, clock=lambda: clock[0])
    api.client.app.state.displays = displays  # type: ignore[attr-defined]

    def mode() -> str:
        display = api.services.bus.current(kiosk.kiosk_id)
        assert display is not None
        return str(display["mode"])

    displays.observe(kiosk, [somebody(member_id=member)])
    assert mode() == "welcome"
    said = api.client.post(f"/v1/kiosks/{kiosk.kiosk_id}/not-me", headers=api.headers(door["device_key"]))
    assert (said.status_code, mode()) == (204, "attract")
    clock[0] = 1.0
    displays.observe(kiosk, [somebody(member_id=member)])
    assert mode() == "attract"
    for clock[0] in (2.0, 4.0):
        displays.observe(kiosk, [])
    displays.observe(kiosk, [somebody(track_id=2, member_id=member)])
    assert mode() == "welcome"


def test_forget_me_at_the_kiosk_deletes_the_face_of_whom_it_greets(api: Api, door: dict[str, str]) -> None:
    kiosk, member = api.services.kiosks.find("door"), api.member("pets-1").member_id
    assert kiosk is not None
    agree(api, member, Purpose.FACE_RECOGNITION, Purpose.PROFILING)
    vector = np.eye(1, 128, dtype=np.float32)[0]
    api.services.templates.add(member, vector, model="opencv-sface", at=datetime.now(UTC))
    address, headers = f"/v1/kiosks/{kiosk.kiosk_id}", api.headers(door["device_key"])
    assert api.client.post(f"{address}/forget-me", headers=headers).json() == {"forgotten": 0}
    api.client.post(f"{address}/observations", json=observation(somebody(member_id=member)), headers=headers)
    assert api.client.post(f"{address}/forget-me", headers=headers).json() == {"forgotten": 1}
    assert api.services.templates.count(member) == 0
    assert api.services.bus.shows(kiosk.kiosk_id) == frozenset()
    granted = api.services.consents.granted(Subject(member), at=datetime.now(UTC))
    assert (Purpose.FACE_RECOGNITION in granted, Purpose.PROFILING in granted) == (False, True)


def test_a_screen_in_the_shop_never_tells_what_somebody_bought(api: Api, door: dict[str, str]) -> None:
    item = SlateItem(
        next(iter(api.services.catalogue.first(1))), 1, 1.0,
        Reason("repeat_purchase", "You buy this every 12 days.", {"source": "repeat"}), ("repeat",),
    )  # fmt: skip
    assert kiosk_screens.card(item)["reason"] == "Picked for you."
    popular = replace(item, reason=Reason("popular", "Many shoppers buy this.", {"source": "popular"}))
    assert kiosk_screens.card(popular)["reason"] == "Many shoppers buy this."
