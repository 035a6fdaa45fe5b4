"""Pages of an agent for people and programs on the same machine: its figures, and its preview. Nobody else can reach them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

from vision.errors import AgentError

HOST = "127.0.0.1"
_NAMES = frozenset({"127.0.0.1", "localhost"})
"""Names by which it may be asked for: a web page elsewhere cannot point a name of its own at it (DNS rebinding)."""


class Request(BaseHTTPRequestHandler):
    """One request; a page answers it with `reply`, or writes a stream itself."""

    timeout = 10  # who does not take what is sent is let go
    server: LocalPages

    def do_GET(self) -> None:
        """Hand over to the page of the path."""
        name = self.headers.get("host", "").rpartition(":")[0] or self.headers.get("host", "")
        page = self.server.pages.get(urlsplit(self.path).path)
        if name not in _NAMES:
            self.reply(403, "text/plain", b"Ask for it as 127.0.0.1 or localhost.\n")
        elif page is None:
            self.reply(404, "text/plain", b"There is no such page.\n")
        else:
            page(self)

    def asked(self, name: str) -> str:
        """Return a parameter of the address, or ""."""
        return parse_qs(urlsplit(self.path).query).get(name, [""])[0]

    def cookie(self, name: str) -> str:
        """Return a cookie, or ""."""
        try:
            found = SimpleCookie(self.headers.get("cookie", "")).get(name)
        except CookieError:
            return ""
        return found.value if found else ""

    def reply(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        """Send a whole answer, which nobody keeps."""
        self.begin(status, kind, **{"Content-Length": str(len(body)), **headers})
        self.wfile.write(body)

    def begin(self, status: int, kind: str, **headers: str) -> None:
        """Send the head of an answer."""
        self.send_response(status)
        common = {
            "Content-Type": kind, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        }  # fmt: skip
        for name, value in {**common, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the address may hold a token."""


Page = Callable[[Request], None]


class LocalPages(ThreadingHTTPServer):
    """Serves `pages`, by path, on a port of the loopback address; 0 is any free one. A context manager."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, pages: Mapping[str, Page]) -> None:
        self.pages = dict(pages)
        try:
            super().__init__((HOST, port), Request)
        except OSError as error:
            raise AgentError(f"port {port} of {HOST} cannot be used ({error.strerror}); choose another") from error
        self._thread = threading.Thread(target=self.serve_forever, daemon=True, name="pages")

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://{HOST}:{self.server_port}"

    def __enter__(self) -> LocalPages:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, *_: object) -> None:
        """Say nothing: a browser that goes away in the middle is no news."""


def figures(text: Callable[[], bytes]) -> Page:
    """Return the page with an agent's figures."""
    return lambda request: request.reply(200, "text/plain; version=0.0.4; charset=utf-8", text())
