"""`aisle up`: api, worker and Rasa under one supervisor, with prefixed logs, restarts and a clean end.

A library would do most of this; docs/decisions says why it is our own.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from api.settings import Settings
from api.shares import stand_back, stands_back, step_forward

COLOURS = {"api": "36", "rasa": "35", "rasa-2": "35", "api-2": "36", "worker": "33", "aisle": "32"}
FIRST_PAUSE_S, LONGEST_PAUSE_S, STEADY_S = 0.5, 15.0, 30.0
GRACE_S = 8.0
LEAST_DISK_MB = 200
LOOK_AGAIN_S = 0.5
LEFTOVER_S = 2.0
LONGEST_LINE = 1 << 16
LOCAL, EVERYWHERE = {"127.0.0.1", "localhost"}, {"0.0.0.0", "::", ""}  # noqa: S104
RASA_PORT = 5005
STARTED = time.monotonic() - time.process_time()  # when the process began, near enough
_NOISE = (  # what Rasa's old libraries say at every start
    "Warning:", "parser.", "parse = parser", "warnings.warn", "import pkg_resources", "declare_namespace", "SANIC_VERSION",
    "sre_constants", "Implementing implicit namespace",
)  # fmt: skip

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded before a fork, not after


class UpError(Exception):
    """Something on this machine prevents the start; the message says what to do."""


@dataclass(slots=True)
class Program:
    """One process to keep running."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    after: str = ""  # an address that must answer before the first start
    serves: str = ""  # an address that answers once it serves
    others: tuple[
        str, ...
    ] = ()  # addresses of those like it: beside one that answers it stands back until it serves, too


class Supervisor:
    """Keeps programs running, restarts what ends, and stops everything with its children."""

    def __init__(self, programs: list[Program], *, colour: bool, grace_s: float = GRACE_S) -> None:
        self._programs, self._colour, self._grace_s = programs, colour, grace_s
        self._width = max(len(name) for name in ("aisle", *(program.name for program in programs)))
        self._running: dict[str, int] = {}
        self._stopping = asyncio.Event()

    def say(self, name: str, text: str) -> None:
        """Print one line with its program's name in front."""
        label = f"{name:<{self._width}} |"
        if self._colour:
            label = f"\x1b[{COLOURS.get(name, '37')}m{label}\x1b[0m"
        print(label, text, flush=True)

    def stop(self) -> None:
        """Begin the end; asked a second time, kill."""
        self._signal(signal.SIGKILL if self._stopping.is_set() else signal.SIGTERM)
        self._stopping.set()

    async def run(self) -> None:
        """Run until `stop`."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.stop)
        keepers = [asyncio.create_task(self._keep(program)) for program in self._programs]
        await self._stopping.wait()
        self.say("aisle", "stopping …")
        _, late = await asyncio.wait(keepers, timeout=self._grace_s)
        if late:
            self._signal(signal.SIGKILL)
            await asyncio.wait(late, timeout=2)
        self.say("aisle", "stopped")

    async def _keep(self, program: Program) -> None:
        pause = FIRST_PAUSE_S
        if program.after:
            await self._until_there(program.after)
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                ending = f"ended with status {await self._once(program)}"
            except OSError as error:
                ending = f"cannot start ({error})"
            if self._stopping.is_set():
                return
            if time.monotonic() - started > STEADY_S:  # no crash at the start: shoppers wait for it
                pause = 0.0
            self.say(program.name, f"{ending}; starting it again" + (f" in {pause:g} s" if pause else ""))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, LONGEST_PAUSE_S) or FIRST_PAUSE_S

    async def _until_there(self, url: str) -> None:
        async with httpx.AsyncClient(timeout=2) as client:
            while not self._stopping.is_set() and not await _answers(client, url):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), LOOK_AGAIN_S)

    async def _once(self, program: Program) -> int:
        """Run a program until it ends, then end what it left behind; return its status.

        The pipe is ours, not asyncio's: asyncio would wait for the last holder of the pipe, and a child that outlives a crashed
        program would keep it from being started again.
        """
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *program.command, env={**os.environ, **program.environment}, stdin=asyncio.subprocess.DEVNULL, stdout=writing,
                stderr=writing, start_new_session=True, preexec_fn=_end_with_parent,
            )  # fmt: skip
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        relay = asyncio.create_task(self._relay(program.name, reading))
        self._running[program.name] = process.pid
        coming = asyncio.create_task(self._come_forward(program, process.pid))
        if self._stopping.is_set():  # since the start was ordered
            _signal_group(process.pid, signal.SIGTERM)
        code = await process.wait()
        coming.cancel()
        await self._finish(process.pid, relay)
        del self._running[program.name]
        return code

    async def _come_forward(self, program: Program, pid: int) -> None:
        """Keep a program that has just begun from taking the cores of those that serve, until it serves itself."""
        async with httpx.AsyncClient(timeout=2) as client:

            async def beside() -> bool:
                return any([await _answers(client, other) for other in program.others])

            if not await beside():
                return
            stand_back(pid)  # what has no address of its own steps forward by itself
            while (
                stands_back(pid) and await beside() and not (program.serves and await _answers(client, program.serves))
            ):
                await asyncio.sleep(LOOK_AGAIN_S)
            step_forward(pid)

    async def _finish(self, group: int, relay: asyncio.Task[None]) -> None:
        """End what is left of a group whose leader ended: asked first, killed when it does not listen."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            _signal_group(group, number)
            deadline = time.monotonic() + LEFTOVER_S
            while _signal_group(group, 0) and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
        await asyncio.wait([relay], timeout=LEFTOVER_S)  # its last words
        relay.cancel()

    async def _relay(self, name: str, reading: int) -> None:
        lines = asyncio.StreamReader(limit=LONGEST_LINE)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), os.fdopen(reading, "rb", 0)
        )
        try:
            while text := await _line(lines):
                if text.strip() and not (name.startswith("rasa") and any(noise in text for noise in _NOISE)):
                    self.say(name, text.rstrip())
        finally:
            transport.close()

    def _signal(self, number: signal.Signals) -> None:
        for group in self._running.values():
            _signal_group(group, number)


