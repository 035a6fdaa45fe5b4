"""Credentials that do not work: what an address tries beyond a few has to wait."""

from __future__ import annotations

import hashlib
import ipaddress
import threading
from collections import OrderedDict

from starlette.requests import HTTPConnection

from api.access import Quota, RateLimit, TooManyError

GUESSES, GUESSES_PER_S = 20, 1 / 3
"""Wrong credentials of an address at once, and in the long run."""
MOST = 10_000


class Guesses:
    """Counts wrong credentials by where they come from.

    What was tried before is no new guess: a program that keeps sending one revoked key costs nobody else at its address anything, and a key that has
    worked is let in by it whatever others try there. Only what was never seen waits, and is not even looked up.
    """

    def __init__(self, limit: RateLimit, most: int = MOST) -> None:
        self._limit, self._most = limit, most
        self._good, self._bad = OrderedDict[bytes, None](), OrderedDict[bytes, None]()
        self._lock = threading.Lock()

    def check(self, origin: str, secret: str) -> None:
        """TooManyError where `origin` has guessed too often for a secret that was not seen yet."""
        if is_key_like(secret) and not self._seen(_digest(secret)):
            self._limit.look(origin)

    def waits(self, request: HTTPConnection, secret: str) -> bool:
        """Whether `check` refuses it, for who has to look up a key before a route does."""
        try:
            self.check(network(request), secret)
        except TooManyError:
            return True
        return False

    def failed(self, origin: str, secret: str) -> Quota | None:
        """Note that a secret does not work, and return what is left; TooManyError where `origin` has guessed too often, None for one that was tried before."""
        name = _digest(secret)
        if self._seen(name):
            return None
        self._remember(self._bad, name)
        return self._limit.take(origin)

    def worked(self, secret: str) -> None:
        """Note that a secret is somebody's."""
        if is_key_like(secret):
            self._remember(self._good, _digest(secret))

    def forget(self) -> None:
        """Begin anew."""
        self._limit.forget()
        with self._lock:
            self._bad.clear()

    def _seen(self, name: bytes) -> bool:
        with self._lock:
            return name in self._good or name in self._bad

    def _remember(self, which: OrderedDict[bytes, None], name: bytes) -> None:
        with self._lock:
            which[name] = None
            which.move_to_end(name)
            if len(which) > self._most:
                which.popitem(last=False)


def is_key_like(secret: str) -> bool:
    """Whether it has to be looked up: a token whose signature is wrong is nobody's."""
    return secret.startswith(("ak_", "dk_"))


def network(request: HTTPConnection) -> str:
    """Return where a request comes from, as it is counted: whoever has one address of IPv6 has its whole /64."""
    host = request.client.host if request.client else ""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else host


def _digest(secret: str) -> bytes:
    return hashlib.blake2b(secret.encode(), digest_size=16).digest()
