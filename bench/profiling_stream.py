"""How quick and how safe the event stream is: event to label, ingest, replay, kills, reads."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
from sqlalchemy import select

from bench.event_log import fill_log, make_shop, member_ids, rows
from bench.report import ROOT, Metric, percentile_with_ci, progress
from bench.stack import free_port
from personalization.profiling.labeller import Labeller
from personalization.profiling.labels import RuleLabels, load_rules
from personalization.profiling.state import decode
from stores.catalogue import SqlCatalogue
from stores.crypto import load_or_create_master_key
from stores.database import Database
from stores.events import advance, position
from stores.keys import SqlKeys
from stores.labels import SqlLabels
from stores.profiles import CONSUMER, SqlProfiles
from stores.tables import profiles as profiles_table

SEED = 7
RATE, BATCH, PROBES = 500, 25, 2_000


class Server:
    """`aisle serve` alone, with its embedded worker, on a state folder with made members."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.url = folder, f"http://127.0.0.1:{free_port()}"
        self.db = Database(
            f"sqlite:///{folder / 'aisle.db'}", load_or_create_master_key(folder / "keys" / "master.key")
        )
        self.db.upgrade()
        make_shop(self.db, count, at=datetime.now(UTC) - timedelta(days=500))
        _, self.key = SqlKeys(self.db).create(
            "api", "bench", at=datetime.now(UTC), scopes=("events:write", "members:read"), origins=()
        )
        self.headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}

    @contextmanager
    def running(self) -> Iterator[httpx.Client]:
        """Run the api and yield a client."""
        environment = {
            **os.environ, "AISLE_STATE_DIR": str(self.folder), "AISLE_PORT": self.url.rpartition(":")[2], "AISLE_DATABASE_URL": "",
            "AISLE_BROKER_URL": "", "AISLE_REDIS_URL": "",
        }  # fmt: skip
        aisle = str(Path(sys.executable).with_name("aisle"))
        with (self.folder / "serve.log").open("wb") as log:
            process = subprocess.Popen([aisle, "serve"], cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            with httpx.Client(base_url=self.url, headers=self.headers, timeout=60) as client:
                until = time.monotonic() + 60
                while time.monotonic() < until:
                    with suppress(httpx.HTTPError):
                        if client.get("/healthz").is_success:
                            break
                    time.sleep(0.1)
                yield client
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)


def through_the_api(quick: bool) -> Iterator[Metric]:
    """Time from an event to its label at 500 events/s, then events per second in batches, on one server."""
    seconds, count = (4, 500) if quick else (60, 5_000)
    with tempfile.TemporaryDirectory() as name:
        server = Server(Path(name), 2 * count + PROBES)
        with server.running() as client:
            progress(f"event to label for {seconds} s at {RATE} events/s")
            samples, sent = _probed(server, client, seconds, count)
            value, ci = percentile_with_ci(samples, 95, seed=SEED)
            about = f"{sent / seconds:.0f} events/s in batches of {BATCH} for {seconds} s, SQLite, worker inside the api, polled every 5 ms"
            median = {"p50_ms": round(float(np.median(samples)), 1)}
            yield Metric(
                "profiling.event_to_label_p95_ms", value, "ms", len(samples), about, ci, median, SEED, samples=samples
            )
            yield _ingest(server, client, 10_000 if quick else 200_000, count)


def _probed(server: Server, client: httpx.Client, seconds: float, count: int) -> tuple[list[float], int]:
    probes, stop, sent = member_ids(PROBES, 2 * count), threading.Event(), [0]
    load = list(rows(int(RATE * (seconds + 5)), count, until=datetime.now(UTC)))
    bodies = [json.dumps({"events": load[i : i + BATCH]}) for i in range(0, len(load), BATCH)]

    def send() -> None:
        with httpx.Client(base_url=server.url, headers=server.headers, timeout=60) as mine:
            started = time.monotonic()
            for number, body in enumerate(bodies):
                wait = started + number * BATCH / RATE - time.monotonic()
                if stop.wait(max(wait, 0)):
                    return
                mine.post("/v1/events", content=body).raise_for_status()
                sent[0] += BATCH

    sender = threading.Thread(target=send)
    sender.start()
    samples, until = list[float](), time.monotonic() + seconds
    for probe in probes:
        if time.monotonic() > until:
            break
        samples.append(_probe(client, probe))
        stop.wait(0.1)
    total = sent[0]
    stop.set()
    sender.join()
    return samples, total


