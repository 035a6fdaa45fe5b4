"""How the shop does: figures, their definitions, CSV, alerts with their causes, live."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, update
from typer.testing import CliRunner

from api.cli.main import app
from api.sheets import sheet
from personalization.figures import FIGURES, MEANINGS
from personalization.types import EventType
from stores.coupon_tables import budgets, campaigns
from stores.database import new_id
from stores.events import Event
from stores.insight_tables import figures
from tests.api.conftest import Api
from tests.api.live import live


def get(api: Api, path: str, **parameters: Any) -> Any:
    return api.client.get(f"/v1{path}", params=parameters, headers=api.headers(api.make_key("overview")))


def visit(api: Api, *kinds: str, at: datetime | None = None, channel: str = "widget") -> None:
    now = at or datetime.now(UTC)
    made = [Event(new_id(), EventType(kind), now, channel, None, "device") for kind in kinds]
    api.services.events.append_batch(made, received_at=now)


def figure(answer: Any, name: str) -> Any:
    return next(one for one in answer["figures"] if one["name"] == name)


def test_figures_of_a_period_against_the_one_before(api: Api) -> None:
    now = datetime.now(UTC)
    visit(api, "viewed", "viewed", "clicked", "bought")
    visit(api, "viewed", "viewed", at=now - timedelta(days=7))
    visit(api, "viewed", at=now - timedelta(days=8), channel="kiosk")
    api.services.figures.update(now=now)
    found = get(api, "/overview", **{"from": (now - timedelta(days=6)).date(), "to": now.date()}).json()
    assert len(found["days"]) == 7
    sessions = figure(found, "sessions")
    assert (sessions["value"], sessions["before"], sessions["change"]) == (1, 2, -0.5)
    assert sessions["series"] == [{"key": "widget", "values": [0, 0, 0, 0, 0, 0, 1]}]
    assert figure(found, "conversion_rate")["value"] == 1
    assert figure(found, "click_rate")["value"] == 0.5
    assert figure(found, "affect")["value"] is None
    assert found["churn"]["link"] == "/console/customers?churn=high"


def test_every_figure_links_to_what_it_is(api: Api) -> None:
    told = {one["name"]: one for one in get(api, "/figures/definitions").json()["definitions"]}
    shown = {one["name"] for one in get(api, "/overview").json()["figures"]}
    assert shown <= FIGURES.keys()
    assert told.keys() == FIGURES.keys() | MEANINGS.keys()
    for name, one in told.items():
        assert (one["csv"] is not None) == (name in FIGURES)
        assert one["csv"] is None or get(api, one["csv"].removeprefix("/v1")).status_code == 200
    assert get(api, "/figures/lift.csv").status_code == 404


def test_what_members_will_spend_and_who_may_lapse_is_told_day_by_day(api: Api) -> None:
    today = datetime.now(UTC).date()
    rows = [(2, "value_sum", "", 900), (2, "value_members", "", 3), (0, "value_sum", "", 800), (0, "value_members", "", 2),
            (2, "churn", "high", 5), (0, "churn", "high", 4), (0, "churn", "low", 9)]  # fmt: skip
    with api.services.db.write() as connection:
        for ago, name, part, value in rows:
            row = {"day": today - timedelta(days=ago), "name": name, "channel": "", "part": part, "value": value}
            connection.execute(insert(figures).values(**row))
    found = get(api, "/overview", **{"from": today - timedelta(days=2), "to": today}).json()
    assert found["value"]["daily"] == [300, None, 400]
    assert found["churn"]["series"] == [
        {"key": "high", "values": [5, None, 4]},
        {"key": "low", "values": [None, None, 9]},
    ]


def test_the_csv_has_a_line_for_each_day_and_runs_nothing(api: Api) -> None:
    today = datetime.now(UTC).date()
    row = {"day": today, "name": "fallbacks", "channel": "", "part": "=cmd|' /C calc'!A0", "value": 3}
    with api.services.db.write() as connection:
        connection.execute(insert(figures).values(**row))
    answer = get(api, "/figures/fallbacks.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    head, line = csv.reader(io.StringIO(answer.text))
    assert head == ["day", "counted", "channel", "part", "value"]
    assert line == [today.isoformat(), "fallbacks", "", "'=cmd|' /C calc'!A0", "3"]
    assert get(api, "/figures/luck.csv").status_code == 404
    assert sheet(["a"], [["@x"], [None], [-1.5]]) == 'a\r\n\'@x\r\n""\r\n-1.5\r\n'


def test_periods_that_make_no_sense_are_refused_in_words(api: Api) -> None:
    for wrong, words in (
        ({"from": "2026-02-02", "to": "2026-02-01"}, "turn them round"), ({"from": "2020-01-01", "to": "2026-01-01"}, "400 days"),
        ({"to": "2999-01-01"}, "yet to come"), ({"from": "yesterday"}, "from"), ({"to": "0001-01-02"}, "1971"),
    ):  # fmt: skip
        answer = get(api, "/overview", **wrong)
        assert answer.status_code == 422, wrong
        assert words in answer.json()["detail"]


def test_money_that_is_nearly_gone_is_an_alert_with_its_cause(api: Api) -> None:
    now = datetime.now(UTC)
    with api.services.db.write() as connection:
        mine = budgets.c.campaign_id == "c1"
        connection.execute(update(campaigns).values(starts_at=now - timedelta(days=5), ends_at=now + timedelta(days=5)))
        connection.execute(update(budgets).where(mine).values(spent=budgets.c.total - 1))
    found = get(api, "/overview").json()
    [alert] = [one for one in found["alerts"] if one["kind"] == "budget"]
    assert alert["severity"] == "serious"
    assert alert["link"] == "/console/campaigns/money/c1"
    assert "100% is spent and 50% of its time is over" in alert["cause"]
    [budget] = found["budgets"]
    assert (budget["pace"], budget["elapsed_share"]) == ("ahead", pytest.approx(0.5, abs=0.01))
    with api.services.db.write() as connection:
        connection.execute(update(budgets).where(mine).values(spent=0))
    assert [one["kind"] for one in get(api, "/overview").json()["alerts"] if one["kind"] == "pace"] == ["pace"]
    with api.services.db.write() as connection:
        connection.execute(update(budgets).where(mine).values(paused=True))
    paused = get(api, "/overview").json()
    assert "c1" not in {one["campaign_id"] for one in paused["budgets"]}
    assert [one for one in paused["alerts"] if one["kind"] == "pace"] == []


def test_a_drop_of_ratings_is_an_alert(api: Api) -> None:
    today = datetime.now(UTC).date()
    rows = [(0, 30, 60), (20, 40, 180)]
    with api.services.db.write() as connection:
        for ago, n, total in rows:
            for name, value in (("ratings", n), ("ratings_sum", total)):
                connection.execute(
                    insert(figures).values(
                        day=today - timedelta(days=ago), name=name, channel="widget", part="", value=value
                    )
                )
    [alert] = [one for one in get(api, "/overview").json()["alerts"] if one["kind"] == "rating"]
    assert "2.0 of 5 in the last 7 days, 4.5" in alert["cause"]


def test_fallbacks_that_answer_are_shown(api: Api) -> None:
    api.client.post("/v1/recommendations", json={"visitor_id": "v"}, headers=api.headers())
    found = get(api, "/overview").json()
    assert {one["component"] for one in found["fallbacks"]} >= {"ranker"}
    assert [one["verdict"] for one in found["models"]] == ["broken"]


def test_the_stream_tells_how_busy_it_is(api: Api) -> None:
    visit(api, "viewed")
    key, told = api.make_key("overview"), dict[str, Any]()
    with (
        live(api) as url,
        httpx.stream("GET", f"{url}/v1/overview/stream", headers=api.headers(key), timeout=20) as answer,
    ):
        event = ""
        for line in answer.iter_lines():
            if line.startswith("event:"):
                event = line.partition(": ")[2]
            elif line.startswith("data:"):
                told[event] = json.loads(line.partition(": ")[2])
            if told.keys() >= {"now", "alerts"}:
                break
    assert told["now"]["sessions"] == 1
    assert isinstance(told["alerts"], list)


def test_who_lacks_the_scope_is_refused(api: Api) -> None:
    for path in ("/overview", "/overview/stream", "/figures/definitions", "/figures/revenue.csv"):
        answer = api.client.get(f"/v1{path}", headers=api.headers(api.make_key("members:read")))
        assert answer.status_code == 403, path


def test_on_the_command_line(monkeypatch: pytest.MonkeyPatch, api: Api) -> None:
    monkeypatch.setattr("api.wiring.build_services", lambda _: api.services)
    told = CliRunner().invoke(app, ["figures", "rebuild"])
    assert told.exit_code == 0, told.exception
    assert "days counted" in told.output
    assert get(api, "/overview").json()["churn"]["high"] == 0
