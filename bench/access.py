"""Every route, asked by every kind of caller: who may is let in, and who may not is refused (bench/access.yml says who).

A caller is somebody with a credential that works, worked, or never did. What is somebody else's is asked for with a credential that
would do for one's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import yaml

from api.access import LIFETIME
from api.auth import SCOPES
from api.sessions import ADMIN, COOKIE, ROLES, scopes_of
from api.shoppers import TOKEN_LIFETIME, Visitor, WidgetTokens
from api.wiring import Services
from personalization.types import MemberId, VisitorId
from stores.database import new_id

MATRIX = Path(__file__).with_name("access.yml")
ENDLESS = frozenset(
    (
        "/v1/agents/stream",
        "/v1/overview/stream",
        "/v1/conversations/{conversation_id}/stream",
        "/v1/kiosks/{kiosk_id}/display",
    )
)
"""Who is let in here listens for ever."""
_ADDRESSES, _IN_PATH = "addresses", re.compile(r"\{(\w+)\}")
_SIGN_OUT = "/v1/me/session"
_OWN_CREDENTIALS = frozenset(("/v1/oauth/token",))
_REFUSED = frozenset((401, 403))
_NOT_LET_IN = frozenset(("unauthorized", "token-expired", "session-ended", "forbidden", "invalid-client"))
_OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
_OTHER_PAGE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}
_FOREIGN: Mapping[str, dict[str, Any]] = {
    "messages": {"text": "hello"}, "read": {"message_id": "{message_id}"}, "typing": {"on": True}, "signals": {"behaviour": "rage_click"},
    "rating": {"score": 5}, "handoff": {},
}  # fmt: skip
_PAPER = b"%PDF-1.4\n%%EOF"
Expected = Literal["in", "out"]


class Client(Protocol):
    """What sends a request: an httpx client, or a test's."""

    def request(self, method: str, url: str, **more: Any) -> Any:
        """Return the answer."""
        ...


@dataclass(frozen=True)
class Rule:
    """A route, and what it takes: "open", "visitor", "member", "device", "session", "key S", or "visitor" or "member or key S"."""

    method: str
    path: str
    takes: str

    @property
    def scope(self) -> str:
        """The scope of a key that is let in; empty where no key is."""
        return self.takes.split("key ", 1)[1] if "key " in self.takes else ""


def own_page(secret: str) -> dict[str, str]:
    """Return the header fields that a browser sends from the console's own page, in the session of `secret`."""
    return {**_OWN_PAGE, "Cookie": f"{COOKIE}={secret}"}


def rules() -> list[Rule]:
    """Return the whole matrix."""
    return [
        Rule(method, path, takes)
        for takes, routes in _written().items()
        if takes != _ADDRESSES
        for method, _, path in (route.partition(" ") for route in routes)
    ]


def addresses() -> tuple[frozenset[str], frozenset[str]]:
    """Return the ids in addresses that are somebody's own, and those that are everybody's who has the credential."""
    told = _written()[_ADDRESSES]
    return frozenset(told["owned"]), frozenset(told["shared"])


def unclassified() -> set[str]:
    """Return the ids in addresses that are in neither, and what is in both or in no address."""
    owned, shared = addresses()
    used = {name for rule in rules() for name in _IN_PATH.findall(rule.path)}
    return used ^ (owned ^ shared)


def _written() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(MATRIX.read_text(encoding="utf-8"))
    return found


