"""Shoppers in a browser: their widget tokens, and the sessions that these count by."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from starlette.types import Scope

from api.errors import ProblemError
from personalization.types import MemberId, Subject, VisitorId
from stores.errors import NotFoundError
from stores.keys import Key
from stores.widget_sessions import SqlWidgetSessions

TOKEN_LIFETIME = timedelta(minutes=15)
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_FOUND = "shopper"


@dataclass(frozen=True, slots=True)
class Visitor:
    """The one shopper that a widget token speaks for, in one session."""

    visitor_id: VisitorId
    member_id: MemberId | None
    key_id: str
    session_id: str = ""

    def may_see(self, visitor_id: str | None, member_id: str | None) -> bool:
        """Whether something of this visitor and member is this shopper's: a browser may have several members in turn."""
        return visitor_id == self.visitor_id and member_id in {None, self.member_id}

    @property
    def subject(self) -> Subject:
        """Whom decisions are for."""
        return Subject(self.member_id, self.visitor_id)


class WidgetTokens:
    """Short-lived signed tokens (JWT, HS256), signed with the first secret; those of a secret before it count, too."""

    def __init__(self, *secrets: bytes) -> None:
        self._secrets = secrets

    def issue(self, visitor: Visitor, *, expires_at: datetime) -> str:
        """Return a token for `visitor`."""
        claims = {
            "aud": "widget",
            "sub": visitor.visitor_id,
            "member": visitor.member_id,
            "key": visitor.key_id,
            "sid": visitor.session_id,
            "exp": expires_at,
        }
        return jwt.encode(claims, self._secrets[0], "HS256")

    def read(self, token: str) -> Visitor:
        """Return whom `token` was made for; ProblemError 401 when it is not ours or too old. Whether it still counts its session says."""
        try:
            claims = self._claims(token)
        except (jwt.ExpiredSignatureError, jwt.MissingRequiredClaimError) as error:  # or of a release before sessions
            raise ProblemError(
                401, "token-expired", "The widget token is too old; ask your server for a new one.", headers=_CHALLENGE
            ) from error
        except jwt.InvalidTokenError as error:
            raise ProblemError(
                401, "unauthorized", "The widget token does not work here.", headers=_CHALLENGE
            ) from error
        member = claims.get("member")
        whom = VisitorId(claims["sub"]), None if member is None else MemberId(member)
        return Visitor(*whom, claims["key"], claims["sid"])

    def _claims(self, token: str) -> dict[str, Any]:
        for secret in self._secrets:
            with suppress(jwt.InvalidSignatureError):
                return jwt.decode(
                    token, secret, ["HS256"], audience="widget", options={"require": ["exp", "sub", "key", "sid"]}
                )
        raise jwt.InvalidSignatureError


class ShopperSessions:
    """Starts, renews and finds shoppers' sessions; none is renewed for longer than `longest`."""

    def __init__(self, tokens: WidgetTokens, sessions: SqlWidgetSessions, longest: timedelta) -> None:
        self._tokens, self._sessions, self._longest = tokens, sessions, longest

    def start(self, who: Visitor, *, now: datetime | None = None) -> tuple[str, Visitor, datetime]:
        """Begin a session; return its first token, whom it speaks for, and its end. ProblemError 404 for a member who is gone."""
        at = now or datetime.now(UTC)
        expires_at = at + min(TOKEN_LIFETIME, self._longest)
        try:
            made = self._sessions.start(who.visitor_id, who.member_id, who.key_id, at=at, expires_at=expires_at)
        except NotFoundError as error:
            raise ProblemError(404, "not-found", f"There is no member {who.member_id}.") from error
        mine = replace(who, session_id=made.session_id)
        return self._tokens.issue(mine, expires_at=expires_at), mine, expires_at

    def renew(self, who: Visitor, *, now: datetime | None = None) -> tuple[str, Visitor, datetime]:
        """Return what `start` does, for the same session; ProblemError 401 when it was ended, or is as old as one gets."""
        at = now or datetime.now(UTC)
        found = self._sessions.find(who.session_id)
        end = found[0].started_at + self._longest if found else at
        expires_at = min(at + TOKEN_LIFETIME, end)
        if expires_at <= at or not self._sessions.renew(who.session_id, at=at, expires_at=expires_at):
            raise _ended()
        return self._tokens.issue(who, expires_at=expires_at), who, expires_at

    def find(self, token: str) -> tuple[Visitor, Key]:
        """Return whom `token` speaks for and the key that it was made with; ProblemError 401 when its session or that key was ended."""
        who = self._tokens.read(token)
        found = self._sessions.find(who.session_id)
        if found is None:
            raise _ended()
        return who, found[1]

    def counts(self, who: Visitor) -> bool:
        """Whether a session that was found still counts, for who has followed something for a while."""
        found = self._sessions.find(who.session_id)
        return found is not None and datetime.now(UTC) < found[0].started_at + self._longest


def found_before(scope: Scope, token: str) -> tuple[Visitor, Key] | None:
    """Return whom this request has been found to be from, by this token."""
    before: tuple[str, tuple[Visitor, Key]] | None = scope.get("state", {}).get(_FOUND)
    return before[1] if before is not None and before[0] == token else None


def known(scope: Scope, sessions: ShopperSessions, token: str) -> tuple[Visitor, Key]:
    """Return what `ShopperSessions.find` does, with one query for the whole request."""
    found = found_before(scope, token)
    if found is None:
        found = sessions.find(token)
        scope.setdefault("state", {})[_FOUND] = (token, found)
    return found


def key_of(scope: Scope) -> Key:
    """Return the key that this request's session was begun with; the session has been found."""
    found: tuple[str, tuple[Visitor, Key]] = scope["state"][_FOUND]
    return found[1][1]


def _ended() -> ProblemError:
    detail = "The shopper was signed out, or for too long in; ask your server for a new token."
    return ProblemError(401, "session-ended", detail, headers=_CHALLENGE)
