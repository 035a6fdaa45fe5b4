"""Whom to tell (endpoints), and how far each of them has been told (deliveries)."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select, update

from personalization.types import MemberId, Subject
from stores.database import Check, Database, new_id
from stores.errors import ConflictError, NotFoundError
from stores.outbox import OBLIGE, PROFILED, RETRIED_FOR, SEALED_AS, agrees, topics_of
from stores.outbox_tables import webhook_deliveries, webhook_endpoints

Kind = Literal["webhook", "hubspot", "salesforce"]
Status = Literal["active", "paused", "disabled"]
OVERLAP = timedelta(days=1)
KEPT_FOR = timedelta(days=30)
_BITE = 500
BREAKS_AFTER = 5  # failures in a row, until the circuit opens


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Somebody who is told. `secret` signs; `old_secret` does so too until `old_until`. `options` are a connector's."""

    endpoint_id: str
    kind: Kind
    name: str
    url: str
    topics: tuple[str, ...]
    status: Status
    reason: str | None
    secret: str
    old_secret: str | None
    old_until: datetime | None
    options: Mapping[str, str]
    failures: int
    retry_at: datetime | None
    created_at: datetime
    updated_at: datetime

    def secrets(self, at: datetime) -> list[str]:
        """Return the secrets that sign at `at`, the newest first."""
        old = self.old_secret if self.old_until is not None and at < self.old_until else None
        return [self.secret, *([old] if old else [])]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint. `event` is None once it was delivered."""

    seq: int
    event_id: str
    topic: str
    status: str
    attempts: int
    at: datetime
    due_at: datetime
    give_up_at: datetime
    ended_at: datetime | None
    answer: str | None
    event: Mapping[str, Any] | None


def new_secret() -> str:
    """Return a secret in the form of Standard Webhooks: `whsec_` and base64 of 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


