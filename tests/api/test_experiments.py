"""An experiment through the API and on the command line, from draft to verdict."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from api.cli.main import app
from stores.tables import experiments, exposures
from tests.api.conftest import Api

DRAFT: dict[str, Any] = {
    "experiment_id": "personal-push", "hypothesis": "Personal answers sell more.", "window_days": 14, "guardrails": {"discount": 0.2},
    "arms": [{"name": "uniform", "share": 0.5, "personalize": False}, {"name": "profile", "share": 0.5}],
}  # fmt: skip


def post(api: Api, path: str, body: Any = None) -> Any:
    return api.client.post(f"/v1/experiments{path}", json=body, headers=api.headers())


def test_from_draft_to_verdict(api: Api) -> None:
    assert post(api, "", DRAFT).status_code == 201
    assert post(api, "", DRAFT).status_code == 409
    member = api.member("pets-3").member_id
    assert post(api, "/personal-push/exposures", {"member_id": member}).status_code == 409
    assert post(api, "/personal-push/start").json()["status"] == "running"
    mine = post(api, "/personal-push/exposures", {"member_id": member}).json()["arm"]
    asked = api.client.post("/v1/recommendations", json={"member_id": member}, headers=api.headers()).json()
    decision = api.client.get(f"/v1/decisions/{asked['decision_id']}", headers=api.headers()).json()
    assert decision["arms"] == {"personal-push": mine}
    people = [
        api.services.members.by_external_id(f"{kind}-{n}") for kind in ("pets", "baby", "cheese") for n in range(20)
    ]
    for person in people:
        assert person is not None
        post(api, "/personal-push/exposures", {"member_id": person.member_id})
    early = api.client.get("/v1/experiments/personal-push/results", headers=api.headers()).json()
    assert sum(early["exposed"].values()) == 60
    assert early["units"] == {"uniform": 0, "profile": 0}
    assert early["results"][0]["verdict"] == "too few units"
    with api.services.db.write() as connection:
        connection.execute(update(exposures).values(at=datetime.now(UTC) - timedelta(days=40)))
    late = api.client.get("/v1/experiments/personal-push/results", headers=api.headers()).json()
    assert sum(late["units"].values()) == 60
    assert late["srm_p"] > 0.001
    assert post(api, "/personal-push/end").json()["ended_at"] is not None
    listed = api.client.get("/v1/experiments", headers=api.headers()).json()["experiments"]
    assert [(one["experiment_id"], one["status"]) for one in listed] == [("personal-push", "ended")]


def test_a_member_without_consent_takes_no_part(api: Api) -> None:
    post(api, "", DRAFT)
    post(api, "/personal-push/start")
    added = api.client.post(
        "/v1/members", json={"external_id": "new", "display_name": "New"}, headers=api.headers()
    ).json()
    answer = post(api, "/personal-push/exposures", {"member_id": added["member_id"]}).json()
    assert answer == {"experiment_id": "personal-push", "member_id": added["member_id"], "arm": None}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"experiment_id": "No Spaces"}, "experiment_id"), ({"metric": "luck"}, "a metric is one of"), ({"arms": DRAFT["arms"][:1]}, "arms"),
        ({"arms": [{"name": "a1", "share": 0.5}, {"name": "b1", "share": 0.4}]}, "sum to 1"), ({"surprise": 1}, "surprise"),
    ],
)  # fmt: skip
def test_a_draft_that_makes_no_sense_is_refused_in_words(api: Api, wrong: dict[str, Any], words: str) -> None:
    answer = post(api, "", DRAFT | wrong)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_unknown_experiments_and_keys_without_the_scope(api: Api) -> None:
    assert post(api, "/nothing/start").status_code == 404
    assert api.client.get("/v1/experiments/nothing/results", headers=api.headers()).status_code == 404
    assert api.client.get("/v1/experiments", headers=api.headers(api.make_key("members:read"))).status_code == 403


def test_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISLE_STATE_DIR", str(tmp_path))
    run = CliRunner().invoke
    (tmp_path / "push.yaml").write_text(
        "experiment_id: push\nhypothesis: Personal answers sell more.\narms:\n"
        "  - {name: uniform, share: 0.5, personalize: false}\n  - {name: profile, share: 0.5}\n"
    )
    (tmp_path / "bad.yaml").write_text("experiment_id: push\nhypothesis: x\narms: []\n")
    assert "push is drafted" in run(app, ["experiment", "create", str(tmp_path / "push.yaml")]).output
    bad = run(app, ["experiment", "create", str(tmp_path / "bad.yaml")])
    assert bad.exit_code == 1
    assert run(app, ["experiment", "start", "push"]).exit_code == 0
    assert "running" in run(app, ["experiment", "list"]).output
    told = run(app, ["experiment", "report", "push"])
    assert told.exit_code == 0
    assert "profile: too few units" in told.output
    assert run(app, ["experiment", "end", "push"]).exit_code == 0


def test_an_uplift_model_is_refused_until_there_is_something_to_learn_from(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.wiring.build_services", lambda _: api.services)
    post(api, "", DRAFT)
    run = CliRunner().invoke
    assert "has not been started" in str(run(app, ["uplift", "personal-push"]).exception)
    post(api, "/personal-push/start")
    assert "is no metric" in str(run(app, ["uplift", "personal-push", "--outcome", "luck"]).exception)
    assert "no arm gold" in str(run(app, ["uplift", "personal-push", "--cost", "gold=1"]).exception)
    assert "300 units in each" in str(run(app, ["uplift", "personal-push"]).exception)


def test_an_uplift_model_becomes_a_suggested_action(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.wiring import Services
    from api.worker import Worker

    monkeypatch.setattr("api.wiring.build_services", lambda _: api.services)
    monkeypatch.setattr("personalization.profiling.uplift.LEAST_UNITS", 10)
    post(api, "", DRAFT)
    post(api, "/personal-push/start")
    for kind in ("pets", "baby", "cheese"):
        for n in range(20):
            post(api, "/personal-push/exposures", {"member_id": api.member(f"{kind}-{n}").member_id})
    past = datetime.now(UTC) - timedelta(days=40)
    with api.services.db.write() as connection:
        connection.execute(update(exposures).values(at=past))
        connection.execute(update(experiments).values(started_at=past))
    told = CliRunner().invoke(app, ["uplift", "personal-push"])
    assert told.exit_code == 0, told.exception
    assert "among the 30 % it suits best" in told.output
    restarted = Services(api.services.settings, api.services.db)
    worker = Worker(restarted)
    while worker._pass():
        pass
    member = api.member("pets-3").member_id
    labels = {label.name: label for label in restarted.labels.of_member(member, at=datetime.now(UTC))}
    assert labels["suggested_action"].value in {"nothing", "profile"}
    assert labels["suggested_action"].evidence["experiment"] == "personal-push"
