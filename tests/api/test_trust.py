"""What auditors read: fairness, the log, consents in numbers, deletions, model cards."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from api.answers_trust import FairFinding
from api.services import fairness_job
from api.services.fairness import Audited
from personalization.trust.fairness import Figure, Finding
from personalization.types import MemberId, Purpose
from stores.consents import ConsentEntry
from stores.erasure import erase_member
from stores.scheduled import enforce
from tests.api.conftest import Api
from tests.api.test_staff_accounts import OWN, account, console, sign_in
from tests.stores.traces import lived_in

__all__ = ("console",)
NOW = datetime.now(UTC)


def get(api: Api, path: str, **params: Any) -> Any:
    answer = api.client.get(f"/v1/trust/{path}", params=params, headers=api.headers())
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_log_is_searched_by_who_what_and_day_and_paged(console: Api) -> None:
    ana = account(console, "admin")
    sign_in(console)
    for name in ("Ben", "Cy", "Dora"):
        body = {"email": f"{name}@shop.example", "name": name, "roles": ["agent"]}
        assert console.client.post("/v1/accounts", json=body, headers=OWN).status_code == 201
    console.client.cookies.clear()
    console.services.audit.append("key ak_12345… crm", "POST /v1/members", at=NOW - timedelta(days=3))
    lines = get(console, "audit-log", who="ana d")["lines"]
    assert [line["action"] for line in lines] == ["POST /v1/accounts"] * 3 + ["sign-in"]
    assert {(line["actor"], line["name"]) for line in lines} == {(f"staff {ana}", "Ana Diaz")}
    twin = console.services.staff_accounts.add("an@shop.example", "Diana D", ["agent"], at=NOW).account_id
    console.services.audit.append(f"staff {twin}", "sign-in", twin)
    both = {line["name"] for line in get(console, "audit-log", who="ana d")["lines"]}
    assert both == {"Ana Diaz", "Diana D"}, "everybody whose name has it"
    assert [line["actor"] for line in get(console, "audit-log", who="CRM")["lines"]] == ["key ak_12345… crm"]
    assert len(get(console, "audit-log", what="/v1/ACCOUNTS")["lines"]) == 3
    assert len(get(console, "audit-log", what="100%_")["lines"]) == 0, "signs of patterns mean themselves"
    today, past = f"{NOW:%Y-%m-%d}", f"{NOW - timedelta(days=3):%Y-%m-%d}"
    assert len(get(console, "audit-log", **{"from": past, "to": past})["lines"]) == 1
    assert len(get(console, "audit-log", **{"from": today})["lines"]) == 5
    seen, cursor = list[int](), None
    while True:
        page = get(console, "audit-log", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [line["seq"] for line in page["lines"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [6, 5, 4, 3, 2, 1]
    wrong = {"from": today, "to": past}
    assert console.client.get("/v1/trust/audit-log", params=wrong, headers=console.headers()).status_code == 422


def test_the_log_is_searched_by_the_names_of_all_of_the_staff(console: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = console.services.staff_accounts
    first = accounts.add("zoe@example.org", "Zoe", ["admin"], at=NOW)
    for number in range(3):
        accounts.add(f"n{number}@example.org", f"Nobody {number}", ["marketer"], at=NOW)
    console.services.audit.append(f"staff {first.account_id}", "POST /v1/kiosks")
    real = type(accounts).page
    monkeypatch.setattr(
        type(accounts), "page", lambda self, *, before=None, limit=50: real(self, before=before, limit=2)
    )
    (line,) = get(console, "audit-log", who="zoe")["lines"]
    assert line["name"] == "Zoe"


def test_a_line_that_was_changed_is_told(console: Api) -> None:
    for name in ("one", "two"):
        console.services.audit.append("key", name)
    assert get(console, "audit-log/chain") | {"checked_at": ""} == {
        "whole": True, "lines": 2, "wrong": [], "checked_at": "",
    }  # fmt: skip
    db = console.services.db
    with db.write() as connection:
        drop = "DROP TRIGGER audit_log_no_update" if db.is_sqlite else "ALTER TABLE audit_log DISABLE TRIGGER USER"
        connection.execute(text(drop))
    console.services.audit.append("key", "three")
    with db.write() as connection:
        connection.execute(text("UPDATE audit_log SET action = 'nothing' WHERE seq = 3"))
    assert get(console, "audit-log/chain")["whole"] is True, "it was checked a moment ago"
    from api.routes import trust

    trust._checked.clear()
    found = get(console, "audit-log/chain")
    assert (found["whole"], found["wrong"]) == (False, ["line 3 is not what was written, or does not follow line 2"])


def test_consents_are_counted_by_purpose_text_channel_and_day(console: Api) -> None:
    ledger = console.services.consents
    before = {(one["purpose"], one["text_version"]): one for one in get(console, "consents")["standing"]}
    assert not any(text_version == "t9" for _, text_version in before)
    ends = NOW - timedelta(hours=1)
    entries = [
        ("a", True, NOW - timedelta(days=2), "widget", None), ("a", False, NOW - timedelta(days=1), "widget", None),
        ("b", True, NOW - timedelta(days=2), "kiosk", None), ("c", True, NOW - timedelta(days=2), "kiosk", ends),
    ]  # fmt: skip
    ledger.record(
        ConsentEntry(MemberId(who), Purpose.RESEARCH, granted, at, channel, "t9", end)
        for who, granted, at, channel, end in entries
    )
    found = get(console, "consents")
    mine = [one for one in found["standing"] if one["text_version"] == "t9"]
    assert [(one["channel"], one["granted"], one["withdrawn"], one["expired"]) for one in mine] == [
        ("kiosk", 1, 0, 1),
        ("widget", 0, 1, 0),
    ]
    days = {one["day"]: (one["granted"], one["withdrawn"]) for one in found["days"] if one["purpose"] == "research"}
    assert days == {f"{NOW - timedelta(days=2):%Y-%m-%d}": (3, 0), f"{NOW - timedelta(days=1):%Y-%m-%d}": (0, 1)}
    assert found["members"] > 0
    assert "member_id" not in str(found)
    params = {"from": "2001-01-01", "to": "2020-01-01"}
    assert console.client.get("/v1/trust/consents", params=params, headers=console.headers()).status_code == 422


def test_deletions_are_listed_newest_first_in_numbers_alone(console: Api) -> None:
    lived_in(console.services.db)
    member = console.member("pets-1").member_id
    erase_member(console.services.db, member, at=NOW)
    enforce(console.services.db, console.services.schedule, now=NOW + timedelta(days=5_000))
    first = get(console, "jobs", limit=1)
    rest = get(console, "jobs", cursor=first["next_cursor"])
    jobs = [*first["jobs"], *rest["jobs"]]
    assert jobs == sorted(jobs, key=lambda one: one["at"], reverse=True)
    assert {"schedule", "member"} <= {one["scope"] for one in jobs}
    assert {one["due_and_left"] for one in jobs if one["scope"] == "schedule"} == {0}
    assert member not in str(jobs)
    schedule = get(console, "retention")
    assert {term["kind"] for term in schedule["terms"]} >= {"templates", "decisions"}
    assert schedule["digest"] == console.services.schedule.digest


def test_an_audit_runs_once_at_a_time_and_is_kept(console: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert get(console, "fairness") == {"report": None, "running": False, "failed": False}
    begun = list[str]()
    monkeypatch.setattr(fairness_job, "in_background", lambda _services, report_id, _days: begun.append(report_id))
    headers = console.headers()
    started = console.client.post("/v1/trust/fairness", json={"days": 28}, headers=headers)
    assert (started.status_code, started.json()["running"]) == (202, True)
    assert console.client.post("/v1/trust/fairness", json={"days": 28}, headers=headers).status_code == 409
    fairness_job.work(console.services, begun[0], 28)
    found = get(console, "fairness")
    assert (found["running"], found["failed"], found["report"]["author"]) == (False, False, "test")
    assert found["report"]["summary"]
    again = console.services.fairness_reports.begin(7, "test", at=NOW - timedelta(hours=1))
    assert again is not None
    console.services.fairness_reports.end(again, None, at=NOW)
    found = get(console, "fairness")
    assert found["report"] is not None


def test_what_cannot_be_told_of_a_group_is_null_and_no_broken_number() -> None:
    few = Figure("65+", 1, 1, 2.5, math.nan, math.nan, -math.inf, math.inf, judged=False)
    found = Finding(
        "coupon_value",
        "minor units",
        "age_band",
        2.5,
        (few,),
        math.nan,
        math.nan,
        math.nan,
        0.0,
        None,
        (),
        "too few",
        "Too few.",
    )
    body = fairness_job.told_of(Audited([found], 1, ""))
    FairFinding.model_validate(body["findings"][0])
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    group = body["findings"][0]["groups"][0]
    assert (group["mean"], group["off"], group["low"], group["high"]) == (2.5, None, None, None)


def test_a_card_says_what_a_model_is_not_for_and_how_good_it_is(console: Api) -> None:
    models = {one["id"]: one for one in get(console, "models")["models"]}
    assert models.keys() == {"ranking", "segments", "churn", "value", "coupons", "emotion", "faces"}
    assert models["emotion"]["there"]
    assert {one["name"] for one in models["emotion"]["figures"]} >= {"test.f1.ekman"}
    assert all(0 <= one["value"] <= 1 for one in models["faces"]["figures"])
    assert all(one["not_for"] and one["what"] for one in models.values())
    assert models["ranking"]["there"] is (console.services.artifacts is not None)


def test_only_auditors_and_admins_read_it(console: Api) -> None:
    for role, status in (("marketer", 403), ("agent", 403), ("auditor", 200), ("admin", 200)):
        account(console, role, email=f"{role}@shop.example")
        sign_in(console, f"{role}@shop.example")
        assert console.client.get("/v1/trust/jobs").status_code == status
