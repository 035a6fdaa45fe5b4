"""Events in by Segment's spec: each message is told what became of it, and only what may be kept is."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from personalization.types import EventType, Purpose
from stores.consents import ConsentEntry
from stores.database import Database
from stores.outbox_tables import webhook_deliveries
from stores.replies import KEPT
from stores.tables import events
from tests.api.conftest import Api
from tests.api.live import live

ANONYMOUS = "7f1c2d3e-0000-4000-8000-00000000abcd"


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind is enough here: tests/stores has both."""
    return sqlite_database


def basic(secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{secret}:".encode()).decode()}


def batch(api: Api, *messages: Any, key: str | None = None, **more: Any) -> list[dict[str, Any]]:
    answer = api.client.post("/v1/batch", json={"batch": list(messages), **more}, headers=basic(key or api.key))
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


def stored(api: Api, *types: EventType) -> list[Any]:
    with api.services.db.read() as connection:
        query = select(events).where(events.c.channel == "api", events.c.type.in_([one.value for one in types]))
        imported = events.c.event_id.like("import%")
        return list(connection.execute(query.where(~imported).order_by(events.c.seq)).all())


def track(event: str, properties: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, "properties": properties or {}, "userId": "pets-1", **more}


def test_the_specs_commerce_events_become_ours(api: Api) -> None:
    milk = {"product_id": "milk-1", "quantity": 2, "price": 2.49}
    results = batch(
        api, track("Product Viewed", milk), track("product  added", milk), track("Product List Viewed", {"products": [milk, {"sku": "bread-1"}]}),
        track("Order Completed", {"order_id": "o-77", "currency": "USD", "products": [{**milk, "discount": "0.10"}]}),
        track("Product Reviewed", {"product_id": "milk-1", "rating": 4}),
        {"type": "page", "name": "Dairy", "userId": "pets-1", "properties": {"path": "/dairy?secret=1"}},
    )  # fmt: skip
    assert [(one["status"], one["events"]) for one in results] == [("accepted", n) for n in (1, 1, 2, 1, 1, 1)]
    me = api.member("pets-1").member_id
    rows = stored(
        api, EventType.CLICKED, EventType.ADDED_TO_BASKET, EventType.VIEWED, EventType.RATED, EventType.PAGE_VIEWED
    )
    assert [(row.type, row.product_id, row.member_id) for row in rows] == [
        ("clicked", "milk-1", me), ("added_to_basket", "milk-1", me), ("viewed", "milk-1", me), ("viewed", "bread-1", me),
        ("rated", "milk-1", me), ("page_viewed", None, me),
    ]  # fmt: skip
    (order,) = [row for row in stored(api, EventType.BOUGHT) if row.payload.get("order_id") == "o-77"]
    assert order.payload["lines"] == [
        {"product_id": "milk-1", "quantity": 2, "amount_minor": 498, "discount_minor": 10}
    ]


def test_each_message_is_told_what_became_of_it(api: Api) -> None:
    results = batch(
        api, track("Product Viewed", {"product_id": "milk-1"}, messageId="m-1"), track("Product Viewed", {}), track("Weather Changed"), {"type": "dance"},
        "nothing", {"type": "page"}, track("Product Viewed", {"product_id": "milk-1"}, timestamp="yesterday"),
        track("Order Completed", {"currency": "EUR", "products": [{"sku": "a"}]}), track("Product Added", {"sku": "a", "quantity": "lots"}),
        {"type": "group", "groupId": "g", "userId": "pets-1"}, track("Product Viewed", {"product_id": "milk-1"}, userId="nobody-1"),
    )  # fmt: skip
    assert [one["status"] for one in results] == [
        "accepted", "rejected", "ignored", "rejected", "rejected", "rejected", "rejected", "rejected", "rejected", "ignored", "accepted",
    ]  # fmt: skip
    assert results[0]["message_id"] == "m-1"
    assert results[1]["reason"] == "a product has a product_id of at most 64 characters"
    assert results[10]["notes"] == ["the userId is not known; identify the member first"]
    assert [row.member_id for row in stored(api, EventType.CLICKED)] == [api.member("pets-1").member_id, None]


def test_a_message_that_comes_again_changes_nothing(api: Api) -> None:
    message = track("Product List Viewed", {"products": [{"sku": "milk-1"}, {"sku": "milk-2"}]}, messageId="m-1")
    assert batch(api, message, message)[1]["status"] == "duplicate"
    assert batch(api, message)[0]["status"] == "duplicate"
    assert len(stored(api, EventType.VIEWED)) == 2


def test_the_senders_clock_is_put_right(api: Api) -> None:
    """Segment: timestamp = receivedAt - (sentAt - originalTimestamp)."""
    wrong = datetime.now(UTC) + timedelta(days=400)
    message = track("Product Viewed", {"sku": "milk-1"}, timestamp=(wrong - timedelta(hours=2)).isoformat())
    batch(api, message, sentAt=wrong.isoformat())
    (row,) = stored(api, EventType.CLICKED)
    assert abs(row.at - (datetime.now(UTC) - timedelta(hours=2))) < timedelta(minutes=1)


def test_identify_makes_and_changes_members_where_the_key_may(api: Api) -> None:
    traits = {
        "firstName": "Ada",
        "lastName": "Byron",
        "email": "ada@example.org",
        "loyalty_tier": "gold",
        "phone": "123",
        "nested": {"a": 1},
    }
    (made,) = batch(api, {"type": "identify", "userId": "crm-1", "traits": traits})
    assert made["status"] == "accepted"
    assert made["notes"] == ["the trait 'nested' was left out: a number, a yes or no, or a short text is stored"]
    member = api.member("crm-1")
    assert (member.display_name, member.email) == ("Ada Byron", "ada@example.org")
    batch(
        api,
        {"type": "identify", "userId": "crm-1", "traits": {"name": "Ada Lovelace", "email": "countess@example.org"}},
    )
    member = api.member("crm-1")
    assert (member.display_name, member.email) == ("Ada Lovelace", "countess@example.org")
    attributes = stored(api, EventType.ATTRIBUTE_SET)
    assert [row.payload for row in attributes] == [{"name": "loyalty_tier", "value": "gold"}]
    assert attributes[0].member_id is None  # she has not agreed to profiling


def identify(user: str, name: str, message: str, **more: Any) -> dict[str, Any]:
    return {"type": "identify", "userId": user, "messageId": message, "traits": {"name": name}, **more}


def told(api: Api, topic: str) -> int:
    with api.services.db.read() as connection:
        query = select(webhook_deliveries.c.seq).where(webhook_deliveries.c.topic == topic)
        return len(connection.execute(query).all())


def test_an_identify_that_comes_again_changes_nothing(api: Api) -> None:
    batch(api, identify("crm-1", "First", "m-0"))
    api.services.webhooks.create("CRM", "https://crm.example/", ["member.updated"], at=datetime.now(UTC))
    first, second = identify("crm-1", "Ada", "m-1"), identify("crm-1", "Bea", "m-2")
    assert [one["status"] for one in batch(api, first, second)] == ["accepted", "accepted"]
    (again,) = batch(api, first)
    assert again["status"] == "duplicate"
    assert api.member("crm-1").display_name == "Bea"
    assert told(api, "member.updated") == 2
    named = {"type": "identify", "userId": "crm-1", "messageId": "m-3", "traits": {"name": "Cat", "tier": "gold"}}
    assert [(one["status"], one["events"]) for one in batch(api, named, named)] == [("accepted", 1), ("duplicate", 0)]
    assert len(stored(api, EventType.ATTRIBUTE_SET)) == 1


def test_an_identify_that_comes_again_makes_nobody_anew_who_was_erased(api: Api) -> None:
    message = identify("crm-1", "Ada", "m-1")
    batch(api, message)
    me = api.member("crm-1").member_id
    assert api.client.post(f"/v1/members/{me}/erase", headers=api.headers()).status_code == 200
    assert batch(api, message)[0]["status"] == "duplicate"
    assert api.services.members.by_external_id("crm-1") is None
    assert [(row.member_id, row.visitor_id, row.payload) for row in stored(api, EventType.IDENTIFIED)] == [
        (None, None, {})
    ]


def test_an_older_identify_changes_nothing_that_a_newer_one_said(api: Api) -> None:
    now = datetime.now(UTC)

    def said(name: str, message: str, hours: float) -> dict[str, Any]:
        at = (now - timedelta(hours=hours)).isoformat()
        one = identify("pets-1", name, message, timestamp=at)
        return {**one, "traits": {**one["traits"], "email": f"{name.lower()}@example.org"}}

    batch(api, said("Newer", "m-1", 1), said("Older", "m-2", 2))
    assert (api.member("pets-1").display_name, api.member("pets-1").email) == ("Newer", "newer@example.org")
    batch(api, said("Newest", "m-3", 0.5))
    assert api.member("pets-1").display_name == "Newest"
    api.services.members.rename(api.member("pets-1").member_id, "Renamed")
    batch(api, said("Late", "m-4", 0.1))
    assert api.member("pets-1").display_name == "Renamed"


def test_what_an_old_identify_changed_is_told_again_after_a_failure(api: Api) -> None:
    """Three days of trying begin when it comes, not when it was said."""
    batch(api, identify("crm-1", "First", "m-0", timestamp=(datetime.now(UTC) - timedelta(days=20)).isoformat()))
    webhooks, now, wait = api.services.webhooks, datetime.now(UTC), timedelta(seconds=30)
    here = webhooks.create("CRM", "https://crm.example/", ["member.updated"], at=now).endpoint_id
    batch(api, identify("crm-1", "Ada", "m-1", timestamp=(now - timedelta(days=10)).isoformat()))
    first = webhooks.head(here, at=datetime.now(UTC))
    assert first is not None
    webhooks.failed(here, first, at=datetime.now(UTC), answer="HTTP 500", wait=wait, pause=wait)
    assert webhooks.counts(here) == {"pending": 1, "delivered": 0, "dead": 0}


def test_an_identify_that_is_rejected_has_changed_nothing(api: Api) -> None:
    many = {"name": "Ada", **{f"trait {number}": number for number in range(51)}}
    results = batch(
        api, {"type": "identify", "userId": "crm-1", "traits": many}, {"type": "identify", "userId": "pets-1", "traits": many}
    )  # fmt: skip
    assert [one["reason"] for one in results] == ["there are more than 50 traits"] * 2
    assert api.services.members.by_external_id("crm-1") is None
    assert api.member("pets-1").display_name == "Pets-1 Test"


@pytest.mark.parametrize(
    ("currency", "given", "minor"),
    [("KWD", "1.250", 1250), ("JPY", 125, 125), ("USD", 1.25, 125), ("CLF", "0.0125", 125)],
)
def test_amounts_are_in_the_minor_units_of_the_shops_currency(api: Api, currency: str, given: Any, minor: int) -> None:
    api.services.settings = api.services.settings.model_copy(update={"currency": currency})
    batch(api, track("Order Completed", {"order_id": "o-78", "products": [{"sku": "milk-1", "price": given}]}))
    (order,) = [row for row in stored(api, EventType.BOUGHT) if row.payload.get("order_id") == "o-78"]
    assert order.payload["lines"][0]["amount_minor"] == minor


def test_without_the_scope_identify_neither_makes_nor_changes_members(api: Api) -> None:
    key = api.make_key("events:write")
    unknown, known = batch(
        api, {"type": "identify", "userId": "crm-1", "traits": {"name": "Ada"}},
        {"type": "identify", "userId": "pets-1", "traits": {"name": "Ada", "tier": "gold"}}, key=key,
    )  # fmt: skip
    assert (unknown["status"], known["status"], known["events"]) == ("rejected", "accepted", 1)
    assert api.services.members.by_external_id("crm-1") is None
    assert api.member("pets-1").display_name == "Pets-1 Test"


@pytest.mark.parametrize("kind", ["identify", "track", "page", "screen", "alias"])
def test_single_messages_have_their_own_addresses(api: Api, kind: str) -> None:
    body = {"userId": "pets-1", "anonymousId": ANONYMOUS, "previousId": "x", "event": "Product Viewed", "name": "Home",
            "properties": {"sku": "milk-1"}}  # fmt: skip
    answer = api.client.post(f"/v1/{kind}", json=body, headers=api.headers())
    assert answer.status_code == 200
    assert answer.json()["success"]
    assert api.client.post(f"/v1/{kind}", json={"userId": [1]}, headers=api.headers()).status_code == 422


def test_keys_come_as_basic_bearer_or_in_the_body_and_are_needed(api: Api) -> None:
    body = {"batch": [track("Product Viewed", {"sku": "milk-1"})]}
    for headers, more in ((basic(api.key), {}), (api.headers(), {}), ({}, {"writeKey": api.key})):
        assert api.client.post("/v1/batch", json={**body, **more}, headers=headers).status_code == 200
    for headers, more in (
        (basic("ak_wrong"), {}),
        ({}, {}),
        ({}, {"writeKey": 7}),
        (basic(api.key[:-1]), {"writeKey": api.key}),
    ):
        assert api.client.post("/v1/batch", json={**body, **more}, headers=headers).status_code == 401
    assert api.client.post("/v1/batch", json=body, headers=basic(api.make_key("members:read"))).status_code == 403


def test_bodies_may_be_packed_but_not_without_end(api: Api) -> None:
    def send(content: bytes, encoding: str = "gzip") -> int:
        headers = {**basic(api.key), "Content-Type": "application/json", "Content-Encoding": encoding}
        return api.client.post("/v1/batch", content=content, headers=headers).status_code

    good = json.dumps({"batch": [track("Product Viewed", {"sku": "milk-1"})]}).encode()
    assert send(gzip.compress(good)) == 200
    assert send(gzip.compress(good)[:-9]) == 422
    assert send(good) == 422
    assert send(gzip.compress(b" " * 50_000_000)) == 413
    assert send(good, "br") == 415
    for raw in (b"", b"[]", b"{", b'{"batch": []}', b'{"batch": 5}', b"[" * 100_000):
        assert send(raw, "identity") == 422


def test_the_published_python_client_works_against_a_live_server(api: Api) -> None:
    from segment.analytics.client import Client

    api.services.consents.record(
        [ConsentEntry(api.member("pets-1").member_id, Purpose.PROFILING, True, datetime.now(UTC), "api", "t1")]
    )
    failures: list[Any] = []
    with live(api) as address:
        client = Client(api.key, host=address, gzip=True, on_error=lambda *found: failures.append(found), max_retries=0)
        client.identify(user_id="pets-1", anonymous_id=ANONYMOUS, traits={"tier": "gold"})
        client.track(user_id="pets-1", event="Product Added", properties={"product_id": "milk-1", "quantity": 1})
        client.page(user_id="pets-1", name="Dairy")
        client.screen(user_id="pets-1", name="Home")
        client.alias(previous_id=ANONYMOUS, user_id="pets-1")
        client.flush()
        client.join()
    assert failures == []
    me = api.member("pets-1").member_id
    rows = stored(api, EventType.ATTRIBUTE_SET, EventType.ADDED_TO_BASKET, EventType.PAGE_VIEWED)
    assert [(row.type, row.member_id) for row in rows] == [
        ("attribute_set", me), ("added_to_basket", me), ("page_viewed", me), ("page_viewed", me),
    ]  # fmt: skip
    assert len(api.services.merges.page(member_id=me)) == 1


def test_the_published_node_client_works_against_a_live_server(api: Api) -> None:
    script = Path(__file__).resolve().parents[2] / "web" / "tests" / "segment-client.mjs"
    me = api.member("pets-1").member_id
    with live(api) as address:
        sent = subprocess.run(
            ["node", script, address, api.key, "pets-1", ANONYMOUS],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert (sent.returncode, sent.stderr) == (0, "")
    rows = stored(api, EventType.ATTRIBUTE_SET, EventType.CLICKED, EventType.PAGE_VIEWED)
    assert sorted((row.type, row.member_id) for row in rows) == sorted(
        [("attribute_set", me), ("clicked", me), ("page_viewed", me), ("page_viewed", me)]
    )
    assert len(api.services.merges.page(member_id=me)) == 1


def test_odd_values_are_answered_and_never_break(api: Api) -> None:
    odd = [None, True, -1, 10**400, 1e308, "", "\ud800", "\0", "²", "x" * 5000, [], {}, [[]], {"a": {}}]
    fields = (
        "messageId",
        "userId",
        "anonymousId",
        "event",
        "name",
        "properties",
        "traits",
        "timestamp",
        "previousId",
        "type",
    )
    messages = [{**track("Product Added", {"sku": "milk-1"}), "type": kind, name: value} for name in fields for value in odd for kind in ("track", "identify", "page", "alias")]  # fmt: skip
    messages += [track(event, {name: value, "sku": "milk-1"} if name != "sku" else {"sku": value}) for event in ("Product Added", "Product Reviewed") for name in ("sku", "quantity", "rating", "decision_id") for value in odd]  # fmt: skip
    messages += [
        track("Order Completed", {"products": [{"sku": "a", name: value}]})
        for name in ("sku", "price", "quantity", "discount")
        for value in odd
    ]
    messages += [
        track("Order Completed", {name: value, "products": [{"sku": "a"}]})
        for name in ("order_id", "currency", "store_id")
        for value in odd
    ]
    messages += [
        {"type": "identify", "userId": "pets-1", "traits": {name: value}}
        for name in ("name", "email", "tier", "\ud800")
        for value in odd
    ]
    for start in range(0, len(messages), 400):
        some = messages[start : start + 400]
        body = json.dumps({"batch": some}).encode()
        answer = api.client.post(
            "/v1/batch", content=body, headers={**basic(api.key), "Content-Type": "application/json"}
        )
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["results"]) == len(some)


def test_messages_without_an_id_have_the_same_ones_when_their_request_is_done_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = list[list[Any]]()

    class Broker:
        """Takes what is published; nothing of it is in the database yet when its process is killed."""

        def publish(self, some: list[Any]) -> None:
            published.append(some)
            if len(published) == 1:
                raise RuntimeError

        def close(self) -> None: ...

    monkeypatch.setattr(api.services, "stream", Broker())
    body = {"batch": [track("Product Viewed", {"product_id": name}) for name in ("milk-1", "bread-1")]}
    headers = {**basic(api.key), "Idempotency-Key": "k"}
    statuses = [api.client.post("/v1/batch", json=body, headers=headers).status_code for _ in range(2)]
    assert statuses == [500, 200]
    first, again = ([one.event_id for one in some] for some in published)
    assert first == again
    assert len(set(first)) == 2


def test_messages_without_an_id_are_others_when_their_requests_key_is_used_again_after_its_day(api: Api) -> None:
    headers = {**basic(api.key), "Idempotency-Key": "nightly"}
    for name in ("milk-1", "bread-1"):
        body = {"batch": [track("Product Viewed", {"product_id": name})]}
        answer = api.client.post("/v1/batch", json=body, headers=headers).json()
        assert [one["status"] for one in answer["results"]] == ["accepted"]
        api.services.replies.purge(now=datetime.now(UTC) + KEPT + timedelta(seconds=1))
    assert [row.product_id for row in stored(api, EventType.CLICKED)] == ["milk-1", "bread-1"]
