"""Who a member is, as another system says it: each message once, and an older one changes nothing that a newer one said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from personalization.types import EventType, MemberId, Subject
from stores.database import Database, new_id
from stores.errors import ConflictError
from stores.events import Event, Status, append, in_order
from stores.members import email_hash
from stores.outbox import Topic, tell
from stores.tables import events, members


@dataclass(frozen=True, slots=True)
class Saying:
    """What a message says of the member with the retailer's own key. `event_id` follows from the message's own id.

    may_change : whether the sender may make members and change names and addresses.
    """

    event_id: str
    external_id: str
    display_name: str | None
    email: str | None
    at: datetime
    may_change: bool


@dataclass(frozen=True, slots=True)
class Identified:
    """What came of it: `fresh` is False for a message that was taken before, and then nothing was changed.

    changed : what of the member is another now, or "created".
    """

    member_id: MemberId | None
    fresh: bool
    statuses: tuple[Status, ...] = ()
    changed: tuple[str, ...] = ()


class SqlIdentifying:
    """Takes what is said of members."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def take(
        self, said: Saying, more: Callable[[MemberId], Sequence[Event]] = lambda _: (), *, now: datetime
    ) -> Identified:
        """Make or change the member, and append that it was said, with `more` events of theirs: all of it or nothing.

        That it was said names nobody in the log, so that it outlives an erasure: who is erased does not come back by a message
        that is sent again. A member who is made without a name is called by the key. ConflictError when somebody else was
        making the same member all the while.
        """
        self._db.fingerprint("contact", "")  # makes the key before the transaction
        for last in (False, True):
            try:
                with self._db.write() as connection:
                    done = self._take(connection, said, more, now)
            except IntegrityError as error:  # another door made a member of this key
                if last:
                    raise ConflictError(f"the member {said.external_id} is just being made; send it again") from error
            else:
                break
        self._db.appended.set()
        return done

    def _take(
        self, connection: Connection, said: Saying, more: Callable[[MemberId], Sequence[Event]], now: datetime
    ) -> Identified:
        in_order(connection)  # of two who take the same message one waits here for the other
        row = connection.execute(
            select(members).where(members.c.external_id == said.external_id).with_for_update()
        ).first()
        if connection.scalar(select(exists().where(events.c.event_id == said.event_id))):
            return Identified(None if row is None else MemberId(row.member_id), False)
        if row is None and not said.may_change:
            return Identified(None, True)
        member_id = MemberId(new_id() if row is None else row.member_id)
        changed = self._write(connection, said, row, member_id) if said.may_change else []
        marker = Event(said.event_id, EventType.IDENTIFIED, said.at, "api")
        statuses = append(connection, [marker, *more(member_id)], received_at=now)
        if changed:
            tell(
                self._db,
                connection,
                Topic.MEMBER_UPDATED,
                Subject(member_id),
                {"changed": changed},
                at=now,  # it is told for as long as anything is, however late it was said
            )
        return Identified(member_id, True, tuple(statuses[1:]), tuple(changed))

    def _write(self, connection: Connection, said: Saying, row: Row[Any] | None, member_id: MemberId) -> list[str]:
        """Make or change the row; return what to tell of it."""
        if row is None:
            connection.execute(
                insert(members).values(
                    member_id=member_id, external_id=said.external_id, display_name=said.display_name or said.external_id,
                    name_is_synthetic=False, created_at=said.at, said_at=said.at, **self._address(said, member_id),
                )
            )  # fmt: skip
            return ["created"]
        if row.said_at is not None and said.at < row.said_at:
            return []
        known = None if row.email is None else self._db.open("contact", bytes(row.email), member_id).decode()
        changes: dict[str, Any] = {}
        if said.display_name is not None and said.display_name != row.display_name:
            changes |= {"display_name": said.display_name, "name_is_synthetic": False}
        if said.email is not None and said.email != known:
            changes |= self._address(said, member_id)
        change = update(members).where(members.c.member_id == member_id)
        connection.execute(change.values(said_at=said.at, **changes))
        return sorted(changes.keys() - {"name_is_synthetic", "email_hash"})

    def _address(self, said: Saying, member_id: MemberId) -> dict[str, Any]:
        if said.email is None:
            return {}
        return {
            "email": self._db.seal("contact", said.email.encode(), member_id), "email_hash": email_hash(self._db, said.email)
        }  # fmt: skip
