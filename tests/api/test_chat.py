"""A message's way: emotion, affect, dialogue, core, answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.services.chat import Chat, Said
from api.services.turns import Once, Turns
from chatbot.language_model import LanguageModel
from chatbot.ports import BotMessage, EngineUnavailableError, Reply, Turn
from tests.api.conftest import Api
from tests.chatbot.test_language_model import Saying


class Engine:
    """Stands in for Rasa: remembers what it was told."""

    def __init__(self, answer: Callable[[Turn], Reply]) -> None:
        self.turns: list[Turn] = []
        self._answer = answer

    async def respond(self, turn: Turn) -> Reply:
        self.turns.append(turn)
        await asyncio.sleep(0)  # whoever else can run, runs now
        return self._answer(turn)


def echo(turn: Turn) -> Reply:
    return Reply([BotMessage(f"you said {turn.text}")], "rasa")


def use(api: Api, engine: Engine) -> Chat:
    chat: Chat = api.client.app.state.chat  # type: ignore[attr-defined]
    chat._engine._engine = engine  # type: ignore[attr-defined]
    return chat


def talk(api: Api) -> tuple[str, dict[str, str]]:
    headers = api.headers(api.token("pets-6")["token"])
    return api.client.post("/v1/conversations", headers=headers).json()["conversation_id"], headers


def test_the_dialogue_hears_the_mood_of_the_whole_conversation(api: Api) -> None:
    engine = Engine(echo)
    use(api, engine)
    conversation, headers = talk(api)
    url = f"/v1/conversations/{conversation}/messages"
    for text in ("this is terrible, I hate it", "ok", "I am so happy, thank you, this is wonderful"):
        answer = api.client.post(url, json={"text": text}, headers=headers).json()
        assert answer["engine"] == "rasa"
    bad, still, better = (turn.affect.valence for turn in engine.turns)
    assert bad < still < better, "a mood fades and turns; it does not jump with each word"
    assert still < 0


def test_messages_of_one_conversation_are_answered_and_stored_in_order(api: Api) -> None:
    engine = Engine(echo)
    chat = use(api, engine)
    conversation_id, headers = talk(api)
    conversation = api.services.conversations.get(conversation_id)
    assert conversation is not None
    texts = [f"message {n}" for n in range(6)]

    async def all_at_once() -> list[str]:
        answers = await asyncio.gather(*(chat.answer(conversation, Said(text)) for text in texts))
        return [answer.messages[0]["text"] for answer in answers]

    assert asyncio.run(all_at_once()) == [f"you said {text}" for text in texts]
    assert [turn.text for turn in engine.turns] == texts
    history = api.client.get(f"/v1/conversations/{conversation_id}", headers=headers).json()["messages"]
    expected = [line for text in texts for line in (text, f"you said {text}")]
    assert [message["text"] for message in history[1:]] == expected


def test_when_rasa_comes_back_it_answers_again(api: Api) -> None:
    def down(turn: Turn) -> Reply:
        raise EngineUnavailableError("down")

    chat = use(api, Engine(down))
    conversation, headers = talk(api)
    url = f"/v1/conversations/{conversation}/messages"
    assert api.client.post(url, json={"text": "hi"}, headers=headers).json()["engine"] == "fallback"
    chat._engine._engine = Engine(echo)  # type: ignore[attr-defined]
    assert api.client.post(url, json={"text": "hi"}, headers=headers).json()["engine"] == "rasa"
    assert 'aisle_chat_reply_seconds_count{engine="fallback"} 1.0' in api.client.get("/metrics").text


def test_what_a_button_stands_for_is_not_shown_as_what_was_said(api: Api) -> None:
    use(api, Engine(echo))
    conversation, headers = talk(api)
    said = {"text": "/forget_face", "title": "Forget my face"}
    api.client.post(f"/v1/conversations/{conversation}/messages", json=said, headers=headers)
    history = api.client.get(f"/v1/conversations/{conversation}", headers=headers).json()["messages"]
    assert [message["text"] for message in history if message["role"] == "user"] == ["Forget my face"]


def test_rasas_action_runs_in_process_and_answers_with_the_cores_items(api: Api) -> None:
    conversation, _ = talk(api)
    tracker: dict[str, Any] = {
        "sender_id": conversation, "slots": {}, "latest_message": {"text": "what do you recommend"}, "events": [],
        "paused": False, "active_loop": {}, "latest_action_name": None, "followup_action": None,
    }  # fmt: skip
    body = {"next_action": "action_recommend", "sender_id": conversation, "tracker": tracker, "domain": {}}
    answer = api.client.post(
        "/internal/rasa/actions", json=body, headers={"X-Aisle-Action-Token": api.services.action_token}
    )
    assert answer.status_code == 200
    items = [item for response in answer.json()["responses"] for item in response["custom"].get("items", [])]
    assert items
    assert {"name", "price", "reason"} <= items[0].keys()


def test_without_its_database_the_api_is_alive_but_not_ready(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise ConnectionError

    monkeypatch.setattr(api.services.db, "read", gone)
    assert api.client.get("/healthz").status_code == 200
    answer = api.client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"], answer.json()["parts"]["database"]) == (503, False, False)


def test_turns_are_given_in_order_and_forgotten_afterwards() -> None:
    turns, order = Turns(), []

    async def take(number: int) -> None:
        async with turns.of("a"):
            order.append(number)
            await asyncio.sleep(0)
            order.append(number)

    async def all_of_them() -> None:
        await asyncio.gather(*(take(number) for number in range(3)))

    asyncio.run(all_of_them())
    assert order == [0, 0, 1, 1, 2, 2]
    assert turns._locks == {}


def test_a_language_model_words_an_open_question_and_the_reply_says_so(api: Api) -> None:
    class Model(LanguageModel):
        def __init__(self, *pieces: str) -> None:
            super().__init__(Saying(*pieces), api.services.voice)

    fact = BotMessage("Oat drink: it is vegan.", items=[], act="details.all")
    use(api, Engine(lambda turn: Reply([fact], "rasa")))
    conversation, headers = talk(api)
    url = f"/v1/conversations/{conversation}/messages"
    for model, text, by in (
        (Model("The oat drink is vegan."), "The oat drink is vegan.", "language_model"),
        (Model("The oat drink costs $1."), fact.text, None),
    ):
        api.services.__dict__["language_model"] = model
        [message] = api.client.post(url, json={"text": "what is it like?"}, headers=headers).json()["messages"]
        assert (message["text"], message.get("worded_by")) == (text, by)
    figures = api.client.get("/metrics").text
    assert 'aisle_language_model_answers_total{used="yes"} 1.0' in figures
    assert 'aisle_fallbacks_total{component="language model",used="the template"} 1.0' in figures


def test_the_dialogue_gets_back_what_it_wanted_to_remember_and_nobody_else_reads_it(api: Api) -> None:
    seen: list[object] = []

    def answer(turn: Turn) -> Reply:
        seen.append(turn.memory)
        return Reply([BotMessage("ok")], "rasa", {"slots": {"turn": len(seen)}})

    use(api, Engine(answer))
    conversation, headers = talk(api)
    for _ in range(3):
        api.client.post(f"/v1/conversations/{conversation}/messages", json={"text": "go on"}, headers=headers)
    assert seen == [None, {"slots": {"turn": 1}}, {"slots": {"turn": 2}}]
    kept = api.services.conversations.get(conversation)
    assert kept is not None
    assert b"turn" not in (kept.sealed_memory or b"")


def test_what_two_rasas_ask_for_is_done_once() -> None:
    done: list[str] = []

    async def work() -> str:
        done.append("done")
        await asyncio.sleep(0)
        return "answer"

    async def story() -> list[str]:
        once = Once()
        return [*await asyncio.gather(once.do("m", work), once.do("m", work)), await once.do("m", work)]

    assert asyncio.run(story()) == ["answer"] * 3
    assert done == ["done"]


def test_a_message_whose_maker_died_is_soon_answered_by_another_and_one_in_the_making_is_not(api: Api) -> None:
    conversation, _ = talk(api)
    store, began = api.services.conversations, datetime.now(UTC)

    def claimed(after_s: float) -> bool:
        at = began + timedelta(seconds=after_s)
        return store.receive(conversation, {"text": "hi"}, client_message_id="m", at=at).mine

    assert claimed(0)
    assert not claimed(2)
    [message] = [one for one in store.messages(conversation) if one.role == "user"]
    store.renew(message.message_id, at=began + timedelta(seconds=2))
    assert not claimed(4)
    assert claimed(5)


def test_what_a_shopper_did_before_a_message_changes_the_mood_of_their_conversation(api: Api) -> None:
    engine = Engine(echo)
    use(api, engine)
    moods = []
    for signals in ([], ["hurried_scroll"], ["resent"], ["rage_click"], ["rage_click", "resent"]):
        conversation, headers = talk(api)
        body = {"text": "where is my parcel", "signals": signals}
        api.client.post(f"/v1/conversations/{conversation}/messages", json=body, headers=headers)
        moods.append(engine.turns[-1].affect)
    valences = [mood.valence for mood in moods]
    assert valences == sorted(valences, reverse=True)
    assert len(set(valences)) == len(valences)
    assert moods[0].state == "neutral"
    assert moods[-1].state in {"frustrated", "impatient"}
