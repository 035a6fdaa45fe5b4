"""An experiment through the API and on the command line, from draft to verdict."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update
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


def test_ids_of_campaigns_own_experiments_are_theirs(api: Api) -> None:
    refused = post(api, "", DRAFT | {"experiment_id": "holdout-coffee"})
    assert (refused.status_code, "holdout-" in refused.json()["detail"]) == (422, True)


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


def test_power_is_worked_out_from_the_shops_own_past(api: Api) -> None:
    told = post(api, "/power", {"metric": "spend", "window_days": 14, "relative": 0.2, "design": "fixed"}).json()
    assert told["basis_units"] == 60
    assert sum(told["per_arm"]) == told["units"]
    assert told["relative"] == pytest.approx(0.2, rel=0.01)
    assert len(told["reached"]) == 28
    assert told["reached"] == sorted(told["reached"])
    watched = post(api, "/power", {"metric": "spend", "window_days": 14, "relative": 0.2}).json()
    assert watched["units"] > told["units"], "looking at it all the time has its price"
    back = post(api, "/power", {"metric": "spend", "window_days": 14, "units": told["units"], "design": "fixed"}).json()
    assert back["relative"] == pytest.approx(0.2, rel=0.02)
    assert post(api, "/power", {"relative": 0.2, "units": 100}).status_code == 422
    assert "a metric is one of" in post(api, "/power", {"metric": "luck", "units": 100}).json()["detail"].lower()


def test_a_fixed_test_is_not_read_before_its_size_and_says_so(api: Api) -> None:
    assert "planned_units" in post(api, "", DRAFT | {"design": "fixed"}).json()["detail"]
    post(api, "", DRAFT | {"design": "fixed", "planned_units": 5_000})
    post(api, "/personal-push/start")
    for kind in ("pets", "baby", "cheese"):
        for n in range(20):
            post(api, "/personal-push/exposures", {"member_id": api.member(f"{kind}-{n}").member_id})
    today = datetime.now(UTC) - timedelta(days=40)
    with api.services.db.write() as connection:
        connection.execute(update(exposures).values(at=today))
        arms = dict(map(tuple, connection.execute(select(exposures.c.unit_id, exposures.c.arm))))
    told = api.client.get("/v1/experiments/personal-push/results", headers=api.headers()).json()
    if min(told["units"].values()) >= 30:
        assert told["results"][0]["verdict"] == "not yet at its planned size"
        assert "planned to be read at 5,000" in " ".join(told["conclusion"])
    assert {row["day"] for row in told["daily"]} == {today.date().isoformat()}
    assert sum(row["units"] for row in told["daily"]) == 60
    assert told["alarm"] is None
    parts = api.client.get("/v1/experiments/personal-push/segments?by=channel&correction=bh", headers=api.headers())
    assert parts.status_code == 200
    with api.services.db.write() as connection:
        gone = [unit for unit, arm in arms.items() if arm == "profile"][2:]  # however the draw fell
        connection.execute(delete(exposures).where(exposures.c.unit_id.in_(gone)))
    broken = api.client.get("/v1/experiments/personal-push/results", headers=api.headers()).json()
    assert "contradict the planned shares" in broken["alarm"]
    assert "not to be used" in broken["conclusion"][0]


def test_experiments_come_in_pages(api: Api) -> None:
    for number in range(3):
        post(api, "", DRAFT | {"experiment_id": f"push-{number}"})
    first = api.client.get("/v1/experiments?limit=2", headers=api.headers()).json()
    rest = api.client.get(f"/v1/experiments?limit=2&cursor={first['next_cursor']}", headers=api.headers()).json()
    seen = [one["experiment_id"] for one in first["experiments"] + rest["experiments"]]
    assert (seen, rest["next_cursor"]) == (["push-2", "push-1", "push-0"], None)
    assert api.client.get("/v1/experiments?cursor=nonsense", headers=api.headers()).status_code == 422
