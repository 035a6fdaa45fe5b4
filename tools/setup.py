"""Set everything up, once: `python3.11 tools/setup.py demo|test|check`. Standard library only.

Each step leaves a stamp with a hash of what it depends on, so a second run redoes nothing and an interrupted one goes on
where it was. Independent steps run side by side. Full logs are in var/logs, times in var/setup.json.
"""

from __future__ import annotations

import signal
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prerequisites import check
from stepping import (
    ENVIRONMENT,
    LOGS,
    ROOT,
    STATE,
    KilledError,
    Run,
    SetupError,
    Step,
    call,
    recorded,
    say,
    stop_children,
)

OURS, RASA, WEB = ROOT / ".venv", ROOT / ".venv-rasa", ROOT / "web"
TORCH = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["train"][0]
TORCH_INSTALL = ("install", "--progress-bar", "off", "--quiet")
PIP_INSTALL = ("install", "--progress-bar", "off", "--require-hashes")


@contextmanager
def environment(log: Path, folder: Path) -> Iterator[Path]:
    """Give the pip of a virtual environment; one in which an installation was cut off is made anew."""
    unfinished = folder / "unfinished"
    if unfinished.exists() or not (folder / "bin" / "pip").exists():
        call(log, sys.executable, "-m", "venv", "--clear", folder)
    unfinished.touch()
    try:
        yield folder / "bin" / "pip"
    except KilledError:
        raise
    except SetupError:  # pip itself gave up, before it changed anything
        unfinished.unlink()
        raise
    unfinished.unlink()


def install_ours(lock: str) -> Callable[[Path], None]:
    """Return the step that installs a lock file and this project."""

    def run(log: Path) -> None:
        with environment(log, OURS) as pip:
            call(log, pip, *PIP_INSTALL, "-r", ROOT / lock)
            call(log, pip, "install", "--quiet", "--no-deps", "--no-build-isolation", "-e", ROOT)

    return run


def install_rasa(log: Path) -> None:
    """Install what builds Rasa's older packages, then Rasa and all that it runs with, whatever Python its metadata asks for."""
    with environment(log, RASA) as pip:
        call(log, pip, *PIP_INSTALL, "--no-deps", "-r", ROOT / "requirements" / "rasa-build.txt")
        call(log, pip, *PIP_INSTALL, "--no-deps", "--ignore-requires-python", "-r", ROOT / "requirements" / "rasa.txt")


def aisle(*arguments: str) -> Callable[[Path], None]:
    """Return a step that runs our command line."""
    return lambda log: call(log, OURS / "bin" / "aisle", *arguments)


def install_torch(log: Path) -> None:
    """Install PyTorch, for training: the build without CUDA where pip's sources have one, else the usual one.

    It is in no lock, since its files and hashes differ with the source.
    """
    pip = OURS / "bin" / "pip"
    try:
        call(log, pip, *TORCH_INSTALL, f"{TORCH}+cpu")
    except KilledError:
        raise
    except SetupError:
        call(log, pip, *TORCH_INSTALL, TORCH)


def train_rasa(log: Path) -> None:
    """Train the dialogue."""
    call(log, OURS / "bin" / "python", "-m", "chatbot.rasa_project", "train", "--out", STATE / "rasa")


def packages(goal: str) -> Step:
    """Return the step for our environment; what tests need is there for the demo too, once it is installed."""
    developing = goal != "demo" or (OURS / "stamps" / "python-dev").exists()
    name, lock = ("python-dev", "requirements/dev.txt") if developing else ("python", "requirements/aisle.txt")
    return Step(
        name, "Python packages", install_ours(lock), (lock, "pyproject.toml"), OURS / "bin" / "aisle", own=False, stamps=OURS / "stamps"
    )  # fmt: skip


def web() -> list[Step]:
    """Return the steps for the pages."""
    modules, sources = WEB / "node_modules", ("src/**/*", "scripts/*", "*.html", "*.ts", "*.json")
    return [
        Step("npm", "Web packages", lambda log: call(log, "npm", "ci", "--no-progress", cwd=WEB), ("web/package*.json",), modules, own=False,
             stamps=modules / ".aisle"),
        Step("web", "Web pages", lambda log: call(log, "npm", "run", "build", cwd=WEB), tuple(f"web/{name}" for name in sources),
             WEB / "dist" / "widget.js", ("npm",), stamps=modules / ".aisle"),
    ]  # fmt: skip


def steps(goal: str) -> list[Step]:
    """Return the steps of `goal`: demo, test or check."""
    python = packages(goal)
    torch = (
        OURS
        / "lib"
        / f"python{sys.version_info.major}.{sys.version_info.minor}"
        / "site-packages"
        / "torch"
        / "version.py"
    )
    found = [
        python,
        Step(
            "torch",
            "PyTorch",
            install_torch,
            ("pyproject.toml",),
            torch,
            (python.name,),
            own=False,
            stamps=OURS / "stamps",
        ),
        *web(),
    ]
    if goal == "check":
        return found
    found += [
        Step("rasa", "Rasa's packages", install_rasa, ("requirements/rasa*.txt",), RASA / "bin" / "rasa", own=False, stamps=RASA / "stamps"),
        Step("models", "Models", aisle("models", "pull"), ("vision/manifest.json", "personalization/ranking/sentences/*.py"), STATE / "models", (python.name,)),
        Step("dialogue", "Dialogue training", train_rasa, ("chatbot/rasa/**/*.yml", "chatbot/rasa/**/*.py", "chatbot/languages/**/*.yml", "chatbot/languages/**/*.py"), STATE / "rasa",
             (python.name, "rasa", "models")),
    ]  # fmt: skip
    if goal == "demo":
        stored = STATE if ENVIRONMENT.get("AISLE_DATABASE_URL") else STATE / "aisle.db"
        importing = ("stores/importing/*.py", "stores/migrations/versions/*.py")
        training = (
            "vision/manifest.json",
            "personalization/training.py",
            "personalization/ranking/**/*.py",
            "personalization/profiling/*.py",
        )
        found += [
            Step("data", "Demo data", aisle("import", "complete-journey"), importing, stored, (python.name,)),
            Step("training", "Training", aisle("train", "--profile", "demo"), (*importing, *training), STATE / "artifacts" / "manifest.json",
                 ("data", "models", "torch")),
        ]  # fmt: skip
    return found


def set_up(goal: str) -> None:
    """Do what is left to do for the goal, and add the time to the record."""
    started = time.monotonic()
    all_steps = steps(goal)
    todo = [step for step in all_steps if not step.done()]
    lock = check(goal, todo)
    if not todo:
        return
    say(f"Setting up ({len(todo)} of {len(all_steps)} steps to do; full logs in {LOGS}):")
    try:
        Run(todo, all_steps).go()
    finally:
        with recorded() as found:  # what an interrupted set-up took belongs to the first one, too
            found["spent_s"] = round(float(str(found.get("spent_s", 0))) + time.monotonic() - started, 1)
        lock.close()
    say(f"Set up in {time.monotonic() - started:.0f} s.")


def main() -> None:
    """Set up for the goal on the command line."""
    goal = sys.argv[1] if len(sys.argv) > 1 else "demo"
    if goal not in {"demo", "test", "check"}:
        sys.exit("usage: setup.py demo|test|check")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        set_up(goal)
    except SetupError as error:
        stop_children()
        sys.exit(f"\naisle: {error}")
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # this end is quick, and must be whole
        stop_children()
        say("\naisle: interrupted; run the same command again to go on")
        sys.exit(130)


if __name__ == "__main__":
    main()
