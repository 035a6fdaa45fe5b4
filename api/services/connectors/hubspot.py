"""HubSpot: contacts upserted by e-mail with properties of ours, and events on their timeline.

A contact gets `aisle_member_id` and a property for each chosen label (`aisle_segment`, …); make these in HubSpot first,
`aisle_member_id` with unique values: a contact is then read by it at once. Without, it is searched, and HubSpot's index
knows what was written some time later, so that finding nothing counts only LAGS after the event; for an erasure in any case.
With the option `timeline_template` every event is put on the timeline under the outbox's id: one that is there already
(409) is done. Source: HubSpot, CRM API v3 (contacts, search, GDPR deletion) and Timeline API v3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
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
NOT_YET = "HubSpot's search found no contact, and may be behind: asked again in two minutes"
LAGS = timedelta(minutes=2)  # HubSpot promises no time; its index is seconds behind
ANOTHERS = "left out: the contact with this e-mail address is another member's"


class HubSpot:
    """Tells HubSpot. Options: `token` (of a private app), `timeline_template`, `labels` (a list, by commas)."""

    def __init__(self, outside: Outside, facts: Facts) -> None:
        self._outside, self._facts = outside, facts

    def tell(self, endpoint: Endpoint, event: Mapping[str, Any], *, at: datetime) -> Told:
        """Bring the contact up to date, and put the event on its timeline."""
        if event["topic"] == "member.erased":
            return self._erase(endpoint, event, at)
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
        done = self._upsert(endpoint, member.email, member.member_id, properties, event, at)
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

    def _upsert(
        self, endpoint: Endpoint, email: str, member_id: str, properties: Mapping[str, str], event: Mapping[str, Any], at: datetime,
    ) -> Told:  # fmt: skip
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
            found: list[str] = []
            told = self._find(endpoint, member_id, found, event, at)
            if not told.ok:
                return told
            for one in found[:1]:
                told = self._send(endpoint, f"{CONTACTS}/{one}", {"properties": properties}, method="PATCH")
                return Told(True, ANOTHERS) if told.status == 409 else told
        upsert = {"inputs": [{"idProperty": "email", "id": email, "properties": properties}]}
        return self._send(endpoint, UPSERT, upsert)

    def _find(
        self, endpoint: Endpoint, member_id: str, into: list[str], event: Mapping[str, Any], at: datetime
    ) -> Told:
        """Put the ids of the contacts that have our id into `into`; a failed try where nobody can know yet that there is none."""
        read: list[Any] = []
        asked = f"{CONTACTS}/{quote(member_id, safe='')}?idProperty={OUR_ID}&properties={OUR_ID}"
        told = self._send(endpoint, asked, None, read, method="GET")
        if told.ok:
            into.append(str(read[0]["id"]))
        if told.status not in {400, 404}:
            return told
        # 400: our property was made without unique values; an erasure trusts a 404 no more than that
        sure = told.status == 404 and event["topic"] != "member.erased"
        named = {"propertyName": OUR_ID, "operator": "EQ", "value": member_id}
        told = self._send(endpoint, SEARCH, {"filterGroups": [{"filters": [named]}], "limit": 10}, read)
        if told.ok:
            into.extend(str(one["id"]) for one in read[0].get("results", []))
        late = (datetime.fromisoformat(event["at"]) + LAGS - at).total_seconds()
        return Told(False, NOT_YET, wait_s=late) if told.ok and not into and not sure and late > 0 else told

    def _erase(self, endpoint: Endpoint, event: Mapping[str, Any], at: datetime) -> Told:
        """Delete the contact for good; found by our id, since the e-mail address is erased here."""
        found: list[str] = []
        asked = self._find(endpoint, str(event["data"]["member_id"]), found, event, at)
        for one in found if asked.ok else []:
            asked = self._send(endpoint, GDPR_DELETE, {"objectId": one})
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
