"""A camera may offer what it has just recognised; whether it joins the member's templates is decided here, by all that holds now."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np
import pytest

from personalization.types import MemberId, Purpose
from stores.retention import purge_templates
from stores.templates import Kind
from tests.api.conftest import Api
from tests.api.test_displays import agree, observation, somebody
from tests.vision.fake_camera import astronaut, person
from tests.vision.test_adapt import near
from vision.enrol import make_template
from vision.faces import Template, unit

MODEL, SIZE = "opencv-sface", 128
TERMS = {
    "uses": ["recognition", "adaptation"],
    "purpose": "Greet members.",
    "retention_days": 100,
    "notice": "A camera greets.",
}


class Shop:
    """A store that has adaptation on, a member who enrolled there, and a camera before which they stand."""

    def __init__(self, api: Api) -> None:
        self.api, self.rng = api, np.random.default_rng(7)
        self.kiosk = api.client.post(
            "/v1/kiosks", json={"name": "door", "store_id": "s2"}, headers=api.headers()
        ).json()
        self.switch(TERMS["uses"])
        self.member = api.member("pets-1").member_id
        self.enrolled = unit(self.rng.normal(size=SIZE).astype(np.float32))
        agree(api, self.member, Purpose.FACE_RECOGNITION)
        self.keep(self.member, self.enrolled)
        self.report(somebody(member_id=self.member))

    def switch(self, uses: Any) -> None:
        answer = self.api.client.put("/v1/stores/s2/cameras", json={**TERMS, "uses": uses}, headers=self.api.headers())
        assert answer.status_code == 200, answer.text

    def keep(self, member: MemberId, template: Template) -> None:
        self.api.services.templates.add(member, template, model=MODEL, at=datetime.now(UTC), store_id="s2")

    def report(self, *people: dict[str, Any]) -> None:
        self._post("observations", observation(*people))

    def offer(self, template: Template, **more: Any) -> Any:
        vector = base64.b64encode(template.astype("<f4").tobytes()).decode()
        body = {"member_id": self.member, "model": MODEL, "vector": vector, "quality": 0.9, "live": None}
        return self._post("adaptations", {**body, **more}).json()["why"]

    def kinds(self) -> list[Kind]:
        return [one.kind for one in self.api.services.templates.of_member(self.member, MODEL)]

    def _post(self, what: str, body: dict[str, Any]) -> Any:
        address = f"/v1/kiosks/{self.kiosk['kiosk_id']}/{what}"
        answer = self.api.client.post(address, json=body, headers=self.api.headers(self.kiosk["device_key"]))
        assert answer.status_code == 202, answer.text
        return answer


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


def test_what_is_plainly_theirs_joins_the_enrolled_templates_apart_and_once_a_day(shop: Shop) -> None:
    assert shop.offer(near(shop.enrolled, 0.75, shop.rng, SIZE)) == "taken"
    assert shop.kinds() == [Kind.ENROLLED, Kind.ADAPTED]
    assert shop.offer(near(shop.enrolled, 0.7, shop.rng, SIZE)) == "one was taken today"
    audit = shop.api.services.audit
    [line] = [one for one in audit.entries() if one.actor.startswith("device dk_")]
    assert (line.target, line.detail["changed"]) == (audit.of_member(shop.member), ["template"])
    assert shop.kinds() == [Kind.ENROLLED, Kind.ADAPTED]


def test_an_impostor_changes_nothing_even_with_a_device_key_and_a_perfect_picture(shop: Shop) -> None:
    shop.offer(near(shop.enrolled, 0.65, shop.rng, SIZE))
    before = [one.vector.tolist() for one in shop.api.services.templates.of_member(shop.member, MODEL)]
    threshold = shop.api.client.app.state.eyes.threshold  # type: ignore[attr-defined]
    for alike in np.linspace(-0.9, threshold - 1e-3, 6):
        impostor = near(shop.enrolled, float(alike), shop.rng, SIZE)
        assert shop.offer(impostor, quality=1.0, live=True) == "not like what was enrolled"
    assert [one.vector.tolist() for one in shop.api.services.templates.of_member(shop.member, MODEL)] == before


def test_nothing_is_taken_of_whom_the_kiosk_does_not_greet_now(shop: Shop) -> None:
    mine = near(shop.enrolled, 0.75, shop.rng, SIZE)
    other = shop.api.member("cheese-1").member_id
    agree(shop.api, other, Purpose.FACE_RECOGNITION)
    assert shop.offer(mine, member_id=other) == "not greeted here now"
    address = f"/v1/kiosks/{shop.kiosk['kiosk_id']}/not-me"
    shop.api.client.post(address, headers=shop.api.headers(shop.kiosk["device_key"]))
    assert shop.offer(mine) == "not greeted here now", "who says that it is not them must not teach their face"
    assert shop.kinds() == [Kind.ENROLLED]


def test_it_is_off_where_the_store_or_the_setting_says_so_and_cameras_are_told(shop: Shop) -> None:
    def told() -> bool:
        address = f"/v1/kiosks/{shop.kiosk['kiosk_id']}/gallery"
        answer = shop.api.client.get(address, headers=shop.api.headers(shop.kiosk["device_key"]))
        return bool(answer.json()["adaptive"])

    mine = near(shop.enrolled, 0.75, shop.rng, SIZE)
    assert told()
    shop.api.services.settings.vision_adaptive = False
    assert (told(), shop.offer(mine)) == (False, "switched off")
    shop.api.services.settings.vision_adaptive = True
    shop.switch(["recognition"])
    assert (told(), shop.offer(mine)) == (False, "switched off")
    assert shop.kinds() == [Kind.ENROLLED]


def test_what_could_be_somebody_else_and_what_is_no_template_is_refused(shop: Shop) -> None:
    mine = near(shop.enrolled, 0.75, shop.rng, SIZE)
    twin = shop.api.member("cheese-2").member_id
    agree(shop.api, twin, Purpose.FACE_RECOGNITION)
    shop.keep(twin, near(mine, 0.7, shop.rng, SIZE))
    assert shop.offer(mine) == "too much like somebody else"
    for wrong in (np.zeros(SIZE), np.full(SIZE, np.inf), np.ones(3), np.full(SIZE, 9.0)):
        assert shop.offer(wrong) == "no template"
    assert shop.offer(mine, vector="====") == "no template"
    assert shop.offer(mine, model="another") == "no template"
    assert shop.kinds() == [Kind.ENROLLED]


def test_where_a_living_face_is_asked_for_a_picture_teaches_nothing(shop: Shop) -> None:
    shop.api.services.settings.vision_liveness = "turn"
    mine = near(shop.enrolled, 0.75, shop.rng, SIZE)
    for live in (None, False):
        assert shop.offer(mine, live=live) == "not good enough a picture"
    assert shop.offer(mine, live=True) == "taken"


@pytest.mark.parametrize("how", ["withdrawal", "erasure", "retention"])
def test_adapted_templates_die_with_the_others(shop: Shop, how: str) -> None:
    assert shop.offer(near(shop.enrolled, 0.75, shop.rng, SIZE)) == "taken"
    if how == "withdrawal":
        body = {"member_id": shop.member, "purpose": "face_recognition", "granted": False, "text_version": "w"}
        shop.api.client.post("/v1/consents", json=body, headers=shop.api.headers())
    elif how == "erasure":
        shop.api.client.post(f"/v1/members/{shop.member}/erase", headers=shop.api.headers())
    else:
        purge_templates(shop.api.services.db, now=datetime.now(UTC) + timedelta(days=101))
    assert shop.kinds() == []


def test_a_browsers_camera_adapts_what_it_recognises(shop: Shop) -> None:
    api, eyes = shop.api, shop.api.client.app.state.eyes  # type: ignore[attr-defined]
    member = api.member("cheese-3").member_id
    agree(api, member, Purpose.FACE_RECOGNITION)
    blurred = [cv2.GaussianBlur(person(astronaut(), shift), (0, 0), 2.0) for shift in (-12, 0, 12)]
    shop.keep(member, make_template(eyes.engine, blurred))
    headers = {**api.headers(shop.kiosk["device_key"]), "Content-Type": "image/jpeg"}
    picture = cv2.imencode(".jpg", person(astronaut()))[1].tobytes()
    for _ in range(40):  # on a busy machine frames may be so far apart that nobody is followed
        api.client.post(f"/v1/kiosks/{shop.kiosk['kiosk_id']}/frames", content=picture, headers=headers)
        if api.services.templates.count(member) > 1:
            break
    kept = api.services.templates.of_member(member, eyes.engine.name)
    own = float(kept[0].vector @ kept[-1].vector)
    assert [one.kind for one in kept] == [Kind.ENROLLED, Kind.ADAPTED], "a sharper picture of the same person is news"
    assert own >= eyes.threshold + 0.15