def _probe(client: httpx.Client, member: str) -> float:
    """Let a member sound unhappy twice and wait for the label; milliseconds from the accepted answer."""
    now = datetime.now(UTC).isoformat()
    event = {"type": "message_sent", "at": now, "channel": "widget", "member_id": member, "payload": {"valence": -0.9}}
    client.post(
        "/v1/events", json={"events": [event | {"event_id": f"{member}-{n}"} for n in (1, 2)]}
    ).raise_for_status()
    accepted = time.perf_counter()
    while time.perf_counter() < accepted + 30:
        labels = client.get(f"/v1/members/{member}/labels").json()["labels"]
        if any(label["name"] == "mood" for label in labels):
            return (time.perf_counter() - accepted) * 1000
        time.sleep(0.005)
    raise RuntimeError("a label did not appear within 30 s")


def _ingest(server: Server, client: httpx.Client, n: int, count: int) -> Metric:
    """Events per second through the API in batches of 1,000, until every one of them is in its profile."""
    progress(f"ingesting {n:,} events in batches of 1,000")
    made = list(rows(n, count, first=count, until=datetime.now(UTC)))
    bodies = [json.dumps({"events": made[i : i + 1000]}) for i in range(0, n, 1000)]
    profiles = open_log(server.db)
    started = time.monotonic()
    for body in bodies:
        client.post("/v1/events", content=body).raise_for_status()
    accepted = time.monotonic() - started
    while profiles.backlog():
        time.sleep(0.02)
    whole = time.monotonic() - started
    about = f"{n:,} events of {count:,} members in batches of 1,000 over HTTP, SQLite, until all are in profiles"
    return Metric(
        "profiling.ingest_events_per_s", round(n / whole), "events/s", n, about,
        baseline={"accepted_per_s": round(n / accepted)}, seed=SEED,
    )  # fmt: skip


_REPLAY = """
import json, resource, sys, time
from datetime import UTC, datetime
from bench.profiling_stream import open_log
from stores.database import Database
profiles = open_log(Database(sys.argv[1], bytes(32)))
page, rss = resource.getpagesize() / 2**20, []
started = time.monotonic()
read = profiles.replay(now=datetime.now(UTC), progress=lambda *_: rss.append(int(open("/proc/self/statm").read().split()[1]) * page))
print(json.dumps({"s": time.monotonic() - started, "n": read, "early_mib": rss[len(rss) // 10], "late_mib": rss[-1]}))
"""


def open_log(db: Database, *, labels: bool = False) -> SqlProfiles:
    """Return the profiles of a database; without labels, the fold alone."""
    return SqlProfiles(db, SqlCatalogue(db).facts, Labeller([RuleLabels(load_rules())] if labels else []))


@contextmanager
def made_log(n: int, count: int) -> Iterator[Database]:
    """Yield a SQLite database whose log has `n` events of `count` members."""
    with tempfile.TemporaryDirectory() as name:
        db = Database(f"sqlite:///{name}/log.db", bytes(32))
        db.upgrade()
        now = datetime.now(UTC)
        make_shop(db, count, at=now - timedelta(days=500))
        fill_log(db, n, count, until=now)
        yield db
        db.dispose()


