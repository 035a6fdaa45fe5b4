"""Connectors against servers that answer as HubSpot's and Salesforce's documentation says (tests/api/recorded)."""

from __future__ import annotations

import copy
import json
import random
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from api.services.connectors.facts import Facts
from api.services.connectors.hubspot import HubSpot
from api.services.connectors.salesforce import Login, Salesforce
from api.services.connectors.salesforce_events import ALL_RETAINED, Listener
from api.services.targets import Outside, TargetFailure
from api.services.webhooks import Sender
from personalization.types import EventType, Purpose, Subject
from stores.consents import ConsentEntry
from stores.database import Database
from stores.outbox import PROFILED, tell
from stores.tables import events, members
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
        return self._rest(got)

    def _rest(self, got: Got) -> Answer:
        key = got.path.removeprefix("/services/data/v62.0/sobjects/")
        if got.path.startswith("/services/data/v62.0/query?"):
            return self._query(got.path)
        if got.path.startswith("/services/data/v62.0/composite/sobjects?"):
            named = parse_qs(urlsplit(got.path).query)
            assert (got.method, named["allOrNone"]) == ("DELETE", ["true"])
            for one in named["ids"][0].split(","):
                del self.rows[f"Aisle_Event__c/Event_Id__c/{one}"]
            return answered(self.shapes["deleted"])
        if got.method == "DELETE":
            return (204 if self.rows.pop(key, None) else 404), {}, b""
        new, body = key not in self.rows, json.loads(got.body)
        if new and key.startswith("Contact/") and not body.get("LastName"):
            return answered(self.shapes["no_last_name"])
        self.rows[key] = self.rows.get(key, {}) | body
        return answered(self.shapes["upsert_new" if new else "upsert_again"])

    def _query(self, path: str) -> Answer:
        (asked,) = parse_qs(urlsplit(path).query)["q"]
        found = re.fullmatch(
            r"SELECT Id FROM Aisle_Event__c WHERE Contact__r.Aisle_Member_Id__c = '([0-9a-f-]{36})'"
            r"(?: AND Topic__c IN \(('[a-z.]+'(?:, '[a-z.]+')*)\))? LIMIT 200",
            asked,
        )
        assert found is not None, asked
        shape, prefix = self.shapes["query"], "Aisle_Event__c/Event_Id__c/"
        of = {"Aisle_Member_Id__c": found[1]}
        contact = f"Contact/Aisle_Member_Id__c/{found[1]}" in self.rows  # the look-up leads through it
        topics = None if found[2] is None else {one.strip("'") for one in found[2].split(", ")}
        ids = [
            key.removeprefix(prefix) for key, row in self.rows.items()
            if contact and row.get("Contact__r") == of and (topics is None or row["Topic__c"] in topics)
        ]  # fmt: skip
        return answered(shape | {"response": {**shape["response"], "records": [{"Id": one} for one in ids[:2]]}})

    def _bayeux(self, got: Got, message: dict[str, Any]) -> Answer:
        if message["channel"] == "/meta/handshake":
            return (
                200,
                {"set-cookie": "BAYEUX_BROWSER=b1; Path=/; Secure", "Set-Cookie": "CookieConsentPolicy=0:1; Path=/"},
                json.dumps(self.shapes["handshake"]).encode(),
            )
        assert got.headers["cookie"] == "BAYEUX_BROWSER=b1; CookieConsentPolicy=0:1"
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


def test_salesforce_is_signed_in_to_anew_with_other_credentials(api: Api, org: Org) -> None:
    coupon_for(api, "pets-1")
    send(api)
    (endpoint,) = api.services.webhooks.all()
    login = api.services.salesforce_login
    login.send(endpoint, "DELETE", "/services/data/v62.0/sobjects/x")
    assert org.tokens == 1
    other = replace(endpoint, options={**endpoint.options, "client_secret": "secret-2"})
    with pytest.raises(TargetFailure):  # the org knows no such secret; the token of the old one is not taken for it
        login.send(other, "DELETE", "/services/data/v62.0/sobjects/x")


def test_what_is_changed_of_a_connector_is_whole_and_goes_to_no_other_host_by_itself(api: Api, org: Org) -> None:
    (endpoint,) = api.services.webhooks.all()

    def patch(**body: Any) -> int:
        path = f"/v1/webhook-endpoints/{endpoint.endpoint_id}"
        return int(api.client.patch(path, json=body, headers=api.headers()).status_code)

    assert patch(options={"client_id": "id-1"}) == 422
    assert patch(options={"client_id": "id-1", "client_secret": " "}) == 422
    assert patch(url="https://elsewhere.example") == 422
    assert patch(url="https://elsewhere.example", options={"client_id": "id-1", "client_secret": "s"}) == 200
    assert api.services.webhooks.get(endpoint.endpoint_id).options["client_secret"] == "s"


