"""The demo's past conversations: told once, by what real chats go through, and only of members who agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from api.demo import demo_members
from api.demo_talks import MARK, NOTE, read_talks
from personalization.types import EventType, Purpose
from stores.consents import ConsentEntry
from stores.tables import conversations, events, handoffs, messages
from tests.api.conftest import Api


def tell(api: Api) -> int:
    answer = api.client.post("/demo/conversations")
    assert answer.status_code == 200, answer.text
    return int(answer.json()["added"])


def get(api: Api, path: str) -> dict[str, Any]:
    answer = api.client.get(path, headers=api.headers())
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def rows(api: Api) -> list[int]:
    with api.services.db.read() as connection:
        tables = (conversations, messages, handoffs, events)
        return [connection.scalar(select(func.count()).select_from(one)) or 0 for one in tables]


def test_the_console_of_a_fresh_demo_has_conversations_and_a_second_start_adds_none(api: Api) -> None:
    assert tell(api) == len(read_talks())
    after = rows(api)
    assert tell(api) == 0
    assert rows(api) == after

    inbox = get(api, "/v1/agents/inbox")
    [waiting] = inbox["waiting"]
    assert (waiting["reason"], inbox["served"], waiting["score"]) == ("asked", [], None)
    assert datetime.now(UTC) - datetime.fromisoformat(waiting["queued_at"]) < timedelta(minutes=5)
    talk = get(api, f"/v1/agents/handoffs/{waiting['handoff_id']}")
    assert [note["text"] for note in talk["notes"]] == [NOTE]
    assert talk["affect"]["valence"] < 0
    assert len(talk["affect_line"]) == 2

    with api.services.db.read() as connection:
        rated = connection.execute(select(handoffs).where(handoffs.c.score.is_not(None))).one()
        visitors = connection.scalars(select(conversations.c.visitor_id)).all()
    assert (rated.state, rated.score, rated.agent_name) == ("returned", 5, "Demo agent")
    assert all(one.startswith(MARK) for one in visitors)

    [first, *_] = demo_members(api.services)
    timeline = get(api, f"/v1/members/{first['member_id']}/timeline?kind=conversation")
    assert [one["kind"] for one in timeline["moments"]] == ["conversation"]

    now = datetime.now(UTC)
    api.services.figures.update(now=now)
    week = f"from={now - timedelta(days=6):%Y-%m-%d}&to={now:%Y-%m-%d}"
    [affect] = [one for one in get(api, f"/v1/overview?{week}")["figures"] if one["name"] == "affect"]
    [series] = affect["series"]
    assert len([one for one in series["values"] if one is not None]) == 2
    assert affect["value"] is not None


def test_nobody_talks_in_the_demo_who_did_not_agree_to_a_profile(api: Api) -> None:
    [first, *_] = demo_members(api.services)
    now = datetime.now(UTC)
    api.services.consents.record([ConsentEntry(first["member_id"], Purpose.PROFILING, False, now, "test", "t")])
    tell(api)
    with api.services.db.read() as connection:
        talked = set(connection.scalars(select(conversations.c.member_id)))
        said = events.c.type == EventType.MESSAGE_SENT.value
        heard = set(connection.scalars(select(events.c.member_id).where(said)))
    assert first["member_id"] not in talked | heard
    assert len(heard - {None}) == 10
    assert api.services.member_affect.get(first["member_id"], at=now) is None


def test_members_of_whom_nobody_agrees_leave_the_visitors(api: Api) -> None:
    now = datetime.now(UTC)
    everybody = api.services.audiences.first(1_000)
    api.services.consents.record([ConsentEntry(one, Purpose.PROFILING, False, now, "test", "t") for one in everybody])  # type: ignore[arg-type]
    assert tell(api) == 2
