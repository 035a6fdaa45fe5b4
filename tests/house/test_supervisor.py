"""`aisle up`: what crashes is started again, and the end is the end of everything."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import pytest

from api.settings import Settings
from api.shares import stand_back, stands_back, step_forward
from api.supervisor import programs

ROOT = Path(__file__).resolve().parent.parent.parent
AISLE = str(Path(sys.executable).with_name("aisle"))
DRIVER = """
import asyncio, json, sys
from api.supervisor import Program, Supervisor
asyncio.run(Supervisor([Program(*p) for p in json.loads(sys.argv[1])], colour=False, grace_s=float(sys.argv[2])).run())
"""
# A program with a child of its own that holds on to the output; both say who they are.
FAMILY = """
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
if sys.argv[1] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("pids", os.getpid(), child.pid, flush=True)
if sys.argv[1] == "crash":
    os._exit(3)
time.sleep(600)
"""


class Supervised:
    """A supervisor in a process of its own, and what it has said."""

    def __init__(self, process: subprocess.Popen[str], said: IO[str]) -> None:
        self.process, self._said = process, said
        self.lines: list[str] = []

    def until(self, pattern: str) -> re.Match[str]:
        """Read on until a line matches."""
        for line in self._said:
            self.lines.append(line)
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"{pattern} was never said:\n{''.join(self.lines)}")

    def pids(self) -> list[int]:
        """Read on until a family says who it is."""
        return [int(pid) for pid in self.until(r"pids (\d+) (\d+)").groups()]


@contextmanager
def supervised(command: list[str], grace_s: float = 20) -> Iterator[Supervised]:
    given = [sys.executable, "-c", DRIVER, json.dumps([["family", command]]), str(grace_s)]
    with subprocess.Popen(given, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            yield Supervised(process, process.stdout)
        finally:
            process.kill()


def family(behaviour: str) -> list[str]:
    return [sys.executable, "-c", FAMILY, behaviour]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def eventually(true: Callable[[], bool], what: str, timeout_s: float = 40) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, f"waited {timeout_s} s: {what}"
        time.sleep(0.05)


def test_a_crashed_program_is_started_again_even_when_its_child_lives_on() -> None:
    with supervised(family("crash")) as up:
        first = up.pids()
        up.until(r"ended with status 3; starting it again")
        second = up.pids()
        assert set(first).isdisjoint(second)
        assert not any(map(alive, first))


def test_restarts_come_slower_and_slower() -> None:
    with supervised([sys.executable, "-c", "raise SystemExit(1)"]) as up:
        pauses = [float(up.until(r"starting it again in ([\d.]+) s")[1]) for _ in range(3)]
    assert pauses == [0.5, 1.0, 2.0]


def test_a_program_that_cannot_start_is_said_and_tried_again() -> None:
    with supervised(["/nowhere/at/all"]) as up:
        up.until(r"cannot start .*No such file.*starting it again")
        up.until(r"cannot start")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_ends_programs_and_their_children(number: signal.Signals) -> None:
    with supervised(family("quiet")) as up:
        pids = up.pids()
        up.process.send_signal(number)
        up.until("stopped")
        assert up.process.wait(10) == 0
        assert not any(map(alive, pids))


def test_a_second_ctrl_c_kills_what_does_not_listen() -> None:
    with supervised(family("stubborn"), grace_s=600) as up:
        pids = up.pids()
        up.process.send_signal(signal.SIGINT)
        up.until("stopping")
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(20) == 0
        assert not any(map(alive, pids))


def test_what_does_not_listen_is_killed_after_a_while() -> None:
    with supervised(family("stubborn"), grace_s=0.2) as up:
        pids = up.pids()
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(20) == 0
        assert not any(map(alive, pids))


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells programs that their supervisor was killed")
def test_a_killed_supervisor_leaves_no_program_behind() -> None:
    with supervised(
        [sys.executable, "-c", "import os, time; print('pids', os.getpid(), 1, flush=True); time.sleep(600)"]
    ) as up:
        program = up.pids()[0]
        up.process.kill()
        eventually(lambda: not alive(program), "the program should end")


def test_very_long_lines_do_not_stop_the_log() -> None:
    with supervised([sys.executable, "-c", "print('x' * 300_000); print('after', flush=True); input()"]) as up:
        up.until("after")


def test_rasa_is_started_only_where_its_address_is_this_machines(tmp_path: Path) -> None:
    here = Settings(state_dir=tmp_path, rasa_url="http://127.0.0.1:5105")
    two = Settings(state_dir=tmp_path, rasa_url="http://127.0.0.1:5105,http://127.0.0.1:5106")
    there = Settings(state_dir=tmp_path, rasa_url="http://rasa.example:5005")
    assert [program.name for program in programs(here, demo=False)] == ["api", "rasa", "api-2"]
    assert [program.name for program in programs(there, demo=False)] == ["api", "api-2"]
    _, first, second, spare = programs(two, demo=False)
    assert spare.after == "http://127.0.0.1:5106/status"
    assert (first.after, second.name, second.after) == ("", "rasa-2", "http://127.0.0.1:5105/status")


def test_api_and_rasa_share_a_secret_that_each_start_makes_anew(tmp_path: Path) -> None:
    def secret() -> str:
        api, rasa, spare, _ = programs(Settings(state_dir=tmp_path), demo=False)
        assert rasa.command[-1] == spare.command[-1] == api.environment["AISLE_ACTION_TOKEN"]
        return rasa.command[-1]

    assert secret() != secret()
    assert len(secret()) >= 32


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def up_environment(tmp_path: Path, port: int, rasa_url: str) -> dict[str, str]:
    return {**os.environ, "AISLE_STATE_DIR": str(tmp_path), "AISLE_PORT": str(port), "AISLE_RASA_URL": rasa_url}


def test_aisle_up_says_where_to_look_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    port = free_port()
    environment = up_environment(tmp_path, port, "http://rasa.invalid:5005")
    with subprocess.Popen(
        [AISLE, "up"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        up = Supervised(process, process.stdout)
        try:
            up.until(rf"API +http://127.0.0.1:{port}/docs")
            assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == httpx.codes.OK
            process.send_signal(signal.SIGINT)
            up.until("stopped")
            assert process.wait(20) == 0
        finally:
            process.kill()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/healthz")
    assert "Traceback" not in "".join(up.lines)


@pytest.mark.parametrize("which", ["api", "rasa"])
def test_a_port_in_use_is_one_clear_line(tmp_path: Path, which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
        ports = (port, free_port()) if which == "api" else (free_port(), port)
        environment = up_environment(tmp_path, ports[0], f"http://127.0.0.1:{ports[1]}")
        done = subprocess.run([AISLE, "up"], env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    [line] = done.stderr.strip().splitlines()
    assert line.startswith(f"aisle: port {port} is in use; stop what uses it, or choose another: AISLE_")


def test_what_starts_beside_one_that_serves_stands_back_until_it_serves_too(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    stand_back(7, tmp_path)
    assert int((tmp_path / "7" / "autogroup").read_text()) > 0
    assert stands_back(7, tmp_path)
    step_forward(7, tmp_path)
    assert (tmp_path / "7" / "autogroup").read_text() == "0"
    stand_back(8, tmp_path)  # it has ended, or the machine has no such shares
    assert not stands_back(7, tmp_path)
    assert not stands_back(8, tmp_path)
    both = Settings(rasa_url="http://127.0.0.1:1,http://127.0.0.1:2", api_spare=True)
    assert all(program.others for program in programs(both, demo=False))
    alone = Settings(rasa_url="http://127.0.0.1:1", api_spare=False)
    assert not any(program.others for program in programs(alone, demo=False))  # its shoppers wait for it
