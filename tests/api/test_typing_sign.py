"""The sign that an answer is being made comes before any work on the message, on every path; what counts is the order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from api.services import chat as chat_module
from api.services.chat import Said
from chatbot.ports import Turn
from tests.api.conftest import Api
from tests.api.test_attachments import picture
from tests.api.test_chat import Engine, echo, talk, use
from tests.api.test_handoff import Person, ask

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ON, OFF = "sign on", "sign off"


@pytest.fixture
def order(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens, in its order: signs that are told, and the pieces of work on a message."""
    happened: list[str] = []
    services, chat = api.services, use(api, Engine(echo))

    def noted(owner: object, name: str, told: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def noting(*args: Any, **kwargs: Any) -> Any:
            happened.append(told)
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, noting)

    tell = services.talk.tell

    def telling(channel: str, event: str, data: dict[str, Any] | None = None) -> None:
        if event in {"typing", "message"}:
            happened.append(event if event == "message" else ON if (data or {})["on"] else OFF)
        tell(channel, event, data)

    monkeypatch.setattr(services.talk, "tell", telling)
    noted(services.conversations, "receive", "stored")
    noted(chat.moods, "hear", "felt")
    noted(chat_module, "run_sync", "thread")
    return happened


def test_the_sign_is_on_before_a_message_is_stored_felt_or_answered_and_off_after(api: Api, order: list[str]) -> None:
    conversation, headers = talk(api)
    order.clear()
    api.client.post(f"/v1/conversations/{conversation}/messages", json={"text": "hi"}, headers=headers)
    assert order[0] == ON
    assert order.index(ON) < order.index("thread") < order.index("stored") < order.index("felt") < order.index(OFF)
    assert order[-1] == OFF


def test_the_sign_is_on_before_a_file_is_looked_at(api: Api, order: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from api.routes import attachments

    real = attachments.checked

    def checking(*args: Any, **kwargs: Any) -> Any:
        order.append("looked at")
        return real(*args, **kwargs)

    monkeypatch.setattr(attachments, "checked", checking)
    conversation, headers = talk(api)
    order.clear()
    url = f"/v1/conversations/{conversation}/attachments"
    answer = api.client.post(url, files={"file": ("cat.jpg", picture(), "image/jpeg")}, headers=headers)
    assert answer.status_code == 200
    assert order.index(ON) < order.index("looked at") < order.index("stored") < order.index(OFF)


def test_a_message_that_waits_for_its_turn_has_its_sign_and_the_last_answer_takes_it_away(
    api: Api, order: list[str]
) -> None:
    conversation_id, _ = talk(api)
    conversation = api.services.conversations.get(conversation_id)
    assert conversation is not None
    chat = use(api, Engine(echo))
    order.clear()

    async def two_at_once() -> None:
        held = asyncio.Event()

        class Slow(Engine):
            async def respond(self, turn: Turn) -> Any:
                if turn.text == "first":
                    await held.wait()
                order.append(f"answered {turn.text}")
                return await super().respond(turn)

        use(api, Slow(echo))
        first = asyncio.create_task(chat.answer(conversation, Said("first")))
        while not any(entry == "felt" for entry in order):
            await asyncio.sleep(0)
        before = order.count(ON)
        second = asyncio.create_task(chat.answer(conversation, Said("second")))
        while order.count(ON) == before:
            await asyncio.sleep(0)
        assert "answered first" not in order, "it is told while the first answer is still in the making"
        assert order.count("stored") == 1, "and before the second message is touched"
        held.set()
        await asyncio.gather(first, second)

    asyncio.run(asyncio.wait_for(two_at_once(), 30))
    assert order.count(OFF) == 1
    assert order[-1] == OFF
    on_again = len(order) - 1 - order[::-1].index(ON)
    assert order.index("answered first") < on_again < order.index("answered second")


def test_where_a_person_has_the_conversation_the_bot_shows_no_sign(api: Api, order: list[str]) -> None:
    ana = Person(api, "Ana")
    ana.inbox()  # she is there
    conversation, headers = talk(api)
    ask(api, conversation, headers)
    ana.do(ana.inbox()["waiting"][0]["handoff_id"], "claim")
    order.clear()
    api.client.post(f"/v1/conversations/{conversation}/messages", json={"text": "hello?"}, headers=headers)
    assert "stored" in order
    assert ON not in order
