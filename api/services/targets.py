"""Requests to addresses that others have chosen: only to the public internet, or to hosts that the operator names (SSRF).

A host's addresses are looked up once, all of them are checked, and the connection is made to the very address that was
checked, so that a name that changes its mind in between (DNS rebinding) leads nowhere. Redirects are not followed.
OWASP, Server-Side Request Forgery Prevention; RFC 6890 for what is not global.
"""

from __future__ import annotations

import ipaddress
import math
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore

TIMEOUT_S = 15.0
MOST_READ = 256 * 1024
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]


class TargetError(ValueError):
    """An address that nothing is sent to; the message says why."""


class TargetFailure(Exception):  # noqa: N818  it tells how a try ended
    """No answer came; the message says why, without the address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: at most MOST_READ bytes of it, unless the whole was asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()  # each Set-Cookie; of other fields that come twice `headers` has the last


def check_url(url: str, *, hosts: Collection[str] = frozenset()) -> str:
    """Return `url`; TargetError unless it is https to a public host, or http(s) to one of `hosts` (by name)."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise TargetError(f"this is no address: {error}") from None
    if not host or not url.isascii() or any(sign.isspace() or ord(sign) < 32 for sign in url):
        raise TargetError("an address has a host, and no spaces or special characters")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in hosts):
        raise TargetError("an address begins with https://")
    if parts.username is not None or parts.password is not None or parts.fragment or port == 0:
        raise TargetError("an address has no user, password, fragment or port 0")
    literal = _literal(host)
    if literal is not None and host not in hosts and not is_public(literal):
        raise TargetError(f"{host} is not on the public internet; an operator can allow it by AISLE_WEBHOOK_HOSTS")
    if host not in hosts and (host == "localhost" or host.endswith((".localhost", ".local", ".internal"))):
        raise TargetError(f"{host} is not on the public internet; an operator can allow it by AISLE_WEBHOOK_HOSTS")
    return url


def is_public(address: Address) -> bool:
    """Whether the address is one of the public internet's, seen through IPv4-mapped, 6to4, Teredo and NAT64 forms."""
    if isinstance(address, ipaddress.IPv6Address):
        inside: list[Address | None] = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64:
            inside.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
        if address.ipv4_mapped is not None:  # mapped addresses are never global themselves
            return is_public(address.ipv4_mapped)
        if any(one is not None and not is_public(one) for one in inside):
            return False
        if address in _NAT64:
            return True
        if address.is_site_local:
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    )


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.split("%", maxsplit=1)[0])
    except ValueError:
        return None


def resolve(host: str, port: int) -> list[str]:
    """Return every address of `host`, in the system's order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Deadline(threading.local):
    """When the request that this thread makes has to be over, by the monotonic clock."""

    at = math.inf

    def left(self, timeout: float | None) -> float | None:
        """Return how long the next step may take; httpcore.ReadTimeout when there is no time left."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return timeout if left == math.inf else min(left, left if timeout is None else timeout)


class _Timed(httpcore.NetworkStream):
    """A connection whose every step ends by the deadline, so that nobody holds a worker by a byte now and then."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Shake hands; the socket's own timeout is for each of its steps, so that a watch ends the whole."""
        left, here = self._deadline.left(timeout), self._inner.get_extra_info("socket")
        watch = None if left is None else threading.Timer(left, _shut, (here,))
        if watch is not None:
            watch.daemon = True
            watch.start()
        try:
            return _Timed(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)
        finally:
            if watch is not None:
                watch.cancel()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _shut(here: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        here.shutdown(socket.SHUT_RDWR)


class CheckedBackend(httpcore.NetworkBackend):
    """Connects to a host only at an address that it has looked up and checked itself."""

    def __init__(
        self, hosts: Collection[str] = frozenset(), look_up: Resolve = resolve, deadline: Deadline | None = None
    ) -> None:
        self._hosts, self._look_up, self._deadline = hosts, look_up, deadline or Deadline()
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """Connect to the first address that answers; TargetError when any of them is not public."""
        try:
            found = self._look_up(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the host is not known ({type(error).__name__})") from error
        if host.lower() not in self._hosts:
            for one in found:
                literal = _literal(one)
                if literal is None or not is_public(literal):
                    raise TargetError("the host leads to an address that is not on the public internet")
        failure: Exception = httpcore.ConnectError("the host has no address")
        for one in found:
            try:
                left = self._deadline.left(timeout)
                return _Timed(self._sockets.connect_tcp(one, port, left, local_address, socket_options), self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        """Refuse: nothing is told to a socket of this machine."""
        raise TargetError("nothing is sent to sockets of this machine")

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Outside:
    """Sends requests out. Close with `close()`."""

    def __init__(
        self, hosts: Collection[str] = frozenset(), *, look_up: Resolve = resolve, timeout_s: float = TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self._hosts, self._timeout_s = frozenset(host.lower() for host in hosts), timeout_s
        self._deadline = Deadline()
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls, network_backend=CheckedBackend(self._hosts, look_up, self._deadline), max_connections=16,
            max_keepalive_connections=8, keepalive_expiry=20,
        )  # fmt: skip

    def check(self, url: str) -> str:
        """Return `url`, or raise TargetError (see `check_url`)."""
        return check_url(url, hosts=self._hosts)

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None,
        timeout_s: float | None = None, whole: int | None = None,
    ) -> Answer:  # fmt: skip
        """Send one request; TargetFailure when no answer came in time, or when it may not be sent at all.

        whole : for an answer that is worth nothing when it is cut: one that has more bytes than this, or does not end in
        time, is a TargetFailure, too.
        """
        most = MOST_READ if whole is None else whole
        within = timeout_s or self._timeout_s
        each = {"connect": min(within, 10.0), "read": within, "write": within, "pool": within}
        self._deadline.at = time.monotonic() + within
        try:
            with self._pool.stream(
                method,
                self.check(url),
                headers=list((headers or {}).items()),
                content=body,
                extensions={"timeout": each},
            ) as answer:
                got, cut = bytearray(), False
                try:
                    for part in answer.iter_stream():
                        got += part
                        if cut := len(got) > most:
                            break  # nobody holds a worker by talking for ever
                except httpcore.ReadTimeout:  # nor by talking slowly: what it says of the request has come
                    cut = True
                if cut and whole is not None:
                    raise TargetFailure(f"the answer was cut: it is longer than {most} bytes, or too slow")
                told = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in answer.headers]
                cookies = tuple(value for name, value in told if name == "set-cookie")
                return Answer(answer.status, dict(told), bytes(got[:most]), cookies)
        except TargetError as error:
            raise TargetFailure(str(error)) from error
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            late = time.monotonic() >= self._deadline.at
            raise TargetFailure("no answer in time" if late else _words(error)) from error
        finally:
            self._deadline.at = math.inf

    def close(self) -> None:
        """Let go of connections."""
        self._pool.close()


def _words(error: Exception) -> str:
    if isinstance(error, httpcore.TimeoutException):
        return "no answer in time"
    if "CERTIFICATE" in str(error).upper():
        return "the certificate is not valid"
    return f"no connection ({type(error).__name__})"
