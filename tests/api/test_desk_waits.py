"""Who waits for a person is not forgotten: agents who go away, waits without end, grave news, and messages that are left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from api.services.desk import Desk
from stores.audit_tables import audit_log
from stores.handoffs import Agent
from stores.tables import agents
from tests.api.conftest import Api
from tests.api.test_chat import Engine, echo, talk, use
from tests.api.test_handoff import Person, ask, history, send


def desk_at(api: Api, later: timedelta) -> Desk:
    """Return the desk as it is some time from now."""
    return Desk(api.services, now=lambda: datetime.now(UTC) + later)


def away(api: Api, name: str, since: timedelta) -> None:
    with api.services.db.write() as connection:
        change = update(agents).where(agents.c.name == name)
        connection.execute(change.values(seen_at=datetime.now(UTC) - since))


@pytest.fixture
def ana(api: Api) -> Person:
    person = Person(api, "Ana")
    person.inbox()
    return person


def test_an_agent_who_goes_away_leaves_no_shopper_in_silence(api: Api, ana: Person) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    ask(api, conversation, headers)
    handoff = ana.inbox()["waiting"][0]["handoff_id"]
    ana.do(handoff, "claim")
    minutes = api.services.settings.agent_away_minutes
    away(api, "Ana", timedelta(minutes=minutes - 1))
    assert desk_at(api, timedelta()).tidy() == (0, 0)
    away(api, "Ana", timedelta(minutes=minutes + 1))
    assert desk_at(api, timedelta()).tidy() == (1, 0)
    found = api.client.get(f"/v1/conversations/{conversation}", headers=headers).json()
    assert found["messages"][-1]["act"] == "handoff.requeued"
    assert send(api, conversation, headers, "hello?")["state"] == "queued"
    ben = Person(api, "Ben")
    assert [one["handoff_id"] for one in ben.inbox()["waiting"]] == [handoff]
    assert desk_at(api, timedelta()).tidy() == (0, 0)


def test_a_colleague_takes_over_only_from_who_is_gone_and_it_is_written_down(api: Api, ana: Person) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    ask(api, conversation, headers)
    handoff, ben = ana.inbox()["waiting"][0]["handoff_id"], Person(api, "Ben")
    ana.do(handoff, "claim")
    ben.do(handoff, "take-over", 409)
    away(api, "Ana", timedelta(minutes=3))
    assert ben.do(handoff, "take-over")["mine"] is True
    assert ben.do(handoff, "take-over")["mine"] is True
    ben.do(handoff, "messages", 201, text="Ben here")
    ana.do(handoff, "messages", 409, text="me again")
    assert history(api, conversation, headers)[-1] == ("agent", "Ben here")
    with api.services.db.read() as connection:
        told = connection.scalars(select(audit_log.c.action)).all()
    assert any("take-over" in action for action in told)


def test_something_grave_said_while_waiting_goes_first_and_is_told(api: Api, ana: Person) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    ask(api, conversation, headers)
    assert ana.inbox()["waiting"][0]["urgency"] == 1
    answer = send(api, conversation, headers, "I found glass in my yoghurt")
    assert [message["act"] for message in answer["messages"]] == ["handoff.sensitive"]
    [waiting] = ana.inbox()["waiting"]
    assert (waiting["urgency"], waiting["reason"]) == (3, "sensitive")
    assert "I found glass in my yoghurt" in str(waiting["summary"])
    again = send(api, conversation, headers, "really, there was glass in my yoghurt")
    assert "handoff.sensitive" not in [message["act"] for message in again["messages"]]


def test_a_wait_ends_after_long_silence_with_word_of_it(api: Api, ana: Person) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    ask(api, conversation, headers)
    hours = api.services.settings.queue_hours
    assert desk_at(api, timedelta(hours=hours - 1)).tidy() == (0, 0)
    assert desk_at(api, timedelta(hours=hours + 1)).tidy() == (0, 1)
    found = api.client.get(f"/v1/conversations/{conversation}", headers=headers).json()
    assert found["messages"][-1]["act"] == "handoff.expired"
    assert send(api, conversation, headers, "hi")["state"] == "bot"
    assert ana.inbox()["waiting"] == []


def test_a_left_message_waits_until_somebody_takes_it(api: Api) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    send(api, conversation, headers, "/leave_message")
    send(api, conversation, headers, "call me about the cake")
    assert desk_at(api, timedelta(days=9)).tidy() == (0, 0)


@pytest.mark.parametrize("said", ["never mind", "forget it, thanks"])
def test_who_takes_back_to_leave_a_message_leaves_none(api: Api, said: str) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    send(api, conversation, headers, "/leave_message")
    answer = send(api, conversation, headers, said)
    assert (answer["messages"][0]["act"], answer["state"]) == ("handoff.message.dropped", "queued")
    assert Person(api, "Ana").inbox()["waiting"][0]["left"] == []


def test_a_question_is_answered_and_becomes_a_message_only_when_the_shopper_says_so(api: Api) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    send(api, conversation, headers, "/leave_message")
    answer = send(api, conversation, headers, "where is the milk?")
    assert [message["act"] for message in answer["messages"]][-1] == "handoff.message.or_question"
    assert answer["messages"][0]["text"] == "you said where is the milk?"
    [button] = answer["messages"][-1]["quick_replies"]
    assert Person(api, "Ana").inbox()["waiting"][0]["left"] == []
    assert send(api, conversation, headers, button["text"])["messages"][0]["act"] == "handoff.message.taken"
    assert Person(api, "Ana").inbox()["waiting"][0]["left"] == ["where is the milk?"]


LEFT = [
    "I don't need a callback, an e-mail is fine. My oats were stale.",
    "what do you do about stale oats?",
    "never mind",
    "Die Hafermilch war sauer.\n\nE-Mail: maya@shop.example",
]


@pytest.mark.parametrize("left", LEFT)
@pytest.mark.parametrize("before", ["", "ask", "/leave_message"])
def test_what_is_said_to_be_a_message_is_kept_as_it_is_whatever_it_says(api: Api, left: str, before: str) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    if before:
        ask(api, conversation, headers) if before == "ask" else send(api, conversation, headers, before)
    url, body = f"/v1/conversations/{conversation}/messages", {"text": f"/leave_message {left}", "title": left}
    answer = api.client.post(url, json=body, headers=headers).json()
    assert [message["act"] for message in answer["messages"]] == ["handoff.message.taken"]
    assert answer["state"] == "queued"
    assert Person(api, "Ana").inbox()["waiting"][0]["left"] == [left]
    assert history(api, conversation, headers)[-2] == ("user", left)


def test_the_longest_question_is_passed_on_whole_and_in_the_shoppers_own_words(api: Api) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    send(api, conversation, headers, "/leave_message")
    asked = f"wo ist die Hafermilch {'x' * 977}?"
    button = send(api, conversation, headers, asked)["messages"][-1]["quick_replies"][0]
    assert send(api, conversation, headers, button["text"])["messages"][0]["act"] == "handoff.message.taken"
    assert Person(api, "Ana").inbox()["waiting"][0]["left"] == [asked]


@pytest.mark.parametrize("said", ["can you call me about the cake?", "my parcel never came"])
def test_a_question_to_people_is_a_message(api: Api, said: str) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    send(api, conversation, headers, "/leave_message")
    assert send(api, conversation, headers, said)["messages"][0]["act"] == "handoff.message.taken"


def test_the_wish_to_leave_a_message_does_not_outlive_a_person_who_was_there(api: Api, ana: Person) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    send(api, conversation, headers, "/leave_message")
    handoff = ana.inbox()["waiting"][0]["handoff_id"]
    ana.do(handoff, "claim")
    ana.do(handoff, "release")
    assert send(api, conversation, headers, "some bread")["messages"][0]["text"] == "you said some bread"


def test_of_two_messages_left_at_once_none_is_lost_and_of_two_ratings_one_counts(api: Api, ana: Person) -> None:
    conversation, headers = talk(api)
    ask(api, conversation, headers)
    store = api.services.handoffs
    stale = store.of(conversation)
    assert stale is not None
    store.tell(stale, left="one")
    store.tell(stale, left="two")
    found = store.of(conversation)
    assert found is not None
    assert (found.told["left"], found.told["summary"]) == (["one", "two"], stale.told["summary"])
    agent = Agent("a", "Ana", datetime.now(UTC))
    desk = desk_at(api, timedelta())
    desk.claim(stale.handoff_id, agent)
    desk.hand_back(stale.handoff_id, agent)
    assert store.tell(found, score=5, comment="kind") is True
    assert store.tell(found, score=1, comment="bad") is False
    rated = store.of(conversation)
    assert rated is not None
    assert (rated.score, rated.told["comment"], rated.told["left"]) == (5, "kind", ["one", "two"])
