"""The display policy over the api: nobody's change is lost, and what makes no sense is told by name."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from personalization.types import Purpose
from tests.api.conftest import Api

URL = "/v1/display-policy"


def read(api: Api) -> tuple[dict[str, Any], str]:
    answer = api.client.get(URL, headers=api.headers())
    return answer.json(), answer.headers["etag"]


def save(api: Api, values: dict[str, Any], etag: str | None, note: str = "because", name: str = "Ana") -> Any:
    headers = {**api.headers(), "X-Agent-Name": name, **({"If-Match": etag} if etag else {})}
    return api.client.put(URL, json={"values": values, "note": note}, headers=headers)


def changed(values: dict[str, Any], **calm: float) -> dict[str, Any]:
    return values | {"calm": values["calm"] | calm}


def test_a_saved_policy_counts_is_kept_and_can_be_taken_back(api: Api) -> None:
    first, etag = read(api)
    assert (first["version"], first["values"]["calm"]["below"]) == (0, -0.35)
    assert first["limits"]["calm.below"] == {"least": -1, "most": 1, "step": 0.05, "unit": "valence"}
    for below in (-0.5, -0.6):
        saved = save(api, changed(first["values"], below=below), etag)
        assert saved.status_code == 200
        etag = saved.headers["etag"]
    restored = api.client.post(
        f"{URL}/versions/1/restore", headers={**api.headers(), "If-Match": etag, "X-Agent-Name": "Ben"}
    ).json()
    assert (restored["version"], restored["restored"], restored["author"]) == (3, 1, "Ben")
    versions = api.client.get(f"{URL}/versions", headers=api.headers()).json()["versions"]
    assert [(one["version"], one["values"]["calm"]["below"]) for one in versions] == [(3, -0.5), (2, -0.6), (1, -0.5)]
    assert read(api)[0]["values"]["calm"]["below"] == -0.5
    assert api.client.post(f"{URL}/versions/9/restore", headers={**api.headers(), "If-Match": etag}).status_code == 404


def test_who_saves_over_somebody_elses_change_is_told_and_changes_nothing(api: Api) -> None:
    first, etag = read(api)
    assert save(api, changed(first["values"], below=-0.5), etag, name="Ana").status_code == 200
    late = save(api, changed(first["values"], below=-0.9), etag, name="Ben")
    assert (late.status_code, late.json()["code"]) == (412, "changed")
    assert "Ana has saved version 1" in late.json()["detail"]
    assert late.json()["by"] == "Ana"
    assert save(api, first["values"], None).status_code == 428
    assert read(api)[0]["values"]["calm"]["below"] == -0.5


def test_of_two_who_save_at_once_one_wins(api: Api) -> None:
    first, etag = read(api)
    codes: list[int] = []
    threads = [
        threading.Thread(
            target=lambda n=n: codes.append(save(api, changed(first["values"], below=-n / 10), etag).status_code)
        )
        for n in range(3, 8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, 412, 412, 412, 412]


@pytest.mark.parametrize(
    ("calm", "where", "reason"),
    [
        ({"below": -3}, "values.calm.below", "-1 to 1 is possible"),
        ({"until": -0.9}, "values.calm.until", "has to be above -0.35"),
        ({"after": "two"}, "values.calm.after", "a number is needed"),
        ({"mood": 1}, "values.calm.mood", "is not part of"),
    ],
)
def test_what_makes_no_sense_is_refused_by_the_name_of_the_value(
    api: Api, calm: dict[str, Any], where: str, reason: str
) -> None:
    first, etag = read(api)
    for answer in (
        save(api, changed(first["values"], **calm), etag),
        api.client.post(f"{URL}/preview", json={"values": changed(first["values"], **calm)}, headers=api.headers()),
    ):
        assert answer.status_code == 422
        assert [one["where"] for one in answer.json()["errors"]] == [where]
        assert reason in answer.json()["errors"][0]["reason"]
    assert read(api)[0]["version"] == 0


def test_a_preview_shows_what_a_change_does_and_saves_nothing(api: Api) -> None:
    first, _ = read(api)

    def played(values: dict[str, Any], visit: str) -> dict[str, Any]:
        body = {"values": values, "visit": visit}
        return dict(api.client.post(f"{URL}/preview", json=body, headers=api.headers()).json())

    for visit in first["visits"]:
        assert played(first["values"], visit)["flickers"] == 0
    eager = changed(first["values"], after=0, **{"for": 0}) | {"shortest": 0}
    assert played(eager, "a restless face")["flickers"] > 0
    assert (
        api.client.post(
            f"{URL}/preview", json={"values": first["values"], "visit": "x"}, headers=api.headers()
        ).status_code
        == 422
    )
    assert read(api)[0]["version"] == 0


def test_a_kiosk_follows_a_saved_policy(api: Api) -> None:
    made = api.client.post("/v1/kiosks", json={"name": "door", "store_id": "s1"}, headers=api.headers()).json()
    app, member = api.client.app, api.member("pets-1").member_id
    displays: Any = app.state.displays  # type: ignore[attr-defined]
    app.state.privacy.record(  # type: ignore[attr-defined]
        member, {Purpose.FACE_RECOGNITION: True, Purpose.EXPRESSION: True}, channel="test", text_version="t"
    )
    clock = [0.0]
    displays._clock = lambda: clock[0]
    kiosk = api.services.kiosks.find("door")
    first, etag = read(api)
    save(api, changed(first["values"], after=0), etag)
    for clock[0] in (3.0, 3.2):
        displays.observe(
            kiosk, [{"track_id": 1, "member_id": member, "valence": -0.8, "expression": "negative", "certainty": 0.9}]
        )
    assert api.services.bus.current(made["kiosk_id"])["mode"] == "calm"  # type: ignore[index]


def test_a_key_without_the_scope_reads_and_saves_nothing(api: Api) -> None:
    _, etag = read(api)
    headers = {**api.headers(api.make_key("agents")), "If-Match": etag}
    assert api.client.get(URL, headers=headers).status_code == 403
    assert api.client.post(f"{URL}/versions/1/restore", headers=headers).status_code == 403
