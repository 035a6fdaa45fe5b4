"""Living profiles through the API and on the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from api.worker import Worker
from stores.events import append
from tests.api.conftest import Api


def work(api: Api) -> None:
    """Let the worker take what is there."""
    worker = Worker(api.services)
    while worker._pass():
        pass


def say(api: Api, member: str, *valences: float) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    made = [{"event_id": f"{member[-12:]}-{n}", "type": "message_sent", "at": now, "channel": "widget", "member_id": member,
             "payload": {"valence": v, "text": "a secret"}} for n, v in enumerate(valences)]  # fmt: skip
    return dict(api.client.post("/v1/events", json={"events": made}, headers=api.headers()).json())


def labels(api: Api, member: str) -> dict[str, Any]:
    found = api.client.get(f"/v1/members/{member}/labels", headers=api.headers()).json()
    return {label["name"]: label for label in found["labels"]}


def test_an_event_becomes_a_label_with_its_reason(api: Api) -> None:
    member = api.member("pets-3").member_id
    assert say(api, member, -0.9, -0.7)["accepted"] == 2
    work(api)
    mood = labels(api, member)["mood"]
    assert mood["value"] == "unhappy"
    assert mood["evidence"]["messages_28d"] == 2
    profile = api.client.get(f"/v1/members/{member}/profile", headers=api.headers()).json()
    assert profile["features"]["messages_28d"] == 2
    assert profile["consented"]
    assert profile["top_categories"][0]["share"] > 0
    assert profile["complete_until"] is not None
    export = api.client.get(f"/v1/members/{member}/export", headers=api.headers()).text
    assert "a secret" not in export


def test_this_is_not_me(api: Api) -> None:
    member, token = api.member("pets-3").member_id, api.token("pets-3")["token"]
    work(api)
    mine = api.client.get("/v1/me/labels", headers=api.headers(token)).json()
    assert "shopping_rhythm" in {label["name"] for label in mine["labels"]}
    assert api.client.put("/v1/me/labels/shopping_rhythm/veto", headers=api.headers(token)).json()["vetoed"]
    say(api, member, 0.1)
    work(api)
    assert "shopping_rhythm" not in labels(api, member)
    refused = api.client.delete(f"/v1/members/{member}/labels/shopping_rhythm/veto", headers=api.headers())
    assert (refused.status_code, refused.json()["code"]) == (409, "members_veto")
    assert not api.client.delete("/v1/me/labels/shopping_rhythm/veto", headers=api.headers(token)).json()["vetoed"]
    assert "shopping_rhythm" in labels(api, member)


def test_this_is_not_me_in_the_chat(api: Api) -> None:
    from api.services.assistant import Assistant
    from api.services.privacy import Privacy

    member = api.member("pets-3").member_id
    work(api)
    assistant = Assistant(api.services, Privacy(api.services, lambda _: None))
    talk = api.services.conversations.start("v1", member, at=datetime.now(UTC)).conversation_id
    known = dict(assistant.conclusions(talk))
    assert known["shopping_rhythm"].startswith("Shopping rhythm: ")
    told = assistant.knowledge(talk).text.splitlines()  # what can be corrected is told, each on a line of its own
    assert all(line.startswith(f"• {words}. ") for line, words in zip(told[-len(known) :], known.values(), strict=True))
    assert sum(line.startswith("• ") for line in told) == len(known)
    assert "forgot" in assistant.veto(talk, "shopping_rhythm").text
    assert "nothing to correct" in assistant.veto(talk, "shopping_rhythm").text
    assert "nothing to correct" in assistant.veto(talk, "'; DROP TABLE labels").text
    assert "shopping_rhythm" not in dict(assistant.conclusions(talk))
    assert [veto.by for veto in api.services.labels.vetoes(member)] == ["member"]
    stranger = api.services.conversations.start("v2", None, at=datetime.now(UTC)).conversation_id
    assert assistant.conclusions(stranger) == []
    assert "do not know who you are" in assistant.veto(stranger, "mood").text


def test_without_consent_there_is_no_profile_and_an_order_still_counts_as_one(api: Api) -> None:
    member = api.member("pets-3").member_id
    work(api)
    body = {"member_id": member, "purpose": "profiling", "granted": False, "text_version": "t"}
    api.client.post("/v1/consents", json=body, headers=api.headers())
    profile = api.client.get(f"/v1/members/{member}/profile", headers=api.headers()).json()
    assert (profile["consented"], profile["features"], profile["labels"]) == (False, {}, [])
    api.client.post("/v1/consents", json={**body, "granted": True}, headers=api.headers())
    assert "shopping_rhythm" in labels(api, member)


def test_alerts_are_read_in_order_and_cannot_be_sent(api: Api) -> None:
    from personalization.types import EventType
    from stores.events import Event

    member, now = api.member("pets-3").member_id, datetime.now(UTC)
    made = [Event(f"a{n}", EventType.ALERTED, now, "api", member, payload={"kind": "lapse_risk", "value": "high", "sentence": "Soon."}) for n in (1, 2)]  # fmt: skip
    with api.services.db.write() as connection:
        append(connection, made, received_at=now)
    first = api.client.get("/v1/alerts?limit=1", headers=api.headers()).json()
    rest = api.client.get(f"/v1/alerts?after={first['next']}", headers=api.headers()).json()
    assert [alert["event_id"] for alert in (*first["alerts"], *rest["alerts"])] == ["a1", "a2"]
    assert rest["alerts"][0]["sentence"] == "Soon."
    end = api.client.get(f"/v1/alerts?after={rest['next']}", headers=api.headers()).json()
    assert end == {"alerts": [], "next": rest["next"]}


@pytest.mark.parametrize("path", ["/v1/members/nobody/profile", "/v1/members/nobody/labels"])
def test_a_stranger_has_no_profile(api: Api, path: str) -> None:
    assert api.client.get(path, headers=api.headers()).status_code == 404


def test_the_card_on_the_command_line(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    work(api)
    monkeypatch.setattr("api.wiring.build_services", lambda _: api.services)
    run = CliRunner().invoke(app, ["profile", "pets-3"])
    assert run.exit_code == 0
    assert "shopping_rhythm" in run.output
    assert "Dog food" in run.output
    document = CliRunner().invoke(app, ["profile", "pets-3", "--json"])
    assert '"promo_share"' in document.output
    assert CliRunner().invoke(app, ["profile", "nobody at all"]).exit_code == 1
    assert "aisle train" in str(CliRunner().invoke(app, ["segments"]).exception)
    assert "events replayed" in CliRunner().invoke(app, ["replay"]).output


def test_drift_alarms_staff_once_a_day_and_rules_are_read(
    api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from personalization import artifacts
    from personalization.training import train
    from stores.purchases import SqlTrainingSource

    work(api)
    train(SqlTrainingSource(api.services.db), tmp_path / "artifacts", seed=1, progress=lambda *_: None)
    trained = artifacts.load(tmp_path / "artifacts")
    api.services.artifacts = trained
    worker, now = Worker(api.services), datetime.now(UTC)
    assert worker.watch_drift(now) is None  # sixty members say nothing
    monkeypatch.setattr("personalization.profiling.drift.LEAST_MEMBERS", 10)
    steady = worker.watch_drift(now)
    assert steady is not None
    trained.segments["reference"]["orders"]["shares"] = [
        1.0,
        *[0.0] * (len(trained.segments["reference"]["orders"]["shares"]) - 1),
    ]
    for _ in range(2):
        changed = worker.watch_drift(now)
        assert changed is not None
        assert changed.verdict == "changed"
    found = [
        alert
        for alert in api.client.get("/v1/alerts", headers=api.headers()).json()["alerts"]
        if alert["kind"] == "drift"
    ]
    assert [alert["member_id"] for alert in found] == [None]
    assert "aisle train" in found[0]["sentence"]
    assert 'aisle_drift_psi{part="orders"}' in api.client.get("/metrics", headers=api.headers()).text
    seen = api.client.get(f"/v1/members/{api.member('pets-3').member_id}/profile", headers=api.headers()).json()
    assert len(seen["basket_embedding"]) == 8
    monkeypatch.setattr("api.wiring.build_services", lambda _: api.services)
    assert "mined rules held" in CliRunner().invoke(app, ["rules"]).output
    unknown = CliRunner().invoke(app, ["rules", "moon rock"])
    assert unknown.exit_code == 1
    assert "no rule names moon rock; there are rules about: " in unknown.output
