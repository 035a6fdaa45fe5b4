"""The agents' desk: suggestions that nobody sends, notes that stay among agents, canned answers, transfer, service level."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update

from stores.tables import handoffs
from tests.api.conftest import Api
from tests.api.test_chat import Engine, echo, talk, use
from tests.api.test_handoff import Person, ask, history, send


def _claimed(api: Api, person: Person, text: str) -> tuple[str, str, dict[str, str]]:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    send(api, conversation, headers, text)
    ask(api, conversation, headers)
    handoff = person.inbox()["waiting"][-1]["handoff_id"]
    person.do(handoff, "claim")
    return handoff, conversation, headers


def _get(api: Api, person: Person, path: str) -> dict[str, Any]:
    answer = api.client.get(f"/v1/agents/{path}", headers=person._headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_suggestions_come_from_a_logged_decision_and_nothing_is_sent(api: Api) -> None:
    ana = Person(api, "Ana")
    handoff, conversation, headers = _claimed(api, ana, "something for my cat please")
    said = history(api, conversation, headers)
    found = _get(api, ana, f"handoffs/{handoff}/suggestions")
    assert found["replies"][0]["why"] == "opening"
    assert "Ana" in found["replies"][0]["text"]
    assert found["items"]
    decision = api.client.get(
        f"/v1/decisions/{found['decision_id']}", headers=api.headers(api.make_key("decisions:read"))
    )
    shown = [item["product_id"] for item in decision.json()["items"]]
    assert [item["product_id"] for item in found["items"]] == shown
    assert history(api, conversation, headers) == said


def test_somebody_in_distress_is_suggested_an_apology_and_nothing_to_buy(api: Api) -> None:
    ana = Person(api, "Ana")
    handoff, *_ = _claimed(api, ana, "this is terrible, I hate it, you are useless and I am so angry")
    found = _get(api, ana, f"handoffs/{handoff}/suggestions")
    assert [reply["why"] for reply in found["replies"]] == ["apology"]
    assert (found["items"], found["coupons"], found["decision_id"]) == ([], [], None)


def test_notes_are_for_agents_stay_out_of_the_chat_and_go_with_it(api: Api) -> None:
    ana, ben = Person(api, "Ana"), Person(api, "Ben")
    handoff, conversation, headers = _claimed(api, ana, "where is my cake")
    note = ana.do(handoff, "notes", 201, text="Promised a call back.")
    assert [(one["text"], one["mine"]) for one in ben.read(handoff)["notes"]] == [("Promised a call back.", False)]
    assert "Promised" not in api.client.get(f"/v1/conversations/{conversation}", headers=headers).text
    assert api.client.delete(f"/v1/agents/notes/{note['note_id']}", headers=ben._headers).status_code == 404
    exported = api.client.get("/v1/me/export", headers=headers).json()
    assert [one["text"] for one in exported["data"]["handoff_notes"]] == ["Promised a call back."]
    assert api.client.delete(f"/v1/conversations/{conversation}", headers=headers).status_code == 200
    assert api.services.desk_records.notes(conversation) == []


def test_an_affect_line_shows_how_the_shopper_felt_at_each_message(api: Api) -> None:
    ana = Person(api, "Ana")
    handoff, conversation, headers = _claimed(api, ana, "lovely, thank you so much")
    send(api, conversation, headers, "now this is terrible, I hate it")
    line = ana.read(handoff)["affect_line"]
    assert len(line) == 2
    assert line[0]["valence"] > line[1]["valence"]


def test_a_conversation_goes_to_another_agent_who_is_there_and_to_nobody_else(api: Api) -> None:
    ana, ben = Person(api, "Ana"), Person(api, "Ben")
    handoff, conversation, headers = _claimed(api, ana, "hello")
    ana.do(handoff, "transfer", 409, agent_id="somebody who is away")
    ben.inbox()
    other = next(person for person in ana.inbox()["people"] if person["name"] == "Ben")
    ben.do(handoff, "transfer", 409, agent_id=other["agent_id"])
    ana.do(handoff, "transfer", agent_id=other["agent_id"])
    ana.do(handoff, "messages", 409, text="still me?")
    ben.do(handoff, "messages", 201, text="Ben here")
    assert history(api, conversation, headers)[-1] == ("agent", "Ben here")


def test_of_two_who_change_a_canned_answer_the_second_is_told(api: Api) -> None:
    ana = Person(api, "Ana")
    body = {"title": "Hours", "text": "We are open from 7 to 22.", "language": "en"}
    made = api.client.post("/v1/agents/canned-answers", json=body, headers=ana._headers).json()
    path = f"/v1/agents/canned-answers/{made['answer_id']}"
    changed = {**body, "text": "We are open from 8 to 22.", "version": 1}
    assert api.client.put(path, json=changed, headers=ana._headers).json()["version"] == 2
    late = api.client.put(path, json=changed, headers=ana._headers)
    assert (late.status_code, late.headers["content-type"]) == (409, "application/problem+json")
    handoff, *_ = _claimed(api, ana, "what are your opening hours")
    canned = [
        reply for reply in _get(api, ana, f"handoffs/{handoff}/suggestions")["replies"] if reply["why"] == "canned"
    ]
    assert canned == [{"why": "canned", "title": "Hours", "text": "We are open from 8 to 22."}]
    assert api.client.delete(path, headers=ana._headers).status_code == 200
    assert api.client.delete(path, headers=ana._headers).status_code == 404


def test_every_canned_answer_is_offered_those_that_fit_best_in_front(api: Api) -> None:
    ana = Person(api, "Ana")
    for title in ("Bags", "Cards", "Dogs", "Eggs", "Floor", "opening hours", "Aisles"):
        body = {"title": title, "text": "As you like.", "language": "en"}
        api.client.post("/v1/agents/canned-answers", json=body, headers=ana._headers)
    handoff, *_ = _claimed(api, ana, "what are your opening hours")
    replies = _get(api, ana, f"handoffs/{handoff}/suggestions")["replies"]
    titles = [reply["title"] for reply in replies if reply["why"] == "canned"]
    assert titles == ["opening hours", "Aisles", "Bags", "Cards", "Dogs", "Eggs", "Floor"]


def test_the_service_level_counts_waits_against_the_target(api: Api) -> None:
    ana = Person(api, "Ana")
    waits = [10.0, 50.0, 500.0]
    for wait in waits:
        handoff, *_ = _claimed(api, ana, "hello")
        queued = datetime.now(UTC) - timedelta(hours=1)
        with api.services.db.write() as connection:
            row = update(handoffs).where(handoffs.c.handoff_id == handoff)
            connection.execute(row.values(queued_at=queued, first_claimed_at=queued + timedelta(seconds=wait)))
    found = _get(api, ana, "service-level")
    assert (found["queued"], found["served"], found["waiting"]) == (3, 3, 0)
    assert found["within_target"] == 2 / 3
    assert found["median_wait_s"] == 50
    assert sum(found["by_hour"]) == 3
    assert found["agents"][0]["served"] == 3
    wrong = api.client.get(
        "/v1/agents/service-level", params={"from": "2026-02-01", "to": "2026-01-01"}, headers=ana._headers
    )
    assert wrong.status_code == 422
    early = api.client.get("/v1/agents/service-level", params={"to": "0001-01-02T00:00:00Z"}, headers=ana._headers)
    assert early.status_code == 422


def test_who_goes_back_into_the_queue_has_waited_once(api: Api) -> None:
    ana, ben = Person(api, "Ana"), Person(api, "Ben")
    handoff, *_ = _claimed(api, ana, "hello")
    mine = handoffs.c.handoff_id == handoff
    with api.services.db.write() as connection:  # it was taken after ten seconds, an hour ago
        queued = datetime.now(UTC) - timedelta(hours=1)
        taken = queued + timedelta(seconds=10)
        connection.execute(
            update(handoffs).where(mine).values(queued_at=queued, first_claimed_at=taken, claimed_at=taken)
        )
    ana.do(handoff, "release")
    assert _get(api, ana, "service-level")["withdrawn"] == 0
    ben.do(handoff, "claim")
    found = _get(api, ana, "service-level")
    assert (found["served"], found["median_wait_s"], found["within_target"]) == (1, 10, 1)


def test_about_a_sensitive_topic_nothing_to_buy_is_suggested(api: Api) -> None:
    ana = Person(api, "Ana")
    use(api, Engine(echo))
    conversation, headers = talk(api)
    send(api, conversation, headers, "my daughter had an allergic reaction to the cookies")
    handoff = ana.inbox()["waiting"][0]["handoff_id"]
    found = _get(api, ana, f"handoffs/{handoff}/suggestions")
    assert ([reply["why"] for reply in found["replies"]], found["items"]) == (["apology"], [])
