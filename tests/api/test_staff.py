"""Whoever works in the shop is dropped before anything is inferred, and nothing is written of them, from the picture to the log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import httpx
import pytest
from sqlalchemy import func, select

from stores.tables import events
from tests.api.conftest import Api
from tests.api.test_displays import film, url
from tests.vision.fake_camera import astronaut, person, shelf, visit
from tests.vision.test_pipeline import somebody_else
from vision.agent import Agent
from vision.engines.opencv import OpenCvEngine
from vision.enrol import make_template
from vision.expression import ExpressionModel
from vision.faces import Frame
from vision.observation import Observation

__all__ = ["url"]


@pytest.fixture
def door(api: Api) -> dict[str, str]:
    """A kiosk in the demo's store, in which everything is switched on."""
    return dict(api.client.post("/v1/kiosks", json={"name": "door", "store_id": "s1"}, headers=api.headers()).json())


def add(api: Api, name: str, *frames: Frame, key: str | None = None) -> Any:
    pictures = [
        ("pictures", (f"{n}.jpg", cv2.imencode(".jpg", frame)[1].tobytes(), "image/jpeg"))
        for n, frame in enumerate(frames)
    ]
    form = {"name": name, "consent_text_version": "staff-2"}
    return api.client.post("/v1/staff", data=form, files=pictures, headers=api.headers(key))


def of_astronaut() -> list[Frame]:
    return [person(astronaut(), shift) for shift in (-12, 0, 12)]


def rows(api: Api) -> list[str]:
    with api.services.db.read() as connection:
        return list(connection.scalars(select(events.c.type).where(events.c.type.in_(["dwelled", "expressed"]))))


def counted(model: ExpressionModel, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Note every face whose expression the model is asked for."""
    read: list[object] = []
    predict: Callable[..., Any] = model.predict
    monkeypatch.setattr(model, "predict", lambda *given: (read.append(given), predict(*given))[1])
    return read


def test_staff_are_added_with_their_consent_listed_and_removed(api: Api) -> None:
    made = add(api, "Ana Diaz", *of_astronaut())
    assert made.status_code == 201, made.text
    listed = api.client.get("/v1/staff", headers=api.headers()).json()["staff"]
    assert [(one["name"], one["templates"], one["consent_text_version"]) for one in listed] == [
        ("Ana Diaz", 1, "staff-2")
    ]
    assert listed[0]["recorded_by"].startswith("key ak_")
    gone = api.client.delete(f"/v1/staff/{made.json()['staff_id']}", headers=api.headers())
    assert gone.json()["deleted"] == {"staff_templates": 1, "staff": 1}
    assert api.client.get("/v1/staff", headers=api.headers()).json()["staff"] == []
    assert api.client.delete("/v1/staff/nobody", headers=api.headers()).status_code == 404


def test_pictures_that_will_not_do_and_keys_that_may_not_are_refused(api: Api) -> None:
    assert add(api, "Ana", *[shelf()] * 3).json()["code"] == "enrolment"
    assert add(api, "Ana", person(astronaut())).status_code == 422
    assert add(api, "Ana", *of_astronaut(), key=api.make_key("kiosks")).status_code == 403
    assert api.services.staff.all() == []


def test_beside_the_camera_nothing_is_inferred_told_or_written_of_staff(
    api: Api, door: dict[str, str], url: str, models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(api, "Ana Diaz", *of_astronaut())
    engine, expression = OpenCvEngine(models_dir), ExpressionModel(models_dir)
    read, seen, sent = counted(expression, monkeypatch), list[Observation](), list[bytes]()
    headers = {"Authorization": f"Bearer {door['device_key']}"}

    def watch(face: Frame, name: str) -> None:
        hooks = {"request": [lambda request: sent.append(request.content)]}
        with httpx.Client(base_url=url, headers=headers, event_hooks=hooks) as client:
            agent = Agent(client, "door", engine, expression)
            agent.connect()
            shown = film(tmp_path / name, visit(face, there_s=2, gone_s=3, fps=10))
            agent.run(shown, fps=10, on_seen=lambda _frame, observation: seen.append(observation))

    watch(astronaut(), "staff.avi")
    lasting = {one.track_id for observation in seen for one in observation.people if one.dwell_ms > 500}
    assert (read, lasting, rows(api)) == ([], set(), [])
    assert not any(b"negative" in body or b"positive" in body or b"neutral" in body for body in sent)
    seen.clear()
    watch(somebody_else(), "stranger.avi")
    assert any(observation.present for observation in seen)
    assert read, "of strangers the notice allows it"
    assert "dwelled" in rows(api)


def test_in_the_browser_too_and_even_where_they_are_members_themselves(
    api: Api, door: dict[str, str], models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    eyes, member = api.client.app.state.eyes, api.member("pets-1").member_id  # type: ignore[attr-defined]
    consents = {"face_recognition": True, "expression": True}
    for purpose, granted in consents.items():
        body = {"member_id": member, "purpose": purpose, "granted": granted, "text_version": "k"}
        assert api.client.post("/v1/consents", json=body, headers=api.headers()).status_code == 201
    template = make_template(eyes.engine, of_astronaut())
    api.services.templates.add(member, template, model=eyes.engine.name, at=datetime.now(UTC))
    add(api, "Ana Diaz", *[person(astronaut(), shift) for shift in (-30, 0, 30)])
    read = counted(eyes.expression, monkeypatch)
    headers = {**api.headers(door["device_key"]), "Content-Type": "image/jpeg"}
    picture = cv2.imencode(".jpg", person(astronaut()))[1].tobytes()
    answers = [
        api.client.post(f"/v1/kiosks/{door['kiosk_id']}/frames", content=picture, headers=headers).json()
        for _ in range(5)
    ]
    assert {answer["observation"]["recognised"] for answer in answers} == {False}
    assert answers[-1]["observation"]["people"] == 0
    assert (read, rows(api)) == ([], [])
    with api.services.db.read() as connection:
        named = connection.scalar(
            select(func.count()).select_from(events).where(events.c.member_id == member, events.c.channel == "kiosk")
        )
    assert named == 0


def test_where_only_expressions_are_switched_on_staff_are_still_left_out(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk = api.client.post("/v1/kiosks", json={"name": "moods", "store_id": "s3"}, headers=api.headers()).json()
    terms = {
        "uses": ["expression"],
        "purpose": "Keep it short.",
        "retention_days": 30,
        "notice": "Expressions are read.",
    }
    api.client.put("/v1/stores/s3/cameras", json=terms, headers=api.headers())
    add(api, "Ana Diaz", *of_astronaut())
    told = api.client.get(f"/v1/kiosks/{kiosk['kiosk_id']}/gallery", headers=api.headers(kiosk["device_key"])).json()
    assert (told["templates"], len(told["staff"]), told["expression_notice"]) == ([], 1, True)
    read = counted(api.client.app.state.eyes.expression, monkeypatch)  # type: ignore[attr-defined]
    headers = {**api.headers(kiosk["device_key"]), "Content-Type": "image/jpeg"}
    for frame in [person(astronaut())] * 4:
        picture = cv2.imencode(".jpg", frame)[1].tobytes()
        api.client.post(f"/v1/kiosks/{kiosk['kiosk_id']}/frames", content=picture, headers=headers)
    assert read == []
