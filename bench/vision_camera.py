"""A camera's process, measured from outside: its speed on one core, its memory, every byte that it writes, and the display behind it."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import cv2
import httpx
import numpy as np

from bench.report import ROOT, Metric, percentile_with_ci, progress

SEED = 7
Frame = np.ndarray


def people(count: int, size: tuple[int, int] = (640, 480)) -> list[Frame]:
    """Return frames of three people who sway before the camera: the astronaut, and two that the insightface package brings along."""
    import insightface
    import skimage.data

    samples = Path(insightface.__file__).parent / "data" / "images"
    shown = [cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)[:300, 100:400]]
    shown.append(cv2.imread(str(samples / "Tom_Hanks_54745.png")))
    group = cv2.imread(str(samples / "t1.jpg"))
    shown.append(group[180:520, 60:400] if group is not None else np.ascontiguousarray(shown[0][:, ::-1]))
    width, height = size
    side = width // 3
    tiles = [np.asarray(cv2.resize(one, (side, side)), np.uint8) for one in shown]
    frames = []
    for number in range(count):
        frame = np.full((height, width, 3), 150, np.uint8)
        for place, tile in enumerate(tiles):
            top = round(height / 4 + 30 * np.sin(number / 9 + place))
            left = place * side
            frame[top : top + side, left : left + side] = tile
        frames.append(frame)
    return frames


def one_core(models: str, frames: int, queue: Any) -> None:
    """Run the pipeline on one core, and put its times (ms), rate and growth of memory (MiB) into `queue`."""
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})
    cv2.setNumThreads(1)
    from vision.engines.opencv import OpenCvEngine
    from vision.enrol import make_template
    from vision.expression import ExpressionModel
    from vision.gallery import Gallery
    from vision.pipeline import Pipeline

    engine, expression = OpenCvEngine(Path(models)), ExpressionModel(Path(models))
    film = people(120)
    first = [frame[:, :213] for frame in film[:8]]
    gallery = Gallery(
        [("member", make_template(engine, [np.asarray(cv2.resize(one, (426, 960)), np.uint8) for one in first]))], 0.45
    )
    pipeline = Pipeline(engine, expression, lambda _member: True)
    taken: dict[str, list[float]] = defaultdict(list)
    for number in range(20):
        pipeline.observe(film[number], gallery, at=number / 10)
    before, begun, seen = _rss_mib(), time.perf_counter(), 0
    for number in range(frames):
        if number % 600 == 599:  # they leave, others come: recognition is asked again
            pipeline = Pipeline(engine, expression, lambda _member: True)
        started = time.perf_counter()
        found = pipeline.observe(film[number % len(film)], gallery, at=2 + number / 10)
        taken["frame_to_observation"].append((time.perf_counter() - started) * 1000)
        seen += len(found.people)
        taken["detect"].append(found.stages_ms["detect"] + found.stages_ms["track"])
        if found.stages_ms["recognise"] > 1:
            taken["recognise"].append(found.stages_ms["recognise"])
        if len(found.people) == 3 and found.stages_ms["expression"] > 1:
            taken["expression"].append(found.stages_ms["expression"] / len(found.people))
    rate = frames / (time.perf_counter() - begun)
    if not taken["recognise"]:
        taken["recognise"].append(float("nan"))
    queue.put({**taken, "fps": rate, "growth_mib": _rss_mib() - before, "people": seen / frames})


def _rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def metrics(models: Path, quick: bool) -> Iterator[Metric]:
    """Yield how soon a display follows an observation, and how many bytes of pictures a camera's process wrote."""
    yield from _display(models, quick)
    yield from _written(models, quick)


def _display(models: Path, quick: bool) -> Iterator[Metric]:
    from bench.skeleton import copy_state, listening
    from bench.stack import Stack, StackError

    state = models.parent
    if not (state / "artifacts" / "manifest.json").exists():
        reason = "nothing is set up here; run `make demo` once"
        yield Metric("vision.observation_to_display_p95_ms", None, "ms", 0, "", reason=reason)
        return
    progress("a display behind an observation")
    with tempfile.TemporaryDirectory() as folder:
        try:
            with Stack(copy_state(state, Path(folder))) as stack:
                samples = _follow(stack.url, 10 if quick else 60, listening)
        except StackError as error:
            yield Metric("vision.observation_to_display_p95_ms", None, "ms", 0, "", reason=str(error).splitlines()[0])
            return
    value, ci = percentile_with_ci(samples, 95, seed=SEED)
    yield Metric("vision.observation_to_display_p95_ms", value, "ms", len(samples), "a member's observation to their display by event",
                 ci, {"p50_ms": round(float(np.median(samples)), 1)}, SEED, samples=samples)  # fmt: skip


