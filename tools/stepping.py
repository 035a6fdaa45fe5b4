"""Steps of the set-up: what is done stays done, what can run side by side does, and what fails says how to go on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
GRACE_S = 10.0


class SetupError(Exception):
    """A step failed, or a prerequisite is missing; the message says what to do."""


class KilledError(SetupError):
    """A step's command was killed from outside, so what it was writing may be half there."""


def with_dotenv(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment, completed from the file `.env` as the settings do it."""
    path = ROOT / ".env"
    lines = path.read_text().splitlines() if path.exists() else []
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {**{key.strip(): value.strip().strip("'\"") for key, value in pairs}, **environment}


ENVIRONMENT = with_dotenv(os.environ)
STATE = ROOT / ENVIRONMENT.get("AISLE_STATE_DIR", "var")
LOGS, STAMPS, RECORD = STATE / "logs", STATE / "stamps", STATE / "setup.json"


@dataclass(frozen=True)
class Step:
    """One thing to do: `inputs` decide whether it is still done, `after` names steps that come first."""

    name: str
    about: str
    run: Callable[[Path], None]
    inputs: tuple[str, ...]
    product: Path
    after: tuple[str, ...] = ()
    own: bool = True  # Aisle's own work, not the installation of others'
    stamps: Path = STAMPS  # beside the product, where that does not lie in the state folder

    def fingerprint(self) -> str:
        """Return a hash of the step's inputs."""
        digest = hashlib.sha256(self.name.encode())
        for pattern in self.inputs:
            for path in sorted(ROOT.glob(pattern)):
                if path.is_file():
                    digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    def done(self) -> bool:
        """Whether the step was done with these inputs, and what it made is still there."""
        stamp = self.stamps / self.name
        return self.product.exists() and stamp.exists() and stamp.read_text() == self.fingerprint()

    def stamp(self, fingerprint: str) -> None:
        """Remember that the step is done."""
        self.stamps.mkdir(parents=True, exist_ok=True)
        (self.stamps / self.name).write_text(fingerprint)


SETTINGS = {
    "AISLE_STATE_DIR": str(STATE),
    "MULTIDICT_NO_EXTENSIONS": "1",  # Rasa's old multidict has no wheel; so it needs no compiler either
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "npm_config_audit": "false",
    "npm_config_fund": "false",
}
_children: set[subprocess.Popen[bytes]] = set()


def call(log: Path, *command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command with its output in `log`; SetupError with the last lines when it fails."""
    with log.open("ab") as out:
        out.write(f"$ {' '.join(map(str, command))}\n".encode())
        out.flush()
        process = subprocess.Popen(
            [str(part) for part in command], cwd=cwd, env={**ENVIRONMENT, **SETTINGS}, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        _children.add(process)
        code = process.wait()
        _children.discard(process)
    if code:
        said = f"`{' '.join(map(str, command[:4]))} …` ended with status {code}; the end of {log}:"
        raise (KilledError if code < 0 else SetupError)("\n    ".join([said, *_lines(log)[-12:]]))


def stop_children() -> None:
    """End every command that still runs, with its children, and wait for that."""
    for number, patience in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, 2.0)):
        for child in list(_children):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, number)
        deadline = time.monotonic() + patience
        while _children and time.monotonic() < deadline:
            time.sleep(0.05)


def _lines(log: Path) -> list[str]:
    """Return what a log says, without what pip says about registries that lack a package."""
    text = ANSI.sub("", log.read_text(errors="replace"))
    return [line for line in text.splitlines() if line.strip() and "is ignored: it is neither" not in line]


def progress(log: Path) -> str:
    """Return how far the command of a log has come, as far as the log tells."""
    text = "\n".join(_lines(log)) if log.exists() else ""
    if counts := re.findall(r"\[(\d+)/(\d+)\]", text):
        done, total = map(int, counts[-1])
        return f"{100 * done // max(total, 1)} %"
    fetched = len(re.findall(r"^Collecting ", text, re.MULTILINE))
    if fetched:
        return "installing" if "Installing collected packages" in text else f"{fetched} fetched"
    return ""


class Run:
    """Runs steps side by side as their order allows, and tells how it goes."""

    def __init__(self, todo: list[Step], all_steps: list[Step]) -> None:
        self._todo, self._all = todo, all_steps
        self._done = 0
        self._failed: list[str] = []
        self._lock = threading.Lock()
        self._finished = {step.name: threading.Event() for step in todo}
        self._started: dict[str, float] = {}

    def go(self) -> None:
        """Run everything; SetupError when a step failed."""
        for step in self._all:
            if step not in self._todo:
                self._tell(f"{step.about} (done before)")
        threads = [threading.Thread(target=self._step, args=(step,), daemon=True) for step in self._todo]
        for thread in threads:
            thread.start()
        pause, last = (0.2 if sys.stdout.isatty() else 20.0), time.monotonic()
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.1)
            if time.monotonic() - last > pause:
                last = time.monotonic()
                self._progress()
        if self._failed:
            raise SetupError("\n".join(self._failed))

    def _step(self, step: Step) -> None:
        for name in step.after:
            if name in self._finished:
                self._finished[name].wait()
        with self._lock:
            if self._failed:
                self._finished[step.name].set()
                return
            self._started[step.name] = started = time.monotonic()
        try:
            self._do(step)
        except (SetupError, OSError) as error:
            advice = "What is done stays done: mend this and run the same command again."
            with self._lock:
                self._failed.append(f"{step.about}: {error}\n    {advice}")
                say(f"  ✗ {step.about}; what else is running comes to its end first")
        else:
            with self._lock:
                took = time.monotonic() - started
                record_step(step, took)
                self._tell(f"{step.about} in {took:.0f} s")
        with self._lock:
            self._started.pop(step.name, None)
        self._finished[step.name].set()

    def _do(self, step: Step) -> None:
        fingerprint = step.fingerprint()  # of what is read now: a change while it runs is not done
        log = LOGS / f"setup-{step.name}.log"
        log.write_text("")
        step.run(log)
        step.stamp(fingerprint)

    def _tell(self, text: str) -> None:
        self._done += 1
        say(f"  [{self._done}/{len(self._all)}] ✓ {text}")

    def _progress(self) -> None:
        now = time.monotonic()
        about = {step.name: step.about for step in self._todo}
        with self._lock:
            parts = [
                " ".join(filter(None, [about[name], progress(LOGS / f"setup-{name}.log"), f"{now - at:.0f} s"]))
                for name, at in self._started.items()
            ]
        if parts:
            say(f"  {SPINNER[int(now * 5) % len(SPINNER)]} {', '.join(parts)}", transient=True)


def say(text: str, *, transient: bool = False) -> None:
    """Print a line; a transient one is overwritten by the next on a terminal."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K{text[:110] if transient else text}", end="" if transient else "\n", flush=True)
    else:
        print(text, flush=True)


@contextlib.contextmanager
def recorded() -> Iterator[dict[str, object]]:
    """Give the record of times to change, and write it in one go."""
    found = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    yield found
    fresh = RECORD.with_suffix(".new")
    fresh.write_text(json.dumps(found, indent=1))
    fresh.replace(RECORD)


def record_step(step: Step, seconds: float) -> None:
    """Keep how long a step took, with the date; the benchmark reads it."""
    with recorded() as found:
        steps = found.setdefault("steps", {})
        assert isinstance(steps, dict)
        steps[step.name] = {
            "seconds": round(seconds, 1),
            "own": step.own,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
