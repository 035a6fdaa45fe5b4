"""A request with an `Idempotency-Key` is done once, however often it is sent."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from api import idempotency
from api.access import RateLimit
from api.errors import ProblemError, install
from api.routes import members as members_route
from stores import database
from stores.api_tables import replies
from stores.asked import Asked
from stores.audit import SqlAudit
from stores.errors import GivenUpError
from stores.members import SqlMembers
from stores.replies import ABANDONED, Clock, Found, SqlReplies, Ticket
from tests.api.conftest import Api


def add(api: Api, name: str, key: str, **headers: str) -> Any:
    body = {"external_id": name, "display_name": "Ann Lee"}
    return api.client.post("/v1/members", json=body, headers={**api.headers(), "Idempotency-Key": key, **headers})


def add_kiosk(api: Api) -> dict[str, str]:
    body = {"name": "door", "store_id": "s1"}
    return dict(api.client.post("/v1/kiosks", json=body, headers=api.headers()).json())


def test_the_same_request_is_answered_again_without_being_done_again(api: Api) -> None:
    first = add(api, "crm-1", "k1")
    again = add(api, "crm-1", '"k1"')  # a structured field's string is the same key
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert add(api, "crm-1", "k2").status_code == 409, "another key is another request"


def test_a_refusal_is_repeated_too_and_another_request_under_the_key_is_an_error(api: Api) -> None:
    assert add(api, "crm-1", "k1").status_code == 201
    refused = add(api, "crm-1", "k2")
    assert (add(api, "crm-1", "k2").json()["request_id"], refused.status_code) == (refused.json()["request_id"], 409)
    other = add(api, "crm-2", "k1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


def test_what_lacks_permission_is_tried_anew(api: Api) -> None:
    weak = api.make_key("members:read")
    headers = {"Authorization": f"Bearer {weak}", "Idempotency-Key": "k"}
    body = {"external_id": "crm-1", "display_name": "Ann"}
    for _ in range(2):
        answer = api.client.post("/v1/members", json=body, headers=headers)
        assert answer.status_code == 403
        assert "idempotent-replayed" not in answer.headers


def test_two_callers_may_choose_the_same_key(api: Api) -> None:
    other = api.make_key("members:write")
    assert add(api, "crm-1", "k").status_code == 201
    mine = add(api, "crm-2", "k", Authorization=f"Bearer {other}")
    assert (mine.status_code, mine.json()["external_id"]) == (201, "crm-2")


def test_a_revoked_key_gets_no_answer_from_memory(api: Api) -> None:
    secret = api.make_key("members:write")
    assert add(api, "crm-1", "k", Authorization=f"Bearer {secret}").status_code == 201
    key = api.services.keys.find(secret)
    assert key is not None
    api.services.keys.revoke(key.key_id, at=datetime.now(UTC))
    assert add(api, "crm-1", "k", Authorization=f"Bearer {secret}").status_code == 401


def test_requests_at_once_have_one_effect(api: Api) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: add(api, "crm-1", "k"), range(8)))
    done = [one for one in found if one.status_code == 201]
    waiting = [one for one in found if one.status_code == 409]
    assert len(done) + len(waiting) == len(found)
    assert all(one.json()["code"] == "idempotency-key-in-use" and one.headers["retry-after"] for one in waiting)
    assert len({one.json()["member_id"] for one in done}) == 1
    assert add(api, "crm-1", "k").json() == done[0].json()


@pytest.mark.parametrize("key", ["", " ", "x" * 256, 'a"b', "ü"])
def test_a_key_that_is_none_is_told(api: Api, key: str) -> None:
    answer = api.client.post(
        "/v1/members",
        json={},
        headers=[(b"authorization", api.headers()["Authorization"].encode()), (b"idempotency-key", key.encode())],
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-invalid")


def test_neither_key_nor_answer_can_be_read_from_the_database(api: Api) -> None:
    answer = add(api, "crm-1", "a-key-of-mine")
    with api.services.db.read() as connection:
        [row] = connection.execute(select(replies))
    stored = repr(tuple(row)).encode() + bytes(row.answer)
    for secret in ("a-key-of-mine", answer.json()["member_id"], "Ann", "crm-1"):
        assert secret.encode() not in stored


def test_a_password_cannot_be_guessed_from_what_is_kept_of_a_request(api: Api) -> None:
    told = []
    for secret in (api.key, api.make_key("members:write")):
        add(api, "crm-1", "k", Authorization=f"Bearer {secret}")
        with api.services.db.read() as connection:
            told = [row.request for row in connection.execute(select(replies))]
    assert len(set(told)) == 2, "the same request of two callers looks otherwise"
    body = b'{"external_id":"crm-1","display_name":"Ann Lee"}'
    assert hashlib.sha256(b"\n".join([b"POST", b"/v1/members", b"", body])).hexdigest() not in told


def fail_once(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
    """Let the first call of a method fail as nobody expects, then all be as it was."""
    real = getattr(owner, name)

    def fail(*_: object, **__: object) -> None:
        monkeypatch.setattr(owner, name, real)
        raise RuntimeError

    monkeypatch.setattr(owner, name, fail)


def members(api: Api) -> int:
    return sum(one.external_id == "crm-1" for one in api.services.members.page(limit=200))


def test_an_error_before_anything_was_changed_is_tried_anew(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_once(monkeypatch, SqlMembers, "create")
    assert add(api, "crm-1", "k").status_code == 500
    assert members(api) == 0
    assert add(api, "crm-1", "k").status_code == 201


def test_an_error_after_something_was_changed_is_not_done_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_once(monkeypatch, SqlAudit, "append")
    assert add(api, "crm-1", "k").status_code == 500
    for _ in range(2):
        again = add(api, "crm-1", "k")
        assert (again.status_code, again.json()["code"]) == (409, "idempotency-answer-lost")
    assert members(api) == 1


def lose_one_acknowledgement(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the connection break once a request's work is committed, before that is said."""
    dialect, mark = api.services.db.engine.dialect, database.mark
    commit = dialect.do_commit

    def break_off(connection: Any) -> None:
        commit(connection)
        monkeypatch.setattr(dialect, "do_commit", commit)
        raise sqlite3.OperationalError

    def mark_and_break(connection: Connection) -> Asked | None:
        monkeypatch.setattr(database, "mark", mark)
        monkeypatch.setattr(dialect, "do_commit", break_off)
        return mark(connection)

    monkeypatch.setattr(database, "mark", mark_and_break)


