"""Webhooks, end to end: a change, the outbox, the sender, and a receiver that verifies with the published library."""

from __future__ import annotations

import json
import random
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from api.services.targets import Outside
from api.services.webhooks import Sender, Webhook, pause_s, wait_s
from personalization.types import Purpose, Subject, VisitorId
from stores.consents import ConsentEntry
from stores.database import Database
from stores.outbox import PROFILED, tell
from tests.api.conftest import Api
from tests.receiver import Got, Receiver, receiver

SOURCE = "https://aisle.example"


class Crm:
    """An endpoint of ours on a receiver, and a sender that is worked by hand."""

    def __init__(self, api: Api, server: Receiver) -> None:
        self.api, self.server = api, server
        self.outside = Outside({"127.0.0.1"})
        api.services.outside = self.outside
        api.services.tellers["webhook"] = Webhook(self.outside, SOURCE)
        body = {"name": "CRM", "url": server.url, "topics": ["member.updated"]}
        self.made = api.client.post("/v1/webhook-endpoints", json=body, headers=api.headers()).json()
        self.id, self.secret = self.made["endpoint_id"], self.made["secret"]
        self.path = f"/v1/webhook-endpoints/{self.id}"

    def sender(self) -> Sender:
        return Sender(self.api.services.webhooks, self.api.services.tellers, rng=random.Random(1))

    def rename(self, *names: str) -> None:
        for name in names:
            self.api.services.members.rename(self.api.member("pets-1").member_id, name)

    def ask(self, method: str, path: str = "", **more: Any) -> Any:
        answer = self.api.client.request(method, self.path + path, headers=self.api.headers(), **more)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def deliveries(self, status: str = "") -> list[dict[str, Any]]:
        found = self.ask("GET", "/deliveries", params={"status": status} if status else {})
        return list(found["deliveries"])


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind is enough here: tests/stores/test_outbox.py has both."""
    return sqlite_database


@pytest.fixture
def crm(api: Api) -> Any:
    with receiver() as server:
        made = Crm(api, server)
        yield made
        made.outside.close()


def verified(got: Got, secret: str) -> dict[str, Any]:
    return dict(Verifier(secret).verify(got.body, got.headers))


def in_days(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def test_a_change_arrives_as_a_cloud_event_that_the_published_library_verifies(crm: Crm) -> None:
    crm.rename("Ada")
    assert crm.sender().work_once() == 1
    (got,) = crm.server.got
    event = verified(got, crm.secret)
    assert got.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert event["id"] == got.headers["webhook-id"] == crm.deliveries()[0]["event_id"]
    me = crm.api.member("pets-1").member_id
    assert {key: event[key] for key in ("specversion", "type", "source", "subject", "datacontenttype")} == {
        "specversion": "1.0", "type": "aisle.member.updated", "source": SOURCE, "subject": me,
        "datacontenttype": "application/json",
    }  # fmt: skip
    assert datetime.fromisoformat(event["time"]).tzinfo is not None
    assert event["data"] == {"member_id": me, "external_id": "pets-1", "changed": ["display_name"]}
    assert crm.deliveries()[0]["status"] == "delivered"


def test_a_changed_body_or_another_secret_is_noticed(crm: Crm) -> None:
    crm.rename("Ada")
    crm.sender().work_once()
    (got,) = crm.server.got
    other = crm.ask("POST", "/rotate")["secret"]
    with pytest.raises(WebhookVerificationError):
        verified(Got(got.method, got.path, got.headers, got.body + b" "), crm.secret)
    with pytest.raises(WebhookVerificationError):
        verified(got, other)


def test_while_a_secret_is_rotated_both_verify_and_afterwards_only_the_new_one(crm: Crm) -> None:
    new = crm.ask("POST", "/rotate", json={"overlap_s": 3600})["secret"]
    crm.rename("Ada", "Grace")
    sender = crm.sender()
    sender.work_once()
    for secret in (crm.secret, new):
        verified(crm.server.got[0], secret)
    crm.ask("POST", "/rotate", json={"overlap_s": 0})
    crm.rename("Joan")
    sender.work_once()
    for secret in (crm.secret, new):
        with pytest.raises(WebhookVerificationError):
            verified(crm.server.got[-1], secret)


def test_what_was_concluded_is_not_sent_once_the_consent_to_it_has_expired(crm: Crm) -> None:
    """The hourly job that withdraws expired consents has not come yet."""
    crm.ask("PATCH", json={"topics": ["member.updated", *PROFILED]})
    services, me, now = crm.api.services, crm.api.member("pets-1").member_id, datetime.now(UTC)
    ends = now + timedelta(hours=1)
    services.consents.record([ConsentEntry(me, Purpose.PROFILING, True, now, "api", "t", ends)])
    with services.db.write() as connection:
        for topic in PROFILED:
            for who in (Subject(me), Subject(visitor_id=VisitorId("nobody known"))):
                tell(services.db, connection, topic, who, {"sentence": "a secret"}, at=now)
    crm.rename("Ada")
    crm.sender().work_once(now=now + timedelta(hours=2))
    sent = [json.loads(got.body)["data"] for got in crm.server.got]
    assert [data.get("visitor_id", data.get("member_id")) for data in sent] == [*["nobody known"] * 3, me]
    answers = [one["answer"] for one in crm.deliveries() if one["answer"] != "HTTP 204"]
    assert answers == ["left out: the member does not agree to profiling any more"] * 3
    assert crm.deliveries("pending") == []


def test_a_failure_is_tried_again_with_the_same_id_and_nothing_overtakes_it(crm: Crm) -> None:
    crm.server.answer(500, 503)
    crm.rename("Ada", "Grace")
    sender = crm.sender()
    assert sender.work_once() == 0
    assert sender.work_once() == 0  # not yet due
    assert len(crm.server.got) == 1
    assert sender.work_once(now=in_days(1)) == 0
    assert sender.work_once(now=in_days(2)) == 2
    ids = [got.headers["webhook-id"] for got in crm.server.got]
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert [one["attempts"] for one in crm.deliveries()] == [3, 1]


def test_waits_grow_with_jitter_and_reach_over_three_days() -> None:
    rng = random.Random(7)
    waits = [wait_s(attempt, rng) for attempt in range(1, 30)]
    assert 2.5 <= waits[0] <= 7.5
    assert all(3 * 3600 <= wait <= 9 * 3600 for wait in waits[9:])
    assert len(set(waits)) == len(waits)
    assert 12 <= sum(1 for n in range(1, 30) if sum(waits[:n]) < 3 * 86_400) <= 24
    assert 45 <= pause_s(5, rng) <= 75
    assert pause_s(50, rng) <= 4500


def test_after_three_days_of_failures_it_is_a_dead_letter_that_can_be_sent_again(crm: Crm) -> None:
    crm.server.answering = lambda _got: (500, {}, b"")
    crm.rename("Ada", "Grace")
    sender = crm.sender()
    for day in (0.0, 1.0, 2.0, 3.1):
        sender.work_once(now=in_days(day))
    assert [one["status"] for one in crm.deliveries()] == ["dead", "dead"]
    assert crm.deliveries("dead")[0]["answer"] == "HTTP 500"
    told = crm.api.client.get("/v1/trust/deliveries?limit=1", headers=crm.api.headers(crm.api.make_key("audit"))).json()
    [newest] = told["deliveries"]
    assert (newest["delivery"], newest["endpoint"]) == (crm.deliveries()[1]["delivery"], "CRM")
    assert "HTTP 500" in newest["answer"]
    assert told["next_cursor"] == str(newest["delivery"])
    crm.server.answering = None
    assert crm.ask("POST", "/replay", json={"delivery": crm.deliveries()[1]["delivery"]}) == {"replayed": 1}
    assert crm.ask("POST", "/replay") == {"replayed": 1}
    assert sender.work_once(now=in_days(3.2)) == 2
    first, second = (
        [got for got in crm.server.got if got.headers["webhook-id"] == one["event_id"]] for one in crm.deliveries()
    )
    assert json.loads(first[-1].body)["id"] != json.loads(second[-1].body)["id"]
    assert crm.server.got[-2:] == [first[-1], second[-1]]


def test_an_endpoint_that_is_gone_is_told_nothing_more(crm: Crm) -> None:
    crm.server.answer(410)
    crm.rename("Ada", "Grace")
    crm.sender().work_once()
    found = crm.ask("GET")
    assert (found["status"], found["reason"]) == ("disabled", "the endpoint answered 410 Gone")
    assert found["deliveries"] == {"pending": 0, "delivered": 0, "dead": 2}
    crm.rename("Joan")
    assert crm.ask("PATCH", json={"status": "active"})["status"] == "active"
    assert crm.ask("POST", "/replay") == {"replayed": 2}
    assert crm.sender().work_once() == 2


def test_an_endpoint_that_asks_for_patience_gets_it(crm: Crm) -> None:
    crm.server.answer(429, headers={"retry-after": "1800"})
    crm.rename("Ada")
    crm.sender().work_once()
    due = datetime.fromisoformat(crm.deliveries()[0]["due_at"])
    assert 1790 <= (due - datetime.now(UTC)).total_seconds() <= 1800


def test_two_senders_at_once_tell_everything_once_and_in_order(crm: Crm) -> None:
    names = [f"Name {number}" for number in range(20)]
    crm.rename(*names)
    senders = [crm.sender() for _ in range(3)]
    threads = [threading.Thread(target=sender.work_once) for sender in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [got.headers["webhook-id"] for got in crm.server.got] == [one["event_id"] for one in crm.deliveries()]


def test_the_workers_thread_sends_by_itself(crm: Crm) -> None:
    arrived = threading.Event()

    def answering(_got: Got) -> tuple[int, dict[str, str], bytes]:
        arrived.set()
        return 204, {}, b""

    crm.server.answering = answering
    sender = Sender(crm.api.services.webhooks, crm.api.services.tellers, idle_s=0.01)
    sender.start()
    crm.rename("Ada")
    assert arrived.wait(20)
    sender.stop()


def test_a_ping_is_signed_and_answered_at_once(crm: Crm) -> None:
    assert crm.ask("POST", "/ping") == {"ok": True, "answer": "HTTP 204"}
    assert verified(crm.server.got[0], crm.secret)["type"] == "aisle.ping"
    crm.server.answer(500)
    assert crm.ask("POST", "/ping") == {"ok": False, "answer": "HTTP 500"}
    assert crm.deliveries() == []


def test_a_target_inside_the_network_is_neither_stored_nor_reached(crm: Crm) -> None:
    answer = crm.api.client.post(
        "/v1/webhook-endpoints", json={"name": "x", "url": "https://169.254.169.254/latest", "topics": ["member.updated"]},
        headers=crm.api.headers(),
    )  # fmt: skip
    assert answer.status_code == 422
    crm.api.services.tellers["webhook"] = Webhook(Outside(look_up=lambda *_: ["10.0.0.7"]), SOURCE)
    crm.api.services.webhooks.change(crm.id, at=datetime.now(UTC), url="https://crm.example/hook")
    crm.rename("Ada")
    assert crm.sender().work_once() == 0
    assert crm.deliveries()[0]["answer"] == "the host leads to an address that is not on the public internet"
    assert crm.server.got == []


def test_secrets_are_shown_once_and_the_scope_is_needed(crm: Crm) -> None:
    assert crm.secret.startswith("whsec_")
    listed = crm.api.client.get("/v1/webhook-endpoints", headers=crm.api.headers())
    assert [one["endpoint_id"] for one in listed.json()["endpoints"]] == [crm.id]
    assert crm.secret not in listed.text + json.dumps(crm.ask("GET"))
    weak = crm.api.make_key("events:write")
    assert crm.api.client.get(crm.path, headers=crm.api.headers(weak)).status_code == 403


def test_an_endpoint_can_be_changed_paused_and_deleted(crm: Crm) -> None:
    changed = crm.ask("PATCH", json={"name": "Other", "topics": ["coupon.issued", "coupon.issued"], "status": "paused"})
    assert (changed["name"], changed["topics"], changed["status"]) == ("Other", ["coupon.issued"], "paused")
    crm.rename("Ada")
    assert crm.deliveries() == []
    crm.ask("PATCH", json={"topics": ["member.updated"]})
    crm.rename("Grace")
    assert crm.sender().work_once() == 0
    assert [one["status"] for one in crm.deliveries()] == ["pending"]
    crm.ask("PATCH", json={"status": "active"})
    assert crm.sender().work_once() == 1
    crm.ask("DELETE")
    assert crm.api.client.get(crm.path, headers=crm.api.headers()).status_code == 404


def test_who_answers_at_another_host_gets_a_secret_of_their_own(crm: Crm) -> None:
    assert crm.ask("PATCH", json={"name": "Other"})["secret"] is None
    assert crm.ask("PATCH", json={"url": crm.server.url + "/deeper"})["secret"] is None
    crm.ask("POST", "/rotate", json={"overlap_s": 600})
    moved = crm.ask(
        "PATCH", json={"url": crm.server.url.replace("127.0.0.1", "crm.example").replace("http:", "https:")}
    )
    assert moved["secret"].startswith("whsec_")
    assert moved["secret"] != crm.secret
    assert crm.api.services.webhooks.get(crm.id).secrets(datetime.now(UTC)) == [moved["secret"]]


def test_deliveries_are_paged(crm: Crm) -> None:
    crm.rename("Ada", "Grace", "Joan")
    first = crm.ask("GET", "/deliveries", params={"limit": 2})
    rest = crm.ask("GET", "/deliveries", params={"limit": 2, "after": first["next"]})
    assert (len(first["deliveries"]), len(rest["deliveries"]), rest["next"]) == (2, 1, None)
    by_cursor = crm.ask("GET", "/deliveries", params={"limit": 2, "cursor": first["next_cursor"]})
    assert (by_cursor["deliveries"], by_cursor["next_cursor"]) == (rest["deliveries"], None)
    given_up = crm.ask("POST", f"/deliveries/{first['deliveries'][0]['delivery']}/give-up")
    assert given_up["status"] == "dead"


EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
NODE = """
import { readFileSync } from "node:fs";
import { verify } from "%s";
const [secret, headers, body] = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(String([verify(secret, headers, body), verify(secret, headers, body + " ")]));
"""


def test_the_documentations_examples_verify_what_we_send_and_nothing_else(crm: Crm) -> None:
    import importlib.util

    crm.rename("Ada")
    crm.sender().work_once()
    (got,) = crm.server.got
    spec = importlib.util.spec_from_file_location("verify_webhook", EXAMPLES / "verify_webhook.py")
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    assert example.verify(crm.secret, got.headers, got.body)
    assert not example.verify(crm.secret, got.headers, got.body + b" ")
    assert not example.verify(crm.secret, {**got.headers, "webhook-timestamp": "1700000000"}, got.body)
    script = NODE % (EXAMPLES / "verify-webhook.mjs").as_uri()
    told = subprocess.run(
        ["node", "--input-type=module", "-e", script], input=json.dumps([crm.secret, got.headers, got.body.decode()]),
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert told.stdout == "true,false"
