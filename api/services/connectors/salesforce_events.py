"""Salesforce, inwards: platform events by long polling, from where the last one was taken (replay id).

An event of the channel in the option `subscribe` (`/event/Aisle_Message__e`) carries a message of Segment's spec: the
fields `Type__c`, `User_Id__c`, `Anonymous_Id__c`, `Event__c`, `Name__c` and, as JSON, `Properties__c` or `Traits__c`.
Its `EventUuid` is the message's id, so that one that comes twice counts once; the replay id is kept after its batch was
taken, so that a crash repeats, and loses nothing. Source: Salesforce, Streaming API (CometD, Bayeux 1.0), durable streaming.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import select

from api.services.connectors.salesforce import VERSION, Login
from api.services.segment import Taker
from api.services.targets import Answer, TargetFailure
from api.wiring import Services
from stores.database import upsert
from stores.keys import Key
from stores.tables import cursors
from stores.webhooks import Endpoint

log = structlog.get_logger(__name__)
ALL_RETAINED, NEW_ONLY = -2, -1
WAIT_MS, TIMEOUT_S = 10_000, 25.0
IDLE_S, AFTER_FAILURE_S, MOST_AFTER_FAILURE_S = 5.0, 30.0, 600.0
MOST_READ = 16 * 1024 * 1024  # of one answer: several events of up to 1 MB
_TEXTS = {
    "Type__c": "type",
    "User_Id__c": "userId",
    "Anonymous_Id__c": "anonymousId",
    "Event__c": "event",
    "Name__c": "name",
}
_OBJECTS = {"Properties__c": "properties", "Traits__c": "traits"}


class Subscription:
    """One endpoint's channel."""

    def __init__(self, services: Services, login: Login, endpoint: Endpoint) -> None:
        self._services, self._login, self._endpoint = services, login, endpoint
        self._channel = endpoint.options.get("subscribe", "")
        self._client_id, self._cookies = "", dict[str, str]()

    def poll(self) -> int:
        """Wait for events once, and take what came; return how many. TargetFailure when Salesforce does not answer."""
        if not self._client_id:
            self._begin()
        wait = {"timeout": WAIT_MS}
        answers = self._ask(
            {"channel": "/meta/connect", "clientId": self._client_id, "connectionType": "long-polling", "advice": wait}
        )
        events = [one for one in answers if one.get("channel") == self._channel and "data" in one]
        if events:
            self._take(events)
        for one in answers:
            if one.get("channel") == "/meta/connect" and not one.get("successful"):
                self._client_id = ""  # we are not known any more: shake hands again, from the last replay id
        return len(events)

    def _begin(self) -> None:
        self._cookies.clear()
        (shaken, *_) = self._ask(
            {"channel": "/meta/handshake", "version": "1.0", "minimumVersion": "1.0",
             "supportedConnectionTypes": ["long-polling"], "ext": {"replay": True}}
        )  # fmt: skip
        if not shaken.get("successful"):
            raise TargetFailure("Salesforce refused the handshake")
        client_id = str(shaken["clientId"])
        if not self._subscribe(client_id, self.replay_id()) and not self._subscribe(client_id, ALL_RETAINED):
            raise TargetFailure(f"Salesforce refused the subscription to {self._channel}")
        self._client_id = client_id

    def _subscribe(self, client_id: str, replay_id: int | str) -> bool:
        """Subscribe from `replay_id` on; False when it is refused, as one is that is no longer retained."""
        (answer, *_) = self._ask(
            {"channel": "/meta/subscribe", "clientId": client_id, "subscription": self._channel,
             "ext": {"replay": {self._channel: replay_id}}}
        )  # fmt: skip
        return bool(answer.get("successful"))

    def _take(self, events: Sequence[Mapping[str, Any]]) -> None:
        key = Key(
            self._endpoint.endpoint_id, "api", self._endpoint.name, "", frozenset({"events:write", "members:write"}),
            frozenset(), None, False,
        )  # fmt: skip
        now = datetime.now(UTC)
        outcomes = Taker(self._services, key, sent_at=None, now=now).take([message(one) for one in events])
        refused = [outcome.reason for outcome in outcomes if outcome.status == "rejected"]
        if refused:
            log.warning("platform events were refused", count=len(refused), reason=refused[0])
        last = json.dumps(events[-1]["data"]["event"]["replayId"])
        with self._services.db.write() as connection:
            upsert(connection, cursors, [{"consumer": self._name, "seq": 0, "watermark": now, "position": last}])

    def replay_id(self) -> int | str:
        """Return the replay id of the last event that was taken; all that is retained before the first."""
        with self._services.db.read() as connection:
            found = connection.scalar(select(cursors.c.position).where(cursors.c.consumer == self._name))
        return ALL_RETAINED if found is None else json.loads(found)

    @property
    def _name(self) -> str:
        return f"salesforce {self._endpoint.endpoint_id}"

    def _ask(self, message: Mapping[str, Any]) -> list[dict[str, Any]]:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {"cookie": cookies} if cookies else {}
        answer = self._login.send(
            self._endpoint,
            "POST",
            f"/cometd/{VERSION}",
            [message],
            headers=headers,
            timeout_s=TIMEOUT_S,
            whole=MOST_READ,
        )
        self._remember(answer)
        try:
            found = json.loads(answer.body)
        except ValueError:
            found = None
        if answer.status != 200 or not isinstance(found, list) or not found:
            raise TargetFailure(f"Salesforce's stream answered HTTP {answer.status}")
        return found

    def _remember(self, answer: Answer) -> None:
        for cookie in answer.cookies:
            name, _, value = cookie.split(";")[0].partition("=")
            if name.strip():
                self._cookies[name.strip()] = value.strip()


