"""Connectors against servers that answer as HubSpot's and Salesforce's documentation says (tests/api/recorded)."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from sqlalchemy import select

from api.services.connectors.facts import Facts
from api.services.connectors.hubspot import HubSpot
from api.services.connectors.salesforce import Login, Salesforce
from api.services.connectors.salesforce_events import ALL_RETAINED, Listener
from api.services.targets import Outside
from api.services.webhooks import Sender
from personalization.types import EventType, Subject
from stores.database import Database
from stores.tables import events
from tests.api.conftest import Api
from tests.receiver import Got, Receiver, receiver
from tests.stores.test_outbox import worth

RECORDED = Path(__file__).with_name("recorded")
TOPICS = ["member.updated", "coupon.issued", "consent.changed", "member.erased"]
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind is enough: connectors do not see it."""
    return sqlite_database


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def recorded(name: str) -> dict[str, Any]:
    return dict(json.loads((RECORDED / f"{name}.json").read_text()))


def answered(shape: dict[str, Any]) -> Answer:
    return (
        shape["status"],
        shape.get("headers", {}),
        b"" if shape["response"] is None else json.dumps(shape["response"]).encode(),
    )


def connect(api: Api, server: Receiver, kind: str, **options: str) -> str:
    outside = Outside({"127.0.0.1"})
    api.services.outside = outside
    facts, login = Facts(api.services.members, api.services.labels), Login(outside)
    api.services.salesforce_login = login
    api.services.tellers.update({"hubspot": HubSpot(outside, facts), "salesforce": Salesforce(login, facts)})
    body = {"name": kind, "url": server.url.removesuffix("/hook"), "topics": TOPICS, "kind": kind, "options": options}
    made = api.client.post("/v1/webhook-endpoints", json=body, headers=api.headers())
    assert made.status_code == 201, made.text
    assert not any(value in made.text for value in options.values())  # tokens are never shown
    return str(made.json()["endpoint_id"])


def send(api: Api, now: datetime | None = None) -> int:
    return Sender(api.services.webhooks, api.services.tellers, rng=random.Random(1)).work_once(now=now)


def coupon_for(api: Api, external_id: str) -> None:
    assert api.services.ledger.reserve(
        worth(100, "CODE1"), Subject(api.member(external_id).member_id), decision_id=None
    )


def fits(got: Any, shape: Any) -> None:
    """Every key of a request is one that the recorded request has, and the other way round."""
    assert type(got) is type(shape)
    if isinstance(shape, dict) and shape:
        assert got.keys() == shape.keys()
        for key in shape:
            fits(got[key], shape[key])
    elif isinstance(shape, list):
        fits(got[0], shape[0])


def as_hubspot(shapes: dict[str, Any]) -> Callable[[Got], Answer]:
    def answer(got: Got) -> Answer:
        for shape in shapes.values():
            if isinstance(shape, dict) and shape.get("path") == got.path:
                assert (got.method, got.headers["authorization"]) == (shape["method"], "Bearer pat-1")
                fits(json.loads(got.body), shape["request"])
                return answered(shape)
        return 404, {}, b"{}"

    return answer


def test_hubspot_has_the_contact_by_its_email_and_events_on_its_timeline(api: Api, server: Receiver) -> None:
    server.answering = as_hubspot(recorded("hubspot"))
    connect(api, server, "hubspot", token="pat-1", timeline_template="1001298")
    api.services.members.rename(api.member("pets-1").member_id, "Ada Byron Lovelace")
    coupon_for(api, "pets-1")
    assert send(api) == 2
    paths = [got.path for got in server.got]
    assert paths == ["/crm/v3/objects/contacts/batch/upsert"] * 2 + ["/integrators/timeline/v3/events"]
    (contact,) = json.loads(server.got[0].body)["inputs"]
    assert (contact["idProperty"], contact["id"]) == ("email", "pets-1@example.org")
    assert contact["properties"] == {
        "email": "pets-1@example.org", "aisle_member_id": api.member("pets-1").member_id, "aisle_segment": "", "aisle_lapse_risk": "",
        "firstname": "Ada", "lastname": "Byron Lovelace",
    }  # fmt: skip
    event = json.loads(server.got[2].body)
    assert event["tokens"] == {"topic": "coupon.issued", "text": "Coupon CODE1"}


