"""What is kept of moods goes with the chat that it came from, and with the consent that it needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from api.services.privacy import Privacy
from personalization.types import EventType, Purpose
from stores.database import Database
from stores.tables import events
from tests.api.conftest import Api
from tests.api.test_chat import Engine, echo, talk, use
from tests.api.test_handoff import send

ANGRY = "this is terrible, I hate it, I am so angry with you"


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind is enough here: tests/stores has both."""
    return sqlite_database


def say(api: Api, external_id: str, **purposes: bool) -> None:
    said = {Purpose(name): granted for name, granted in purposes.items()}
    Privacy(api.services, lambda _: None).record(
        api.member(external_id).member_id, said, channel="api", text_version="t"
    )


def test_a_forgotten_chat_leaves_no_mood_with_its_member(api: Api) -> None:
    use(api, Engine(echo))
    say(api, "pets-6", profiling=True)
    conversation, headers = talk(api)
    send(api, conversation, headers, ANGRY)
    member, kept = api.member("pets-6").member_id, api.services.member_affect
    assert kept.get(member, at=datetime.now(UTC)) is not None
    api.client.delete(f"/v1/conversations/{conversation}", headers=headers)
    assert kept.get(member, at=datetime.now(UTC)) is None
    next_one, headers = talk(api)
    assert send(api, next_one, headers, "hello")["affect"]["mood"] != "troubled"


def test_a_forgotten_chat_in_which_nothing_was_said_leaves_the_mood_of_the_one_before(api: Api) -> None:
    member, at = api.member("pets-6").member_id, datetime.now(UTC) - timedelta(hours=1)
    say(api, "pets-6", profiling=True)
    api.services.member_affect.put(member, {"valence": 0.5, "source": "text"}, at=at)
    conversation, headers = talk(api)
    api.client.delete(f"/v1/conversations/{conversation}", headers=headers)
    assert api.services.member_affect.get(member, at=datetime.now(UTC)) is not None


def logged(api: Api) -> list[dict[str, Any]]:
    query = select(events.c.payload).where(events.c.type == EventType.MESSAGE_SENT.value).order_by(events.c.seq)
    with api.services.db.read() as connection:
        return list(connection.scalars(query))


def frowning(api: Api, expression: str | None, *texts: str) -> list[dict[str, Any]]:
    """Say these things with such a face; return what was logged of it."""
    conversation, headers = talk(api)
    before = len(logged(api))
    for text in texts:
        body = {"text": text, "expression": expression}
        api.client.post(f"/v1/conversations/{conversation}/messages", json=body, headers=headers)
    return logged(api)[before:]


def test_a_face_has_no_part_in_what_the_log_says_of_a_message(api: Api) -> None:
    use(api, Engine(echo))
    say(api, "pets-6", profiling=True, expression=True)
    bare = frowning(api, None, "hello", "do you have milk")
    api.services.member_affect.forget(api.member("pets-6").member_id)
    faced = frowning(api, "negative", "hello", "do you have milk")
    assert len(faced) == 2
    assert [round(one["valence"], 1) for one in faced] == [round(one["valence"], 1) for one in bare]


def test_after_the_withdrawal_no_message_tells_how_the_face_looked(api: Api) -> None:
    use(api, Engine(echo))
    say(api, "pets-6", profiling=True, expression=True)
    conversation, headers = talk(api)
    url = f"/v1/conversations/{conversation}/messages"
    body = {"text": "hello", "expression": "negative", "client_message_id": "client-0001"}
    seen = api.client.post(url, json=body, headers=headers).json()["affect"]["valence"]
    say(api, "pets-6", expression=False)
    again = api.client.post(url, json=body, headers=headers).json()
    assert [message["text"] for message in again["messages"]] == ["you said hello"]
    assert again["affect"]["valence"] == 0.0 != seen
