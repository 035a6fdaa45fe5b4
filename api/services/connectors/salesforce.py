"""Salesforce, outwards: contacts and events of ours upserted by external id, so that what is sent again changes nothing.

Source: Salesforce, REST API v62.0 (sObject Rows by External ID, Query, sObject Collections) and OAuth 2.0 client credentials. Make the fields first:
`Aisle_Member_Id__c` (external id, unique) and `Aisle_<Label>__c` on Contact, and the object `Aisle_Event__c` with
`Event_Id__c` (external id, unique), `Topic__c`, `Text__c`, `At__c` and the look-up `Contact__r`.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from api.services.connectors.facts import Facts, words
from api.services.targets import Answer, Outside, TargetFailure
from api.services.webhooks import Told, attempt
from personalization.types import Purpose
from stores.members import Member
from stores.outbox import PROFILED
from stores.webhooks import Endpoint

VERSION = "62.0"
NEEDED = frozenset({"client_id", "client_secret"})
MEMBER, EVENT = "Aisle_Member_Id__c", "Event_Id__c"
EVENTS_OF = "SELECT Id FROM Aisle_Event__c WHERE Contact__r.{} = '{}'{} LIMIT {}"
CONCLUDED = " AND Topic__c IN ({})".format(", ".join(f"'{topic.value}'" for topic in sorted(PROFILED)))
AT_ONCE, ERASES_FOR_S = 200, 20.0  # events that one request deletes; one try deletes for as long


class Login:
    """Access tokens by client credentials, kept until Salesforce refuses them."""

    def __init__(self, outside: Outside) -> None:
        self._outside, self._lock = outside, threading.Lock()
        self._signing: dict[str, threading.Lock] = {}  # by endpoint: a slow org keeps no other waiting
        self._tokens: dict[str, tuple[str, tuple[str, str]]] = {}

    def send(
        self, endpoint: Endpoint, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None, whole: int | None = None,
    ) -> Answer:  # fmt: skip
        """Send a request to the org; signs in first, and once more when the token is not good any more.

        whole : see `Outside.send`.
        """
        for again in (False, True):
            instance, token = self._sign_in(endpoint, again=again)
            answer = self._outside.send(
                method, instance + path, body=None if body is None else json.dumps(body).encode(), timeout_s=timeout_s, whole=whole,
                headers={"authorization": f"Bearer {token}", "content-type": "application/json", **(headers or {})},
            )  # fmt: skip
            if answer.status != 401:
                break
        return answer

    def _sign_in(self, endpoint: Endpoint, *, again: bool) -> tuple[str, str]:
        with self._lock:
            turn = self._signing.setdefault(endpoint.endpoint_id, threading.Lock())
        with turn:
            told = _digest(endpoint)
            asked, known = self._tokens.get(endpoint.endpoint_id, ("", ("", "")))
            if asked == told and not again:
                return known
            form = {
                "grant_type": "client_credentials", "client_id": endpoint.options.get("client_id", ""),
                "client_secret": endpoint.options.get("client_secret", ""),
            }  # fmt: skip
            answer = self._outside.send(
                "POST", endpoint.url.rstrip("/") + "/services/oauth2/token", body=urlencode(form).encode(),
                headers={"content-type": "application/x-www-form-urlencoded"},
            )  # fmt: skip
            if answer.status != 200:
                raise TargetFailure(f"Salesforce refused to sign us in (HTTP {answer.status})")
            found = json.loads(answer.body)
            known = (str(found["instance_url"]).rstrip("/"), str(found["access_token"]))
            self._tokens[endpoint.endpoint_id] = (told, known)
            return known


def _digest(endpoint: Endpoint) -> str:
    """Return what a login belongs to: who changes the address or the secret is signed in anew."""
    told = [endpoint.url, *(endpoint.options.get(name, "") for name in sorted(NEEDED))]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


class Salesforce:
    """Tells Salesforce. Options: `client_id`, `client_secret`, `labels` (a list, by commas), `subscribe` (see `salesforce_events`)."""

    def __init__(self, login: Login, facts: Facts) -> None:
        self._login, self._facts = login, facts

    def tell(self, endpoint: Endpoint, event: Mapping[str, Any], *, at: datetime) -> Told:
        """Bring the contact up to date, and keep the event beside it."""
        data = event["data"]
        if event["topic"] == "ping":
            return attempt(lambda: self._login.send(endpoint, "GET", f"/services/data/v{VERSION}/limits"))
        if event["topic"] == "member.erased":
            return self._erase(endpoint, str(data["member_id"]))
        member = self._facts.member(event)
        if member is None:
            return Told(True, "left out: no member")
        done = self._contact(endpoint, member, at)
        if not done.ok or event["topic"] == "member.updated":
            return done
        if data.get("purpose") == Purpose.PROFILING and not data.get("granted", True):
            done = self._delete_events(endpoint, member.member_id, CONCLUDED)
            if not done.ok:
                return done
        kept = {
            "Topic__c": event["topic"], "At__c": event["at"], "Text__c": words(event)[:255], "Contact__r": {MEMBER: member.member_id},
        }  # fmt: skip
        return self._row(endpoint, "PATCH", "Aisle_Event__c", EVENT, event["id"], kept)

    def _contact(self, endpoint: Endpoint, member: Member, at: datetime) -> Told:
        """Upsert the contact. A pseudonym is no name: it stands only where a contact is made, which cannot be without one."""
        first, _, last = member.display_name.partition(" ")
        name = {"FirstName": first if last else "", "LastName": last or first}
        fields: dict[str, Any] = {
            **({} if member.name_is_synthetic else name),
            **self._facts.labelled(member, endpoint.options.get("labels"), field_name, at=at),
            **({"Email": member.email} if member.email else {}),
        }  # fmt: skip
        answers: list[Answer] = []
        done = self._row(endpoint, "PATCH", "Contact", MEMBER, member.member_id, fields, answers)
        if done.status == 400 and member.name_is_synthetic and b"REQUIRED_FIELD_MISSING" in answers[-1].body:
            return self._row(endpoint, "PATCH", "Contact", MEMBER, member.member_id, {**name, **fields})
        return done

    def _erase(self, endpoint: Endpoint, member_id: str) -> Told:
        """Delete the member's events, which hold sentences and coupons' codes, and then the contact that they are found by."""
        told = self._delete_events(endpoint, member_id)
        if not told.ok:
            return told
        told = self._row(endpoint, "DELETE", "Contact", MEMBER, member_id)
        return Told(True, "HTTP 404: there is none") if told.status == 404 else told

    def _delete_events(self, endpoint: Endpoint, member_id: str, which_of: str = "") -> Told:
        """Delete the member's events for which the condition `which_of` holds, all of them without one."""
        base, until = f"/services/data/v{VERSION}", time.monotonic() + ERASES_FOR_S
        asked = EVENTS_OF.format(MEMBER, re.sub(r"[^A-Za-z0-9-]", "", member_id), which_of, AT_ONCE)
        while True:
            found: list[Answer] = []
            told = self._send(endpoint, "GET", f"{base}/query?{urlencode({'q': asked})}", into=found)
            if not told.ok:
                return told
            ids = [str(one["Id"]) for one in json.loads(found[-1].body).get("records", [])]
            if not ids:
                return told
            if time.monotonic() > until:
                return Told(False, "there are more events to delete", wait_s=1.0)
            which = urlencode({"ids": ",".join(ids), "allOrNone": "true"})
            told = self._send(endpoint, "DELETE", f"{base}/composite/sobjects?{which}", into=found)
            if not told.ok:
                return told
            if not all(one.get("success") for one in json.loads(found[-1].body)):
                return Told(False, "Salesforce deleted no events", status=told.status)

    def _row(
        self, endpoint: Endpoint, method: str, kind: str, field: str, key: str, body: Mapping[str, Any] | None = None,
        into: list[Answer] | None = None,
    ) -> Told:  # fmt: skip
        path = f"/services/data/v{VERSION}/sobjects/{kind}/{field}/{quote(key, safe='')}"
        return self._send(endpoint, method, path, body, into)

    def _send(
        self, endpoint: Endpoint, method: str, path: str, body: Any = None, into: list[Answer] | None = None
    ) -> Told:
        def send() -> Answer:
            answer = self._login.send(endpoint, method, path, body)
            if into is not None:
                into.append(answer)
            return answer

        told = attempt(send)
        return Told(told.ok, told.answer, False, told.wait_s, told.status)  # 410 of an API is no farewell


def field_name(label: str) -> str:
    """Return Salesforce's name of a label's field."""
    return "Aisle_" + re.sub(r"[^A-Za-z0-9]+", "_", label.title()).strip("_") + "__c"
