"""HubSpot: contacts upserted by e-mail with properties of ours, and events on their timeline.

A contact gets `aisle_member_id` and a property for each chosen label (`aisle_segment`, …); make these in HubSpot first.
With the option `timeline_template` every event is put on the timeline under the outbox's id: one that is there already
(409) is done. Source: HubSpot, CRM API v3 (contacts, search, GDPR deletion) and Timeline API v3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from api.services.connectors.facts import Facts, words
from api.services.targets import Answer, Outside
from api.services.webhooks import Told, attempt
from stores.webhooks import Endpoint

UPSERT = "/crm/v3/objects/contacts/batch/upsert"
SEARCH = "/crm/v3/objects/contacts/search"
GDPR_DELETE = "/crm/v3/objects/contacts/gdpr-delete"
TIMELINE = "/integrators/timeline/v3/events"
CONTACTS = "/crm/v3/objects/contacts"
NEEDED = frozenset({"token"})
OUR_ID = "aisle_member_id"
ANOTHERS = "left out: the contact with this e-mail address is another member's"


class HubSpot:
    """Tells HubSpot. Options: `token` (of a private app), `timeline_template`, `labels` (a list, by commas)."""

    def __init__(self, outside: Outside, facts: Facts) -> None:
        self._outside, self._facts = outside, facts

    def tell(self, endpoint: Endpoint, event: Mapping[str, Any], *, at: datetime) -> Told:
        """Bring the contact up to date, and put the event on its timeline."""
        if event["topic"] == "member.erased":
            return self._erase(endpoint, str(event["data"]["member_id"]))
        member = self._facts.member(event)
        if member is None or member.email is None:
            ping = event["topic"] == "ping"
            return self._ping(endpoint) if ping else Told(True, "left out: nobody with an e-mail address")
        properties = {
            "email": member.email, OUR_ID: member.member_id,
            **self._facts.labelled(member, endpoint.options.get("labels"), property_name, at=at),
        }  # fmt: skip
        if not member.name_is_synthetic:
            properties["firstname"], _, properties["lastname"] = member.display_name.partition(" ")
        done = self._upsert(endpoint, member.email, member.member_id, properties)
        if done.answer == ANOTHERS:
            return done
        template = endpoint.options.get("timeline_template")
        if not done.ok or not template or event["topic"] == "member.updated":
            return done
        told = self._send(
            endpoint, TIMELINE,
            {"eventTemplateId": template, "id": event["id"], "email": member.email, "timestamp": event["at"],
             "tokens": {"topic": event["topic"], "text": words(event)[:1000]}},
        )  # fmt: skip
        return Told(True, "HTTP 409: it is there already") if told.status == 409 else told

    def _upsert(self, endpoint: Endpoint, email: str, member_id: str, properties: Mapping[str, str]) -> Told:
        """Write the member's own contact, never another member's: two may have one e-mail address, and a contact has one id of ours.

        The address finds it at once; who has changed theirs is found by our id.
        """
        read: list[Any] = []
        asked = f"{CONTACTS}/{quote(email, safe='')}?idProperty=email&properties={OUR_ID}"
        told = self._send(endpoint, asked, None, read, method="GET")
        if not told.ok and told.status != 404:
            return told
        owner = (read[0].get("properties") or {}).get(OUR_ID) if told.ok else None
        if owner and owner != member_id:
            return Told(True, ANOTHERS)
        if not owner:
            found: list[Any] = []
            told = self._search(endpoint, member_id, found)
            if not told.ok:
                return told
            for one in found[0].get("results", [])[:1]:
                told = self._send(endpoint, f"{CONTACTS}/{one['id']}", {"properties": properties}, method="PATCH")
                return Told(True, ANOTHERS) if told.status == 409 else told
        upsert = {"inputs": [{"idProperty": "email", "id": email, "properties": properties}]}
        return self._send(endpoint, UPSERT, upsert)

    def _search(self, endpoint: Endpoint, member_id: str, into: list[Any]) -> Told:
        named = {"propertyName": OUR_ID, "operator": "EQ", "value": member_id}
        return self._send(endpoint, SEARCH, {"filterGroups": [{"filters": [named]}], "limit": 10}, into)

    def _erase(self, endpoint: Endpoint, member_id: str) -> Told:
        """Delete the contact for good; found by our id, since the e-mail address is erased here."""
        found: list[Any] = []
        asked = self._search(endpoint, member_id, found)
        for one in found[0].get("results", []) if asked.ok else []:
            asked = self._send(endpoint, GDPR_DELETE, {"objectId": str(one["id"])})
            if not asked.ok:
                break
        return asked

    def _ping(self, endpoint: Endpoint) -> Told:
        return self._send(endpoint, SEARCH, {"filterGroups": [], "limit": 1})

    def _send(
        self, endpoint: Endpoint, path: str, body: Any, into: list[Any] | None = None, *, method: str = "POST"
    ) -> Told:
        def send() -> Answer:
            answer = self._outside.send(
                method, endpoint.url.rstrip("/") + path, body=None if body is None else json.dumps(body).encode(),
                headers={"authorization": f"Bearer {endpoint.options.get('token', '')}", "content-type": "application/json"},
            )  # fmt: skip
            answers.append(answer)
            return answer

        answers: list[Answer] = []
        told = attempt(send)
        if told.status == 207:  # some of the batch failed, and the batch was one
            return Told(False, "HTTP 207: HubSpot took no contact", status=207)
        if into is not None and told.ok:
            into.append(json.loads(answers[0].body))
        return Told(told.ok, told.answer, False, told.wait_s, told.status)  # 410 of an API is no farewell


def property_name(label: str) -> str:
    """Return HubSpot's name of a label's property."""
    return "aisle_" + re.sub(r"[^a-z0-9_]", "_", label.lower())
