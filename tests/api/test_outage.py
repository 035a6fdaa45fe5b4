"""While Rasa is away: who is in distress is sold nothing, nothing is said twice running, and a person knows why they are asked."""

from __future__ import annotations

import pytest

from stores.database import Database
from tests.api.conftest import Api
from tests.api.test_attachments import Chatting, picture
from tests.api.test_chat import talk
from tests.api.test_handoff import Person, send

ANGRY = "this is terrible, I hate it, I am so angry with you"


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind is enough here: tests/stores has both."""
    return sqlite_database


def test_only_who_is_well_is_shown_something_meanwhile_and_no_words_come_twice_running(api: Api) -> None:
    conversation, headers = talk(api)
    calm, again = (send(api, conversation, headers, "do you have milk")["messages"][0] for _ in range(2))
    assert (calm["act"], again["act"]) == ("conversation.fallback",) * 2
    assert calm["items"]
    assert again["items"]
    assert calm["text"] != again["text"]
    upset, headers = talk(api)
    answers = [send(api, upset, headers, ANGRY)["messages"][0] for _ in range(2)]
    assert [message["items"] for message in answers] == [[], []]
    assert len({message["text"] for message in answers}) == 2


def test_two_files_in_a_row_are_taken_in_different_words(api: Api) -> None:
    chatting = Chatting(api)
    first, second = (chatting.send(picture(size=size)).json()["messages"][0] for size in ((64, 48), (65, 48)))
    assert first["act"] == second["act"] == "file.taken"
    assert first["text"] != second["text"]


def test_who_asks_for_a_person_meanwhile_is_queued_because_the_assistant_is_away(api: Api) -> None:
    ana = Person(api, "Ana")
    ana.inbox()
    conversation, headers = talk(api)
    answer = send(api, conversation, headers, "talk to a human")
    assert [message["act"] for message in answer["messages"]] == ["handoff.queued"]
    assert [waiting["reason"] for waiting in ana.inbox()["waiting"]] == ["unavailable"]