def test_salesforce_forgets_who_is_erased_and_what_was_told_of_them(api: Api, org: Org) -> None:
    member_id, other = api.member("pets-1").member_id, api.member("pets-2").member_id
    for purpose in (Purpose.RESEARCH, Purpose.LOCATION, Purpose.SENSORS):
        for who in (member_id, other):
            entry = ConsentEntry(who, purpose, True, datetime.now(UTC), "api", "t")
            api.services.consents.record([entry])
    send(api)
    others = {key for key, row in org.rows.items() if row.get("Contact__r") == {"Aisle_Member_Id__c": other}}
    assert (len(others), len(org.rows)) == (3, 8)
    assert api.client.post(f"/v1/members/{member_id}/erase", headers=api.headers()).status_code == 200
    send(api)
    assert org.rows.keys() == {f"Contact/Aisle_Member_Id__c/{other}", *others}


def test_salesforce_forgets_what_was_concluded_when_the_consent_to_it_is_withdrawn(api: Api, org: Org) -> None:
    (endpoint,) = api.services.webhooks.all()
    api.services.webhooks.change(endpoint.endpoint_id, at=datetime.now(UTC), topics=(*TOPICS, *PROFILED))
    me, other = api.member("pets-1").member_id, api.member("pets-2").member_id
    for who in (me, other):
        api.services.consents.record([ConsentEntry(who, Purpose.PROFILING, True, datetime.now(UTC), "api", "t")])
        with api.services.db.write() as connection:
            for topic in PROFILED:
                told = {"name": "segment", "value": "pets", "sentence": "a secret", "explanation": "a secret"}
                tell(api.services.db, connection, topic, Subject(who), told, at=datetime.now(UTC))
    coupon_for(api, "pets-1")

    def kept(member_id: str) -> list[str]:
        of = {"Aisle_Member_Id__c": member_id}
        return sorted(row["Topic__c"] for row in org.rows.values() if row.get("Contact__r") == of)

    assert send(api) == 9
    assert kept(me) == sorted(["consent.changed", *PROFILED, "coupon.issued"])
    for purpose in (Purpose.RESEARCH, Purpose.PROFILING):
        assert set(kept(me)) >= PROFILED, "another purpose takes nothing along"
        body = {"member_id": me, "purpose": purpose.value, "granted": False, "text_version": "t"}
        assert api.client.post("/v1/consents", json=body, headers=api.headers()).status_code == 201
        send(api)
    assert kept(me) == ["consent.changed", "consent.changed", "consent.changed", "coupon.issued"]
    assert kept(other) == sorted(["consent.changed", *PROFILED])


def test_a_pseudonym_takes_the_place_of_no_name(api: Api, org: Org) -> None:
    me = api.member("pets-1").member_id
    with api.services.db.write() as connection:
        connection.execute(update(members).where(members.c.member_id == me).values(name_is_synthetic=True))
    coupon_for(api, "pets-1")
    assert send(api) == 1
    contact = org.rows[f"Contact/Aisle_Member_Id__c/{me}"]
    assert (contact["FirstName"], contact["LastName"]) == ("Pets-1", "Test"), "a contact has to have one"
    contact |= {"FirstName": "Ada", "LastName": "Byron"}
    assert api.client.post("/v1/consents", json={"member_id": me, "purpose": "research", "granted": True, "text_version": "t"},
                           headers=api.headers()).status_code == 201  # fmt: skip
    assert send(api) == 1
    assert (contact["FirstName"], contact["LastName"]) == ("Ada", "Byron")


def test_an_org_that_is_slow_to_let_us_in_keeps_no_other_waiting(api: Api, server: Receiver) -> None:
    org, asked, go = Org(server.url.removesuffix("/hook")), threading.Event(), threading.Event()
    server.answering = org
    quick = connect(api, server, "salesforce", client_id="id-1", client_secret="secret-1")

    def slow(got: Got) -> Answer:
        asked.set()
        go.wait(20)
        return 500, {}, b""

    with receiver() as other:
        other.answering = slow
        endpoint = api.services.webhooks.get(quick)
        stuck = replace(endpoint, endpoint_id="stuck", url=other.url.removesuffix("/hook"))
        login = api.services.salesforce_login
        ask = partial(login.send, method="DELETE", path="/services/data/v62.0/sobjects/x")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(ask, stuck)
            assert asked.wait(20)
            assert ask(endpoint).status == 404
            assert not waiting.done()
            go.set()
            with pytest.raises(TargetFailure):
                waiting.result(20)


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