def missing(document: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """Return the routes of an OpenAPI document that have no entry, and the entries that are of no route."""
    routes = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    entries = {f"{rule.method} {rule.path}" for rule in rules()}
    return routes - entries, entries - routes


@dataclass(frozen=True)
class Owner:
    """A victim: the kind of credential ("visitor", "member" or "session"), its header fields, and the ids of what is theirs."""

    kind: str
    headers: dict[str, str]
    ids: dict[str, str]


@dataclass
class Cast:
    """Everybody who asks: credentials by their names, and what belongs to victims."""

    services: Services
    client: Client
    kiosk_id: str = ""
    mine: dict[str, str] = field(default_factory=dict)
    owners: list[Owner] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open a kiosk, and let the victims talk, be recommended something and sign in."""
        self._keys = {scope: self._key(scope) for scope in SCOPES}
        self._all = self._key(*SCOPES)
        self._bare, revoked = self._key(), self._key(*SCOPES)
        self._revoked = revoked
        key = self.services.keys.find(revoked)
        assert key is not None
        self.services.keys.revoke(key.key_id, at=datetime.now(UTC))
        self.kiosk_id, self._device = self._kiosk()
        _, self._other_device = self._kiosk()
        self._me = self._token()
        self.mine = self._belongings(self._me)
        self._staff = {role: self._account(role) for role in ROLES}
        self.owners = [self._shopper("visitor", self._token()), self._shopper("member", self._token(member=self._member())), self._colleague()]  # fmt: skip

    def credentials(self, rule: Rule) -> Iterator[tuple[str, dict[str, str], Expected]]:
        """Yield name, header fields and expectation of everybody who may ask for a route."""
        for name, bearer, expected in self._bearers(rule):
            yield name, _headers(bearer), expected
        yield from self._sessions(rule)

    def _sessions(self, rule: Rule) -> Iterator[tuple[str, dict[str, str], Expected]]:
        """Yield everybody of the staff, each with a session of their own: it may be ended by what is asked."""
        now = datetime.now(UTC)
        let_in = [
            (f"a signed-in {role}", role, rule.takes == "session" or rule.scope in scopes_of((role,), SCOPES))
            for role in ROLES
        ]
        for name, role, expected in let_in:
            if rule.takes == "open" or not (expected and rule.path in ENDLESS):
                yield (
                    name,
                    {**_OWN_PAGE, **self._cookie(role, now)},
                    "in" if expected or rule.takes == "open" else "out",
                )
        out: Expected = "in" if rule.takes == "open" else "out"
        left = self._cookie(ADMIN, now)
        self.services.sessions.end(self._staff[ADMIN])
        yield "somebody signed out", {**_OWN_PAGE, **left}, out
        old = now - self.services.sessions.longest - timedelta(minutes=1)
        yield "somebody signed in a while ago", {**_OWN_PAGE, **self._cookie(ADMIN, old)}, out
        idle = now - timedelta(hours=self.services.settings.session_idle_hours, minutes=1)
        yield "somebody who went away", {**_OWN_PAGE, **self._cookie(ADMIN, idle)}, out
        if out == "out":
            yield "another site's page with a good session", {**_OTHER_PAGE, **self._cookie(ADMIN, now)}, out
            if rule.method != "GET":
                yield "a good session from nowhere", self._cookie(ADMIN, now), out

    def owners_of(self, rule: Rule) -> list[Owner]:
        """Return whose there is something at a route's address that nobody else may have; none where it tells of nothing owned."""
        if addresses()[0].isdisjoint(_IN_PATH.findall(rule.path)):
            return []
        kinds = {"visitor": ("visitor", "member"), "member": ("member",), "session": ("session",)}
        return [owner for owner in self.owners if owner.kind in kinds.get(rule.takes.split(" or ")[0], ())]

    def strangers(self, rule: Rule) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield name and header fields of everybody whose credential would do for what is theirs."""
        first = rule.takes.split(" or ")[0]
        if first == "visitor":
            yield "a visitor", _headers(self._me)
        if first in {"visitor", "member"}:
            yield "a member", _headers(self._token(member=self._member()))
        if first == "session":
            yield "an admin", {**_OWN_PAGE, **self._cookie(ADMIN, datetime.now(UTC))}

    def _shopper(self, kind: str, token: str) -> Owner:
        """Return a shopper with a conversation, a file in it, a decision, and a session beside the one that asks."""
        ids = {**self._belongings(token), "session_id": self.services.tokens.read(token).session_id}
        return Owner(kind, _headers(token), ids)

    def _colleague(self) -> Owner:
        """Return an admin with two sessions and two passkeys, of which one may go."""
        now, account = datetime.now(UTC), self._account(ADMIN)
        secret, _ = self.services.sessions.start(account, "password", browser="matrix", at=now)
        _, other = self.services.sessions.start(account, "password", browser="matrix", at=now)
        kept = [
            self.services.passkeys.add(account, new_id().encode(), b"k", sign_count=0, transports=(), name=name, at=now)
            for name in ("one", "two")
        ]
        return Owner("session", own_page(secret), {"session_id": other.session_id, "passkey_id": kept[0].passkey_id})

    def _account(self, role: str) -> str:
        made = self.services.staff_accounts.add(
            f"{new_id()}@matrix.example", f"Matrix {role}", [role], at=datetime.now(UTC)
        )
        return made.account_id

    def _cookie(self, role: str, at: datetime) -> dict[str, str]:
        secret, _ = self.services.sessions.start(self._staff[role], "password", browser="matrix", at=at)
        return {"Cookie": f"{COOKIE}={secret}"}

    def _bearers(self, rule: Rule) -> Iterator[tuple[str, str, Expected]]:
        asks_key, asks_visitor = bool(rule.scope), rule.takes.startswith("visitor")
        let_in: dict[str, bool] = {
            "nobody": False, "a made-up key": False, "a made-up token": False, "a key without scopes": False, "a revoked key": False,
            "a key with every other scope": False, "a key with the scope": asks_key, "a device of another kiosk": False,
            "the device of the kiosk": rule.takes == "device", "a visitor": asks_visitor, "a member": asks_visitor or rule.takes.startswith("member"),
            "a visitor of a while ago": False, "a member who was signed out": False, "a visitor with a forged token": False, "an access token with the scope": asks_key,
            "an access token without the scope": False, "an access token of a while ago": False,
        }  # fmt: skip
        for name, expected in let_in.items():
            if rule.takes == "open":
                yield name, self.bearer(name, rule), "in"
            elif not (expected and rule.path in ENDLESS):
                yield name, self.bearer(name, rule), "in" if expected else "out"

    def bearer(self, name: str, rule: Rule) -> str:
        """Return somebody's credential; empty for nobody's."""
        secret, now = self._keys.get(rule.scope, self._all), datetime.now(UTC)
        others = [scope for scope in SCOPES if scope != rule.scope] if rule.scope else list(SCOPES)
        made: Mapping[str, Callable[[], str]] = {
            "nobody": lambda: "", "a made-up key": lambda: "ak_made-up", "a made-up token": lambda: "eyJ.made.up", "a key without scopes": lambda: self._bare,
            "a revoked key": lambda: self._revoked, "a key with every other scope": lambda: self._key(*others), "a key with the scope": lambda: secret,
            "a device of another kiosk": lambda: self._other_device, "the device of the kiosk": lambda: self._device, "a visitor": lambda: self._token() if rule.path == _SIGN_OUT else self._me,
            "a member": lambda: self._token(member=self._member()), "a visitor of a while ago": lambda: self._token(now=now - TOKEN_LIFETIME - timedelta(minutes=1)),
            "a visitor with a forged token": lambda: WidgetTokens(b"f" * 32).issue(self.services.tokens.read(self._me), expires_at=now + TOKEN_LIFETIME),
            "a member who was signed out": lambda: self._signed_out,
            "an access token with the scope": lambda: self._access(secret, [rule.scope], now),
            "an access token without the scope": lambda: self._access(self._key(*SCOPES), others if rule.scope else [], now),
            "an access token of a while ago": lambda: self._access(secret, [rule.scope], now - LIFETIME - timedelta(minutes=1)),
        }  # fmt: skip
        return made[name]()

    def path(self, rule: Rule, belongings: Mapping[str, str]) -> str:
        """Return a route's address, with ids that are there where the caller may have some."""
        ids = {"kiosk_id": self.kiosk_id, **belongings}
        return re.sub(r"\{(\w+)\}", lambda name: ids.get(name[1], "x"), rule.path)

    def _key(self, *scopes: str) -> str:
        return self.services.keys.create("api", "matrix", at=datetime.now(UTC), scopes=scopes)[1]

    def _access(self, secret: str, scopes: Sequence[str], now: datetime) -> str:
        key = self.services.keys.find(secret)
        assert key is not None
        return self.services.access.issue(key, frozenset(scopes), now=now)

    def _kiosk(self) -> tuple[str, str]:
        body = {"name": f"matrix-{new_id()}"}
        answer = self.client.request("POST", "/v1/kiosks", json=body, headers=_headers(self._all)).json()
        return answer["kiosk_id"], answer["device_key"]

    def _member(self) -> str:
        body = {"external_id": f"matrix-{new_id()}", "display_name": "Matrix"}
        answer = self.client.request("POST", "/v1/members", json=body, headers=_headers(self._all)).json()
        return str(answer["member_id"])

    def _token(self, *, member: str | None = None, now: datetime | None = None) -> str:
        key = self.services.keys.find(self._all)
        assert key is not None
        who = Visitor(VisitorId(new_id()), None if member is None else MemberId(member), key.key_id)
        return self.services.shoppers.start(who, now=now)[0]

    @cached_property
    def _signed_out(self) -> str:
        member = self._member()
        token = self._token(member=member)
        self.services.widget_sessions.end_all(member)
        return token

    def _belongings(self, token: str) -> dict[str, str]:
        def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
            answer: dict[str, Any] = self.client.request("POST", path, json=body, headers=_headers(token)).json()
            return answer

        talk = post("/v1/conversations", {})["conversation_id"]
        said = post(f"/v1/conversations/{talk}/messages", {"text": "hello"})
        sent = self.client.request(
            "POST", f"/v1/conversations/{talk}/attachments", headers=_headers(token), data={"client_message_id": new_id()},
            files={"file": ("receipt.pdf", _PAPER, "application/pdf")},
        ).json()  # fmt: skip
        decided = post("/v1/recommendations", {})["decision_id"]
        return {
            "conversation_id": talk, "decision_id": decided, "message_id": said["message_id"],
            "attachment_id": sent["attachments"][0]["attachment_id"],
        }  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """A cell of the matrix whose answer is not as it should be."""

    rule: Rule
    who: str
    status: int
    kind: Literal["let in", "kept out", "broken"]

    def __str__(self) -> str:
        return f"{self.rule.method} {self.rule.path}: {self.who} is {self.kind} ({self.status})"


def walk(cast: Cast) -> tuple[int, list[Finding]]:
    """Ask for everything as everybody; return how many cells there are, and what is wrong."""
    asked, found = 0, list[Finding]()
    for rule in rules():
        if rule.path in _OWN_CREDENTIALS:
            continue
        for who, headers, expected in cast.credentials(rule):
            asked += 1
            answer = _ask(cast, rule, cast.path(rule, cast.mine), headers)
            if answer.status_code >= 500 and answer.status_code != 503:
                found.append(Finding(rule, who, answer.status_code, "broken"))
            elif expected == "out" and answer.status_code not in _REFUSED:
                found.append(Finding(rule, who, answer.status_code, "let in"))
            elif expected == "in" and answer.status_code in _REFUSED and answer.json()["code"] in _NOT_LET_IN:
                found.append(Finding(rule, who, answer.status_code, "kept out"))
    more, wrong = foreign_cells(cast)
    return asked + more, found + wrong


def foreign_cells(cast: Cast) -> tuple[int, list[Finding]]:
    """Ask for what is somebody else's, then as its owner: it has to be there still, and was no address of nothing."""
    asked, found, owned = 0, list[Finding](), list[tuple[Rule, Owner]]()
    for rule in rules():
        for owner in cast.owners_of(rule):
            path = cast.path(rule, owner.ids)
            for who, headers in cast.strangers(rule):
                asked += 1
                answer = _ask(cast, rule, path, headers, foreign=owner.ids)
                if answer.status_code not in {403, 404}:
                    whose = f"{who} who asks for what is another {owner.kind}'s"
                    found.append(Finding(rule, whose, answer.status_code, "let in"))
            if rule.method in {"GET", "DELETE"} and rule.path not in ENDLESS:
                owned.append((rule, owner))
    for rule, owner in sorted(owned, key=lambda one: one[0].method == "DELETE"):  # what is read first
        asked += 1
        answer = _ask(cast, rule, cast.path(rule, owner.ids), owner.headers)
        if answer.status_code != 200:
            found.append(Finding(rule, f"the {owner.kind} whose it is", answer.status_code, "kept out"))
    return asked, found


def _ask(
    cast: Cast, rule: Rule, path: str, headers: dict[str, str], *, foreign: Mapping[str, str] | None = None
) -> Any:
    cast.services.rate_limit.forget()
    cast.services.guesses.forget()
    cast.services.enrolment_limit.forget()
    if rule.method == "GET":
        return cast.client.request("GET", path, headers=headers)
    if foreign and path.endswith("/attachments"):
        form = {"client_message_id": new_id()}
        files = {"file": ("a.png", b"\x89PNG\r\n\x1a\n", "image/png")}
        return cast.client.request(rule.method, path, data=form, files=files, headers=headers)
    body = {}
    if foreign:
        body = {key: foreign["message_id"] if value == "{message_id}" else value
                for key, value in _FOREIGN.get(path.rsplit("/", 1)[-1], {}).items()}  # fmt: skip
    return cast.client.request(rule.method, path, json=body, headers=headers)


def _headers(bearer: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {bearer}"} if bearer else {}
