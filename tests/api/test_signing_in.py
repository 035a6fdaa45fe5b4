"""Who signs in during a chat is known in it from then on, and nobody else's chat becomes theirs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from stores.erasure import erase_member
from tests.api.conftest import Api
from tests.api.dialogue import Dialogue


def latest(api: Api, token: str) -> str | None:
    found: str | None = api.client.get("/v1/me/conversation", headers=api.headers(token)).json()["conversation_id"]
    return found


def begin(api: Api, visitor: str) -> tuple[str, dict[str, str]]:
    headers = api.headers(api.token(visitor=visitor)["token"])
    return api.client.post("/v1/conversations", headers=headers).json()["conversation_id"], headers


def test_who_signs_in_during_a_chat_is_known_in_it(api: Api) -> None:
    conversation, _ = begin(api, "phone")
    chat = Dialogue(api, visitor="phone")
    chat.id = conversation
    assert chat.say("order_history", "what did I buy")["act"] == "order.history.unknown"
    chat.assistant.basket_add(conversation, "milk-1")
    mine = api.token("pets-1", "phone")["token"]
    assert chat.say("order_history", "what did I buy")["act"] == "order.history"
    assert chat.assistant.last_order(conversation).lines, "the member's consents count"
    chat.assistant.basket_add(conversation, "bread-2")
    basket = api.client.get("/v1/basket", headers=api.headers(mine)).json()
    assert [line["product_id"] for line in basket["lines"]] == ["milk-1", "bread-2"]
    assert api.client.get(f"/v1/conversations/{conversation}", headers=api.headers(mine)).status_code == 200
    laptop = api.token("pets-1", "laptop")["token"]
    assert latest(api, laptop) == conversation, "the chat goes on elsewhere"


def test_a_chat_of_another_member_or_of_long_ago_is_left_alone(api: Api) -> None:
    theirs = api.client.post("/v1/conversations", headers=api.headers(api.token("pets-2", "tablet")["token"])).json()
    elsewhere, stranger = begin(api, "another-tablet")
    store, long_ago = api.services.conversations, datetime.now(UTC) - timedelta(days=2)
    old = store.start("tablet", None, at=long_ago)
    store.append(old.conversation_id, [("bot", {"text": "hello"})], at=long_ago)
    mine = api.token("pets-1", "tablet")["token"]
    assert latest(api, mine) is None
    kept = store.get(theirs["conversation_id"])
    assert kept is not None
    assert kept.member_id == api.member("pets-2").member_id
    assert api.client.get(f"/v1/conversations/{elsewhere}", headers=stranger).status_code == 200


def test_after_signing_out_the_device_no_longer_reads_the_chat(api: Api) -> None:
    conversation, _ = begin(api, "shared")
    mine = api.headers(api.token("pets-1", "shared")["token"])
    assert api.client.delete("/v1/me/session", headers=mine).status_code == 200
    for who in (None, "pets-2"):
        token = api.token(who, "shared")["token"]
        read = api.client.get(f"/v1/conversations/{conversation}", headers=api.headers(token))
        assert read.status_code == 404


def test_the_erasure_of_the_member_takes_the_chat_along(api: Api) -> None:
    conversation, _ = begin(api, "phone")
    api.token("pets-1", "phone")
    erase_member(api.services.db, api.member("pets-1").member_id, at=datetime.now(UTC))
    assert api.services.conversations.get(conversation) is None
    assert api.services.conversations.messages(conversation) == []
