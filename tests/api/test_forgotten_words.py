"""A chat that was forgotten leaves none of its words in any store, and the dialogue engine is asked until it has forgotten, too."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import func, select

from api.services.assistant import Assistant
from api.services.dialogue_memory import DialogueMemory
from api.services.privacy import Privacy
from chatbot.shopping.wish import searched
from personalization.types import DecisionId
from stores.dialogue_erasures import SqlDialogueErasures
from stores.erasure import erase_conversation
from stores.tables import decisions, events
from tests.api.conftest import Api
from tests.api.test_chat import Engine, echo, talk, use
from tests.api.test_erasure_proof import every_byte
from tests.api.test_handoff import Person, ask, send

SECRET = "zebracheese"


@pytest.fixture
def assistant(api: Api) -> Assistant:
    return Assistant(api.services, Privacy(api.services, lambda _: None))


def spoken(api: Api, assistant: Assistant) -> str:
    """Return a conversation with probes whose decision no message names, and with suggestions that an agent opened."""
    use(api, Engine(echo))
    conversation, headers = talk(api)
    send(api, conversation, headers, f"do you have {SECRET}")
    for words in (SECRET, f"{SECRET} without nuts", f"cheap {SECRET}"):
        assistant.search(conversation, searched(words))
    assistant.recommend(conversation, query=f"something like {SECRET}")
    ask(api, conversation, headers)
    ana = Person(api, "Ana")
    handoff = ana.inbox()["waiting"][0]["handoff_id"]
    suggested = api.client.get(f"/v1/agents/handoffs/{handoff}/suggestions", headers=ana._headers)
    assert suggested.status_code == 200
    assert SECRET in told_of_decisions(api), "the search finds what is there"
    assert SECRET.encode() not in every_byte(api), "and it lies there sealed"
    return conversation


def told_of_decisions(api: Api) -> str:
    """Return what all decisions tell, in the clear."""
    with api.services.db.read() as connection:
        made = connection.scalars(select(decisions.c.decision_id)).all()
    return "".join(repr(api.services.decisions.get(DecisionId(one))) for one in made)


@pytest.mark.parametrize("way", ["button", "words"])
def test_no_byte_of_the_shoppers_words_is_left(api: Api, assistant: Assistant, way: str) -> None:
    conversation = spoken(api, assistant)
    with api.services.db.read() as connection:
        made = connection.scalar(select(func.count()).select_from(decisions))
    if way == "button":
        erase_conversation(api.services.db, conversation, at=datetime.now(UTC))
    else:
        assistant.forget_chat(conversation)
    assert SECRET not in told_of_decisions(api)
    left = every_byte(api)
    place = left.find(SECRET.encode())
    assert place < 0, left[place - 300 : place + 100]
    with api.services.db.read() as connection:
        assert connection.scalar(select(func.count()).select_from(decisions)) == made, "budgets follow from them"
        assert connection.scalar(select(func.count()).where(events.c.type == "message_sent")) == 0
        assert (
            connection.scalars(
                select(decisions.c.conversation_id).where(decisions.c.conversation_id.is_not(None))
            ).all()
            == []
        )


def test_rasa_is_asked_to_forget_until_it_has(api: Api, assistant: Assistant) -> None:
    conversation, _ = talk(api)
    assistant.forget_chat(conversation)
    asked: list[str] = []
    answers: list[httpx.Response | httpx.ReadTimeout] = [
        httpx.ReadTimeout("slow"),
        httpx.Response(503),
        httpx.Response(200, json={}),
    ]

    def rasa(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        answer = answers.pop(0)
        if isinstance(answer, httpx.ReadTimeout):
            raise answer
        return answer

    memory, left = DialogueMemory(api.services, httpx.MockTransport(rasa)), SqlDialogueErasures(api.services.db)
    now = datetime.now(UTC)
    assert [memory.forget(now=now) for _ in range(4)] == [0, 0, 1, 0]
    assert asked == [f"/conversations/{conversation}/tracker/events"] * 3
    assert left.due(9) == []


def test_the_dialogue_of_an_erased_member_is_forgotten_as_well(api: Api) -> None:
    conversation, _ = talk(api)
    Privacy(api.services, lambda _: None).erase(api.member("pets-6").member_id)
    assert SqlDialogueErasures(api.services.db).due(9) == [conversation]
