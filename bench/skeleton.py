"""`aisle bench skeleton`: from a fresh clone to the first answer, chat and kiosk latency, budgets, erasure."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
from sqlalchemy import insert

from bench.plot import ecdf_svg
from bench.postgres import fresh_postgres
from bench.report import ROOT, Metric, percentile_with_ci, progress
from bench.stack import Stack
from stores.coupon_tables import budgets, campaigns
from stores.crypto import new_key
from stores.database import Database
from stores.ledger import SqlLedger
from stores.tables import templates

SEED = 7
SHOPPERS = 8
PROCESSES, BUDGET, AMOUNT, TIMES = 50, 1000, 70, 6
DATA = "Complete Journey"
QUESTIONS = (
    "what do you recommend", "do you have frozen pizza", "why this?", "any coupons for me", "when are you open", "what did i buy last time",
    "do you have dog food", "something different please", "this is the third time my coupon fails", "thanks",
)  # fmt: skip
BARS = {
    "skeleton.first_answer_s": 720, "skeleton.own_setup_s": 240, "skeleton.import_s": 90, "skeleton.import_rss_mib": 2048,
    "skeleton.overspend_minor_units": 0, "skeleton.second_start_s": 30, "skeleton.chat_p95_ms": 400, "skeleton.kiosk_p95_ms": 500,
    "skeleton.template_bytes_after_erase": 0,
}  # fmt: skip
TITLES = {
    "skeleton.chat_p95_ms": f"How long do {SHOPPERS} shoppers who write at once wait for an answer?",
    "skeleton.kiosk_p95_ms": "How long until the kiosk greets a member who steps before it?",
}


def main(*, quick: bool, data: Path | None) -> None:
    """Print every metric of the skeleton. Without `quick` the samples are larger and docs/benchmarks/skeleton.md is written."""
    state = Path(os.environ.get("AISLE_STATE_DIR", ROOT / "var"))
    found: list[Metric] = []
    for part in (setup_times, import_demo, overspend, running_product):
        for metric in part(state, quick):
            metric.print()
            found.append(metric)
    if not quick:
        write_page(found)


def missing(name: str, unit: str, reason: str) -> Metric:
    """Return a metric that could not be measured, and why."""
    return Metric(f"skeleton.{name}", None, unit, 0, DATA, reason=reason)


def setup_times(state: Path, quick: bool) -> Iterator[Metric]:
    """Read the times of the first set-up from the record that `make demo` wrote."""
    record = state / "setup.json"
    found: dict[str, Any] = json.loads(record.read_text()) if record.exists() else {}
    if "first_answer_s" in found:
        yield Metric(
            "skeleton.first_answer_s", found["first_answer_s"], "s", 1, f"`make demo`, {found['first_answer_at']}"
        )
    else:
        yield missing("first_answer_s", "s", "no first set-up by `make demo` is on record here")
    own = [step["seconds"] for step in found.get("steps", {}).values() if step["own"]]
    when = max((step["at"] for step in found.get("steps", {}).values()), default="")
    yield (
        Metric("skeleton.own_setup_s", round(sum(own), 1), "s", len(own), f"`make demo`, {when}")
        if own
        else missing("own_setup_s", "s", "no set-up is on record here")
    )


_IMPORT = """
import json, resource, sys, time
from datetime import date
from stores.database import Database
from stores.importing.complete_journey import import_complete_journey
started = time.monotonic()
db = Database(sys.argv[1], bytes(32)); db.upgrade()
households = int(sys.argv[2]) or None
report = import_complete_journey(db, anchor=date(2026, 6, 1), shift=True, currency="USD", progress=lambda *_: None, households=households)
print(json.dumps({"s": time.monotonic() - started, "lines": report.kept["orders"], "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def import_demo(state: Path, quick: bool) -> Iterator[Metric]:
    """Import the demo data into a new SQLite database, in a process of its own."""
    households = 250 if quick else 0
    progress(f"importing {f'{households} households' if quick else 'everything'} into SQLite")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", _IMPORT, f"sqlite:///{folder}/bench.db", str(households)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    found = json.loads(done.stdout)
    about = f"{DATA}, {found['lines']:,} order lines into SQLite"
    yield Metric("skeleton.import_s", round(found["s"], 2), "s", found["lines"], about)
    yield Metric("skeleton.import_rss_mib", round(found["mib"], 1), "MiB", found["lines"], about)


def overspend(state: Path, quick: bool) -> Iterator[Metric]:
    """Let many processes reserve and redeem against one budget; on PostgreSQL too, where there is one."""
    over, tried, places = 0, 0, []
    with tempfile.TemporaryDirectory() as folder, fresh_postgres() as postgres:
        for name, url in (("SQLite", f"sqlite:///{folder}/budget.db"), ("PostgreSQL", postgres)):
            if url is None:
                continue
            progress(f"{PROCESSES} processes spend from one budget on {name}")
            over += _spend(url)
            tried += PROCESSES * TIMES
            places.append(name)
    about = f"{PROCESSES} processes, {TIMES} coupons of {AMOUNT} each against {BUDGET}, on {' and '.join(places)}"
    yield Metric("skeleton.overspend_minor_units", over, "minor units", tried, about)


def _spend(url: str) -> int:
    db, now = Database(url, new_key()), datetime.now(UTC)
    db.upgrade()
    with db.write() as connection:
        connection.execute(
            insert(campaigns).values(
                campaign_id="b", name="B", starts_at=now, ends_at=now + timedelta(days=1), for_everybody=True
            )
        )
        connection.execute(insert(budgets).values(campaign_id="b", currency="USD", total=BUDGET, reserved=0, spent=0))
    command = [sys.executable, "-m", "bench.spender", url, "b", str(AMOUNT), str(TIMES)]
    workers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    redeemed = sum(int(worker.communicate()[0]) for worker in workers)
    state = SqlLedger(db).state("b")  # type: ignore[arg-type]
    db.dispose()
    spent = state.spent.minor_units if state else redeemed
    return max(0, max(spent, redeemed) - BUDGET)


def running_product(state: Path, quick: bool) -> Iterator[Metric]:
    """Start the whole product on a copy of the state, and measure it from outside."""
    if not (state / "artifacts" / "manifest.json").exists():
        for name, unit in (
            ("second_start_s", "s"),
            ("chat_p95_ms", "ms"),
            ("kiosk_p95_ms", "ms"),
            ("template_bytes_after_erase", "hits"),
        ):
            yield missing(name, unit, "nothing is set up here; run `make demo` once")
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_state(state, Path(folder))
        progress("starting everything")
        started = time.monotonic()
        environment = {
            **os.environ,
            "AISLE_STATE_DIR": str(state),
            "AISLE_PORT": "0",
            "AISLE_RASA_URL": "http://127.0.0.1:0",
        }
        subprocess.run(
            [sys.executable, "tools/setup.py", "demo"], cwd=ROOT, env=environment, capture_output=True, check=False
        )
        checked = time.monotonic() - started
        with Stack(copy) as stack:
            yield Metric(
                "skeleton.second_start_s",
                round(checked + stack.ready_s, 1),
                "s",
                1,
                "everything set up before; until Rasa answers",
            )
            yield chat_latency(stack, rounds=6 if quick else 30)
            yield from kiosk_latency(stack, visits=4 if quick else 25)


def copy_state(state: Path, folder: Path) -> Path:
    """Return a copy of a state folder that a benchmark may change; what is only read is linked."""
    copy = folder / "var"
    copy.mkdir()
    for name in ("artifacts", "models", "rasa"):
        (copy / name).symlink_to((state / name).resolve())
    shutil.copytree(state / "keys", copy / "keys")
    (copy / "keys" / "demo.json").unlink(missing_ok=True)
    source = Database(f"sqlite:///{state / 'aisle.db'}", new_key())
    source.scrub([])
    source.dispose()
    shutil.copy(state / "aisle.db", copy / "aisle.db")
    return copy


def _session(client: httpx.Client, member_id: str | None) -> dict[str, str]:
    found = client.get("/demo/session", params={"member": member_id} if member_id else {}).raise_for_status().json()
    return {"Authorization": f"Bearer {found['token']}"}


def chat_latency(stack: Stack, *, rounds: int) -> Metric:
    """Eight shoppers write at the same time; the time from sending a message to having the answer."""
    progress(f"{SHOPPERS} shoppers chat, {rounds} messages each")
    members = [member["member_id"] for member in httpx.get(f"{stack.url}/demo/members", timeout=60).json()["members"]]

    def shopper(number: int) -> list[tuple[float, str]]:
        with httpx.Client(base_url=stack.url, timeout=30) as client:
            headers = _session(client, members[number % len(members)] if number % 4 else None)
            conversation = client.post("/v1/conversations", headers=headers).json()["conversation_id"]
            client.post(
                f"/v1/conversations/{conversation}/messages", json={"text": QUESTIONS[0]}, headers=headers
            )  # warm
            took = []
            for turn in range(rounds):
                started = time.perf_counter()
                body = {"text": QUESTIONS[(turn + number) % len(QUESTIONS)]}
                answer = client.post(f"/v1/conversations/{conversation}/messages", json=body, headers=headers)
                took.append(((time.perf_counter() - started) * 1000, answer.raise_for_status().json()["engine"]))
            return took

    with ThreadPoolExecutor(SHOPPERS) as pool:
        answers = [answer for took in pool.map(shopper, range(SHOPPERS)) for answer in took]
    samples = [took for took, _ in answers]
    value, ci = percentile_with_ci(samples, 95, seed=SEED)
    by_rasa = sum(engine == "rasa" for _, engine in answers)
    about = f"{SHOPPERS} parallel shoppers without pauses, members and visitors, {by_rasa} of {len(answers)} answered by Rasa, the rest by the fallback"
    return Metric(
        "skeleton.chat_p95_ms",
        value,
        "ms",
        len(samples),
        about,
        ci,
        {"p50_ms": round(float(np.median(samples)), 1)},
        SEED,
        samples=samples,
    )


def faces() -> tuple[bytes, bytes]:
    """Return two JPEGs: a person (NASA's astronaut, from scikit-image), and nobody."""
    import skimage.data

    portrait = cv2.resize(cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR), (480, 480))
    somebody = np.full((480, 640, 3), 200, np.uint8)
    nobody = somebody.copy()
    somebody[:, 80:560] = portrait
    one, two = (cv2.imencode(".jpg", frame)[1].tobytes() for frame in (somebody, nobody))
    return one, two


def kiosk_latency(stack: Stack, *, visits: int) -> Iterator[Metric]:
    """Somebody steps before the camera; the time from sending the frame to having the new display by server-sent event."""
    progress(f"a member visits the kiosk {visits} times")
    somebody, nobody = faces()
    url = httpx.get(f"{stack.url}/demo/kiosk").json()["url"]
    name, key = re.findall(r"/kiosk/([^?#]+).*#key=(.+)", url)[0]
    with (
        httpx.Client(base_url=f"{stack.url}/v1", timeout=30) as client,
        listening(f"{stack.url}/v1/kiosks/{name}/display", key) as shown,
    ):
        member = httpx.get(f"{stack.url}/demo/members").json()["members"][1]["member_id"]
        token = httpx.get(f"{stack.url}/demo/session", params={"member": member}).json()["token"]
        device, shopper = {"Authorization": f"Bearer {key}"}, {"Authorization": f"Bearer {token}"}
        code = client.post("/me/link-codes", headers=shopper).json()["code"]
        files = [("frames", (f"{n}.jpg", somebody, "image/jpeg")) for n in range(3)]
        form = {"code": code, "consent_text_version": "bench", "consents": "face_recognition"}
        client.post(f"/kiosks/{name}/enrolments", headers=device, data=form, files=files).raise_for_status()

        def show(frame: bytes) -> None:
            client.post(
                f"/kiosks/{name}/frames", content=frame, headers={**device, "Content-Type": "image/jpeg"}
            ).raise_for_status()

        samples = []
        for _ in range(visits):
            _until(lambda: show(nobody), lambda: shown.mode == "attract", pause=0.3)
            started = time.perf_counter()
            _until(lambda: show(somebody), lambda: shown.mode == "welcome", pause=0.002)
            samples.append((shown.at - started) * 1000)
        value, ci = percentile_with_ci(samples, 95, seed=SEED)
        yield Metric("skeleton.kiosk_p95_ms", value, "ms", visits, "recognised member, 640x480 JPEG, new person each time", ci,
                     {"p50_ms": round(float(np.median(samples)), 1)}, SEED, samples=samples)  # fmt: skip
        yield template_bytes(stack, client, shopper)


def template_bytes(stack: Stack, client: httpx.Client, shopper: dict[str, str]) -> Metric:
    """Withdraw the consent, then search every byte of the database's files for the sealed template."""
    db = Database(f"sqlite:///{stack.state_dir / 'aisle.db'}", new_key())
    with db.read() as connection:
        sealed = [bytes(row[0]) for row in connection.execute(templates.select().with_only_columns(templates.c.sealed))]
    db.dispose()
    withdrawal = {"purpose": "face_recognition", "granted": False, "text_version": "bench"}
    client.post("/consents", json=withdrawal, headers=shopper).raise_for_status()
    content = b"".join(path.read_bytes() for path in stack.state_dir.glob("aisle.db*"))
    pieces = [whole[start : start + 32] for whole in sealed for start in range(0, len(whole) - 31, 32)]
    hits = sum(content.count(piece) for piece in pieces)
    return Metric(
        "skeleton.template_bytes_after_erase",
        hits,
        "hits",
        len(pieces),
        f"{len(sealed)} sealed template, pieces of 32 bytes, database and log files",
    )


class _Shown:
    mode, at = "", 0.0


@contextmanager
def listening(url: str, key: str) -> Iterator[_Shown]:
    """Follow a display on a thread; yields what it shows now and since when."""
    shown, ended = _Shown(), threading.Event()

    def follow() -> None:
        with (
            suppress(httpx.HTTPError),
            httpx.stream("GET", url, headers={"Authorization": f"Bearer {key}"}, timeout=None) as answer,
        ):
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    shown.mode, shown.at = json.loads(line.removeprefix("data: "))["mode"], time.perf_counter()
                if ended.is_set():
                    return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    _until(lambda: None, lambda: shown.mode != "", pause=0.01)
    try:
        yield shown
    finally:
        ended.set()


def _until(act: Callable[[], None], done: Callable[[], bool], *, pause: float, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError("the display did not change")
        act()
        time.sleep(pause)


def write_page(found: list[Metric]) -> None:
    """Write docs/benchmarks/skeleton.md, and a plot for each latency, from what was just measured."""
    target = ROOT / "docs" / "benchmarks"
    target.mkdir(parents=True, exist_ok=True)
    rows = []
    for m in found:
        value, interval = "–" if m.value is None else m.value, f"{m.ci[0]} to {m.ci[1]}" if m.ci else ""
        median = f"; median {m.baseline['p50_ms']} ms" if m.baseline else ""
        about = f"{m.data}{m.reason or ''}{median}"
        rows.append(f"| `{m.metric}` | {value} | {BARS[m.metric]} | {m.unit} | {interval} | {m.n} | {about} |")
    plots = []
    for metric in found:
        if metric.samples:
            name, title = metric.metric.replace(".", "-"), TITLES[metric.metric]
            (target / f"{name}.svg").write_text(ecdf_svg(title, metric.samples, metric.unit, bar=BARS[metric.metric]))
            plots += [f"![{title}]({name}.svg)", ""]
    page = [
        "# Skeleton", "", f"`aisle bench skeleton`, {found[-1].at}, commit {found[-1].commit}, {os.cpu_count()} cores, seed {SEED}. Intervals are 95 % bootstrap intervals.",
        "", "| metric | value | at most | unit | interval | n | data |", "|---|---|---|---|---|---|---|", *rows, "", *plots,
    ]  # fmt: skip
    (target / "skeleton.md").write_text("\n".join(page))
