"""The demo shop for `aisle bench trust`: a copy, so that nothing of what is measured stays behind."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.settings import Settings
from api.wiring import Services, build_services
from bench.profiling_models import state_dir

MISSING = "there is no demo shop; run `make demo` first"


def there_is_one() -> bool:
    """Whether `make demo` has left a shop behind."""
    return (state_dir() / "aisle.db").exists() and (state_dir() / "artifacts").exists()


@contextmanager
def copied() -> Iterator[Services]:
    """Yield the services of a copy of the demo shop, without Rasa and without a worker."""
    with tempfile.TemporaryDirectory(prefix="aisle-trust-") as folder:
        copy = Path(folder)
        with sqlite3.connect(state_dir() / "aisle.db") as original:
            original.execute("VACUUM INTO ?", (str(copy / "aisle.db"),))
        original.close()
        shutil.copytree(state_dir() / "keys", copy / "keys")
        for name in ("artifacts", "models"):
            if (state_dir() / name).exists():
                (copy / name).symlink_to((state_dir() / name).resolve())
        services = build_services(quiet(copy))
        yield services
        services.db.dispose()


def quiet(state: Path, database_url: str = "") -> Settings:
    """Return settings for a shop in `state` that talks to nobody."""
    return Settings(
        state_dir=state, database_url=database_url, rasa_url="http://127.0.0.1:9", worker="external", demo=True,
        ranking_budget_ms=1e6, coupons_explored=0.0,
    )  # fmt: skip