def test_hubspot_is_told_once_however_often_it_is_tried(api: Api, server: Receiver) -> None:
    """The same upsert and the same timeline id: what a lost answer makes us repeat changes nothing."""
    shapes = recorded("hubspot")
    here = connect(api, server, "hubspot", token="pat-1", timeline_template="1001298")
    coupon_for(api, "pets-1")
    server.answers.extend([answered(shapes["upsert"]), (503, {}, b"")])
    assert send(api) == 0
    server.answers.extend([answered(shapes["upsert"]), answered(shapes["conflict"])])
    assert send(api, datetime.now(UTC) + timedelta(hours=1)) == 1
    first, again = (json.loads(server.got[place].body) for place in (1, 3))
    assert first == again
    assert first["id"] == api.services.webhooks.deliveries(here)[0].event_id


def test_hubspot_asks_for_patience_and_a_half_failed_batch_is_a_failure(api: Api, server: Receiver) -> None:
    here = connect(api, server, "hubspot", token="pat-1")
    coupon_for(api, "pets-1")
    server.answers.append(answered(recorded("hubspot")["too_many"]))
    assert send(api) == 0
    (one,) = api.services.webhooks.deliveries(here)
    assert one.due_at - datetime.now(UTC) < timedelta(seconds=10)
    server.answers.append((207, {}, b'{"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [{}]}'))
    assert send(api, datetime.now(UTC) + timedelta(minutes=1)) == 0


def test_hubspot_forgets_who_is_erased(api: Api, server: Receiver) -> None:
    server.answering = as_hubspot(recorded("hubspot"))
    connect(api, server, "hubspot", token="pat-1")
    member_id = api.member("pets-1").member_id
    assert api.client.post(f"/v1/members/{member_id}/erase", headers=api.headers()).status_code == 200
    assert send(api) == 1
    search, deletion = (json.loads(got.body) for got in server.got)
    assert search["filterGroups"][0]["filters"][0]["value"] == member_id
    assert deletion == {"objectId": "512"}


def test_who_has_no_email_address_is_left_out(api: Api, server: Receiver) -> None:
    here = connect(api, server, "hubspot", token="pat-1")
    api.services.members.create(external_id="crm-9", display_name="Nobody", email=None, at=datetime.now(UTC))
    assert send(api) == 1
    assert server.got == []
    assert api.services.webhooks.deliveries(here)[0].answer == "left out: nobody with an e-mail address"


