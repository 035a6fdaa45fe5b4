"""A camera's process, watched from outside: every byte that it hands to the system, every socket that it opens.

The kernel counts what a process writes to files (`wchar` of /proc/PID/io, Linux); what it sends goes to a server that keeps it. The
process's sockets are looked at all the while: one to another address is named.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import httpx

from vision.errors import AgentError

ROOT = Path(__file__).resolve().parents[1]
PROC = Path("/proc/self/io")
LISTENS, LEAST_FRAMES = "0A", 20
THIS_MACHINE = "0100007F"
"""127.0.0.1, as the kernel writes it."""
NOBODY = {"templates": [], "threshold": 1.0, "expression_notice": True}
"""A gallery without members, where everybody's expression may be read."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The camera that is watched: its source, and the settings of its agent. It looks for `seconds`, and at some frames at least."""

    source: str
    models: str
    seconds: float
    engine: str = "opencv"
    pack: str = ""
    liveness: str = "none"
    preview: bool = False


class Socket(NamedTuple):
    """One TCP or UDP socket of the process: addresses as the kernel writes them, its state."""

    local: str
    local_port: int
    remote: str
    remote_port: int
    state: str


class _Api(ThreadingHTTPServer):
    """Answers as the api does, and keeps what it was sent."""

    def __init__(self, gallery: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.gallery = json.dumps(gallery).encode()
        self.bodies: list[tuple[str, bytes]] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # a connection that stays open is seen by whoever looks now and then
    server: _Api

    def do_GET(self) -> None:
        self._answer(self.server.gallery)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.bodies.append((self.headers["content-type"], body))
        self._answer(b'{"changed": false}')

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def traced(
    watched: Watched, gallery: dict[str, Any], *, browse: Callable[[str, float], int] | None = None
) -> dict[str, Any]:
    """Run an agent as a child, and account for every byte that its process hands to the system. AgentError where it does not run.

    `file_bytes`: written to files, beyond its own log; `other_bytes`: sent to the api, but no JSON of observations; `peers`: ports
    that it called; `answered`: ports on which it was called; `machines`: addresses at either end. With a preview, `browse` looks
    at its page for most of the time: `pictures` came to it.
    """
    if not PROC.exists():
        raise AgentError("what a process writes is counted by Linux only; run this there")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ending:
        log = Path(folder) / "log"
        server = _Api(gallery)
        ending.callback(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ending.callback(server.shutdown)
        sockets: set[Socket] = set()
        told = json.dumps(asdict(watched) | {"port": server.server_port})
        child = subprocess.Popen(  # noqa: S603  this very module
            [sys.executable, "-m", "vision.privacy", told], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=ending.enter_context(log.open("wb")), env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        ending.enter_context(child)  # however this ends, so does it
        talk, heard = cast("IO[bytes]", child.stdin), cast("IO[bytes]", child.stdout)
        ready = _line(heard, log)
        io_before, log_before = _wchar(child.pid), log.stat().st_size
        talk.write(b"go\n")
        talk.flush()
        watching = threading.Thread(target=_watch_sockets, args=(child.pid, sockets))
        watching.start()
        pictures = browse(ready["preview"], watched.seconds) if browse is not None else 0
        done = _line(heard, log)
        wrote = _wchar(child.pid) - io_before - (log.stat().st_size - log_before) - done["own_line"]
        talk.close()
        heard.close()
        child.wait()
        watching.join()
    bodies = list(server.bodies)
    json_only = [
        kind == "application/json" and set(json.loads(body)) == {"observation_id", "people", "at"}
        for kind, body in bodies
    ]
    answered = {one.local_port for one in sockets if one.state == LISTENS}
    return {
        "frames": done["frames"], "frame_bytes": done["frame_bytes"], "observations": len(bodies),
        "sent_bytes": sum(len(body) for _, body in bodies), "largest": max((len(body) for _, body in bodies), default=0),
        "other_bytes": sum(len(body) for (_, body), good in zip(bodies, json_only, strict=True) if not good),
        "file_bytes": max(0, wrote), "api": server.server_port, "seen": done["seen"], "bodies": [body for _, body in bodies],
        "peers": sorted({one.remote_port for one in sockets if one.state != LISTENS and one.local_port not in answered}),
        "answered": sorted(answered), "preview": httpx.URL(ready["preview"]).port, "pictures": pictures,
        "machines": sorted({address for one in sockets for address in (one.local, one.remote) if address.strip("0")}),
    }  # fmt: skip


def _line(heard: IO[bytes], log: Path) -> dict[str, Any]:
    line = heard.readline()
    if not line:
        said = log.read_text(errors="replace").strip().splitlines()
        raise AgentError(f"the camera's process ended: {said[-1] if said else 'it said nothing'}")
    found: dict[str, Any] = json.loads(line)
    return found


def _wchar(pid: int) -> int:
    return int(re.findall(r"wchar: (\d+)", Path(f"/proc/{pid}/io").read_text())[0])


def _watch_sockets(pid: int, found: set[Socket]) -> None:
    """Note the process's sockets until it ends."""
    while Path(f"/proc/{pid}").exists():
        with suppress(OSError):  # a file was closed, or the process ended, while it was looked at
            links = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
            for table in ("tcp", "tcp6", "udp", "udp6"):
                for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                    fields = line.split()
                    if f"socket:[{fields[9]}]" in links:
                        (local, local_port), (remote, remote_port) = (end.rsplit(":", 1) for end in fields[1:3])
                        found.add(Socket(local, int(local_port, 16), remote, int(remote_port, 16), fields[3]))
        time.sleep(0.05)


def _agent(watched: Watched, port: int) -> None:
    """Be the agent of `traced`: get ready, wait for the word, watch, tell how it went, and wait to be let go."""
    from vision.agent import Agent
    from vision.capture import Capture
    from vision.engines import make_engine
    from vision.expression import ExpressionModel
    from vision.faces import Frame
    from vision.liveness import make_liveness
    from vision.local_page import LocalPages
    from vision.observation import Observation
    from vision.preview import Preview

    models, told = Path(watched.models), {"frames": 0, "seen": 0, "frame_bytes": 0, "own_line": 0}
    engine, expression = make_engine(watched.engine, models, watched.pack), ExpressionModel(models)
    shown, url = Preview() if watched.preview else None, ""
    with ExitStack() as open_now:
        client = open_now.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5))
        agent = Agent(
            client, "door", engine, expression, liveness=make_liveness(watched.liveness, models), after=[shown] if shown else []
        )  # fmt: skip
        agent.connect()
        capture = Capture(watched.source, loop=True)
        until = [float("inf")]
        if shown is not None:
            pages = open_now.enter_context(LocalPages(0, shown.pages))
            url = f"{pages.url}/preview?token={shown.token}"

        def note(frame: Frame, observation: Observation) -> None:
            told["frames"] += 1
            told["seen"] = max(told["seen"], len(observation.people))
            told["frame_bytes"] = frame.nbytes
            if time.monotonic() > until[0] and told["frames"] >= LEAST_FRAMES:
                agent.stop()

        _say({"ready": True, "preview": url})
        sys.stdin.readline()
        until[0] = time.monotonic() + watched.seconds
        agent.run(capture, fps=10, on_seen=note)
        capture.close()
    told["own_line"] = len(json.dumps(told)) + 1
    told["own_line"] = len(json.dumps(told)) + 1
    _say(told)
    sys.stdin.readline()


def _say(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _main(text: str) -> None:
    given = json.loads(text)
    port = given.pop("port")
    _agent(Watched(**given), port)


if __name__ == "__main__":
    _main(sys.argv[1])
