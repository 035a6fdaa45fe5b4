"""Signing in by the company's own OpenID provider: authorization code with PKCE, OpenID Connect Core 1.0 and RFC 9700."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import jwt

from api.sessions import ROLES

ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA", "RS384", "RS512", "ES384", "ES512", "PS384", "PS512")
"""What may sign: public keys only. A provider's client secret, or none at all, signs nothing."""
FRESH_S = 3600.0
KEYS_AGAIN_S = 30.0
AWAY_S = 10.0
"""For how long a provider that did not answer is not asked again: whoever waits for it holds others up."""
TIMEOUT_S = 5.0
LEEWAY_S = 60


class OidcError(Exception):
    """The provider cannot be asked, or what it told does not fit; `code` is for the page, the text for the log."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is at the provider. `email`: only where the provider has verified it; `roles`: those that its claim maps to."""

    issuer: str
    subject: str
    email: str | None
    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """What the settings tell of the provider. `roles`: a value of `role_claim` → role here; empty: accounts here have their own."""

    issuer: str
    client_id: str
    client_secret: str
    role_claim: str
    roles: Mapping[str, str]

    @property
    def is_plain(self) -> bool:
        """Whether its address is one by which anybody on the way could answer in its place."""
        told = urlsplit(self.issuer)
        return told.scheme != "https" and told.hostname not in {"127.0.0.1", "::1", "localhost"}


def mapped(text: str) -> dict[str, str]:
    """Return what `value=role, value=role` says; OidcError for what is no role."""
    found = dict[str, str]()
    for pair in filter(None, (one.strip() for one in text.split(","))):
        value, _, role = (part.strip() for part in pair.rpartition("="))
        if not value or role not in ROLES:
            told = f"AISLE_OIDC_ROLES has {pair!r}; write value=role, where roles are {', '.join(ROLES)}"
            raise OidcError("oidc-settings", told)
        found[value] = role
    return found