class Org:
    """A Salesforce that keeps rows by external id, and a stream of platform events with replay ids."""

    def __init__(self, url: str) -> None:
        self.shapes, self.instance = recorded("salesforce"), url
        self.rows: dict[str, dict[str, Any]] = {}
        self.stream: list[dict[str, Any]] = []
        self.tokens, self.retained, self.position, self.asked = 0, 0, 0, list[Any]()
        self.known, self.good_token = True, ""

    def publish(self, **payload: str) -> None:
        event = copy.deepcopy(self.shapes["event"])
        number = 2112 + 5 * len(self.stream)  # not contiguous
        event["data"]["payload"] |= payload
        event["data"]["event"] = {"EventUuid": f"2ec0e371-1395-457f-9275-{number:012}", "replayId": number}
        self.stream.append(event)

    def __call__(self, got: Got) -> Answer:
        if got.path == "/services/oauth2/token":
            form = parse_qs(got.body.decode())
            assert (form["grant_type"], form["client_id"], form["client_secret"]) == (
                ["client_credentials"],
                ["id-1"],
                ["secret-1"],
            )
            self.tokens += 1
            self.good_token = f"token-{self.tokens}"
            return (
                200,
                {},
                json.dumps(
                    {**self.shapes["token"]["response"], "instance_url": self.instance, "access_token": self.good_token}
                ).encode(),
            )
        if got.headers["authorization"] != f"Bearer {self.good_token}":
            return answered(self.shapes["expired"])
        if got.path == "/cometd/62.0":
            return self._bayeux(got, json.loads(got.body)[0])
        key = got.path.removeprefix("/services/data/v62.0/sobjects/")
        if got.method == "DELETE":
            return (204 if self.rows.pop(key, None) else 404), {}, b""
        new = key not in self.rows
        self.rows[key] = json.loads(got.body)
        return answered(self.shapes["upsert_new" if new else "upsert_again"])

    def _bayeux(self, got: Got, message: dict[str, Any]) -> Answer:
        if message["channel"] == "/meta/handshake":
            return (
                200,
                {"set-cookie": "BAYEUX_BROWSER=b1; Path=/; Secure"},
                json.dumps(self.shapes["handshake"]).encode(),
            )
        assert "BAYEUX_BROWSER=b1" in got.headers["cookie"]
        assert message["clientId"] == "cl1ent"
        if message["channel"] == "/meta/subscribe":
            replay = message["ext"]["replay"]["/event/Aisle_Message__e"]
            self.asked.append(replay)
            if replay not in {ALL_RETAINED} and replay < self.retained:
                return 200, {}, json.dumps(self.shapes["not_retained"]).encode()
            self.position, self.known = replay, True
            return 200, {}, json.dumps(self.shapes["subscribed"]).encode()
        if not self.known:
            return 200, {}, json.dumps([self.shapes["unknown_client"]]).encode()
        found = [one for one in self.stream if one["data"]["event"]["replayId"] > max(self.position, self.retained)][:2]
        if found:
            self.position = found[-1]["data"]["event"]["replayId"]
        return 200, {}, json.dumps([*found, self.shapes["connected"]]).encode()


@pytest.fixture
def org(api: Api, server: Receiver) -> Org:
    made = Org(server.url.removesuffix("/hook"))
    server.answering = made
    connect(api, server, "salesforce", client_id="id-1", client_secret="secret-1", subscribe="/event/Aisle_Message__e")
    return made


def test_salesforce_has_contact_and_event_by_external_id_however_often_they_come(api: Api, org: Org) -> None:
    coupon_for(api, "pets-1")
    me = api.member("pets-1").member_id
    assert send(api) == 1
    once = copy.deepcopy(org.rows)
    (endpoint,) = api.services.webhooks.all()
    (delivery,) = api.services.webhooks.deliveries(endpoint.endpoint_id)
    assert once.keys() == {f"Contact/Aisle_Member_Id__c/{me}", f"Aisle_Event__c/Event_Id__c/{delivery.event_id}"}
    assert once[f"Contact/Aisle_Member_Id__c/{me}"] == {
        "FirstName": "Pets-1", "LastName": "Test", "Email": "pets-1@example.org", "Aisle_Segment__c": "", "Aisle_Lapse_Risk__c": "",
    }  # fmt: skip
    event = {
        "id": delivery.event_id,
        "topic": "coupon.issued",
        "at": "2026-01-01T00:00:00+00:00",
        "data": {"member_id": me, "code": "CODE1"},
    }
    assert api.services.tellers["salesforce"].tell(endpoint, event, at=datetime.now(UTC)).ok
    assert org.rows.keys() == once.keys()


def test_salesforce_is_signed_in_to_again_when_the_token_is_over(api: Api, org: Org) -> None:
    coupon_for(api, "pets-1")
    send(api)
    org.good_token = "another"
    api.services.members.rename(api.member("pets-1").member_id, "Ada Lovelace")
    assert send(api) == 1
    assert org.tokens == 2


def test_salesforce_forgets_who_is_erased(api: Api, org: Org) -> None:
    coupon_for(api, "pets-1")
    send(api)
    member_id = api.member("pets-1").member_id
    assert api.client.post(f"/v1/members/{member_id}/erase", headers=api.headers()).status_code == 200
    send(api)
    assert f"Contact/Aisle_Member_Id__c/{member_id}" not in org.rows