def replay_time(quick: bool) -> Iterator[Metric]:
    """Replay a log in a process of its own, and look at its memory early and late."""
    n, count = (40_000, 500) if quick else (10_000_000, 25_000)
    progress(f"making and replaying {n:,} events")
    with made_log(n, count) as db:
        with db.write() as connection:
            position(connection, CONSUMER)
            advance(connection, CONSUMER, n)  # a replay folds what the worker has had
        done = subprocess.run(
            [sys.executable, "-c", _REPLAY, str(db.url)], cwd=ROOT, capture_output=True, text=True, check=True
        )
    found = json.loads(done.stdout)
    scale = 10_000_000 / found["n"]
    about = f"{found['n']:,} events of {count:,} members, SQLite" + (", scaled up linearly" if scale > 1 else "")
    memory = {key: round(found[key]) for key in ("early_mib", "late_mib")}
    yield Metric(
        "profiling.replay_10m_s", round(found["s"] * scale, 1), "s", found["n"], about, baseline=memory, seed=SEED
    )


def replay_equal_and_read(quick: bool) -> Iterator[Metric]:
    """Compare the hash of what the worker folded, in the order of arrival, with that of a replay; then read profiles."""
    n, count = (10_000, 200) if quick else (1_000_000, 2_500)
    progress(f"folding {n:,} events twice")
    with made_log(n, count) as db:
        profiles, now = open_log(db, labels=True), datetime.now(UTC)
        while profiles.consume(now=now, limit=5_000, label=False):
            pass
        lived = profiles.fingerprint()
        profiles.replay(now=now)
        equal = int(profiles.fingerprint() == lived)
        about = f"{n:,} events of {count:,} members: the worker's passes of 5,000 against a replay member by member"
        yield Metric("profiling.replay_equal", equal, "1: same hash", n, about, seed=SEED)
        progress("reading profiles")
        labels, ids, samples = SqlLabels(db), member_ids(count), []
        for number in np.random.default_rng(SEED).integers(0, count, 300 if quick else 5_000):
            started = time.perf_counter()
            profiles.view(ids[number], at=now)
            labels.of_member(ids[number], at=now)
            samples.append((time.perf_counter() - started) * 1000)
    value, ci = percentile_with_ci(samples, 99, seed=SEED)
    about = (
        f"features, category shares and labels of one member; {count:,} members with {n // count} events each, SQLite"
    )
    median = {"p50_ms": round(float(np.median(samples)), 2)}
    yield Metric("profiling.read_p99_ms", round(value, 2), "ms", len(samples), about, ci, median, SEED)


_WORKER = """
import sys
from datetime import UTC, datetime
from bench.profiling_stream import open_log
from stores.database import Database
profiles = open_log(Database(sys.argv[1], bytes(32)), labels=True)
print("ready", flush=True)
while profiles.consume(now=datetime.now(UTC), limit=20):
    pass
"""


def kills(quick: bool) -> Iterator[Metric]:
    """Kill -9 a worker at random moments, again and again, and count what is lost or doubled against a clean replay."""
    times, rng = (2 if quick else 100), random.Random(SEED)
    progress(f"killing a worker {times} times")
    with made_log(3_000 if quick else 40_000, 300) as db:
        for _ in range(times):
            worker = subprocess.Popen(
                [sys.executable, "-c", _WORKER, str(db.url)], cwd=ROOT, stdout=subprocess.PIPE, text=True
            )
            assert worker.stdout is not None
            worker.stdout.readline()
            with suppress(subprocess.TimeoutExpired):
                worker.wait(timeout=rng.uniform(0.0, 0.25))
            worker.kill()
            worker.communicate()
        profiles, now = open_log(db, labels=True), datetime.now(UTC)
        left = profiles.backlog()
        while profiles.consume(now=now, limit=500):
            pass
        lived = _counts(db)
        profiles.replay(now=now)
        clean = _counts(db)
    wrong = sum(abs(lived.get(m, 0) - clean.get(m, 0)) for m in lived.keys() | clean.keys())
    about = (
        f"{times} times kill -9 at random moments, {left:,} events left for the last worker; events counted per profile"
    )
    yield Metric("profiling.lost_or_doubled", wrong, "events", times, about, seed=SEED)


def _counts(db: Database) -> dict[str, int]:
    with db.read() as connection:
        rows_ = connection.execute(select(profiles_table.c.member_id, profiles_table.c.state))
        return {member_id: decode(bytes(state)).events for member_id, state in rows_}
