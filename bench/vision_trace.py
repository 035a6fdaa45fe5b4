"""A camera's process, watched from outside: every byte that it hands to the system, every socket that it opens."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import cv2
import httpx
import numpy as np

from bench.report import ROOT, Metric, progress
from bench.vision_camera import people

LISTENS, LEAST_FRAMES = "0A", 20
THIS_MACHINE = "0100007F"
"""127.0.0.1, as the kernel writes it."""


class Socket(NamedTuple):
    """One TCP or UDP socket of the process: addresses as the kernel writes them, its state."""

    local: str
    local_port: int
    remote: str
    remote_port: int
    state: str


def metrics(models: Path, *, quick: bool) -> Iterator[Metric]:
    """Yield how many bytes that are no observation left a camera's process."""
    progress("what a camera's process writes")
    yield _written("vision.image_bytes_written", traced(models, seconds=4 if quick else 60))
    if not quick:
        trace = traced(models, seconds=30, preview=True)
        strangers = [one for one in trace["machines"] if one != THIS_MACHINE]
        about = f"beside {trace['pictures']} pictures to the installer's page on the same machine; other machines: {len(strangers)}"
        yield _written("vision.image_bytes_elsewhere_with_preview", trace, about)


def _written(name: str, trace: dict[str, Any], about: str = "") -> Metric:
    told = f"{trace['frames']} frames of {trace['frame_bytes']:,} bytes; {trace['observations']} observations, {trace['sent_bytes']:,} bytes of JSON"
    value = trace["file_bytes"] + trace["other_bytes"]
    return Metric(name, value, "bytes", trace["frames"], f"{told}; {about}" if about else told)