class SqlWebhooks:
    """Endpoints, and the queue of each."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def create(
        self, name: str, url: str, topics: Sequence[str], *, at: datetime, kind: Kind = "webhook",
        options: Mapping[str, str] | None = None,
    ) -> Endpoint:  # fmt: skip
        """Store an endpoint with a new secret."""
        made = Endpoint(
            new_id(), kind, name, url, topics_of(kind, topics), "active", None, new_secret(), None, None, options or {}, 0, None, at, at
        )  # fmt: skip
        sealed = self._seal(made)  # before the transaction: it may have to make the key
        with self._db.write() as connection:
            connection.execute(
                insert(webhook_endpoints).values(
                    endpoint_id=made.endpoint_id, kind=kind, name=name, topics=list(made.topics), status="active", sealed=sealed,
                    failures=0, created_at=at, updated_at=at,
                )
            )  # fmt: skip
        return made

    def all(self) -> list[Endpoint]:
        """Return every endpoint, oldest first."""
        with self._db.read() as connection:
            rows = connection.execute(select(webhook_endpoints).order_by(webhook_endpoints.c.endpoint_id)).all()
        return [self._endpoint(row) for row in rows]

    def get(self, endpoint_id: str) -> Endpoint:
        """Return an endpoint; NotFoundError."""
        with self._db.read() as connection:
            return self._read(connection, endpoint_id)

    def change(self, endpoint_id: str, *, at: datetime, check: Check[Endpoint] = None, **changes: Any) -> Endpoint:
        """Change name, url, topics, status, options or secrets.

        Made active again, it starts without failures, and what has waited has all its time still to come.
        """
        with self._db.write() as connection:
            found = replace(self._read(connection, endpoint_id, check=check, lock=True), updated_at=at, **changes)
            found = replace(found, topics=topics_of(found.kind, found.topics))
            if "status" in changes:
                found = replace(found, reason=None, failures=0, retry_at=None)
            if changes.get("status") == "active":
                waits = (webhook_deliveries.c.endpoint_id == endpoint_id, webhook_deliveries.c.status == "pending")
                anew = {"attempts": 0, "due_at": at, "give_up_at": at + RETRIED_FOR}
                connection.execute(update(webhook_deliveries).where(*waits).values(**anew))
            self._write(connection, found)
            return found

    def rotate(
        self, endpoint_id: str, *, at: datetime, overlap: timedelta = OVERLAP, check: Check[Endpoint] = None
    ) -> Endpoint:
        """Give the endpoint a new secret; the one before signs as well during the overlap."""
        with self._db.write() as connection:
            before = self._read(connection, endpoint_id, check=check, lock=True)
            found = replace(
                before, secret=new_secret(), old_secret=before.secret, old_until=at + overlap, updated_at=at
            )
            self._write(connection, found)
            return found

    def delete(self, endpoint_id: str, *, check: Check[Endpoint] = None) -> None:
        """Delete an endpoint with everything that it was to be told; NotFoundError."""
        with self._db.write() as connection:
            self._read(connection, endpoint_id, check=check, lock=True)
            connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.endpoint_id == endpoint_id))
            connection.execute(delete(webhook_endpoints).where(webhook_endpoints.c.endpoint_id == endpoint_id))

    def deliveries(
        self, endpoint_id: str, *, status: str | None = None, after: int = 0, limit: int = 50
    ) -> list[Delivery]:
        """Return up to `limit` deliveries behind position `after`, in their order."""
        mine = [webhook_deliveries.c.endpoint_id == endpoint_id, webhook_deliveries.c.seq > after]
        if status is not None:
            mine.append(webhook_deliveries.c.status == status)
        query = select(webhook_deliveries).where(*mine).order_by(webhook_deliveries.c.seq).limit(limit)
        with self._db.read() as connection:
            self._read(connection, endpoint_id)
            return [self._delivery(row) for row in connection.execute(query)]

    def counts(self, endpoint_id: str) -> dict[str, int]:
        """Return how many deliveries of each status there are."""
        query = select(webhook_deliveries.c.status, func.count()).where(webhook_deliveries.c.endpoint_id == endpoint_id)
        with self._db.read() as connection:
            found = {row[0]: row[1] for row in connection.execute(query.group_by(webhook_deliveries.c.status))}
        return {status: found.get(status, 0) for status in ("pending", "delivered", "dead")}

    def replay(self, endpoint_id: str, *, at: datetime, seq: int | None = None) -> int:
        """Queue dead letters again (or the one), each at its old place in the order; return how many."""
        dead = [webhook_deliveries.c.endpoint_id == endpoint_id, webhook_deliveries.c.status == "dead"]
        if seq is not None:
            dead.append(webhook_deliveries.c.seq == seq)
        again = {
            "status": "pending", "attempts": 0, "due_at": at, "give_up_at": at + RETRIED_FOR, "ended_at": None, "answer": None,
        }  # fmt: skip
        with self._db.write() as connection:
            self._read(connection, endpoint_id, lock=True)
            return connection.execute(update(webhook_deliveries).where(*dead).values(**again)).rowcount

    def give_up(self, endpoint_id: str, seq: int, *, at: datetime) -> None:
        """Make one waiting delivery a dead letter, so that what waits behind it goes on; ConflictError."""
        with self._db.write() as connection:
            self._read(connection, endpoint_id, lock=True)
            one = (webhook_deliveries.c.endpoint_id == endpoint_id, webhook_deliveries.c.seq == seq)
            if not _end(connection, "dead", at, "given up by hand", *one):
                raise ConflictError(f"no delivery {seq} waits for this endpoint")

    def due(self, at: datetime) -> list[str]:
        """Return the endpoints whose next delivery may be tried: nobody has them, and no circuit is open."""
        d = webhook_deliveries.c  # per endpoint a look at an index's first entry, however much waits behind it
        mine = (d.endpoint_id == webhook_endpoints.c.endpoint_id, d.status == "pending")
        first = select(d.seq).where(*mine).order_by(d.seq).limit(1).correlate(webhook_endpoints).scalar_subquery()
        free = or_(webhook_endpoints.c.leased_until.is_(None), webhook_endpoints.c.leased_until <= at)
        closed = or_(webhook_endpoints.c.retry_at.is_(None), webhook_endpoints.c.retry_at <= at)
        query = (
            select(webhook_endpoints.c.endpoint_id)
            .join(webhook_deliveries, d.seq == first)
            .where(webhook_endpoints.c.status == "active", free, closed, d.due_at <= at)
            .order_by(d.due_at)
        )
        with self._db.read() as connection:
            return list(connection.scalars(query))

    def lease(self, endpoint_id: str, owner: str, *, at: datetime, until: datetime) -> bool:
        """Take the endpoint for `owner`; False when somebody else has it."""
        free = or_(
            webhook_endpoints.c.leased_until.is_(None),
            webhook_endpoints.c.leased_until <= at,
            webhook_endpoints.c.leased_by == owner,
        )
        mine = and_(webhook_endpoints.c.endpoint_id == endpoint_id, webhook_endpoints.c.status == "active")
        taken = update(webhook_endpoints).where(mine, free).values(leased_by=owner, leased_until=until)
        with self._db.write() as connection:
            return connection.execute(taken).rowcount > 0

    def release(self, endpoint_id: str, owner: str) -> None:
        """Let others have the endpoint."""
        mine = and_(webhook_endpoints.c.endpoint_id == endpoint_id, webhook_endpoints.c.leased_by == owner)
        with self._db.write() as connection:
            connection.execute(update(webhook_endpoints).where(mine).values(leased_by=None, leased_until=None))

    def head(self, endpoint_id: str, *, at: datetime) -> Delivery | None:
        """Return the oldest delivery that waits, if it is due: nothing overtakes it."""
        waits = (webhook_deliveries.c.endpoint_id == endpoint_id, webhook_deliveries.c.status == "pending")
        query = select(webhook_deliveries).where(*waits).order_by(webhook_deliveries.c.seq).limit(1)
        with self._db.read() as connection:
            row = connection.execute(query).first()
        return None if row is None or row.due_at > at else self._delivery(row)

    def withheld(self, delivery: Delivery, *, at: datetime) -> bool:
        """Whether it tells what was concluded about a member who does not agree to that any more: a consent expires on its own."""
        member_id = (delivery.event or {"data": {}})["data"].get("member_id")
        if delivery.topic not in PROFILED or member_id is None:
            return False
        with self._db.read() as connection:
            return not agrees(connection, Subject(MemberId(str(member_id))), at=at)

    def delivered(self, endpoint_id: str, seq: int, *, at: datetime, answer: str, owner: str | None = None) -> bool:
        """Note that it arrived; its content is not kept. False, and nothing is noted, where `owner` has lost the lease."""
        with self._db.write() as connection:
            if not _holds(connection, endpoint_id, owner):
                return False
            _end(connection, "delivered", at, answer, webhook_deliveries.c.seq == seq)
            well = update(webhook_endpoints).where(
                webhook_endpoints.c.endpoint_id == endpoint_id, webhook_endpoints.c.failures > 0
            )
            connection.execute(well.values(failures=0, retry_at=None))
        return True

    def failed(
        self, endpoint_id: str, delivery: Delivery, *, at: datetime, answer: str, wait: timedelta, pause: timedelta,
        owner: str | None = None,
    ) -> None:  # fmt: skip
        """Note a failed attempt: it is tried again after `wait`, or is a dead letter when its time is over.

        After BREAKS_AFTER failures in a row the circuit opens: nothing is tried for `pause`. Whatever else of the
        endpoint's has run out of time meanwhile is a dead letter, too. Nothing is noted where `owner` has lost the lease.
        """
        one = webhook_deliveries.c.seq == delivery.seq
        due = max(min(at + wait, delivery.give_up_at), at)
        waits = (webhook_deliveries.c.endpoint_id == endpoint_id, webhook_deliveries.c.status == "pending")
        with self._db.write() as connection:
            if not _holds(connection, endpoint_id, owner):
                return
            tried = update(webhook_deliveries).where(one, webhook_deliveries.c.status == "pending")
            connection.execute(tried.values(attempts=delivery.attempts + 1, due_at=due, answer=answer))
            if at >= delivery.give_up_at:
                _end(connection, "dead", at, answer, one)
                late = and_(*waits, webhook_deliveries.c.give_up_at <= at)
                _end(connection, "dead", at, f"not tried: the endpoint kept failing ({answer})"[:200], late)
            mine = webhook_endpoints.c.endpoint_id == endpoint_id
            connection.execute(update(webhook_endpoints).where(mine).values(failures=webhook_endpoints.c.failures + 1))
            often = webhook_endpoints.c.failures >= BREAKS_AFTER
            connection.execute(update(webhook_endpoints).where(mine, often).values(retry_at=at + pause))

    def disable(self, endpoint_id: str, *, at: datetime, reason: str, owner: str | None = None) -> None:
        """Tell the endpoint nothing any more; what waited for it are dead letters, but for what others have to act upon."""
        with self._db.write() as connection:
            if not _holds(connection, endpoint_id, owner):
                return
            mine = webhook_endpoints.c.endpoint_id == endpoint_id
            connection.execute(
                update(webhook_endpoints).where(mine).values(status="disabled", reason=reason, updated_at=at)
            )
            mine = webhook_deliveries.c.endpoint_id == endpoint_id
            _end(connection, "dead", at, reason, mine, webhook_deliveries.c.topic.not_in(OBLIGE))

    def purge(self, *, now: datetime) -> int:
        """Delete what ended KEPT_FOR ago; return how much there was.

        What has waited as long for an endpoint that is not active is a dead letter now, but for what others have to act upon.
        """
        d, gone = webhook_deliveries.c, 0
        idle = select(webhook_endpoints.c.endpoint_id).where(webhook_endpoints.c.status != "active")
        late = (d.status == "pending", d.at < now - KEPT_FOR, d.endpoint_id.in_(idle), d.topic.not_in(OBLIGE))
        with self._db.read() as connection:
            any_late = connection.scalar(select(d.seq).where(*late).limit(1)) is not None
        if any_late:
            with self._db.write() as connection:
                _end(connection, "dead", now, "it waited too long for an endpoint that is not active", *late)
        old = (d.status.in_(("delivered", "dead")), d.ended_at < now - KEPT_FOR)
        while True:  # in bites, so that nobody waits long for them
            with self._db.read() as connection:  # who only looks keeps nobody waiting
                some = list(connection.scalars(select(d.seq).where(*old).limit(_BITE)))
            if not some:
                return gone
            with self._db.write() as connection:  # one may have been queued again meanwhile
                gone += connection.execute(delete(webhook_deliveries).where(d.seq.in_(some), *old)).rowcount

    def _read(
        self, connection: Connection, endpoint_id: str, *, check: Check[Endpoint] = None, lock: bool = False
    ) -> Endpoint:
        query = select(webhook_endpoints).where(webhook_endpoints.c.endpoint_id == endpoint_id)
        row = connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise NotFoundError(f"there is no webhook endpoint {endpoint_id}; GET /v1/webhook-endpoints lists them")
        found = self._endpoint(row)
        if check:
            check(found)
        return found

    def _write(self, connection: Connection, found: Endpoint) -> None:
        mine = webhook_endpoints.c.endpoint_id == found.endpoint_id
        connection.execute(
            update(webhook_endpoints)
            .where(mine)
            .values(
                name=found.name, topics=list(found.topics), status=found.status, reason=found.reason, sealed=self._seal(found),
                failures=found.failures, retry_at=found.retry_at, updated_at=found.updated_at,
            )
        )  # fmt: skip

    def _seal(self, found: Endpoint) -> bytes:
        until = None if found.old_until is None else found.old_until.isoformat()
        body = {
            "url": found.url, "secret": found.secret, "old_secret": found.old_secret, "old_until": until,
            "options": dict(found.options),
        }  # fmt: skip
        return self._db.seal(SEALED_AS, json.dumps(body).encode(), found.endpoint_id)

    def _endpoint(self, row: Row[Any]) -> Endpoint:
        body = json.loads(self._db.open(SEALED_AS, bytes(row.sealed), row.endpoint_id))
        until = None if body["old_until"] is None else datetime.fromisoformat(body["old_until"])
        return Endpoint(
            row.endpoint_id, row.kind, row.name, body["url"], topics_of(row.kind, row.topics), row.status, row.reason, body["secret"],
            body["old_secret"], until, body["options"], row.failures, row.retry_at, row.created_at, row.updated_at,
        )  # fmt: skip

    def _delivery(self, row: Row[Any]) -> Delivery:
        event = None
        if row.sealed is not None:
            event = json.loads(self._db.open(SEALED_AS, bytes(row.sealed), row.event_id))
        return Delivery(
            row.seq, row.event_id, row.topic, row.status, row.attempts, row.at, row.due_at, row.give_up_at, row.ended_at,
            row.answer, event,
        )  # fmt: skip


def _holds(connection: Connection, endpoint_id: str, owner: str | None) -> bool:
    """Whether `owner` still has the endpoint, until the end of the transaction; None is somebody who needs no lease."""
    held = select(webhook_endpoints.c.leased_by).where(webhook_endpoints.c.endpoint_id == endpoint_id).with_for_update()
    return owner is None or connection.scalar(held) == owner


def _end(connection: Connection, status: str, at: datetime, answer: str, *which: Any) -> int:
    """Set the status of waiting deliveries for good; a delivered one loses its content and whom it was about."""
    gone: dict[str, Any] = {}
    if status == "delivered":
        gone = {"sealed": None, "person": None, "attempts": webhook_deliveries.c.attempts + 1}
    change = update(webhook_deliveries).where(webhook_deliveries.c.status == "pending", *which)
    return connection.execute(change.values(status=status, ended_at=at, answer=answer[:200], **gone)).rowcount
