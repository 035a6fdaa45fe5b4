"""Hand-off over the API: queue, claim, talk, hand back, rate; nothing is lost or answered twice."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.routes.following import _stream
from api.services.chat import Said
from api.talk import LocalTalk
from chatbot.ports import BotMessage, Reply, Turn
from stores.errors import ConflictError
from stores.handoffs import Agent
from stores.tables import handoffs, messages
from tests.api.conftest import Api
from tests.api.test_chat import Engine, echo, talk, use


class Person:
    """An agent at the inbox."""

    def __init__(self, api: Api, name: str, key: str | None = None) -> None:
        self._api, self._headers = api, {**api.headers(key or api.make_key("agents")), "X-Agent-Name": name}

    def inbox(self) -> dict[str, Any]:
        return dict(self._api.client.get("/v1/agents/inbox", headers=self._headers).json())

    def do(self, handoff: str, what: str, expect: int = 200, **body: Any) -> dict[str, Any]:
        url = f"/v1/agents/handoffs/{handoff}/{what}"
        answer = self._api.client.post(url, json=body or None, headers=self._headers)
        assert answer.status_code == expect, answer.text
        return dict(answer.json())

    def read(self, handoff: str) -> dict[str, Any]:
        return dict(self._api.client.get(f"/v1/agents/handoffs/{handoff}", headers=self._headers).json())


@pytest.fixture
def ana(api: Api) -> Person:
    person = Person(api, "Ana")
    person.inbox()  # she is there
    return person


def send(api: Api, conversation: str, headers: dict[str, str], text: str, client: str | None = None) -> dict[str, Any]:
    body = {"text": text, "client_message_id": client}
    answer = api.client.post(f"/v1/conversations/{conversation}/messages", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def history(api: Api, conversation: str, headers: dict[str, str]) -> list[tuple[str, str]]:
    found = api.client.get(f"/v1/conversations/{conversation}", headers=headers).json()["messages"]
    return [(message["role"], message["text"]) for message in found]


def ask(api: Api, conversation: str, headers: dict[str, str]) -> None:
    assert api.client.post(f"/v1/conversations/{conversation}/handoff", headers=headers).status_code == 200


def test_a_person_takes_over_answers_and_gives_back(api: Api, ana: Person) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    send(api, conversation, headers, "this coupon is a joke, I hate it")
    ask(api, conversation, headers)
    [waiting] = ana.inbox()["waiting"]
    assert waiting["reason"] == "asked"
    assert "Wrote last: “this coupon is a joke, I hate it”" in waiting["summary"]
    state = api.client.get(f"/v1/conversations/{conversation}/state", headers=headers).json()
    assert (state["state"], state["position"], state["open"]) == ("queued", 1, True)
    assert state["expected_wait_s"] > 0
    assert send(api, conversation, headers, "meanwhile")["engine"] == "rasa"

    handoff = waiting["handoff_id"]
    ana.do(handoff, "claim")
    silent = send(api, conversation, headers, "hello?")
    assert (silent["messages"], silent["engine"], silent["state"]) == ([], "human", "human")
    ana.do(handoff, "messages", 201, text="Ana here, I will fix it.")
    told = ana.read(handoff)
    assert [message["text"] for message in told["messages"][-2:]] == ["hello?", "Ana here, I will fix it."]
    assert told["display_name"] == api.member("pets-6").display_name
    assert history(api, conversation, headers)[-1] == ("agent", "Ana here, I will fix it.")

    ana.do(handoff, "hand-back")
    back = send(api, conversation, headers, "thanks")
    assert (back["engine"], back["state"]) == ("rasa", "returned")
    rate = f"/v1/conversations/{conversation}/rating"
    assert api.client.post(rate, json={"score": 5, "comment": "kind"}, headers=headers).status_code == 200
    assert api.client.post(rate, json={"score": 1}, headers=headers).status_code == 409
    assert (ana.read(handoff)["handoff"]["score"], ana.read(handoff)["handoff"]["comment"]) == (5, "kind")


def test_of_two_agents_one_gets_it_and_the_other_cannot_speak(api: Api, ana: Person) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    ask(api, conversation, headers)
    ben = Person(api, "Ben")
    handoff = ben.inbox()["waiting"][0]["handoff_id"]
    ana.do(handoff, "claim")
    ana.do(handoff, "claim")
    ben.do(handoff, "claim", 409)
    ben.do(handoff, "messages", 409, text="me too")
    ben.do(handoff, "hand-back", 409)
    ana.do(handoff, "release")
    ben.do(handoff, "claim")
    ana.do(handoff, "messages", 409, text="still me?")
    ben.do(handoff, "messages", 201, text="Ben here", client_message_id="ben-000001")
    ben.do(handoff, "messages", 201, text="Ben here", client_message_id="ben-000001")
    assert [text for role, text in history(api, conversation, headers) if role == "agent"] == ["Ben here"]


def test_when_nobody_is_there_a_message_can_be_left(api: Api) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    told = api.client.app.state.desk.ask(conversation)  # type: ignore[attr-defined]
    assert told.act == "handoff.away"
    asked = send(api, conversation, headers, "/leave_message")
    assert asked["messages"][0]["act"] == "handoff.message.ask"
    left = send(api, conversation, headers, "call me about the cake")
    assert left["messages"][0]["act"] == "handoff.message.taken"
    assert send(api, conversation, headers, "hi")["messages"][0]["text"] == "you said hi"
    [waiting] = Person(api, "Ana").inbox()["waiting"]
    assert waiting["left"] == ["call me about the cake"]
    gone = send(api, conversation, headers, "/no_person")
    assert (gone["messages"][0]["act"], gone["state"]) == ("handoff.withdrawn", "bot")


def test_a_sensitive_topic_goes_to_a_person_at_once(api: Api, ana: Person) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    answer = send(api, conversation, headers, "my daughter had an allergic reaction to the cookies")
    assert answer["messages"][-1]["act"] == "handoff.sensitive"
    assert answer["state"] == "queued"
    assert ana.inbox()["waiting"][0]["urgency"] == 3


def test_somebody_who_stays_angry_is_offered_a_person_within_two_turns_and_once(api: Api) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    acts = []
    for text in ("this is terrible, I hate it", "you are useless, I am so angry", "horrible, awful service"):
        answer = send(api, conversation, headers, text)
        acts.append([message["act"] for message in answer["messages"]])
    assert "handoff.offer" in {*acts[0], *acts[1]}
    assert sum("handoff.offer" in turn for turn in acts) == 1


def test_without_rasa_a_person_is_still_reached(api: Api, ana: Person) -> None:
    conversation, headers = talk(api)
    answer = send(api, conversation, headers, "talk to a human")
    assert [message["act"] for message in answer["messages"]] == ["handoff.queued"]
    assert len(ana.inbox()["waiting"]) == 1


def test_a_message_that_is_sent_again_is_stored_and_answered_once(api: Api) -> None:
    engine = Engine(echo)
    use(api, engine)
    conversation, headers = talk(api)
    first = send(api, conversation, headers, "one", "client-0001")
    again = send(api, conversation, headers, "one", "client-0001")
    assert [m["message_id"] for m in first["messages"]] == [m["message_id"] for m in again["messages"]]
    assert first["message_id"] == again["message_id"]
    assert len(engine.turns) == 1
    assert history(api, conversation, headers)[1:] == [("user", "one"), ("bot", "you said one")]


def test_an_answer_that_a_crash_swallowed_is_made_by_the_resend(api: Api) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    long_ago = datetime.now(UTC) - timedelta(minutes=1)
    received = api.services.conversations.receive(
        conversation, {"text": "lost?"}, client_message_id="client-0001", at=long_ago
    )
    answer = send(api, conversation, headers, "lost?", "client-0001")
    assert answer["message_id"] == received.message_id
    assert history(api, conversation, headers)[1:] == [("user", "lost?"), ("bot", "you said lost?")]


def test_forgetting_a_chat_leaves_nothing_of_it(api: Api) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    send(api, conversation, headers, "a secret")
    ask(api, conversation, headers)
    assert api.client.delete(f"/v1/conversations/{conversation}", headers=headers).json() == {"done": True}
    assert api.client.get(f"/v1/conversations/{conversation}", headers=headers).status_code == 404
    with api.services.db.read() as connection:
        for table in (messages, handoffs):
            assert connection.execute(table.select().where(table.c.conversation_id == conversation)).first() is None


def test_nobody_follows_or_forgets_anothers_conversation(api: Api) -> None:
    conversation, _ = talk(api)
    stranger = api.headers(api.token()["token"])
    assert api.client.delete(f"/v1/conversations/{conversation}", headers=stranger).status_code == 404
    assert api.client.get(f"/v1/conversations/{conversation}/stream", headers=stranger).status_code == 404
    assert api.client.get("/v1/agents/inbox", headers=api.headers(api.make_key("recommend"))).status_code == 403


def test_reading_is_told_once_and_never_goes_back(api: Api, ana: Person) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    ids = [send(api, conversation, headers, text)["message_id"] for text in ("one", "two")]
    ask(api, conversation, headers)
    handoff = ana.inbox()["waiting"][0]["handoff_id"]
    ana.do(handoff, "claim")
    for message_id in (ids[1], ids[0], "unknown"):
        ana.do(handoff, "read", message_id=message_id)
    found = api.client.get(f"/v1/conversations/{conversation}", headers=headers).json()
    assert found["read_by_agent"] == ids[1]


def test_a_click_again_and_again_lowers_the_mood_and_a_face_counts_only_with_consent(api: Api) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    send(api, conversation, headers, "hi")
    url = f"/v1/conversations/{conversation}/signals"
    calm = api.client.post(url, json={"expression": "negative"}, headers=headers).json()
    assert calm["valence"] > -0.1, "no consent to expressions"
    clicked = api.client.post(url, json={"behaviour": "rage_click"}, headers=headers).json()
    assert clicked["valence"] < calm["valence"] - 0.1
    assert api.client.post(url, json={}, headers=headers).status_code == 422


def test_of_an_agent_who_only_looks_on_the_shopper_sees_nothing(
    api: Api, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation, headers = talk(api)
    ask(api, conversation, headers)
    handoff, ben = ana.inbox()["waiting"][0]["handoff_id"], Person(api, "Ben")
    message_id = api.services.conversations.messages(conversation)[-1].message_id
    told = list[str]()
    monkeypatch.setattr(api.services.talk, "tell", lambda _where, kind, *_: told.append(kind))
    looked = [ana.do(handoff, "read", message_id=message_id), ana.do(handoff, "typing", on=True)]
    ana.do(handoff, "claim")
    told.clear()
    looked += [ben.do(handoff, "read", message_id=message_id), ben.do(handoff, "typing", on=True)]
    assert [one["done"] for one in looked] == [False] * 4
    assert told == []
    assert api.services.conversations.get(conversation).read_by_agent is None
    assert ana.do(handoff, "read", message_id=message_id) == ana.do(handoff, "typing", on=True) == {"done": True}
    assert told == ["read", "typing"]


def test_agents_who_share_a_key_are_as_many_as_their_names(api: Api) -> None:
    key = api.make_key("agents")
    ana, ben = Person(api, "Ana", key), Person(api, "Ben", key)
    ana.inbox()
    conversation, headers = talk(api)
    ask(api, conversation, headers)
    handoff = ana.inbox()["waiting"][0]["handoff_id"]
    ana.do(handoff, "claim")
    assert [one["mine"] for one in ben.inbox()["served"]] == [False]
    assert [one["mine"] for one in ana.inbox()["served"]] == [True]
    assert [(one["name"], one["me"]) for one in ben.inbox()["people"]] == [("Ana", False), ("Ben", True)]
    ben.do(handoff, "hand-back", expect=409)
    assert max(len(one["agent_id"]) for one in ben.inbox()["people"]) <= 64


def test_a_stream_begins_where_it_left_off_and_tells_each_message_once(api: Api, ana: Person) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    seen = send(api, conversation, headers, "before")["messages"][-1]["message_id"]
    send(api, conversation, headers, "missed")
    ask(api, conversation, headers)
    handoff = ana.inbox()["waiting"][0]["handoff_id"]

    async def follow() -> list[tuple[str, dict[str, Any]]]:
        events: list[tuple[str, dict[str, Any]]] = []
        who, _ = api.services.shoppers.find(headers["Authorization"].removeprefix("Bearer "))
        stream = _stream(conversation, api.services, api.client.app.state.desk, who, seen)  # type: ignore[attr-defined]
        async for event in stream:
            events.append((str(event.event), json.loads(str(event.data))))
            if len(events) == 3:  # state, and the two messages that were missed
                await asyncio.to_thread(ana.do, handoff, "claim")
                await asyncio.to_thread(ana.do, handoff, "typing", on=True)
                await asyncio.to_thread(ana.do, handoff, "messages", 201, text="Ana here")
            if events[-1][1].get("text") == "Ana here":
                await asyncio.to_thread(api.client.delete, f"/v1/conversations/{conversation}", headers=headers)
        return events

    events = asyncio.run(asyncio.wait_for(follow(), 30))
    assert [data["text"] for kind, data in events if kind == "message"] == ["missed", "you said missed", "Ana here"]
    assert [data["state"] for kind, data in events if kind == "state"] == ["queued", "human"]
    assert ("typing", {"role": "agent", "on": True}) in events
    assert events[-1] == ("gone", {})


def test_nobody_listens_any_more_after_the_stream_ended() -> None:
    bus = LocalTalk()

    async def listen() -> tuple[str, dict[str, Any]]:
        heard = bus.listen("c")
        upcoming = asyncio.ensure_future(anext(heard))
        await asyncio.sleep(0)
        bus.tell("c", "state")
        found = await upcoming
        await heard.aclose()  # type: ignore[attr-defined]
        return found

    assert asyncio.run(listen()) == ("state", {})
    assert bus._listeners == {}


@pytest.mark.parametrize("seed", range(3))
def test_across_the_switch_no_message_is_lost_reordered_or_answered_twice(api: Api, seed: int) -> None:
    chance = random.Random(seed)

    class Slow(Engine):
        async def respond(self, turn: Turn) -> Reply:
            await asyncio.sleep(chance.random() * 0.02)
            self.turns.append(turn)
            return Reply([BotMessage(f"answer to {turn.text}", act="test.answer")], "rasa")

    chat = use(api, Slow(echo))
    conversation_id, _ = talk(api)
    conversation = api.services.conversations.get(conversation_id)
    assert conversation is not None
    desk, agent = api.client.app.state.desk, Agent("a", "Ana", datetime.now(UTC))  # type: ignore[attr-defined]
    api.services.handoffs.seen(agent)
    texts = [f"message {n}" for n in range(8)]

    async def shopper() -> None:
        for text in texts:  # in order, and some are sent again at once, as a phone with a bad line does
            tries = 1 + chance.randrange(3)
            said = Said(text, client_message_id=f"client-{text[-1]}-000")
            answers = await asyncio.gather(*(chat.answer(conversation, said) for _ in range(tries)))
            assert len({json.dumps([m["message_id"] for m in one.messages]) for one in answers}) == 1
            await asyncio.sleep(chance.random() * 0.01)

    async def person() -> None:
        for round_ in range(2):
            await asyncio.sleep(chance.random() * 0.05)
            await asyncio.to_thread(desk.ask, conversation_id)
            handoff = api.services.handoffs.of(conversation_id)
            assert handoff is not None
            await asyncio.to_thread(desk.claim, handoff.handoff_id, agent)
            for n in range(2):
                said = f"person {round_} {n}"
                await asyncio.to_thread(desk.reply, handoff.handoff_id, agent, said, f"{said}-id".replace(" ", "-"))
                await asyncio.to_thread(desk.reply, handoff.handoff_id, agent, said, f"{said}-id".replace(" ", "-"))
            await asyncio.to_thread(desk.hand_back, handoff.handoff_id, agent)
            with pytest.raises(ConflictError):
                await asyncio.to_thread(desk.reply, handoff.handoff_id, agent, "too late", None)

    async def both() -> None:
        await asyncio.gather(shopper(), person())

    asyncio.run(both())
    stored = api.services.conversations.messages(conversation_id)
    assert [one.seq for one in stored] == list(range(1, len(stored) + 1))
    assert [one.body["text"] for one in stored if one.role == "user"] == texts
    assert [one.body["text"] for one in stored if one.role == "agent"] == [
        f"person {round_} {n}" for round_ in range(2) for n in range(2)
    ]
    answered = [one.body["text"] for one in stored if one.body.get("act") == "test.answer"]
    assert len(answered) == len(set(answered)), "answered twice"
    for text in texts:  # by the bot, right after the message, or by nobody, since a person had the conversation
        assert answered.count(f"answer to {text}") <= 1
    talking = False
    for one in stored:  # between a person's first word and the hand-back the bot is silent
        talking = (talking or one.role == "agent") and one.body.get("act") != "handoff.returned"
        assert not (talking and one.body.get("act") == "test.answer")