def test_what_was_committed_and_not_acknowledged_is_not_done_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    lose_one_acknowledgement(api, monkeypatch)
    assert add(api, "crm-1", "k").status_code == 500
    for _ in range(2):
        again = add(api, "crm-1", "k")
        assert (again.status_code, again.json()["code"]) == (409, "idempotency-answer-lost")
    assert members(api) == 1


def test_a_refusal_that_may_end_otherwise_later_is_tried_anew_whatever_it_wrote(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = members_route.views.member

    def refuse(*_: object) -> None:
        monkeypatch.setattr(members_route.views, "member", real)
        raise ProblemError(429, "later", "Later.")

    monkeypatch.setattr(members_route.views, "member", refuse)
    assert add(api, "crm-1", "k").status_code == 429
    assert add(api, "crm-1", "k").json()["code"] == "conflict", "it was asked again"


def test_an_answer_that_is_too_long_to_keep_is_not_made_twice(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "LONGEST_ANSWER", 10)
    assert add(api, "crm-1", "k").status_code == 201
    assert add(api, "crm-1", "k").json()["code"] == "idempotency-answer-lost"


def test_a_request_that_was_cancelled_is_nobody_elses_until_it_has_long_been_silent(api: Api) -> None:
    kept = SqlReplies(api.services.db)

    async def cancelled(*_: object) -> None:
        raise asyncio.CancelledError

    caller = idempotency.Caller("me", "me", RateLimit(9, 9))
    app = idempotency.Idempotency(cancelled, kept, lambda *_: caller)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(ask(app))
    told = asyncio.run(ask(app))
    assert (told[0]["status"], b"idempotency-key-in-use" in told[1]["body"]) == (409, True)


def test_a_request_that_is_still_worked_at_is_not_begun_anew_however_long_it_takes(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "RENEWED_S", 0.0)
    kept, real, renewed = SqlReplies(api.services.db), SqlReplies.renew, list[datetime]()

    def renew(self: SqlReplies, ticket: Ticket, *, clock: Clock) -> bool:
        now = clock()
        done = real(self, ticket, clock=lambda: now)
        renewed.append(now)
        return done

    monkeypatch.setattr(SqlReplies, "renew", renew)
    done = list[Any]()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        begun = datetime.now(UTC)
        while not renewed or renewed[-1] <= begun:
            await asyncio.sleep(0)
        done.append(kept.begin(replace(asked[0], attempt="other"), clock=lambda: begun + ABANDONED))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    asked, begin = list[Ticket](), SqlReplies.begin
    monkeypatch.setattr(
        SqlReplies, "begin", lambda self, ticket, *, clock: (asked.append(ticket), begin(self, ticket, clock=clock))[1]
    )
    caller = idempotency.Caller("me", "me", RateLimit(9, 9))
    app = idempotency.Idempotency(slow, kept, lambda *_: caller)
    assert asyncio.run(ask(app))[1]["body"] == b"done"
    assert done == ["working"], "half a minute after it was begun"
    assert asyncio.run(ask(app))[1]["body"] == b"done"
    assert len(done) == 1


def test_a_try_that_lost_its_request_to_another_answers_nothing_of_its_own(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = SqlReplies.begin

    def begin_and_lose(self: SqlReplies, ticket: Ticket, *, clock: Clock) -> Found:
        found = begin(self, ticket, clock=clock)
        late = clock() + ABANDONED + timedelta(seconds=1)
        assert begin(self, replace(ticket, attempt="other"), clock=lambda: late) == "new"
        return found

    monkeypatch.setattr(SqlReplies, "begin", begin_and_lose)
    body, headers = {"member_id": api.member("pets-1").member_id}, {**api.headers(), "Idempotency-Key": "k"}
    answer = api.client.post("/v1/coupons", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency-key-in-use")
    assert (answer.headers["retry-after"], "decision_id" in answer.json()) == ("1", False)


def test_who_is_told_that_a_try_was_given_up_reads_when_to_send_it_again() -> None:
    app = FastAPI()
    install(app)

    @app.post("/")
    def give_up() -> None:
        raise GivenUpError("Begun anew.")

    answer = TestClient(app).post("/")
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "1")


async def ask(app: Any) -> list[Any]:
    """Send a request with a key to an app that is none but this layer; return what is sent back."""
    told = list[Any]()

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        told.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(b"idempotency-key", b"k")],
    }
    await app(scope, receive, send)
    return told


