"""What set-up looks at before it begins: one clear line about what is missing, and what to do."""

from __future__ import annotations

import errno
import fcntl
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from stepping import ENVIRONMENT, LOGS, ROOT, STAMPS, STATE, SetupError, Step, call, say

LEAST_DISK_GB = 8
LEAST_NODE = 20
LISTENING = "0A"


def check(goal: str, todo: list[Step]) -> IO[str]:
    """Raise SetupError on the first thing that is missing; return the lock that keeps a second set-up out."""
    check_python(goal)
    check_node()
    check_folder()
    check_space(todo)
    if goal == "demo":
        check_ports()
    lock = alone()
    if goal == "test":
        check_browser()
    return lock


def check_python(goal: str) -> None:
    """Ask for Python 3.11, with its venv module."""
    if sys.version_info[:2] != (3, 11):
        raise SetupError(f"this is Python {sys.version.split()[0]}, Aisle needs 3.11: `make PYTHON=python3.11 {goal}`")
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError("Python's venv module is missing; on Debian: apt-get install python3.11-venv")


def check_node() -> None:
    """Ask for Node.js 20 or newer, with npm."""
    advice = f"install Node.js {LEAST_NODE} or newer (https://nodejs.org/en/download; Debian 12's own is older)"
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise SetupError(f"{tool} is missing; {advice}")
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = said.lstrip("v").split(".")[0]
    if not major.isdigit() or int(major) < LEAST_NODE:
        raise SetupError(f"this is Node.js {said or 'of an unknown version'}; {advice}")


def check_folder() -> None:
    """Ask for a state folder that can be written."""
    try:
        for folder in (LOGS, STAMPS):
            folder.mkdir(parents=True, exist_ok=True)
        (LOGS / ".probe").touch()
    except OSError as error:
        raise SetupError(
            f"{STATE} cannot be written ({error.strerror}); check its owner, or set AISLE_STATE_DIR"
        ) from None


def check_space(todo: list[Step]) -> None:
    """Ask for room, when packages are still to be installed."""
    free = min(shutil.disk_usage(folder).free for folder in (STATE, ROOT)) / 1e9
    if any(not step.own for step in todo) and free < LEAST_DISK_GB:
        raise SetupError(
            f"only {free:.1f} GB are free here, a first set-up needs {LEAST_DISK_GB} GB: make room and run it again"
        )


def check_ports() -> None:
    """Ask for the demo's ports."""
    rasas = ENVIRONMENT.get("AISLE_RASA_URL", "http://127.0.0.1:5005,http://127.0.0.1:5006").split(",")
    wanted = [
        (ENVIRONMENT.get("AISLE_HOST", "127.0.0.1"), int(ENVIRONMENT.get("AISLE_PORT", "8080")), "AISLE_PORT=8081")
    ]
    wanted += [
        ("127.0.0.1", rasa.port or 5005, "AISLE_RASA_URL=http://127.0.0.1:5015,http://127.0.0.1:5016")
        for rasa in map(urlsplit, rasas)
        if rasa.hostname in {"127.0.0.1", "localhost"}  # another machine's is not ours to start
    ]
    for host, port, advice in wanted:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                why = f"in use{owner(port)}" if error.errno == errno.EADDRINUSE else f"not to be had ({error.strerror})"
                raise SetupError(
                    f"port {port} is {why}; stop what uses it, or choose another: {advice} make demo"
                ) from None


def owner(port: int) -> str:
    """Return " by NAME (process N)" for what listens on the port, as far as this machine tells."""
    for pid, command in _listeners(port):
        return f" by {' '.join(command.split()[:4])[:60]} (process {pid})"
    return ""


def _listeners(port: int) -> list[tuple[int, str]]:
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        rows = [line.split() for line in table.read_text().splitlines()[1:]] if table.exists() else []
        inodes |= {
            f"socket:[{row[9]}]" for row in rows if row[3] == LISTENING and int(row[1].split(":")[1], 16) == port
        }
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in inodes for link in (folder / "fd").iterdir()):
                found.append(
                    (int(folder.name), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                )
        except OSError:  # gone, or somebody else's
            continue
    return found


def alone() -> IO[str]:
    """Return a held lock; SetupError when another set-up holds it."""
    lock = (STATE / "setup.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SetupError("another set-up is running in this folder; wait until it ends") from None
    return lock


def check_browser() -> None:
    """Install Debian's Chromium for the browser tests where that is possible, else say how."""
    if ENVIRONMENT.get("AISLE_CHROMIUM") or shutil.which("chromium"):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say("Installing Debian's chromium for the browser tests (apt-get install chromium) …")
        log = LOGS / "setup-chromium.log"
        try:
            call(log, "apt-get", "update")
            call(log, "apt-get", "install", "-y", "--no-install-recommends", "chromium")
        except SetupError as error:
            raise SetupError(f"chromium, which the browser tests need, could not be installed: {error}") from None
        return
    raise SetupError("the browser tests need Chromium: apt-get install chromium, or set AISLE_CHROMIUM to its path")