async def _line(lines: asyncio.StreamReader) -> str:
    """Return the next line with its end, or the next part of an endless one; "" at the end."""
    try:
        found = await lines.readuntil()
    except asyncio.IncompleteReadError as error:
        found = error.partial
    except asyncio.LimitOverrunError as error:
        found = await lines.read(error.consumed)
    return found.decode(errors="replace")


def _end_with_parent() -> None:
    """Ask Linux to end this process when the supervisor is killed and can ask nothing any more."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(group: int, number: int) -> bool:
    """Signal a program and its children, which are a group of their own; False when none of them is left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def check(settings: Settings) -> None:
    """Raise UpError when a port is taken or the disk is full."""
    _check_port(settings.host, settings.port, "AISLE_PORT=8081")
    for port in _rasa_ports(settings):
        _check_port("127.0.0.1", port, "AISLE_RASA_URL=http://127.0.0.1:5015,http://127.0.0.1:5016")
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.state_dir).free // 1_000_000
    if free < LEAST_DISK_MB:
        raise UpError(
            f"only {free} MB are free where {settings.state_dir} lies; make room for at least {LEAST_DISK_MB} MB"
        )


def _check_port(host: str, port: int, setting: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            why = "in use" if error.errno == errno.EADDRINUSE else f"not to be had on {host} ({error.strerror})"
            raise UpError(f"port {port} is {why}; stop what uses it, or choose another: {setting} make demo") from error


def programs(settings: Settings, *, demo: bool) -> list[Program]:
    """Return what runs on one machine; Rasa only when its address is this machine's."""
    token = settings.action_token.get_secret_value() or secrets.token_hex(32)
    own = {"AISLE_ACTION_TOKEN": token, **({"AISLE_DEMO": "true"} if demo else {})}
    aisle = str(Path(sys.executable).with_name("aisle"))
    serve = [aisle, "serve", *(["--spare"] if settings.api_spare else [])]
    health = (f"{_own_url(settings)}/healthz",) if settings.api_spare else ()
    found = [Program("api", serve, own, others=health)]
    if settings.worker == "external":
        found.append(Program("worker", [aisle, "worker"], own))
    ports = _rasa_ports(settings)
    for number, port in enumerate(ports):  # the second in peace after the first, which trains where that is needed
        command = [sys.executable, "-m", "chatbot.rasa_project", "serve", "--out", str(settings.state_dir / "rasa"), "--port",
                   str(port), "--action-url", f"{_own_url(settings)}/internal/rasa/actions", "--action-token", token]  # fmt: skip
        after = f"http://127.0.0.1:{ports[number - 1]}/status" if number else ""
        addresses = [f"http://127.0.0.1:{other}/status" for other in ports]
        serves, others = addresses[number], (*addresses[:number], *addresses[number + 1 :])
        found.append(Program(f"rasa-{number + 1}" if number else "rasa", command, {}, after, serves, others))
    if settings.api_spare:  # whichever of the two has the port serves, and the other waits for it
        after = f"http://127.0.0.1:{ports[-1]}/status" if ports else f"{_own_url(settings)}/healthz"
        found.append(Program("api-2", serve, own, after, others=health))
    return found


def _rasa_ports(settings: Settings) -> list[int]:
    """Return the ports of the Rasas that are this machine's to run."""
    places = map(urlsplit, settings.rasa_urls)
    return [place.port or RASA_PORT for place in places if place.hostname in LOCAL]


def _own_url(settings: Settings) -> str:
    """Return the api's address as this machine reaches it."""
    return f"http://{'127.0.0.1' if settings.host in EVERYWHERE else settings.host}:{settings.port}"


async def _announce(supervisor: Supervisor, settings: Settings, *, demo: bool) -> None:
    """Say where to look as soon as the api answers, and when the full assistant does."""
    started = time.monotonic()
    async with httpx.AsyncClient(base_url=_own_url(settings), timeout=30) as client:
        try:
            while not await _answers(client, "/healthz"):
                await asyncio.sleep(0.2)
            for line in await _box(client, settings, demo=demo):
                supervisor.say("aisle", line)
            supervisor.say(
                "aisle", "the full assistant (Rasa) is starting; until then the chat answers with favourites"
            )
            if demo:
                await client.post("/demo/conversations", timeout=120)
            while not await _rasa_ready(client):
                await asyncio.sleep(0.5)
            supervisor.say(
                "aisle", f"the full assistant is there too ({time.monotonic() - started:.0f} s after the start)"
            )
            if demo:
                await _first_answer(client, settings)
        except (httpx.HTTPError, KeyError, ValueError) as error:
            supervisor.say("aisle", f"the api runs at {settings.resolved_public_url}, but answers strangely: {error!r}")


async def _first_answer(client: httpx.AsyncClient, settings: Settings) -> None:
    """After a first set-up, ask one question as the widget would, and keep how long all of it took."""
    record = settings.state_dir / "setup.json"
    found = json.loads(record.read_text()) if record.exists() else {}
    if "spent_s" not in found or "first_answer_s" in found:
        return
    token = (await client.get("/demo/session")).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    conversation = (await client.post("/v1/conversations", headers=headers)).json()["conversation_id"]
    answer = await client.post(
        f"/v1/conversations/{conversation}/messages", json={"text": "what do you recommend"}, headers=headers
    )
    if answer.status_code == httpx.codes.OK and answer.json()["engine"] == "rasa":
        took = {
            "first_answer_s": round(found["spent_s"] + time.monotonic() - STARTED, 1),
            "first_answer_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        record.write_text(json.dumps({**found, **took}, indent=1))


async def _answers(client: httpx.AsyncClient, path: str) -> bool:
    try:
        return (await client.get(path)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


async def _rasa_ready(client: httpx.AsyncClient) -> bool:
    try:
        return bool((await client.get("/readyz")).json()["parts"]["rasa"])
    except (httpx.HTTPError, ValueError, KeyError):
        return False


async def _box(client: httpx.AsyncClient, settings: Settings, *, demo: bool) -> list[str]:
    url = settings.resolved_public_url
    lines = ["", "Aisle is up. Ctrl-C stops everything.", ""]
    if demo:
        kiosk = (await client.get("/demo/kiosk")).json()
        names = [
            f"{member['display_name']} ({member['about']})"
            for member in (await client.get("/demo/members")).json()["members"]
        ]
        lines += [f"Shop and chat   {url}/", f"Kiosk           {kiosk['url']}", f"Cameras         {kiosk['cameras']}"]
        lines += [
            f"API             {url}/docs",
            f"Sign in as      {', '.join(names[:2]) or 'nobody yet: import data first'}",
            "                (synthetic names)",
            f"Console         {url}/console",
        ]
        lines += [
            f"{'as ' + account['role']:>15} {account['email']}  {account['password']}"
            for account in (await client.get("/v1/session/ways")).json()["demo"]
        ]
    else:
        lines += [f"API             {url}/docs"]
    return [*lines, ""]


async def _main(settings: Settings, *, demo: bool) -> None:
    supervisor = Supervisor(programs(settings, demo=demo), colour=sys.stdout.isatty())
    announcing = asyncio.create_task(_announce(supervisor, settings, demo=demo))
    await supervisor.run()
    announcing.cancel()


def run(settings: Settings, *, demo: bool) -> int:
    """Run until Ctrl-C; return the exit status."""
    try:
        check(settings)
    except UpError as error:
        print(f"aisle: {error}", file=sys.stderr)
        return 1
    asyncio.run(_main(settings, demo=demo))
    return 0