class _Api(BaseHTTPRequestHandler):
    """Answers as the api does, and keeps what it was sent."""

    protocol_version = "HTTP/1.1"  # a connection that stays open is seen by whoever looks now and then
    gallery: ClassVar[bytes] = b"{}"
    bodies: ClassVar[list[tuple[str, bytes]]] = []

    def do_GET(self) -> None:
        self._answer(self.gallery)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.bodies.append((self.headers["content-type"], body))
        self._answer(b'{"changed": false}')

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def traced(models: Path, *, seconds: float, preview: bool = False) -> dict[str, Any]:
    """Run an agent beside a film of three people, and account for every byte that its process hands to the system.

    The kernel counts what a process writes to files (`wchar` of /proc/PID/io); what it sends goes to a server that keeps it. The
    process's sockets are looked at all the while: one to another address would be named. `file_bytes`: written to files, beyond
    its own log; `other_bytes`: sent to the api, but no JSON of observations; `peers`: ports that it called; `answered`: ports on
    which it was called; `machines`: addresses at either end. With `preview` a browser looks at that page: `pictures` came to it.
    """
    size = (640, 480)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ending:
        film, log = Path(folder) / "film.avi", Path(folder) / "log"
        writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 10, size)
        for frame in people(50):
            writer.write(frame)
        writer.release()
        _Api.bodies.clear()
        _Api.gallery = _gallery(models)
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
        ending.callback(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ending.callback(server.shutdown)
        arguments = [str(film), str(server.server_port), str(models), str(seconds), *(["preview"] if preview else [])]
        sockets: set[Socket] = set()
        child = subprocess.Popen(
            [sys.executable, "-m", "bench.vision_trace", *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=ending.enter_context(log.open("wb")), env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        ready = json.loads(child.stdout.readline())
        io_before, log_before = _wchar(child.pid), log.stat().st_size
        child.stdin.write(b"go\n")
        child.stdin.flush()
        watching = threading.Thread(target=_watch_sockets, args=(child.pid, sockets))
        watching.start()
        pictures = _browse(ready["preview"], seconds) if preview else 0
        done = json.loads(child.stdout.readline())
        wrote = _wchar(child.pid) - io_before - (log.stat().st_size - log_before) - done["own_line"]
        child.stdin.close()
        child.stdout.close()
        child.wait()
        watching.join()
    bodies = list(_Api.bodies)
    json_only = [
        kind == "application/json" and set(json.loads(body)) == {"observation_id", "people", "at"}
        for kind, body in bodies
    ]
    answered = {one.local_port for one in sockets if one.state == LISTENS}
    return {
        "frames": done["frames"], "frame_bytes": size[0] * size[1] * 3, "observations": len(bodies),
        "sent_bytes": sum(len(body) for _, body in bodies), "largest": max((len(body) for _, body in bodies), default=0),
        "other_bytes": sum(len(body) for (_, body), good in zip(bodies, json_only, strict=True) if not good),
        "file_bytes": max(0, wrote), "api": server.server_port, "seen": done["seen"], "bodies": [body for _, body in bodies],
        "peers": sorted({one.remote_port for one in sockets if one.state != LISTENS and one.local_port not in answered}),
        "answered": sorted(answered), "preview": httpx.URL(ready["preview"]).port, "pictures": pictures,
        "machines": sorted({address for one in sockets for address in (one.local, one.remote) if address.strip("0")}),
    }  # fmt: skip


def _browse(url: str, seconds: float) -> int:
    """Look at the preview for most of the time; return how many pictures came."""
    with httpx.Client(timeout=seconds + 5) as browser:
        browser.get(url, follow_redirects=True).raise_for_status()
        until, found = time.monotonic() + seconds * 0.6, 0
        with browser.stream("GET", str(httpx.URL(url).join("/preview/frames"))) as stream:
            for part in stream.iter_raw():
                found += part.count(b"Content-Type: image/jpeg")
                if time.monotonic() > until:
                    return found
    return found


def _gallery(models: Path) -> bytes:
    """Return a gallery in which the first of the three is a member, the others nobody."""
    import base64

    from vision.engines.opencv import OpenCvEngine
    from vision.enrol import make_template

    engine = OpenCvEngine(models)
    template = make_template(
        engine, [np.asarray(cv2.resize(frame[:, :213], (426, 960)), np.uint8) for frame in people(8)]
    )
    one = {
        "member_id": "member-1",
        "vector": base64.b64encode(template.astype("<f4").tobytes()).decode(),
        "expression": True,
    }
    return json.dumps(
        {"model": engine.name, "threshold": 0.45, "expression_notice": False, "templates": [one]}
    ).encode()


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


def _agent(film: str, port: str, models: str, seconds: str, *preview: str) -> None:
    """Be the agent of `traced`: get ready, wait for the word, watch, tell how it went, and wait to be let go."""
    from vision.agent import Agent
    from vision.capture import Capture
    from vision.engines.opencv import OpenCvEngine
    from vision.expression import ExpressionModel
    from vision.local_page import LocalPages
    from vision.preview import Preview

    engine, expression, seen = OpenCvEngine(Path(models)), ExpressionModel(Path(models)), [0, 0]
    shown, url = Preview() if preview else None, ""
    with ExitStack() as open_now:
        client = open_now.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5))
        agent = Agent(client, "door", engine, expression, after=[shown] if shown else [])
        agent.connect()
        capture = Capture(film, loop=True)
        until = [float("inf")]
        if shown is not None:
            pages = open_now.enter_context(LocalPages(0, shown.pages))
            url = f"{pages.url}/preview?token={shown.token}"

        def note(_frame: np.ndarray, observation: Any) -> None:
            seen[0] += 1
            seen[1] = max(seen[1], len(observation.people))
            if time.monotonic() > until[0] and seen[0] >= LEAST_FRAMES:
                agent.stop()

        print(json.dumps({"ready": True, "preview": url}), flush=True)
        sys.stdin.readline()
        until[0] = time.monotonic() + float(seconds)
        agent.run(capture, fps=10, on_seen=note)
        capture.close()
    told = {"frames": seen[0], "seen": seen[1], "own_line": 0}
    told["own_line"] = len(json.dumps(told)) + 1
    told["own_line"] = len(json.dumps(told)) + 1
    print(json.dumps(told), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    _agent(*sys.argv[1:])
