"""HubSpot: contacts upserted by e-mail with properties of ours, and events on their timeline.

A contact gets `aisle_member_id` and a property for each chosen label (`aisle_segment`, …); make these in HubSpot first.
With the option `timeline_template` every event is put on the timeline under the outbox's id: one that is there already
(409) is done. Source: HubSpot, CRM API v3 (contacts, GDPR deletion) and Timeline API v3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api.services.connectors.facts import Facts, words
from api.services.targets import Answer, Outside
from api.services.webhooks import Told, attempt
from stores.webhooks import Endpoint

UPSERT = "/crm/v3/objects/contacts/batch/upsert"
SEARCH = "/crm/v3/objects/contacts/search"
GDPR_DELETE = "/crm/v3/objects/contacts/gdpr-delete"
TIMELINE = "/integrators/timeline/v3/events"
NEEDED = frozenset({"token"})


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
            "email": member.email, "aisle_member_id": member.member_id,
            **self._facts.labelled(member, endpoint.options.get("labels"), property_name, at=at),
        }  # fmt: skip
        if not member.name_is_synthetic:
            properties["firstname"], _, properties["lastname"] = member.display_name.partition(" ")
        done = self._send(
            endpoint, UPSERT, {"inputs": [{"idProperty": "email", "id": member.email, "properties": properties}]}
        )
        template = endpoint.options.get("timeline_template")
        if not done.ok or not template or event["topic"] == "member.updated":
            return done
        told = self._send(
            endpoint, TIMELINE,
            {"eventTemplateId": template, "id": event["id"], "email": member.email, "timestamp": event["at"],
             "tokens": {"topic": event["topic"], "text": words(event)[:1000]}},
        )  # fmt: skip
        return Told(True, "HTTP 409: it is there already") if told.status == 409 else told

    def _erase(self, endpoint: Endpoint, member_id: str) -> Told:
        """Delete the contact for good; found by our id, since the e-mail address is erased here."""
        named = {"propertyName": "aisle_member_id", "operator": "EQ", "value": member_id}
        found: list[str] = []
        asked = self._send(endpoint, SEARCH, {"filterGroups": [{"filters": [named]}], "limit": 10}, found)
        for contact_id in found if asked.ok else []:
            asked = self._send(endpoint, GDPR_DELETE, {"objectId": contact_id})
            if not asked.ok:
                break
        return asked

    def _ping(self, endpoint: Endpoint) -> Told:
        return self._send(endpoint, SEARCH, {"filterGroups": [], "limit": 1})

    def _send(self, endpoint: Endpoint, path: str, body: Any, ids: list[str] | None = None) -> Told:
        def send() -> Answer:
            answer = self._outside.send(
                "POST", endpoint.url.rstrip("/") + path, body=json.dumps(body).encode(),
                headers={"authorization": f"Bearer {endpoint.options.get('token', '')}", "content-type": "application/json"},
            )  # fmt: skip
            answers.append(answer)
            return answer

        answers: list[Answer] = []
        told = attempt(send)
        if told.status == 207:  # some of the batch failed, and the batch was one
            return Told(False, "HTTP 207: HubSpot took no contact", status=207)
        if ids is not None and told.ok:
            ids += [str(one["id"]) for one in json.loads(answers[0].body).get("results", [])]
        return Told(told.ok, told.answer, False, told.wait_s, told.status)  # 410 of an API is no farewell


def property_name(label: str) -> str:
    """Return HubSpot's name of a label's property."""
    return "aisle_" + re.sub(r"[^a-z0-9_]", "_", label.lower())
