"""A keyed request whose api process is killed (kill -9) anywhere is done once, when it is sent again to another process."""

from __future__ import annotations

import signal
import socket
from datetime import timedelta
from multiprocessing import get_context
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from api.opening import master_keys
from stores.api_tables import replies
from stores.coupon_tables import coupons
from stores.replies import ABANDONED
from stores.tables import decisions
from tests.api.conftest import Api
from tests.api.dying import Point, serve

ANSWER_S = 120  # a process that starts on a busy machine


def ask_one_that_dies(api: Api, body: dict[str, Any], headers: dict[str, str], point: Point) -> None:
    """Send a request to a process that is killed at this point."""
    url, state = api.services.db.url.render_as_string(hide_password=False), api.services.settings.state_dir
    master_keys(api.services.settings)  # made by whoever is first
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/v1/coupons"
        dying = get_context("spawn").Process(target=serve, args=(listening, url, state, point))
        dying.start()
    with pytest.raises(httpx.TransportError):
        httpx.post(address, json=body, headers=headers, timeout=ANSWER_S)
    dying.join(ANSWER_S)
    assert dying.exitcode == -signal.SIGKILL


def wait_until_nobody_works_at_it(api: Api) -> None:
    """Let the time pass for which a process that is silent may still be there."""
    with api.services.db.write() as connection:
        [at] = connection.scalars(select(replies.c.at))
        connection.execute(update(replies).values(at=at - ABANDONED - timedelta(seconds=1)))


def count(api: Api, table: Any) -> int:
    with api.services.db.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize(
    ("point", "status", "code", "decided"),
    [
        ("begun", 201, None, 1),
        ("between", 409, "idempotency-answer-lost", 0),
        ("done", 409, "idempotency-answer-lost", 1),
        ("kept", 201, None, 1),
    ],
)
def test_whatever_is_killed_when_a_coupon_is_issued_once(
    api: Api, point: Point, status: int, code: str | None, decided: int
) -> None:
    body = {"member_id": api.member("pets-1").member_id}
    headers = {**api.headers(), "Idempotency-Key": "k"}
    before = count(api, decisions)
    ask_one_that_dies(api, body, headers, point)
    if point != "kept":
        busy = api.client.post("/v1/coupons", json=body, headers=headers)
        assert (busy.json()["code"], busy.headers["retry-after"]) == ("idempotency-key-in-use", "1")
        wait_until_nobody_works_at_it(api)
    for _ in range(2):
        again = api.client.post("/v1/coupons", json=body, headers=headers)
        assert (again.status_code, again.json().get("code") if again.is_error else None) == (status, code)
    assert (count(api, coupons), count(api, decisions) - before) == (1, decided)