def message(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message of Segment's spec that a platform event carries."""
    data = event["data"]
    payload = data.get("payload", {})
    found: dict[str, Any] = {
        ours: payload[theirs] for theirs, ours in _TEXTS.items() if payload.get(theirs) is not None
    }
    for theirs, ours in _OBJECTS.items():
        if payload.get(theirs):
            try:
                found[ours] = json.loads(payload[theirs])
            except (TypeError, ValueError):
                found[ours] = None if ours == "traits" else "no JSON"
    named = data.get("event", {})
    return {
        **found,
        "messageId": str(named.get("EventUuid") or f"replay {named.get('replayId')}"),
        "timestamp": payload.get("CreatedDate"),
    }


class Listener:
    """Listens to every active Salesforce endpoint that has a channel, on a thread of the worker. Two workers only do it twice."""

    def __init__(self, services: Services, login: Login) -> None:
        self._services, self._login = services, login
        self._stop = threading.Event()
        self._open: dict[tuple[str, datetime], Subscription] = {}
        self._rests: dict[tuple[str, datetime], tuple[float, float]] = {}  # until when, and how long, after failures

    def start(self) -> None:
        """Run on a thread."""
        threading.Thread(target=self._run, daemon=True, name="salesforce").start()

    def stop(self) -> None:
        """End after what is being waited for."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                busy = self.listen_once()
            except Exception as error:
                log.exception("Salesforce's channels cannot be looked up", kind=type(error).__name__)
                self._stop.wait(AFTER_FAILURE_S)
                continue
            self._stop.wait(0 if busy else IDLE_S)

    def listen_once(self) -> bool:
        """Wait for each channel's next events in turn; False where none was asked. One that fails rests, the others go on."""
        channels = [
            one for one in self._services.webhooks.all()
            if one.kind == "salesforce" and one.status == "active" and one.options.get("subscribe")
        ]  # fmt: skip
        known = {(one.endpoint_id, one.updated_at): one for one in channels}
        self._open = {name: there for name, there in self._open.items() if name in known}  # a changed one begins anew
        self._rests = {name: rest for name, rest in self._rests.items() if name in known}
        asked = False
        for name, endpoint in known.items():
            until, rest = self._rests.get(name, (0.0, 0.0))
            if time.monotonic() < until:
                continue
            asked = True
            there = self._open.setdefault(name, Subscription(self._services, self._login, endpoint))
            try:
                there.poll()
            except Exception as error:
                log.exception(
                    "a Salesforce channel cannot be read", endpoint=endpoint.endpoint_id, kind=type(error).__name__
                )
                del self._open[name]  # from the last replay id that was kept
                rest = min(2 * rest or AFTER_FAILURE_S, MOST_AFTER_FAILURE_S)
                self._rests[name] = (time.monotonic() + rest, rest)
            else:
                self._rests.pop(name, None)
        return asked