def viewed(api: Api) -> list[str | None]:
    with api.services.db.read() as connection:
        query = select(events.c.product_id).where(events.c.type == EventType.CLICKED.value).order_by(events.c.seq)
        return list(connection.scalars(query))


def listener(api: Api) -> Listener:
    return Listener(api.services, api.services.salesforce_login)


def test_platform_events_are_taken_from_where_the_last_one_was(api: Api, org: Org) -> None:
    for number in (1, 2, 3):
        org.publish(Properties__c=json.dumps({"product_id": f"milk-{number}"}))
    first = listener(api)
    assert first.listen_once()
    assert viewed(api) == ["milk-1", "milk-2"]
    again = listener(api)  # another process, after a crash
    again.listen_once()
    assert viewed(api) == ["milk-1", "milk-2", "milk-3"]
    assert org.asked == [ALL_RETAINED, 2117]


def test_an_event_that_comes_twice_counts_once_and_one_that_is_wrong_stops_nobody(api: Api, org: Org) -> None:
    org.publish(Type__c="dance")
    org.publish(Properties__c="{no JSON")
    org.publish()
    org.stream.append(org.stream[-1])
    here = listener(api)
    for _ in range(3):
        here.listen_once()
    assert viewed(api) == ["milk-1"]


def test_after_a_long_absence_all_that_is_retained_is_taken(api: Api, org: Org) -> None:
    org.publish()
    listener(api).listen_once()
    org.publish(Properties__c=json.dumps({"product_id": "milk-2"}))
    org.retained = 2115  # what we had seen is not kept any more
    listener(api).listen_once()
    assert org.asked == [ALL_RETAINED, 2112, ALL_RETAINED]
    assert viewed(api) == ["milk-1", "milk-2"]


def test_a_forgotten_client_shakes_hands_again(api: Api, org: Org) -> None:
    here = listener(api)
    here.listen_once()
    org.known = False
    here.listen_once()
    org.publish()
    here.listen_once()
    assert viewed(api) == ["milk-1"]


def test_large_events_are_read_whole(api: Api, org: Org) -> None:
    org.publish(Note__c="x" * 300_000)
    listener(api).listen_once()
    assert viewed(api) == ["milk-1"]


def test_a_channel_that_cannot_be_read_keeps_no_other_waiting(api: Api, server: Receiver) -> None:
    def broken(got: Got) -> Answer:
        tries.append(got)
        return 500, {}, b""

    tries: list[Got] = []
    options = {"client_id": "id-1", "client_secret": "secret-1", "subscribe": "/event/Aisle_Message__e"}
    with receiver() as other:
        other.answering = broken
        connect(api, other, "salesforce", **options)
        org = Org(server.url.removesuffix("/hook"))
        server.answering = org
        connect(api, server, "salesforce", **options)
        org.publish()
        here = listener(api)
        assert here.listen_once()
        assert viewed(api) == ["milk-1"]
        org.publish(Properties__c=json.dumps({"product_id": "milk-2"}))
        here.listen_once()
        assert viewed(api) == ["milk-1", "milk-2"]
        assert len(tries) == 1, "it rests"
        here._rests.clear()
        here.listen_once()
        assert len(tries) == 2


def test_a_connector_without_its_credentials_is_not_stored(api: Api) -> None:
    for kind in ("hubspot", "salesforce"):
        body = {"name": "x", "url": "https://crm.example", "topics": TOPICS, "kind": kind}
        assert api.client.post("/v1/webhook-endpoints", json=body, headers=api.headers()).status_code == 422


def test_what_goes_wrong_on_our_own_side_waits_like_any_failure(api: Api, server: Receiver) -> None:
    here = connect(api, server, "hubspot", token="a token that no header can hold: ✗\n")
    coupon_for(api, "pets-1")
    assert send(api) == 0
    (one,) = api.services.webhooks.deliveries(here)
    assert (one.status, one.attempts) == ("pending", 1)
    assert one.due_at > datetime.now(UTC)
    ping = api.client.post(f"/v1/webhook-endpoints/{here}/ping", headers=api.headers())
    assert (ping.status_code, ping.json()["ok"]) == (200, False)