def _follow(url: str, visits: int, listening: Any) -> list[float]:
    from datetime import UTC, datetime

    from stores.database import new_id

    page = httpx.get(f"{url}/demo/kiosk").json()["url"]
    name, key = re.findall(r"/kiosk/(.*?)\?key=(.*?)(?:&|$)", page)[0]
    members = [one["member_id"] for one in httpx.get(f"{url}/demo/members").json()["members"]]
    samples: list[float] = []
    headers = {"Authorization": f"Bearer {key}"}
    with (
        httpx.Client(base_url=f"{url}/v1", headers=headers, timeout=30) as client,
        listening(f"{url}/v1/kiosks/{name}/display", key) as shown,
    ):
        token = {one: httpx.get(f"{url}/demo/session", params={"member": one}).json()["token"] for one in members[:3]}
        for its_token in token.values():
            body = {"purpose": "face_recognition", "granted": True, "text_version": "bench"}
            client.post("/consents", json=body, headers={"Authorization": f"Bearer {its_token}"}).raise_for_status()

        def tell(*seen: dict[str, Any]) -> None:
            body = {"observation_id": new_id(), "people": seen, "at": datetime.now(UTC).isoformat()}
            client.post(f"/kiosks/{name}/observations", json=body).raise_for_status()

        for number in range(visits):
            until = time.monotonic() + 20
            while shown.mode != "attract" and time.monotonic() < until:
                tell()
                time.sleep(0.2)
            started = time.perf_counter()
            tell({"track_id": number + 1, "member_id": list(token)[number % len(token)], "similarity": 0.8})
            while shown.mode != "welcome" and time.perf_counter() - started < 10:
                time.sleep(0.001)
            samples.append((shown.at - started) * 1000)
    return samples


def _written(models: Path, quick: bool) -> Iterator[Metric]:
    progress("what a camera's process writes")
    trace = traced(models, seconds=5 if quick else 60)
    told = f"{trace['frames']} frames of {trace['frame_bytes']:,} bytes; {trace['observations']} observations, {trace['sent_bytes']:,} bytes of JSON"
    yield Metric(
        "vision.image_bytes_written", trace["file_bytes"] + trace["other_bytes"], "bytes", trace["frames"], told
    )


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


def traced(models: Path, *, seconds: float) -> dict[str, Any]:
    """Run an agent beside a film of three people, and account for every byte that its process hands to the system.

    The kernel counts what a process writes to files (`wchar` of /proc/PID/io); what it sends goes to a server that keeps it. The
    process's sockets are looked at all the while: one to another address would be named. `file_bytes`: written to files, beyond
    its own log; `other_bytes`: sent, but no JSON of observations; `peers`: whom it talked to.
    """
    size = (640, 480)
    with tempfile.TemporaryDirectory() as folder:
        film, log = Path(folder) / "film.avi", Path(folder) / "log"
        writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 10, size)
        for frame in people(50):
            writer.write(frame)
        writer.release()
        _Api.bodies.clear()
        _Api.gallery = _gallery(models)
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [
            sys.executable,
            "-m",
            "bench.vision_camera",
            str(film),
            str(server.server_port),
            str(models),
            str(seconds),
        ]
        peers: set[int] = set()
        with log.open("wb") as out:
            child = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=out,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
            assert child.stdin is not None
            assert child.stdout is not None
            ready = json.loads(child.stdout.readline())
            io_before, log_before = _wchar(child.pid), log.stat().st_size
            child.stdin.write(b"go\n")
            child.stdin.flush()
            watching = threading.Thread(target=_watch_sockets, args=(child.pid, peers))
            watching.start()
            done = json.loads(child.stdout.readline())
            wrote = _wchar(child.pid) - io_before - (log.stat().st_size - log_before) - done["own_line"]
            child.stdin.close()
            child.stdout.close()
            child.wait()
            watching.join()
        server.shutdown()
        server.server_close()
    bodies = list(_Api.bodies)
    json_only = [
        kind == "application/json" and set(json.loads(body)) == {"observation_id", "people", "at"}
        for kind, body in bodies
    ]
    return {
        "frames": done["frames"], "frame_bytes": size[0] * size[1] * 3, "observations": len(bodies),
        "sent_bytes": sum(len(body) for _, body in bodies), "largest": max((len(body) for _, body in bodies), default=0),
        "other_bytes": sum(len(body) for (_, body), good in zip(bodies, json_only, strict=True) if not good),
        "file_bytes": max(0, wrote), "peers": sorted(peers), "api": server.server_port, "ready": ready, "seen": done["seen"],
        "bodies": [body for _, body in bodies],
    }  # fmt: skip


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


def _watch_sockets(pid: int, peers: set[int]) -> None:
    """Note the remote ports of the process's TCP sockets until it ends."""
    while Path(f"/proc/{pid}").exists():
        with suppress(OSError):  # a file was closed, or the process ended, while it was looked at
            links = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
            for table in ("tcp", "tcp6", "udp"):
                for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                    fields = line.split()
                    if f"socket:[{fields[9]}]" in links:
                        peers.add(int(fields[2].rpartition(":")[2], 16))
        time.sleep(0.05)


def _agent(film: str, port: str, models: str, seconds: str) -> None:
    """Be the agent of `traced`: get ready, wait for the word, watch, tell how it went, and wait to be let go."""
    from vision.agent import Agent
    from vision.capture import Capture
    from vision.engines.opencv import OpenCvEngine
    from vision.expression import ExpressionModel

    engine, expression, seen = OpenCvEngine(Path(models)), ExpressionModel(Path(models)), [0, 0]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
        agent = Agent(client, "door", engine, expression)
        agent.connect()
        capture = Capture(film, loop=True)
        until = [float("inf")]

        def note(_frame: Frame, observation: Any) -> None:
            seen[0] += 1
            seen[1] = max(seen[1], len(observation.people))
            if time.monotonic() > until[0]:
                agent.stop()

        print(json.dumps({"ready": True}), flush=True)
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
