"""The shops that scripts are played in, started for the purpose on a copy of their state."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.conversations.live import Shop, ShopError, members_of
from bench.conversations.outcomes import Outcomes
from bench.conversations.play import Result
from bench.conversations.run import Progress, play
from bench.conversations.script import Script
from bench.report import ROOT
from bench.skeleton import copy_state
from bench.stack import Stack, StackError

TAU2 = Path("dialogue") / "tau2_retail"
PLAIN = {"AISLE_COUPONS_EXPLORED": "0"}  # no coupon is withheld by chance


@contextmanager
def started(kind: str, state: Path, data: Path | None, *, rasas: int = 1) -> Iterator[tuple[Stack, Shop]]:
    """Start one of the shops and stop it again; ShopError when it cannot be. `rasas`: see `Stack`."""
    with tempfile.TemporaryDirectory() as folder:
        copy = _PREPARE[kind](state, Path(folder), data)
        try:
            with Stack(copy, environment=PLAIN, rasas=rasas) as stack, opened(stack) as shop:
                yield stack, shop
        except StackError as error:
            raise ShopError(str(error)) from error


@contextmanager
def opened(stack: Stack) -> Iterator[Shop]:
    """Return a running stack as a shop whose catalogue can be looked into."""
    database = stack.state_dir / "aisle.db"
    with Shop(stack.url, members=[], database=database) as first:
        first.talk("visitor")  # makes the demo's key
    key = json.loads((stack.state_dir / "keys" / "demo.json").read_text())["api_key"]
    with Shop(stack.url, key=key, members=members_of(database), database=database) as shop:
        yield shop


def _groceries(state: Path, folder: Path, data: Path | None) -> Path:
    if not (state / "artifacts" / "manifest.json").exists():
        raise ShopError("nothing is set up here; run `make demo` once, or give the address of a running shop by --url")
    return copy_state(state, folder)


def _orders(state: Path, folder: Path, data: Path | None) -> Path:
    source = data / TAU2 if data else None
    if source is None or not (source / "db.json").exists():
        raise ShopError(
            f"the shop with order management is made from {TAU2}/db.json in the data folder; name that by --data"
        )
    made = folder / "var"
    made.mkdir()
    for name in ("models", "rasa"):
        (made / name).symlink_to((state / name).resolve())
    environment = {**os.environ, "AISLE_STATE_DIR": str(made), "AISLE_DATABASE_URL": ""}
    program = str(Path(sys.executable).with_name("aisle"))
    done = subprocess.run(
        [program, "import", "tau2", str(source)], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no word"]
        raise ShopError(f"the shop with order management cannot be imported: {last[0]}")
    return made


_PREPARE: Mapping[str, Callable[[Path, Path, Path | None], Path]] = {"groceries": _groceries, "orders": _orders}


def play_in_own_shops(
    scripts: Sequence[Script],
    outcomes: Outcomes,
    state: Path,
    data: Path | None,
    *,
    at_once: int,
    progress: Progress,
    left_out: Callable[[str], None],
) -> list[Result]:
    """Play every script in the shop that it needs, which is started for it; tell of scripts whose shop cannot be."""
    results: list[Result] = []
    for kind in sorted({script.shop for script in scripts}):
        of_kind = [script for script in scripts if script.shop == kind]
        try:
            with started(kind, state, data) as (_, shop):
                results += play(of_kind, shop, outcomes, at_once=at_once, progress=progress)
        except ShopError as error:
            if kind == "groceries":
                raise
            left_out(f"{len(of_kind)} scripts are left out: {error}")
    return results
