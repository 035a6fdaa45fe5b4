"""What is done for a message is done once: by whichever process, however often it is sent, and when the fallback answered before Rasa."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from api.app import create_app
from chatbot.once import change_of, running
from chatbot.ports import EngineUnavailableError, Reply, Turn
from personalization.types import EventType
from stores.tables import events, products
from tests.api.conftest import Api
from tests.api.test_chat import Engine, echo, talk, use
from tests.api.test_handoff import send


@pytest.fixture(autouse=True)
def oat_milk(api: Api) -> None:
    """A product that is easy to name."""
    with api.services.db.write() as connection:
        connection.execute(update(products).where(products.c.product_id == "milk-1").values(name="Oat milk"))


@pytest.fixture
def others(api: Api) -> Iterator[TestClient]:
    """A second api process on the same database: it remembers nothing of what the first one did."""
    with TestClient(create_app(api.services.settings, api.services)) as client:
        yield client


def act(api: Api, client: TestClient, conversation: str, message_id: str, **words: str) -> None:
    """Let Rasa ask for an action."""
    name, text = words["action"], words["text"]
    latest = {
        "text": text, "intent": {"name": name}, "entities": [],
        "metadata": {"message_id": message_id, "conversation_id": conversation, "state": "neutral", "said": text},
    }  # fmt: skip
    tracker: dict[str, Any] = {
        "sender_id": conversation, "slots": {}, "latest_message": latest, "events": [], "paused": False, "active_loop": {},
        "latest_action_name": None, "followup_action": None,
    }  # fmt: skip
    body = {"next_action": f"action_{name}", "sender_id": conversation, "tracker": tracker, "domain": {}}
    answer = client.post(
        "/internal/rasa/actions", json=body, headers={"X-Aisle-Action-Token": api.services.action_token}
    )
    assert answer.status_code == 200, answer.text


def held(api: Api, headers: dict[str, str]) -> dict[str, int]:
    lines = api.client.get("/v1/basket", headers=headers).json()["lines"]
    return {line["product_id"]: line["quantity"] for line in lines}


def test_a_message_that_another_process_answers_again_fills_the_basket_once(api: Api, others: TestClient) -> None:
    conversation, headers = talk(api)
    put = {"action": "basket_add", "text": "put two oat milk in my basket"}
    for client in (api.client, others):
        act(api, client, conversation, "m-1", **put)
        assert held(api, headers) == {"milk-1": 2}
    act(api, others, conversation, "m-2", **put)
    assert held(api, headers) == {"milk-1": 4}, "said once more it is meant once more"
    with api.services.db.read() as connection:
        added = select(func.count()).where(events.c.type == EventType.ADDED_TO_BASKET.value)
        assert connection.scalar(added) == 2


def test_what_is_changed_by_half_is_changed_by_half_once(api: Api, others: TestClient) -> None:
    conversation, headers = talk(api)
    act(api, api.client, conversation, "m-1", action="basket_add", text="put 8 oat milk in my basket")
    for client in (api.client, others):
        act(api, client, conversation, "m-2", action="basket_remove", text="halve the oat milk")
    assert held(api, headers) == {"milk-1": 4}


def test_what_the_fallback_offers_to_send_again_is_the_same_message_to_the_actions(api: Api) -> None:
    late = EngineUnavailableError("timed out")

    def answer(turn: Turn) -> Reply:
        if len(engine.turns) in {1, 2}:
            raise late  # though its action has run
        return echo(turn)

    engine = Engine(answer)
    use(api, engine)
    conversation, headers = talk(api)
    first = send(api, conversation, headers, "add milk")
    url = f"/v1/conversations/{conversation}/messages"
    again = {"text": first["messages"][0]["quick_replies"][-1]["text"], "title": "Try again"}
    second = api.client.post(url, json=again, headers=headers).json()
    api.client.app.state.chat._engine._failures = 0  # type: ignore[attr-defined]  # time passes
    third = api.client.post(url, json=again, headers=headers).json()
    assert [one["engine"] for one in (first, second, third)] == ["fallback", "fallback", "rasa"]
    assert {turn.message_id for turn in engine.turns} == {first["message_id"]}
    send(api, conversation, headers, "add milk")
    assert engine.turns[-1].message_id not in {first["message_id"], third["message_id"]}, "a new wish in the same words"


def test_changes_are_named_by_their_message_and_action_and_place_and_tell_nobody() -> None:
    def names(message_id: str | None, action: str = "a") -> list[str | None]:
        with running(message_id, action):
            return [change_of("milk-1"), change_of("milk-1"), change_of("bread-2")]

    first = names("m-1")
    assert first == names("m-1")
    assert len({*first, *names("m-2"), *names("m-1", "b")}) == 9
    assert "milk" not in str(first)
    assert names(None) == [None] * 3
    assert change_of("milk-1") is None


def test_after_a_day_nobody_knows_any_more_what_was_done(api: Api) -> None:
    conversation, _ = talk(api)
    act(api, api.client, conversation, "m-1", action="basket_add", text="put two oat milk in my basket")
    assert api.services.baskets.purge(now=datetime.now(UTC)) == 0
    assert api.services.baskets.purge(now=datetime.now(UTC) + timedelta(days=1, seconds=1)) == 1
