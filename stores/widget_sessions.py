"""Sessions of shoppers: what a widget token counts by, from its making through its renewals to its end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, select, update

from stores.api_tables import widget_sessions
from stores.conversations import GO_ON_FOR, bring_along
from stores.database import Database, new_id
from stores.errors import NotFoundError
from stores.keys import Key, key_of
from stores.tables import keys, members

IDLE = timedelta(hours=1)
_S = widget_sessions.c


@dataclass(frozen=True, slots=True)
class WidgetSession:
    """One browser of a visitor or member; `expires_at`: when its newest token is too old."""

    session_id: str
    visitor_id: str
    member_id: str | None
    key_id: str
    started_at: datetime
    renewed_at: datetime
    expires_at: datetime


class SqlWidgetSessions:
    """Sessions that are there count; one that is not is over."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def start(
        self, visitor_id: str, member_id: str | None, key_id: str, *, at: datetime, expires_at: datetime
    ) -> WidgetSession:
        """Begin one. A visitor who turns out to be a member ends the anonymous ones here, and the chat they are in becomes the member's.

        NotFoundError for a member who is gone.
        """
        made = WidgetSession(new_id(), visitor_id, member_id, key_id, at, at, expires_at)
        with self._db.write() as connection:
            if member_id is not None:
                known = select(members.c.member_id).where(members.c.member_id == member_id)
                if connection.scalar(known.with_for_update(read=True)) is None:  # an erasure waits, or was first
                    raise NotFoundError("there is no such member")
                bring_along(connection, visitor_id, member_id, since=at - GO_ON_FOR)
                anonymous = (_S.visitor_id == visitor_id) & _S.member_id.is_(None)
                connection.execute(delete(widget_sessions).where(anonymous))
            row = {name: getattr(made, name) for name in WidgetSession.__slots__}
            connection.execute(insert(widget_sessions).values(row))
        return made

    def find(self, session_id: str) -> tuple[WidgetSession, Key] | None:
        """Return a session with the key that its token was made with; None when either was ended. How long a token counts it says itself."""
        query = select(widget_sessions, *(column.label(f"key_{column.name}") for column in keys.columns))
        query = query.join(keys, keys.c.key_id == _S.key_id)
        with self._db.read() as connection:
            row = connection.execute(query.where(_S.session_id == session_id, keys.c.revoked_at.is_(None))).first()
        return None if row is None else (_session(row), key_of(row, "key_"))

    def renew(self, session_id: str, *, at: datetime, expires_at: datetime) -> bool:
        """Note a newer token; return whether the session still counts."""
        with self._db.write() as connection:
            change = update(widget_sessions).where(_S.session_id == session_id)
            return connection.execute(change.values(renewed_at=at, expires_at=expires_at)).rowcount > 0

    def of(self, member_id: str, *, now: datetime) -> list[WidgetSession]:
        """Return a member's sessions that count, one for each browser: its newest, since a page that is loaded again begins another."""
        query = select(widget_sessions).where(_S.member_id == member_id, _S.expires_at > now).order_by(_S.session_id)
        with self._db.read() as connection:
            rows = [_session(row) for row in connection.execute(query)]
        began: dict[str, datetime] = {}
        for row in rows:
            began.setdefault(row.visitor_id, row.started_at)
        newest = {row.visitor_id: replace(row, started_at=began[row.visitor_id]) for row in rows}
        return sorted(newest.values(), key=lambda one: one.session_id)

    def end(self, session_id: str, *, member_id: str | None = None) -> int:
        """End what somebody has in a session's browser, where it is the member's if one is named; return how many sessions were."""
        other = widget_sessions.alias().c
        mine = select(other.visitor_id).where(other.session_id == session_id)
        theirs = select(other.member_id).where(other.session_id == session_id).scalar_subquery()
        which = _S.visitor_id.in_(mine) & _S.member_id.is_not_distinct_from(theirs)
        return self._end(which if member_id is None else which & (_S.member_id == member_id))

    def end_all(self, member_id: str) -> int:
        """End all of a member; return how many were."""
        return self._end(_S.member_id == member_id)

    def purge(self, *, now: datetime) -> int:
        """Delete those whose last token has been too old for a while; return how many. An open page may follow its chat until then."""
        return self._end(_S.expires_at <= now - IDLE)

    def _end(self, which: ColumnElement[bool]) -> int:
        with self._db.write() as connection:
            return connection.execute(delete(widget_sessions).where(which)).rowcount


def _session(row: Row[Any]) -> WidgetSession:
    return WidgetSession(*(getattr(row, name) for name in WidgetSession.__slots__))
