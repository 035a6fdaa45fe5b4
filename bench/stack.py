"""The whole of Aisle as processes, on ports and a state folder of their own: what benchmarks and browser tests use."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import httpx

from bench.report import ROOT


class StackError(RuntimeError):
    """The processes did not become ready; the message ends with the last lines of their log."""


def free_port() -> int:
    """Return a TCP port on the loopback address that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stack:
    """Start `aisle up --demo` on `state_dir` and stop it again; a context manager. `rasas`: how many Rasas; with two there is a spare api, too.

    Attributes
    ----------
    url : the api's address, for example http://127.0.0.1:41235
    api_ready_s, ready_s : seconds until the api answered, and until Rasa did too
    """

    def __init__(self, state_dir: Path, *, environment: Mapping[str, str] | None = None, rasas: int = 1) -> None:
        self.state_dir = state_dir
        self.port = free_port()
        self.rasa_ports = [free_port() for _ in range(rasas)]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_path = state_dir / "stack.log"
        self.api_ready_s = self.ready_s = float("nan")
        self._environment = {
            **os.environ,
            "AISLE_STATE_DIR": str(state_dir),
            "AISLE_PORT": str(self.port),
            "AISLE_API_SPARE": str(rasas > 1),
            "AISLE_RASA_URL": ",".join(f"http://127.0.0.1:{port}" for port in self.rasa_ports),
            **(environment or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._client = httpx.Client(timeout=2)  # one for all looks: a new one takes the stack's cores for 20 ms

    def __enter__(self) -> Stack:
        started = time.monotonic()
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [str(Path(sys.executable).with_name("aisle")), "up", "--demo"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait(lambda state: state["api"], 60)
            self.api_ready_s = time.monotonic() - started
            self._wait(lambda state: state["rasa"], 300)  # it may start beside what takes both cores
            self.ready_s = time.monotonic() - started
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop every process, as Ctrl-C would."""
        self._client.close()
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _wait(self, ready: Callable[[dict[str, bool]], bool], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                break
            if ready(self.state()):
                return
            time.sleep(0.1)
        raise StackError(f"`aisle up` was not ready after {timeout_s:.0f} s. Its last lines:\n{self.last_lines()}")

    def kill_api(self) -> None:
        """Kill the api that has the port as a crash would; the supervisor starts it again."""
        listening = {f"socket:[{line.split()[9]}]" for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
                     if line.split()[1].endswith(f":{self.port:04X}") and line.split()[3] == "0A"}  # fmt: skip
        for path in Path("/proc").glob("[0-9]*/fd/*"):
            with suppress(OSError):
                if str(path.readlink()) in listening:
                    os.kill(int(path.parts[2]), signal.SIGKILL)
                    return

    def wait_for_api(self) -> None:
        """Wait until the api answers."""
        self._wait(lambda state: state["api"], 60)

    def kill_rasa(self) -> None:
        """Kill the first Rasa as a crash would; the supervisor starts it again."""
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = path.read_bytes().replace(b"\0", b" ")
            except OSError:
                continue
            if b"rasa" in command and f"--port {self.rasa_ports[0]}".encode() in command:
                os.kill(int(path.parent.name), signal.SIGKILL)
        self._wait(lambda state: not state["rasa"], 10)

    def wait_for_rasa(self) -> None:
        """Wait until every Rasa answers."""
        self._wait(lambda state: all(up for name, up in state.items() if name.startswith("rasa")), 300)

    def state(self) -> dict[str, bool]:
        """Return which processes answer: "api", "rasa", and "rasa-2" where there is one."""
        answers = {"api": f"{self.url}/healthz"}
        for number, port in enumerate(self.rasa_ports):
            answers[f"rasa-{number + 1}" if number else "rasa"] = f"http://127.0.0.1:{port}/status"
        found = {}
        for name, address in answers.items():
            try:
                found[name] = self._client.get(address).status_code == httpx.codes.OK
            except httpx.HTTPError:
                found[name] = False
        return found

    def spent_s(self) -> float:
        """Return the processor seconds that all processes of the stack have taken so far, those that ended too."""
        assert self._process is not None
        parents, spent = dict[int, int](), dict[int, int]()
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError, ValueError):
                fields = path.read_text().rpartition(")")[2].split()
                parents[int(path.parent.name)] = int(fields[1])
                spent[int(path.parent.name)] = sum(map(int, fields[11:15]))  # its own, and what its ended children took
        family, size = {self._process.pid}, 0
        while len(family) != size:
            size = len(family)
            family |= {pid for pid, parent in parents.items() if parent in family}
        return sum(spent.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")

    def last_lines(self, count: int = 25) -> str:
        """Return the end of the processes' log."""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-count:])


class ApiAlone:
    """`aisle serve` with the demo shop on `state_dir`, without Rasa: for cameras and kiosks, where nobody writes. A context manager."""

    def __init__(self, state_dir: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.state_dir, self.log_path = state_dir, state_dir / "api.log"
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._environment = {
            **os.environ, "AISLE_STATE_DIR": str(state_dir), "AISLE_PORT": str(port), "AISLE_DEMO": "true",
            "AISLE_RASA_URL": f"http://127.0.0.1:{free_port()}", **(environment or {}),
        }  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ApiAlone:
        with self.log_path.open("wb") as log:
            command = [str(Path(sys.executable).with_name("aisle")), "serve"]
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/healthz", timeout=2).status_code == httpx.codes.OK:
                    return self
            time.sleep(0.05)
        self.__exit__(None, None, None)
        lines = self.log_path.read_text(errors="replace").splitlines()[-10:]
        raise StackError("`aisle serve` did not answer. Its last lines:\n" + "\n".join(lines))

    def kill(self) -> None:
        """Kill it as a crash would; the same object starts it again."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
