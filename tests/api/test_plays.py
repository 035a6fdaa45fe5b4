"""Proof of play: each once, whatever is sent again, and what it tells the event log."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from personalization.types import MemberId, Purpose, Subject
from stores.database import new_id
from stores.screen_tables import plays
from stores.tables import events
from tests.api.conftest import Api

Kiosk = dict[str, str]


@pytest.fixture
def door(api: Api) -> Kiosk:
    body = {"name": "door", "store_id": "s1"}
    return dict(api.client.post("/v1/kiosks", json=body, headers=api.headers()).json())


def play(**more: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    times = {"started_at": (now - timedelta(seconds=8)).isoformat(), "ended_at": now.isoformat()}
    return {"play_id": new_id(), "mode": "attract", "online": True, **times, **more}


def send(api: Api, kiosk: Kiosk, batch: list[dict[str, Any]], sent_at: datetime | None = None) -> dict[str, Any]:
    body = {"sent_at": (sent_at or datetime.now(UTC)).isoformat(), "plays": batch}
    answer = api.client.post(
        f"/v1/kiosks/{kiosk['kiosk_id']}/plays", json=body, headers=api.headers(kiosk["device_key"])
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def stored(api: Api, kiosk: Kiosk) -> list[dict[str, Any]]:
    found, after = [], 0
    while True:
        address = f"/v1/kiosks/{kiosk['kiosk_id']}/plays"
        page = api.client.get(address, params={"after": after, "limit": 7}, headers=api.headers()).json()["plays"]
        if not page:
            return found
        found += page
        after = page[-1]["position"]


def viewed(api: Api) -> list[tuple[str | None, str | None, str | None]]:
    query = select(events).where(events.c.type == "viewed").order_by(events.c.seq)
    with api.services.db.read() as connection:
        return [(row.decision_id, row.product_id, row.member_id) for row in connection.execute(query)]


def greet(api: Api, name: str) -> tuple[MemberId, dict[str, Any]]:
    """Have the kiosk greet a member; return what it shows."""
    member = api.member(name).member_id
    app: Any = api.client.app
    app.state.privacy.record(member, {Purpose.FACE_RECOGNITION: True}, channel="test", text_version="t")
    kiosk = api.services.kiosks.find("door")
    app.state.displays.observe(kiosk, [{"track_id": 1, "member_id": member}])
    return member, api.services.bus.current(kiosk.kiosk_id)  # type: ignore[union-attr, return-value]


ATTEMPT = st.tuples(st.integers(1, 5), st.sampled_from(["lost on the way", "answer lost", "answered"]), st.booleans())


def test_any_interleaving_of_retries_stores_each_play_once_and_in_order(api: Api, door: Kiosk) -> None:
    app: Any = api.client.app
    decision = app.state.displays.display(api.services.kiosks.find("door"))["decision_id"]

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        count=st.integers(1, 9),
        attempts=st.lists(ATTEMPT, max_size=8),
        clock_s=st.sampled_from([0, -40, 3600, -86_400 * 365]),
        late=st.randoms(use_true_random=False),
    )
    def one(count: int, attempts: list[Any], clock_s: int, late: Any) -> None:
        skew, before = timedelta(seconds=clock_s), datetime.now(UTC)
        waiting = []
        for _ in range(count):
            at = datetime.now(UTC) + skew
            waiting.append(
                play(
                    started_at=at.isoformat(), ended_at=at.isoformat(), decision_id=decision, online=late.random() < 0.5
                )
            )
        made, flying = list(waiting), []
        for size, fate, doubled in attempts:
            batch = waiting[:size]
            if not batch:
                break
            if fate == "lost on the way":
                continue
            send(api, door, batch * (2 if doubled else 1), datetime.now(UTC) + skew)
            flying.append(batch)
            if fate == "answered":
                waiting = waiting[size:]
            if late.random() < 0.3:  # a request that was slow arrives behind a later one
                send(api, door, late.choice(flying), datetime.now(UTC) + skew)
        while waiting:
            send(api, door, waiting[:4], datetime.now(UTC) + skew)
            waiting = waiting[4:]
        mine = [one["play_id"] for one in made]  # hypothesis gives some examples up half way, whose plays lie there too
        found = [one for one in stored(api, door) if one["play_id"] in mine]
        assert [one["play_id"] for one in found] == mine
        for one in found:
            started = datetime.fromisoformat(one["started_at"])
            slack = timedelta(seconds=5 if abs(clock_s) > 5 else 0.1)
            assert before - slack <= started <= datetime.now(UTC) + slack

    one()
    assert viewed(api) == [(decision, None, None)]


def test_two_that_send_the_same_batch_at_once_store_it_once(api: Api, door: Kiosk) -> None:
    batch, answers = [play() for _ in range(20)], []
    threads = [threading.Thread(target=lambda: answers.append(send(api, door, batch))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one["accepted"] for one in answers) == 20
    assert sum(one["duplicates"] for one in answers) == 60
    assert [one["play_id"] for one in stored(api, door)] == [one["play_id"] for one in batch]


def test_a_crash_between_play_and_event_leaves_neither(api: Api, door: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    _, shown = greet(api, "pets-1")
    batch = [play(mode="welcome", decision_id=shown["decision_id"], product_ids=[shown["items"][0]["product_id"]])]
    with monkeypatch.context() as patched:
        patched.setattr("stores.plays._exposures", lambda *_: 1 / 0)
        body = {"sent_at": datetime.now(UTC).isoformat(), "plays": batch}
        address = f"/v1/kiosks/{door['kiosk_id']}/plays"
        assert api.client.post(address, json=body, headers=api.headers(door["device_key"])).status_code == 500
    assert stored(api, door) == []
    assert send(api, door, batch)["accepted"] == 1
    assert len(viewed(api)) == 1


def test_a_shown_screen_tells_the_log_its_items_once_for_the_member_who_agreed(api: Api, door: Kiosk) -> None:
    member, shown = greet(api, "pets-1")
    products = [item["product_id"] for item in shown["items"]]
    for _ in range(3):  # the same screen again and again
        one = play(mode="welcome", decision_id=shown["decision_id"], product_ids=[*products, "milk-1-of-elsewhere"])
        assert send(api, door, [one])["accepted"] == 1
    assert sorted(viewed(api), key=str) == sorted(
        ((shown["decision_id"], product, member) for product in products), key=str
    )


def test_a_play_names_no_decision_that_is_gone_or_was_not_for_a_kiosk(api: Api, door: Kiosk) -> None:
    member, shown = greet(api, "pets-1")
    token = api.token("pets-2")["token"]
    chat = api.client.post("/v1/recommendations", json={}, headers=api.headers(token)).json()["decision_id"]
    greeted = play(mode="welcome", decision_id=shown["decision_id"], product_ids=["milk-1"])
    send(api, door, [greeted, play(decision_id=chat), play(decision_id=new_id())])
    assert [one["decision_id"] for one in stored(api, door)] == [shown["decision_id"], None, None]
    app: Any = api.client.app
    app.state.privacy.erase(member)
    assert next((one["decision_id"], one["product_ids"]) for one in stored(api, door)) == (None, [])
    send(api, door, [play(mode="welcome", decision_id=shown["decision_id"])])  # told late
    assert stored(api, door)[-1]["decision_id"] is None


def test_what_is_no_play_is_named_and_keeps_nobody_up(api: Api, door: Kiosk) -> None:
    odd = play(started_at="0001-01-01T00:00:00+00:00", ended_at="0001-01-01T00:00:00+00:00")
    backwards = play(ended_at="2020-01-01T00:00:00Z")
    found = send(api, door, [play(), {"play_id": "7"}, play(mode="disco"), odd, backwards])
    assert found["accepted"] == 3
    assert [(one["index"], "play_id" in one["reason"] or "mode" in one["reason"]) for one in found["rejected"]] == [
        (1, True), (2, True),
    ]  # fmt: skip
    for one in stored(api, door):
        assert one["started_at"] <= one["ended_at"]


def test_a_key_of_another_kiosk_or_an_old_one_tells_nothing(api: Api, door: Kiosk) -> None:
    other = api.client.post("/v1/kiosks", json={"name": "other"}, headers=api.headers()).json()
    body = {"sent_at": datetime.now(UTC).isoformat(), "plays": [play()]}
    address = f"/v1/kiosks/{door['kiosk_id']}/plays"
    assert api.client.post(address, json=body, headers=api.headers(other["device_key"])).status_code == 403
    with api.services.db.read() as connection:
        assert connection.scalar(select(func.count()).select_from(plays)) == 0


def test_a_purge_reaches_the_display_with_a_new_number_and_leaves_its_content(api: Api, door: Kiosk) -> None:
    _, shown = greet(api, "pets-1")
    answer = api.client.post("/v1/kiosks/door/purge", headers=api.headers()).json()
    after = api.services.bus.current(door["kiosk_id"])
    assert after is not None
    assert (after["epoch"], after["revision"], after["headline"]) == (
        answer["epoch"], shown["revision"] + 1, shown["headline"],
    )  # fmt: skip
    assert answer["epoch"] == shown["epoch"] + 1
    assert api.services.bus.shows(door["kiosk_id"]) != frozenset()


def test_a_late_forget_me_reaches_whom_that_screen_greeted_and_nobody_who_came_after(api: Api, door: Kiosk) -> None:
    first, shown = greet(api, "pets-1")
    kiosk, app = api.services.kiosks.find("door"), api.client.app
    assert kiosk is not None
    displays: Any = app.state.displays  # type: ignore[attr-defined]
    displays.not_me(kiosk)
    displays._states.clear()
    second, later = greet(api, "pets-2")
    assert first not in shown["ticket"]
    headers, address = api.headers(door["device_key"]), "/v1/kiosks/door"
    said = api.client.post(f"{address}/forget-me", json={"ticket": shown["ticket"]}, headers=headers)
    assert said.json() == {"forgotten": 1}
    granted = api.services.consents.members_with(Purpose.FACE_RECOGNITION)
    assert (first in granted, second in granted) == (False, True)
    current = api.services.bus.current(kiosk.kiosk_id)
    assert current is not None
    assert current["headline"] == later["headline"]
    for wrong in (shown["ticket"][:-8] + "AAAAAAA=", "x"):
        assert api.client.post(f"{address}/forget-me", json={"ticket": wrong}, headers=headers).status_code == 410


def test_what_is_withdrawn_while_its_screen_is_made_never_gets_onto_it(
    api: Api, door: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    app: Any = api.client.app
    member = api.member("pets-1").member_id
    app.state.privacy.record(member, {Purpose.FACE_RECOGNITION: True}, channel="test", text_version="t")
    kiosk = api.services.kiosks.find("door")
    assert kiosk is not None
    displays = app.state.displays
    displays.display(kiosk)
    made, published = displays._screens.make, []
    publish = api.services.bus.publish

    def make(*given: Any) -> Any:
        found = made(*given)
        withdrawn = threading.Thread(
            target=lambda: app.state.privacy.record(
                member, {Purpose.FACE_RECOGNITION: False}, channel="test", text_version="w"
            )
        )
        withdrawn.start()
        threads.append(withdrawn)
        while Purpose.FACE_RECOGNITION in api.services.consents.granted(Subject(member), at=datetime.now(UTC)):
            pass
        return found

    threads: list[threading.Thread] = []
    monkeypatch.setattr(displays._screens, "make", make)

    def noted(kiosk_id: str, display: dict[str, Any], **more: Any) -> None:
        granted = api.services.consents.granted(Subject(member), at=datetime.now(UTC))
        published.append((display["mode"], Purpose.FACE_RECOGNITION in granted))
        publish(kiosk_id, display, **more)

    monkeypatch.setattr(api.services.bus, "publish", noted)
    displays.observe(kiosk, [{"track_id": 1, "member_id": member}])
    threads[0].join()
    assert published[0] == ("welcome", True)  # before the poster was designed, and before the withdrawal
    assert {mode for mode, granted in published if not granted} == {"attract"}
    assert published[-1][0] == "attract"
