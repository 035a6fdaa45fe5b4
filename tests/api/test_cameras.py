"""Cameras are off until a store's operator switches them on, and off again with the next request."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np
import pytest
from sqlalchemy import select

from api.routes import kiosks as kiosk_routes
from api.services.kiosk import Kiosks
from personalization.types import Purpose
from stores.tables import events
from tests.api.conftest import Api
from tests.api.test_displays import agree, observation, somebody, stream, url
from tests.vision.fake_camera import astronaut, person

__all__ = ["url"]
TERMS = {
    "uses": ["recognition", "expression"], "purpose": "Greet members by name.", "retention_days": 365,
    "notice": "At our kiosks a camera recognises members who agreed to it.",
}  # fmt: skip
PATIENCE = 40
ADDRESS = "/v1/stores/s2/cameras"
UNHAPPY = {"valence": -0.8, "expression": "negative", "certainty": 0.9}


@pytest.fixture
def quiet(api: Api) -> dict[str, str]:
    """A kiosk in a store whose operator has switched nothing on."""
    return dict(api.client.post("/v1/kiosks", json={"name": "quiet", "store_id": "s2"}, headers=api.headers()).json())


def switch_on(api: Api, **terms: Any) -> dict[str, Any]:
    answer = api.client.put(ADDRESS, json={**TERMS, **terms}, headers=api.headers())
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def jpeg() -> bytes:
    return bytes(cv2.imencode(".jpg", person(astronaut()))[1].tobytes())


def enrol(api: Api, kiosk: dict[str, str], member: str) -> Any:
    code = api.client.post("/v1/me/link-codes", headers=api.headers(api.token(member)["token"])).json()["code"]
    return api.client.post(
        f"/v1/kiosks/{kiosk['kiosk_id']}/enrolments", headers=api.headers(kiosk["device_key"]),
        data={"code": code, "consent_text_version": "k1", "consents": "face_recognition,expression"},
        files=[("frames", (f"{n}.jpg", jpeg(), "image/jpeg")) for n in range(3)],
    )  # fmt: skip


def report(api: Api, kiosk: dict[str, str], *people: dict[str, Any]) -> dict[str, Any]:
    address = f"/v1/kiosks/{kiosk['kiosk_id']}/observations"
    api.client.post(address, json=observation(*people), headers=api.headers(kiosk["device_key"]))
    found = api.services.kiosks.find(kiosk["kiosk_id"])
    return dict(api.client.app.state.displays.display(found))  # type: ignore[attr-defined]


def gallery(api: Api, kiosk: dict[str, str]) -> dict[str, Any]:
    address = f"/v1/kiosks/{kiosk['kiosk_id']}/gallery"
    return dict(api.client.get(address, headers=api.headers(kiosk["device_key"])).json())


def show(api: Api, kiosk: dict[str, str], frames: int) -> dict[str, Any]:
    headers = {**api.headers(kiosk["device_key"]), "Content-Type": "image/jpeg"}
    for _ in range(frames):
        seen = api.client.post(f"/v1/kiosks/{kiosk['kiosk_id']}/frames", content=jpeg(), headers=headers).json()
    return dict(seen["observation"])


def test_before_it_is_switched_on_nobody_is_enrolled_recognised_or_read(api: Api, quiet: dict[str, str]) -> None:
    refused = enrol(api, quiet, "pets-1")
    assert (refused.status_code, refused.json()["code"]) == (403, "not-switched-on")
    assert "aisle vision enable" in refused.json()["detail"]
    coached = api.client.post(
        f"/v1/kiosks/{quiet['kiosk_id']}/enrolments/looks", content=jpeg(), headers=api.headers(quiet["device_key"])
    )
    assert (coached.status_code, coached.json()["code"]) == (403, "not-switched-on")
    member = api.member("pets-1").member_id
    agree(api, member, Purpose.FACE_RECOGNITION, Purpose.EXPRESSION, Purpose.PROFILING)
    vector = np.eye(1, 128, dtype=np.float32)[0]
    api.services.templates.add(member, vector, model="opencv-sface", at=datetime.now(UTC))
    assert (gallery(api, quiet)["templates"], gallery(api, quiet)["expression_notice"]) == ([], False)

    clock = [0.0]
    api.client.app.state.displays = Kiosks(api.services, clock=lambda: clock[0])  # type: ignore[attr-defined]
    for clock[0] in (0.0, 1.0, 2.0, 3.0):
        display = report(api, quiet, somebody(member_id=member, **UNHAPPY))
    assert (display["mode"], display["notice"], display["privacy"]["recognised"]) == ("attract", None, False)
    assert "switched off" in display["privacy"]["text"]
    assert display["privacy"]["camera"], "that somebody is there may be seen"
    report(api, quiet)
    with api.services.db.read() as connection:
        rows = connection.execute(select(events.c.type, events.c.member_id).where(events.c.channel == "kiosk")).all()
    assert {(row.type, row.member_id) for row in rows} <= {("viewed", None), ("dwelled", None)}
    assert ("dwelled", None) in rows
    assert api.services.member_affect.get(member, at=datetime.now(UTC)) is None


def test_in_the_browser_no_template_or_expression_is_made_before_it_is_switched_on(
    api: Api, quiet: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    eyes = api.client.app.state.eyes  # type: ignore[attr-defined]
    asked: list[str] = []
    for part, name in ((eyes.engine, "embed"), (eyes.expression, "predict")):
        real = getattr(part, name)
        monkeypatch.setattr(part, name, lambda *given, name=name, real=real: (asked.append(name), real(*given))[1])
    seen = show(api, quiet, 4)
    assert (seen["present"], seen["recognised"], seen["expression"], asked) == (True, False, None, [])
    switch_on(api, uses=["expression"])
    show(api, quiet, 2)
    assert "predict" in asked


def test_a_store_is_switched_on_with_a_notice_that_its_kiosks_show(api: Api, quiet: dict[str, str]) -> None:
    told = switch_on(api)
    assert (told["on"], told["uses"], told["kiosks"]) == (True, ["expression", "recognition"], ["quiet"])
    display = report(api, quiet)
    assert display["notice"] == told["notice"]
    shown = display["notice"]
    assert (shown["text"], shown["purpose"], shown["retention_days"], shown["version"]) == (
        TERMS["notice"], TERMS["purpose"], 365, 1,
    )  # fmt: skip
    assert enrol(api, quiet, "pets-2").status_code == 201
    assert base64.b64decode(gallery(api, quiet)["templates"][0]["vector"])
    for _ in range(PATIENCE):  # on a busy machine frames may be so far apart that nobody is followed
        if show(api, quiet, 1)["recognised"]:
            break
    else:
        pytest.fail("who enrolled is not recognised")
    again = switch_on(api)
    assert (len(again["history"]), again["history"][0]["by"][:7]) == (1, "key ak_"), "sent again, it changes nothing"
    switch_on(api, notice="Another text.")
    assert [line["notice"]["version"] for line in switch_on(api, notice="Another text.")["history"]] == [1, 2]


def next_of(following: Any, mode: str) -> dict[str, Any]:
    """Return the next display of a mode; before it may come the poster of a greeting that was published without."""
    found = following()
    while found["mode"] != mode:
        assert found["mode"] == "welcome"
        found = following()
    return dict(found)


def test_an_operator_who_switches_it_off_is_obeyed_with_the_next_request_and_screens_are_blank_at_once(
    api: Api, quiet: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kiosk_routes, "LOOK_AGAIN_S", 3_600)  # screens are told, and do not find out later
    switch_on(api)
    member = api.member("pets-3").member_id
    agree(api, member, Purpose.FACE_RECOGNITION)
    with stream(url, quiet) as following:
        assert following()["mode"] == "attract"
        report(api, quiet, somebody(member_id=member))
        assert following()["mode"] == "welcome"
        off = api.client.delete(ADDRESS, headers=api.headers()).json()
        blank = next_of(following, "attract")
    assert (blank["mode"], blank["notice"], blank["privacy"]["recognised"]) == ("attract", None, False)
    assert (off["on"], off["notice"], [line["on"] for line in off["history"]]) == (False, None, [True, False])
    assert report(api, quiet, somebody(member_id=member))["mode"] == "attract"
    assert gallery(api, quiet)["templates"] == []


def test_what_another_process_switches_off_is_off_the_screen_within_a_second(
    api: Api, quiet: dict[str, str], url: str
) -> None:
    switch_on(api)
    member = api.member("pets-3").member_id
    agree(api, member, Purpose.FACE_RECOGNITION)
    with stream(url, quiet) as following:
        following()
        report(api, quiet, somebody(member_id=member))
        assert following()["mode"] == "welcome"
        api.services.switches.disable("s2", by="command line", at=datetime.now(UTC))  # tells no display
        next_of(following, "attract")
    assert kiosk_routes.LOOK_AGAIN_S < 1, "that is how often they look"


def test_a_stay_that_began_before_it_was_switched_off_names_nobody(api: Api, quiet: dict[str, str]) -> None:
    switch_on(api)
    clock, kiosk, member = [0.0], api.services.kiosks.find("quiet"), api.member("pets-3").member_id
    assert kiosk is not None
    agree(api, member, Purpose.FACE_RECOGNITION, Purpose.EXPRESSION)
    displays = Kiosks(api.services, clock=lambda: clock[0])
    displays.observe(kiosk, [somebody(member_id=member, **UNHAPPY)])
    api.services.switches.disable("s2", by="Ana", at=datetime.now(UTC))
    clock[0] = 5.0
    displays.observe(kiosk, [])
    with api.services.db.read() as connection:
        rows = connection.execute(select(events).where(events.c.type.in_(["dwelled", "expressed"]))).all()
    assert [(row.type, row.member_id) for row in rows] == [("dwelled", None)]


def test_members_expressions_are_not_read_where_the_notice_does_not_tell_of_them(
    api: Api, quiet: dict[str, str]
) -> None:
    switch_on(api, uses=["recognition"])
    member = api.member("pets-3").member_id
    agree(api, member, Purpose.FACE_RECOGNITION, Purpose.EXPRESSION, Purpose.PROFILING)
    vector = np.eye(1, 128, dtype=np.float32)[0]
    api.services.templates.add(member, vector, model="opencv-sface", at=datetime.now(UTC))
    assert [one["expression"] for one in gallery(api, quiet)["templates"]] == [False]
    assert report(api, quiet, somebody(member_id=member, **UNHAPPY))["mode"] == "welcome"
    assert api.services.member_affect.get(member, at=datetime.now(UTC)) is None


def test_only_a_key_for_cameras_may_switch_them(api: Api) -> None:
    headers = api.headers(api.make_key("kiosks"))
    for method in ("GET", "PUT", "DELETE"):
        answer = api.client.request(method, ADDRESS, json=TERMS if method == "PUT" else None, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    listed = api.client.get("/v1/stores/cameras", headers=api.headers(api.make_key("vision"))).json()["stores"]
    assert [(one["store_id"], one["on"]) for one in listed] == [("s1", True)], "the demo's store, by its first start"
    assert listed[0]["history"][0]["by"] == "the demo's first start"


@pytest.mark.parametrize(
    "wrong",
    [{"uses": []}, {"uses": ["prediction"]}, {"purpose": "  "}, {"retention_days": 0}, {"retention_days": 1096}, {"notice": ""}],
    ids=str,
)  # fmt: skip
def test_terms_that_say_nothing_or_keep_faces_too_long_are_refused(api: Api, wrong: dict[str, Any]) -> None:
    answer = api.client.put(ADDRESS, json={**TERMS, **wrong}, headers=api.headers())
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert api.services.switches.latest("s2") is None


BEHIND_THE_TILL = [[0.25, 0.0], [0.75, 0.0], [0.75, 1.0], [0.25, 1.0]]


def test_who_stands_in_a_kiosks_zone_is_seen_by_no_camera_of_it(
    api: Api, quiet: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/v1/kiosks/{quiet['kiosk_id']}/zones"
    switch_on(api)
    assert show(api, quiet, 3)["people"] == 1
    before = gallery(api, quiet)
    etag = api.client.get(f"/v1/kiosks/{quiet['kiosk_id']}/gallery", headers=api.headers(quiet["device_key"])).headers[
        "etag"
    ]
    said = api.client.put(address, json={"excluded": [BEHIND_THE_TILL]}, headers=api.headers())
    assert (said.status_code, said.json()["excluded"]) == (200, [BEHIND_THE_TILL])
    assert (before["excluded"], gallery(api, quiet)["excluded"]) == ([], [BEHIND_THE_TILL])
    headers = api.headers(quiet["device_key"]) | {"If-None-Match": etag}
    assert api.client.get(f"/v1/kiosks/{quiet['kiosk_id']}/gallery", headers=headers).status_code == 200
    pipeline = api.client.app.state.eyes  # type: ignore[attr-defined]
    asked: list[int] = []
    embed = pipeline.engine.embed
    monkeypatch.setattr(pipeline.engine, "embed", lambda *given: (asked.append(1), embed(*given))[1])
    pipeline._watching.clear()
    assert (show(api, quiet, 4)["people"], asked) == (0, [])
    api.client.put(address, json={"excluded": []}, headers=api.headers())
    assert show(api, quiet, 4)["people"] == 1, "and again where no zone is left out"


@pytest.mark.parametrize("wrong", [[[[0, 0], [1, 1]]], [[[0, 0], [1, 0], [1, 1.5]]], [[[0, 0], [1, 0], [1, "x"]]]])
def test_what_is_no_zone_is_refused(api: Api, quiet: dict[str, str], wrong: list[Any]) -> None:
    address = f"/v1/kiosks/{quiet['kiosk_id']}/zones"
    assert api.client.put(address, json={"excluded": wrong}, headers=api.headers()).status_code == 422
    device = api.headers(quiet["device_key"])
    assert api.client.put(address, json={"excluded": []}, headers=device).status_code == 401