def test_a_key_that_comes_as_basic_is_a_caller_too(api: Api) -> None:
    credentials = base64.b64encode(f"{api.key}:".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Idempotency-Key": "k"}
    body = {"event": "Product Viewed", "userId": "pets-1", "messageId": "m-1", "properties": {"sku": "milk-1"}}
    first, again = (api.client.post("/v1/track", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert (again.headers.get("idempotent-replayed"), again.json()) == ("true", first.json())
    for wrong in ("Basic", "Basic !", "Basic " + base64.b64encode(b"ak_wrong:").decode()):
        refused = api.client.post("/v1/track", json=body, headers={**headers, "Authorization": wrong})
        assert refused.status_code == 401


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.sampled_from(["a", "b", "c"]), max_size=8))
def test_any_order_of_repeats_leaves_one_member_per_key(api: Api, names: list[str]) -> None:
    for name in names:
        assert add(api, f"prop-{name}", f"key-{name}").status_code == 201
    found = [one.external_id for one in api.services.members.page(limit=200) if one.external_id.startswith("prop-")]
    assert len(found) == len(set(found))


def test_an_upload_that_is_cut_off_is_not_taken_for_the_request(api: Api) -> None:
    body = b'{"external_id": "crm-1", "display_name": "Ann"}'
    told: list[Any] = []

    async def cut_off() -> None:
        parts = iter([{"type": "http.request", "body": body[:10], "more_body": True}, {"type": "http.disconnect"}])

        async def receive() -> Any:
            return next(parts)

        async def send(message: Any) -> None:
            told.append(message)

        headers = [(b"authorization", api.headers()["Authorization"].encode()), (b"idempotency-key", b"k")]
        scope = {
            "type": "http", "method": "POST", "path": "/v1/members", "raw_path": b"/v1/members", "query_string": b"", "root_path": "",
            "headers": [*headers, (b"content-type", b"application/json")], "http_version": "1.1", "scheme": "http", "server": ("testserver", 80),
            "client": ("testclient", 1), "state": {},
        }  # fmt: skip
        await api.client.app(scope, receive, send)  # type: ignore[operator]

    asyncio.run(cut_off())
    assert told == []
    whole = api.client.post(
        "/v1/members",
        content=body,
        headers={**api.headers(), "Idempotency-Key": "k", "Content-Type": "application/json"},
    )
    assert whole.status_code == 201
