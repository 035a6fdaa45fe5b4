"""Conversations with a running shop over HTTP, as its widget has them."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
from sqlalchemy import func, select

from bench.conversations.heard import STATES, Heard, about
from stores.crypto import new_key
from stores.database import Database
from stores.tables import order_lines, products

PATIENCE_S = 20.0
MEMBERS = 400


class ShopError(RuntimeError):
    """The shop cannot be talked to; the message says why and what to do."""


class Shop:
    """A running shop: hands out conversations, each member's to one script only, and knows what is sold where it may look.

    Parameters
    ----------
    url : the api's address
    key : an API key with the scope widget-tokens; None uses the demo's own sign-in
    members : ids of members who have bought something; None asks the demo for its three
    database : the shop's SQLite file, where it lies on this machine: what is sold is read from it
    """

    def __init__(
        self, url: str, *, key: str | None = None, members: Sequence[str] | None = None, database: Path | None = None
    ) -> None:
        self._client = httpx.Client(base_url=url.rstrip("/"), timeout=PATIENCE_S)
        self._key, self._lock, self._next = key, threading.Lock(), 0
        self._goods = _goods(database) if database else None
        self._sold: dict[tuple[str, ...], bool] = {}
        self._check(url)
        self._members = list(members) if members is not None else self._demo_members()

    def __enter__(self) -> Shop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def talk(self, who: str) -> LiveTalk:
        """Begin a conversation as a new visitor, or as the next member."""
        member = None
        if who == "member":
            if not self._members:
                raise ShopError("no member is known; name some with --member")
            with self._lock:
                member, self._next = self._members[self._next % len(self._members)], self._next + 1
        return LiveTalk(self._client, self._token(member))

    def sells(self, words: tuple[str, ...]) -> bool | None:
        """Whether a product that may be shown has one of the words; None where the catalogue cannot be read."""
        if self._goods is None:
            return None
        if words not in self._sold:
            self._sold[words] = any(about(item, words) for item in self._goods)
        return self._sold[words]

    def _check(self, url: str) -> None:
        try:
            self._client.get("/healthz").raise_for_status()
        except httpx.HTTPError as error:
            raise ShopError(f"nothing answers at {url} ({type(error).__name__}); start it with `aisle up`") from error

    def _token(self, member: str | None) -> str:
        body = {"member_id": member} if member else {}
        if self._key is not None:
            answer = self._client.post("/v1/widget-tokens", json=body, headers={"Authorization": f"Bearer {self._key}"})
        else:
            answer = self._client.get("/demo/session", params={"member": member} if member else {})
        if answer.status_code == httpx.codes.NOT_FOUND and self._key is None:
            raise ShopError("this is not a demo shop; give an API key with the scope widget-tokens by --key")
        if answer.is_error:
            raise ShopError(f"the shop gives no widget token: {_problem(answer)}")
        return str(answer.json()["token"])

    def _demo_members(self) -> list[str]:
        answer = self._client.get("/demo/members", timeout=60)
        return [m["member_id"] for m in answer.json()["members"]] if answer.is_success else []


class LiveTalk:
    """One conversation."""

    def __init__(self, client: httpx.Client, token: str) -> None:
        self._client, self._headers = client, {"Authorization": f"Bearer {token}"}
        answer = client.post("/v1/conversations", headers=self._headers)
        if answer.is_error:
            raise ShopError(f"no conversation can be started: {_problem(answer)}")
        self.conversation_id = answer.json()["conversation_id"]

    def say(self, text: str, title: str | None = None, *, basket: bool = False) -> Heard:
        """Send a message; what the api refuses, or does not answer in time, is trouble."""
        started = time.perf_counter()
        try:
            answer = self._client.post(
                f"/v1/conversations/{self.conversation_id}/messages",
                json={"text": text, **({"title": title} if title else {})},
                headers=self._headers,
            )
        except httpx.HTTPError as error:
            return Heard(text, (), {}, "", "bot", time.perf_counter() - started, trouble=type(error).__name__)
        seconds = time.perf_counter() - started
        if answer.is_error:
            return Heard(text, (), {}, "", "bot", seconds, trouble=f"the api says {_problem(answer)}")
        body = answer.json()
        return Heard(
            text, [message for message in body["messages"] if message["role"] != "user"], body["affect"] or {}, body["engine"], handoff(body.get("state", body.get("handoff"))),
            seconds, self._basket() if basket else None,
        )  # fmt: skip

    def history(self) -> list[Mapping[str, Any]]:
        """Return the messages so far."""
        answer = self._client.get(f"/v1/conversations/{self.conversation_id}", headers=self._headers)
        return list(answer.json()["messages"]) if answer.is_success else []

    def _basket(self) -> Mapping[str, Any] | None:
        answer = self._client.get("/v1/basket", headers=self._headers)
        return answer.json() if answer.is_success else None


def handoff(told: Any) -> str:
    """Return the hand-off's state, whether the api tells it as a word or as yes and no; handed back is the assistant's again."""
    found = STATES[told] if told in STATES else str(told)
    return "bot" if found == "returned" else found


def members_of(database: Path) -> list[str]:
    """Return the members who bought most often, most first."""
    query = (
        select(order_lines.c.member_id)
        .where(order_lines.c.member_id.is_not(None))
        .group_by(order_lines.c.member_id)
        .order_by(func.count().desc(), order_lines.c.member_id)
        .limit(MEMBERS)
    )
    return [str(row.member_id) for row in _read(database, query)]


def _goods(database: Path) -> list[dict[str, Any]]:
    query = select(products.c.name, products.c.category).where(products.c.recommendable).distinct()
    return [{"name": row.name, "category": row.category} for row in _read(database, query)]


def _read(database: Path, query: Any) -> Sequence[Any]:
    db = Database(f"sqlite:///{database}", new_key())
    try:
        with db.read() as connection:
            return connection.execute(query).all()
    finally:
        db.dispose()


def _problem(answer: httpx.Response) -> str:
    try:
        told = answer.json()
        return f"{answer.status_code}, {told.get('detail') or told.get('title')}"
    except ValueError:
        return str(answer.status_code)
