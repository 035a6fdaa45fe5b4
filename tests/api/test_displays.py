"""What a display shows, from the camera's frame to the stream of events."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import cv2
import httpx
import pytest
import uvicorn
from sqlalchemy import select

import stores.consents
import stores.templates
from api import sessions
from api.bus import DisplayBus, LocalBus, RedisBus
from api.routes import kiosks as kiosk_routes
from api.services.kiosk import Kiosks
from personalization.types import MemberId, Purpose
from stores.consents import ConsentEntry
from stores.database import new_id
from stores.tables import events
from tests.api.conftest import Api
from tests.stores.traces import face
from tests.vision.fake_camera import HEIGHT, WIDTH, astronaut, visit
from vision.agent import Agent
from vision.capture import Capture
from vision.engines.opencv import OpenCvEngine
from vision.enrol import make_template
from vision.faces import Frame
from vision.observation import Observation


def somebody(**more: Any) -> dict[str, Any]:
    return {"track_id": 1, **more}


def observation(*people: dict[str, Any], at: datetime | None = None) -> dict[str, Any]:
    return {"observation_id": new_id(), "people": people, "at": (at or datetime.now(UTC)).isoformat()}


def agree(api: Api, member_id: MemberId, *purposes: Purpose) -> None:
    api.client.app.state.privacy.record(  # type: ignore[attr-defined]
        member_id, dict.fromkeys(purposes, True), channel="test", text_version="t"
    )


@pytest.fixture
def door(api: Api) -> dict[str, str]:
    body = {"name": "door", "store_id": "s1"}
    return dict(api.client.post("/v1/kiosks", json=body, headers=api.headers()).json())


@pytest.fixture
def url(api: Api) -> Iterator[str]:
    """The same app on a real socket: a test client cannot read a stream that has no end."""
    server = uvicorn.Server(uvicorn.Config(api.client.app, port=0, lifespan="off", log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@contextmanager
def stream(url: str, kiosk: dict[str, str]) -> Iterator[Callable[[], dict[str, Any]]]:
    """Follow a display; yields what returns the next one."""
    address = f"{url}/v1/kiosks/{kiosk['kiosk_id']}/display"
    with httpx.stream("GET", address, headers={"Authorization": f"Bearer {kiosk['device_key']}"}, timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        yield lambda: next(json.loads(line[6:]) for line in lines if line.startswith("data: "))


def test_the_stream_begins_with_the_present_display_and_brings_every_change(
    api: Api, door: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kiosk_routes, "LOOK_AGAIN_S", 3_600)  # what comes is told, not found later
    member = api.member("pets-1")
    agree(api, member.member_id, Purpose.FACE_RECOGNITION)
    report = f"/v1/kiosks/{door['kiosk_id']}/observations"
    with stream(url, door) as following:
        first = following()
        assert (first["mode"], first["privacy"]["camera"]) == ("attract", False)
        assert len(first["slides"]) == 4
        seen = observation(somebody(member_id=member.member_id, similarity=0.9))
        api.client.post(report, json=seen, headers=api.headers(door["device_key"]))
        welcome = following()
        assert (welcome["mode"], welcome["headline"]) == ("welcome", "Welcome back, Pets-1")
        assert welcome["privacy"]["camera"]
        assert welcome["privacy"]["recognised"]
        assert welcome["revision"] > first["revision"]
        assert (welcome["poster"], welcome["poster_follows"]) == (None, True), "nobody waits for a new design"
        whole = following()
        assert (whole["decision_id"], whole["items"]) == (welcome["decision_id"], welcome["items"])
        assert whole["poster"]["url"]
        assert "poster_follows" not in whole
        assert member.member_id not in json.dumps([welcome, whole]), "the page learns a first name, not who it is"
        withdrawal = {"purpose": "face_recognition", "granted": False, "text_version": "w"}
        api.client.post("/v1/consents", json=withdrawal, headers=api.headers(api.token("pets-1")["token"]))
        assert following()["mode"] == "attract"


def test_a_display_hears_often_that_the_api_is_there(api: Api, door: dict[str, str], url: str) -> None:
    """Its page blanks what is personal after six seconds of silence (`web/src/kiosk/stream.ts`)."""
    address = f"{url}/v1/kiosks/{door['kiosk_id']}/display"
    with httpx.stream("GET", address, headers=api.headers(door["device_key"]), timeout=6) as answer:
        lines = answer.iter_lines()
        assert any(line.startswith(": ping") for line in lines)


def test_a_stranger_before_the_camera_is_told_that_it_looks(api: Api, door: dict[str, str], url: str) -> None:
    with stream(url, door) as following:
        assert following()["privacy"]["camera"] is False
        api.client.post(f"/v1/kiosks/{door['kiosk_id']}/observations", json=observation(somebody()),
                        headers=api.headers(door["device_key"]))  # fmt: skip
        told = following()
        assert (told["mode"], told["privacy"]["camera"], told["privacy"]["recognised"]) == ("attract", True, False)


def test_the_stream_itself_notices_what_nobody_published(
    api: Api, door: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kiosk_routes, "LOOK_AGAIN_S", 0.05)
    clock = [0.0]
    displays = Kiosks(api.services, clock=lambda: clock[0])
    monkeypatch.setattr(api.client.app.state, "displays", displays)  # type: ignore[attr-defined]
    kiosk = api.services.kiosks.find("door")
    member = api.member("baby-1")
    agree(api, member.member_id, Purpose.FACE_RECOGNITION)
    assert kiosk is not None
    displays.observe(kiosk, [somebody(member_id=member.member_id)])
    with stream(url, door) as following:
        assert following()["mode"] == "welcome"
        clock[0] = 11.0  # the camera has been silent: nobody knows whether the member is still there
        left = following()
        assert (left["mode"], left["privacy"]["camera"], left["coupon"]) == ("attract", False, None)


def test_a_stay_before_the_camera_is_told_to_the_log_with_what_may_be_read(api: Api, door: dict[str, str]) -> None:
    clock, kiosk = [0.0], api.services.kiosks.find("door")
    assert kiosk is not None
    member = api.member("pets-3").member_id
    displays = Kiosks(api.services, clock=lambda: clock[0])
    agree(api, member, Purpose.FACE_RECOGNITION)
    displays.observe(kiosk, [somebody(member_id=member, valence=-0.4)])
    clock[0] = 7.4
    displays.observe(kiosk, [])
    agree(api, member, Purpose.EXPRESSION)
    displays.observe(kiosk, [somebody(member_id=member, valence=-0.4)])
    clock[0] = 10.4
    displays.observe(kiosk, [])
    with api.services.db.read() as connection:
        rows = connection.execute(
            select(events).where(events.c.type.in_(["dwelled", "expressed"])).order_by(events.c.seq)
        )
        told = [(row.type, row.member_id, row.payload) for row in rows]
    assert told == [
        ("dwelled", member, {"kiosk_id": "door", "seconds": 7.0}),
        ("dwelled", member, {"kiosk_id": "door", "seconds": 3.0}),
        ("expressed", member, {"kiosk_id": "door", "valence": -0.4}),
    ]


def test_two_processes_share_what_a_kiosk_shows_and_either_ends_it(
    api: Api, door: dict[str, str], redis_url: str
) -> None:
    member, kiosk = api.member("cheese-1"), api.services.kiosks.find("door")
    agree(api, member.member_id, Purpose.FACE_RECOGNITION)
    assert kiosk is not None
    api.services.bus = RedisBus(redis_url)
    here, there = Kiosks(api.services), Kiosks(api.services)
    here.observe(kiosk, [somebody(member_id=member.member_id)])
    assert there.display(kiosk)["mode"] == "welcome"
    there.forget(member.member_id)
    assert here.display(kiosk)["mode"] == "attract"
    assert api.services.bus.shows(kiosk.kiosk_id) == frozenset()


def test_a_change_reaches_who_listens_in_process_and_through_redis(redis_url: str) -> None:
    async def first(bus: DisplayBus, publisher: DisplayBus) -> dict[str, Any]:
        listening = bus.listen("k")
        waiting = asyncio.ensure_future(anext(listening))  # type: ignore[arg-type]
        for number in range(200):
            await asyncio.to_thread(publisher.publish, "k", {"revision": number})
            done, _ = await asyncio.wait({waiting}, timeout=0.02)
            if done:
                break
        found = waiting.result()
        await listening.aclose()  # type: ignore[attr-defined]
        return found

    local = LocalBus()
    assert "revision" in asyncio.run(first(local, local))
    assert "revision" in asyncio.run(first(RedisBus(redis_url), RedisBus(redis_url)))


def test_without_redis_a_process_goes_on_with_its_own_displays() -> None:
    bus = RedisBus("redis://127.0.0.1:9/0")
    assert bus.current("k") is None
    bus.publish("k", {"revision": 1}, members={"m"})
    assert bus.current("k") == {"revision": 1}
    assert bus.shows("k") == {"m"}


@pytest.mark.parametrize("setting", [{"vision_match_threshold": 0.6}, {"vision_adaptive": False}])
def test_a_changed_setting_reaches_cameras_that_run(api: Api, door: dict[str, str], setting: dict[str, Any]) -> None:
    kiosk = api.services.kiosks.find("door")
    assert kiosk is not None
    address, headers = f"/v1/kiosks/{kiosk.kiosk_id}/gallery", api.headers(door["device_key"])
    headers = headers | {"If-None-Match": api.client.get(address, headers=headers).headers["etag"]}
    assert api.client.get(address, headers=headers).status_code == 304
    for name, value in setting.items():
        setattr(api.services.settings, name, value)
    assert api.client.get(address, headers=headers).status_code == 200


def test_an_observation_that_could_not_be_taken_in_counts_when_it_is_sent_again(
    api: Api, door: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk, displays = api.services.kiosks.find("door"), api.client.app.state.displays  # type: ignore[attr-defined]
    assert kiosk is not None
    member = api.member("pets-1").member_id
    agree(api, member, Purpose.FACE_RECOGNITION)
    address, headers = f"/v1/kiosks/{kiosk.kiosk_id}/observations", api.headers(door["device_key"])
    body = observation(somebody(member_id=member))

    def fails(*_: object, **__: object) -> None:
        raise ConnectionError("the database is away")

    with monkeypatch.context() as broken:
        broken.setattr(displays, "observe", fails)
        assert api.client.post(address, json=body, headers=headers).status_code == 500
    assert api.client.post(address, json=body, headers=headers).json() == {"changed": True}
    assert api.client.post(address, json=body, headers=headers).json() == {"changed": False}, "and only once"


def test_a_consent_that_expires_reaches_every_camera_before_the_worker_withdraws_it(
    api: Api, door: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [0.0]

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(days=days[0])

    for module in (stores.consents, stores.templates):
        monkeypatch.setattr(module, "datetime", Later)
    now, eyes = datetime.now(UTC), api.client.app.state.eyes  # type: ignore[attr-defined]
    ends = {"pets-1": now + timedelta(days=1), "pets-2": now + timedelta(days=3)}
    members = [api.member(name).member_id for name in ends]
    for who, end in zip(members, ends.values(), strict=True):
        entries = [
            ConsentEntry(who, one, True, now, "kiosk", "t", end)
            for one in (Purpose.FACE_RECOGNITION, Purpose.EXPRESSION)
        ]
        api.services.consents.record(entries)
        api.services.templates.add(who, face(1), model=eyes.engine.name, at=now)
    address, headers = f"/v1/kiosks/{door['kiosk_id']}/gallery", api.headers(door["device_key"])
    for days[0], known in ((0.5, members), (2.0, members[1:]), (4.0, [])):
        fresh = api.client.get(address, headers=headers)
        headers["If-None-Match"] = fresh.headers["etag"]
        assert fresh.status_code == 200
        assert [one["member_id"] for one in fresh.json()["templates"]] == known
        assert eyes.galleries().readable == frozenset(known)
        assert api.client.get(address, headers=headers).status_code == 304


def test_a_withdrawn_consent_to_expressions_reaches_every_camera(api: Api, door: dict[str, str]) -> None:
    member = api.member("pets-3")
    agree(api, member.member_id, Purpose.FACE_RECOGNITION, Purpose.EXPRESSION)
    kiosk, eyes = api.services.kiosks.find("door"), api.client.app.state.eyes  # type: ignore[attr-defined]
    assert kiosk is not None
    assert member.member_id in eyes.galleries().readable
    address, headers = f"/v1/kiosks/{kiosk.kiosk_id}/gallery", api.headers(door["device_key"])
    etag = api.client.get(address, headers=headers).headers["etag"]
    body = {"member_id": member.member_id, "purpose": "expression", "granted": False, "text_version": "w"}
    api.client.post("/v1/consents", json=body, headers=api.headers())
    assert member.member_id not in eyes.galleries().readable
    assert api.client.get(address, headers={**headers, "If-None-Match": etag}).status_code == 200
    unhappy = somebody(member_id=member.member_id, valence=-0.9, expression="negative", certainty=0.9)
    api.client.post(f"/v1/kiosks/{kiosk.kiosk_id}/observations", json=observation(unhappy), headers=headers)
    assert api.services.member_affect.get(member.member_id, at=datetime.now(UTC)) is None
    display = api.services.bus.current(kiosk.kiosk_id)
    assert display is not None
    assert display["mode"] == "welcome", "an expression that may not be read changes nothing"


def test_a_changed_gallery_is_loaded_once_however_many_cameras_ask(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    eyes, both = api.client.app.state.eyes, threading.Barrier(2)  # type: ignore[attr-defined]
    real, loaded = api.services.templates.gallery, []

    def gallery(model: str) -> Any:
        loaded.append(model)
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)  # time for a second one to come
        return real(model)

    monkeypatch.setattr(api.services.templates, "gallery", gallery)
    cameras = [threading.Thread(target=eyes.galleries) for _ in range(2)]
    for camera in cameras:
        camera.start()
    for camera in cameras:
        camera.join()
    assert len(loaded) == 1


def film(path: Path, frames: list[Frame], fps: int = 10) -> Capture:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (WIDTH, HEIGHT))
    for frame in frames:
        writer.write(frame)
    writer.release()
    return Capture(str(path))


def test_an_agent_beside_the_camera_greets_a_member_and_sends_no_picture(
    api: Api, door: dict[str, str], url: str, models_dir: Path, tmp_path: Path
) -> None:
    engine, member = OpenCvEngine(models_dir), api.member("pets-1")
    agree(api, member.member_id, Purpose.FACE_RECOGNITION)
    frames = visit(astronaut(), there_s=3, gone_s=5, fps=10)
    template = make_template(engine, frames[:4])
    api.services.templates.add(member.member_id, template, model=engine.name, at=datetime.now(UTC))

    seen: list[Observation] = []
    sent: list[httpx.Request] = []
    displays: list[str] = []

    def note(_frame: Frame, observation: Observation) -> None:
        seen.append(observation)
        display = api.services.bus.current(door["kiosk_id"])
        displays.append(display["mode"] if display else "none")

    headers = {"Authorization": f"Bearer {door['device_key']}"}
    with httpx.Client(base_url=url, headers=headers, event_hooks={"request": [sent.append]}) as client:
        agent = Agent(client, "door", engine, None)
        agent.connect()
        agent.run(film(tmp_path / "door.avi", frames), fps=10, on_seen=note)
    assert {person.member_id for observation in seen for person in observation.people} >= {member.member_id}
    assert "welcome" in displays
    assert displays[-1] == "attract"
    assert {request.headers.get("content-type") for request in sent if request.method == "POST"} == {"application/json"}


def test_a_display_whose_key_is_revoked_is_told_nothing_more(
    api: Api, door: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "LOOK_AGAIN_S", 0.05)
    address = f"{url}/v1/kiosks/{door['kiosk_id']}/display"
    with httpx.stream("GET", address, headers=api.headers(door["device_key"]), timeout=10) as answer:
        lines = answer.iter_lines()
        assert any(line.startswith("data: ") for line in lines)
        key = api.services.keys.find(door["device_key"])
        assert key is not None
        api.services.keys.revoke(key.key_id, at=datetime.now(UTC))
        assert list(lines)[-1:] in ([], [""]), "it ends, and the client reads to its end"