class Oidc:
    """Speaks with one provider. What it publishes of itself is read when it is first needed, and again every hour."""

    def __init__(self, provider: Provider, http: httpx.Client | None = None) -> None:
        if provider.is_plain:
            raise OidcError(
                "oidc-insecure", "AISLE_OIDC_ISSUER is not https; what it tells could be changed on the way"
            )
        self._provider, self._http = provider, http or httpx.Client(timeout=TIMEOUT_S)
        self._lock = threading.Lock()
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, jwt.PyJWKSet] | None = None
        self._away: tuple[float, OidcError] | None = None

    def begin(self, redirect_uri: str) -> tuple[str, dict[str, str]]:
        """Return where the browser goes, and what has to be kept until it comes back."""
        kept = {
            "state": secrets.token_urlsafe(32), "nonce": secrets.token_urlsafe(32), "verifier": secrets.token_urlsafe(48),
            "redirect_uri": redirect_uri,
        }  # fmt: skip
        challenge = base64.urlsafe_b64encode(hashlib.sha256(kept["verifier"].encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self._provider.client_id, "redirect_uri": redirect_uri, "scope": "openid email profile",
            "state": kept["state"], "nonce": kept["nonce"], "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        endpoint = str(self._told()["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}", kept

    def finish(self, code: str, kept: Mapping[str, str], issuer: str | None) -> Person:
        """Return who signed in. `issuer`: what the answer's `iss` says (RFC 9207); a provider that promises it must send it."""
        told = self._told()
        if issuer is not None and issuer != self._provider.issuer:
            raise OidcError("oidc-failed", "the answer comes from another provider")
        if issuer is None and told.get("authorization_response_iss_parameter_supported") is True:
            raise OidcError("oidc-failed", "the provider promised to say who it is, and did not")
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": kept["redirect_uri"], "code_verifier": kept["verifier"],
            "client_id": self._provider.client_id,
        }  # fmt: skip
        methods = told.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        basic = None
        if not self._provider.client_secret:
            pass
        elif "client_secret_basic" in methods:
            basic = httpx.BasicAuth(self._provider.client_id, self._provider.client_secret)
        else:
            form["client_secret"] = self._provider.client_secret
        answer = self._ask("POST", str(told["token_endpoint"]), data=form, auth=basic)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OidcError("oidc-failed", "the provider sent no ID token")
        return self._person(self._claims(token, kept["nonce"]))

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        own = self._provider
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._key(token), list(ALGORITHMS), audience=own.client_id, issuer=own.issuer, leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )  # fmt: skip
        except jwt.PyJWTError as error:
            raise OidcError("oidc-failed", f"the ID token does not count: {error}") from error
        if not secrets.compare_digest(str(claims.get("nonce", "")), nonce):
            raise OidcError("oidc-failed", "the ID token answers another sign-in")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != own.client_id:
            raise OidcError("oidc-failed", "the ID token was made for another client")
        return claims

    def _person(self, claims: Mapping[str, Any]) -> Person:
        own, email = self._provider, claims.get("email")
        verified = claims.get("email_verified") in (True, "true") and isinstance(email, str) and "@" in email
        told = claims.get(own.role_claim, []) if own.role_claim else []
        values = told if isinstance(told, list) else [told]
        roles = sorted({own.roles[str(value)] for value in values if str(value) in own.roles})
        name = str(claims.get("name") or (str(email).partition("@")[0] if email else claims["sub"]))[:64]
        return Person(own.issuer, str(claims["sub"]), str(email) if verified else None, name, tuple(roles))

    def _key(self, token: str) -> jwt.PyJWK:
        """Return the key that a token names; a name that is new has the keys read again, though not at every such token."""
        name = jwt.get_unverified_header(token).get("kid")
        for again in (False, True):
            found = [key for key in self._published(again=again).keys if name is None or key.key_id == name]
            if found and (name is not None or len(found) == 1):
                return found[0]
        raise OidcError("oidc-failed", "the ID token is signed by a key that the provider does not publish")

    def _published(self, *, again: bool) -> jwt.PyJWKSet:
        with self._lock:
            age = FRESH_S if self._keys is None else time.monotonic() - self._keys[0]
            if self._keys is not None and age < (KEYS_AGAIN_S if again else FRESH_S):
                return self._keys[1]
            told = self._read(str(self._told_unlocked()["jwks_uri"]))
            try:
                keys = jwt.PyJWKSet.from_dict(told)
            except jwt.PyJWTError as error:
                raise OidcError("oidc-unavailable", f"the provider's keys cannot be read: {error}") from error
            self._keys = (time.monotonic(), keys)
            return keys

    def _told(self) -> dict[str, Any]:
        with self._lock:
            return self._told_unlocked()

    def _told_unlocked(self) -> dict[str, Any]:
        if self._metadata is not None and time.monotonic() - self._metadata[0] < FRESH_S:
            return self._metadata[1]
        found = self._read(f"{self._provider.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self._provider.issuer:
            raise OidcError("oidc-unavailable", "the provider calls itself otherwise than AISLE_OIDC_ISSUER does")
        if missing := {"authorization_endpoint", "token_endpoint", "jwks_uri"} - found.keys():
            raise OidcError("oidc-unavailable", f"the provider does not tell its {', '.join(sorted(missing))}")
        self._metadata = (time.monotonic(), found)
        return found

    def _read(self, url: str) -> dict[str, Any]:
        """Return what the provider publishes; that it was away a moment ago is told without waiting for it again."""
        if self._away is not None and time.monotonic() - self._away[0] < AWAY_S:
            raise OidcError(self._away[1].code, str(self._away[1]))
        try:
            return self._ask("GET", url)
        except OidcError as error:
            self._away = (time.monotonic(), error)
            raise

    def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, url, headers={"Accept": "application/json"}, **more)
            told = answer.json() if answer.status_code == 200 else None
        except (httpx.HTTPError, ValueError) as error:
            raise OidcError("oidc-unavailable", f"the provider does not answer: {type(error).__name__}") from error
        if not isinstance(told, dict):
            code = "oidc-failed" if method == "POST" and answer.status_code < 500 else "oidc-unavailable"
            raise OidcError(code, f"the provider answered {answer.status_code}")
        return told
