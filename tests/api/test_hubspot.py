"""The connector to HubSpot against a server that answers as HubSpot's documentation says (tests/api/recorded)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

from api.services.connectors.hubspot import ANOTHERS, LAGS, NOT_YET
from tests.api.conftest import Api
from tests.api.test_connectors import Answer, answered, connect, coupon_for, database, fits, recorded, send, server
from tests.receiver import Got, Receiver

__all__ = ("database", "server")


class Hub:
    """A HubSpot that keeps contacts, read by their e-mail address and, where it is `unique`, our id. Its search knows what `index` has seen."""

    def __init__(self) -> None:
        self.shapes, self.contacts = recorded("hubspot"), dict[str, dict[str, Any]]()
        self.unique, self.indexed = True, dict[str, dict[str, Any]]()
        self.told: list[dict[str, Any]] = []

    def __call__(self, got: Got) -> Answer:
        assert got.headers["authorization"] == "Bearer pat-1"
        path, _, query = got.path.partition("?")
        for name in ("upsert", "timeline", "search", "gdpr_delete"):
            shape = self.shapes[name]
            if (got.method, path) == (shape["method"], shape["path"]):
                body = json.loads(got.body)
                fits(body, shape["request"])
                return self._answer(shape, getattr(self, f"_{name}")(body))
        named = unquote(path.removeprefix("/crm/v3/objects/contacts/"))
        if got.method == "GET":
            asked = parse_qs(query)
            (by,) = asked["idProperty"]
            assert asked == {"idProperty": [by], "properties": ["aisle_member_id"]}
            if by == "aisle_member_id" and not self.unique:
                return answered(self.shapes["not_unique"])
            found = self._by(by, named)
            return self._answer(self.shapes["read"], found[0]) if found else answered(self.shapes["not_found"])
        assert got.method == "PATCH"
        body = json.loads(got.body)
        fits(body, self.shapes["update"]["request"])
        if [one for one in self._by("email", body["properties"]["email"]) if one["id"] != named]:
            return answered(self.shapes["conflict"])
        self.contacts[named] |= body["properties"]
        return answered(self.shapes["update"])

    def _by(self, name: str, value: str) -> list[dict[str, Any]]:
        return [{"id": key, "properties": one} for key, one in self.contacts.items() if one.get(name) == value]

    def _answer(self, shape: dict[str, Any], more: Any) -> Answer:
        return answered(shape | {"response": None if more is None else {**shape["response"], **more}})

    def _upsert(self, body: Any) -> Any:
        for one in body["inputs"]:
            found = self._by("email", one["id"])
            key = found[0]["id"] if found else str(512 + len(self.contacts))
            self.contacts.setdefault(key, {}).update(one["properties"])
        return {}

    def _timeline(self, body: Any) -> Any:
        self.told.append(body)
        return {}

    def _search(self, body: Any) -> Any:
        wanted = body["filterGroups"][0]["filters"][0]["value"]
        found = [{"id": key} for key, one in self.indexed.items() if one.get("aisle_member_id") == wanted]
        return {"total": len(found), "results": found}

    def index(self) -> None:
        self.indexed = {key: dict(one) for key, one in self.contacts.items()}

    def _gdpr_delete(self, body: Any) -> None:
        del self.contacts[body["objectId"]]


@pytest.fixture
def hub(server: Receiver) -> Hub:
    made = Hub()
    server.answering = made
    return made


def test_hubspot_has_the_contact_by_its_email_and_events_on_its_timeline(api: Api, server: Receiver, hub: Hub) -> None:
    connect(api, server, "hubspot", token="pat-1", timeline_template="1001298")
    me = api.member("pets-1").member_id
    api.services.members.rename(me, "Ada Byron Lovelace")
    coupon_for(api, "pets-1")
    assert send(api) == 2
    assert list(hub.contacts.values()) == [{
        "email": "pets-1@example.org", "aisle_member_id": me, "aisle_segment": "", "aisle_lapse_risk": "", "firstname": "Ada",
        "lastname": "Byron Lovelace",
    }]  # fmt: skip
    assert [event["tokens"] for event in hub.told] == [{"topic": "coupon.issued", "text": "Coupon CODE1"}]


def test_two_members_with_one_email_address_share_no_contact(api: Api, server: Receiver, hub: Hub) -> None:
    here = connect(api, server, "hubspot", token="pat-1", timeline_template="1001298")
    one, two = (
        api.services.members.create(
            external_id=f"crm-{n}", display_name=n, email="both@example.org", at=datetime.now(UTC)
        )
        for n in ("Ada", "Bea")
    )
    assert send(api) == 2
    assert [contact["aisle_member_id"] for contact in hub.contacts.values()] == [one.member_id]
    answers = [delivery.answer for delivery in api.services.webhooks.deliveries(here)]
    assert answers[1] == "left out: the contact with this e-mail address is another member's"
    assert api.client.post(f"/v1/members/{two.member_id}/erase", headers=api.headers()).status_code == 200
    assert send(api, datetime.now(UTC) + LAGS) == 1
    assert len(hub.contacts) == 1, "nothing of the second one's was there"
    assert api.client.post(f"/v1/members/{one.member_id}/erase", headers=api.headers()).status_code == 200
    send(api)
    assert hub.contacts == {}


def test_a_contact_is_found_by_our_id_when_the_address_has_changed(api: Api, server: Receiver, hub: Hub) -> None:
    here = connect(api, server, "hubspot", token="pat-1")
    me = api.member("pets-1").member_id
    hub.contacts["7"] = {"email": "before@example.org", "aisle_member_id": me}
    coupon_for(api, "pets-1")
    assert send(api) == 1
    assert {key: one["email"] for key, one in hub.contacts.items()} == {"7": "pets-1@example.org"}
    hub.contacts["7"]["email"] = "before@example.org"
    hub.contacts["8"] = {"email": "pets-1@example.org"}  # somebody made it by hand
    api.services.members.rename(me, "Ada Byron")
    assert send(api) == 1
    assert api.services.webhooks.deliveries(here)[-1].answer == ANOTHERS
    assert "aisle_member_id" not in hub.contacts["8"]


def test_hubspot_is_told_once_however_often_it_is_tried(api: Api, server: Receiver) -> None:
    """The same upsert and the same timeline id: what a lost answer makes us repeat changes nothing."""
    shapes = recorded("hubspot")
    here = connect(api, server, "hubspot", token="pat-1", timeline_template="1001298")
    coupon_for(api, "pets-1")
    mine = {"response": {"id": "512", "properties": {"aisle_member_id": api.member("pets-1").member_id}}}
    server.answers.extend([answered(shapes["read"] | mine), answered(shapes["upsert"]), (503, {}, b"")])
    assert send(api) == 0
    server.answers.extend([answered(shapes["read"] | mine), answered(shapes["upsert"]), answered(shapes["conflict"])])
    assert send(api, datetime.now(UTC) + timedelta(hours=1)) == 1
    first, again = (json.loads(server.got[place].body) for place in (2, 5))
    assert first == again
    assert first["id"] == api.services.webhooks.deliveries(here)[0].event_id


def test_hubspot_asks_for_patience_and_a_half_failed_batch_is_a_failure(api: Api, server: Receiver) -> None:
    here = connect(api, server, "hubspot", token="pat-1")
    coupon_for(api, "pets-1")
    server.answers.append(answered(recorded("hubspot")["too_many"]))
    assert send(api) == 0
    (one,) = api.services.webhooks.deliveries(here)
    assert one.due_at - datetime.now(UTC) < timedelta(seconds=10)
    mine = {"response": {"id": "512", "properties": {"aisle_member_id": api.member("pets-1").member_id}}}
    server.answers.append(answered(recorded("hubspot")["read"] | mine))
    server.answers.append((207, {}, b'{"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [{}]}'))
    assert send(api, datetime.now(UTC) + timedelta(minutes=1)) == 0


def test_hubspot_forgets_who_is_erased(api: Api, server: Receiver, hub: Hub) -> None:
    connect(api, server, "hubspot", token="pat-1")
    member_id = api.member("pets-1").member_id
    hub.contacts |= {"7": {"aisle_member_id": member_id}, "8": {"aisle_member_id": "another"}}
    assert api.client.post(f"/v1/members/{member_id}/erase", headers=api.headers()).status_code == 200
    assert send(api) == 1
    assert hub.contacts.keys() == {"8"}


@pytest.mark.parametrize("unique", [True, False])
def test_a_contact_that_was_written_a_moment_ago_is_erased_though_the_search_does_not_know_it(
    api: Api, server: Receiver, hub: Hub, unique: bool
) -> None:
    here, hub.unique = connect(api, server, "hubspot", token="pat-1"), unique
    member_id = api.member("pets-1").member_id
    hub.contacts["7"] = {"email": "pets-1@example.org", "aisle_member_id": member_id}
    assert api.client.post(f"/v1/members/{member_id}/erase", headers=api.headers()).status_code == 200
    send(api)
    if not unique:
        (waits,) = api.services.webhooks.deliveries(here)
        assert (waits.status, waits.answer) == ("pending", NOT_YET)
        assert timedelta(seconds=100) < waits.due_at - datetime.now(UTC) <= LAGS
        hub.index()
        assert send(api, waits.due_at) == 1
    assert hub.contacts == {}
    assert api.services.webhooks.deliveries(here)[0].status == "delivered"


@pytest.mark.parametrize("unique", [True, False])
def test_of_whom_nothing_is_there_is_erased_in_the_end(api: Api, server: Receiver, hub: Hub, unique: bool) -> None:
    connect(api, server, "hubspot", token="pat-1")
    hub.unique = unique
    assert (
        api.client.post(f"/v1/members/{api.member('pets-1').member_id}/erase", headers=api.headers()).status_code == 200
    )
    assert send(api) == 0, "the index may be behind"
    assert send(api, datetime.now(UTC) + LAGS) == 1


@pytest.mark.parametrize("unique", [True, False])
def test_who_changes_their_address_at_once_gets_no_second_contact(
    api: Api, server: Receiver, hub: Hub, unique: bool
) -> None:
    connect(api, server, "hubspot", token="pat-1")
    hub.unique = unique
    me = api.member("pets-1").member_id
    hub.contacts["7"] = {"email": "before@example.org", "aisle_member_id": me}
    api.services.members.rename(me, "Ada Byron")
    if not unique:
        assert send(api) == 0
        hub.index()
    assert send(api, datetime.now(UTC) + LAGS) == 1
    assert {key: one["email"] for key, one in hub.contacts.items()} == {"7": "pets-1@example.org"}


def test_who_has_no_email_address_is_left_out(api: Api, server: Receiver) -> None:
    here = connect(api, server, "hubspot", token="pat-1")
    api.services.members.create(external_id="crm-9", display_name="Nobody", email=None, at=datetime.now(UTC))
    assert send(api) == 1
    assert server.got == []
    assert api.services.webhooks.deliveries(here)[0].answer == "left out: nobody with an e-mail address"
