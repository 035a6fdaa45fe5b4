"""The schema and its upgrades, keys of the data, and pages of members."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Barrier

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from personalization.types import MemberId
from stores.database import Database
from stores.errors import KeyMaterialError
from stores.members import SqlMembers
from stores.tables import metadata


def test_the_migrations_lead_to_exactly_the_tables_in_the_code(database: Database) -> None:
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_upgrading_again_changes_nothing(database: Database) -> None:
    database.upgrade()
    with database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1


def test_postgresql_comes_with_pgvector(postgres_database: Database) -> None:
    with postgres_database.write() as connection:
        assert connection.scalar(text("SELECT '[1,2]'::vector <-> '[1,4]'::vector")) == 2


def upgrade_together(url: str) -> list[tuple[int, str]]:
    """Upgrade in two processes that start at once, as `serve` and `worker` do; return their (status, errors)."""
    code = "import sys; from stores.database import Database; Database(sys.argv[1], bytes(range(32))).upgrade()"
    both = [subprocess.Popen([sys.executable, "-c", code, url], stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=60)[1] for process in both]
    return [(process.returncode, errors) for process, errors in zip(both, told, strict=True)]


def test_processes_that_start_together_upgrade_an_empty_sqlite_file_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    assert upgrade_together(url) == [(0, ""), (0, "")]
    assert schema_differences(url) == []


def test_whoever_opens_a_new_sqlite_file_at_once_is_let_in(tmp_path: Path) -> None:
    together = Barrier(8)

    def open_it(file: Path) -> int:
        db = Database(f"sqlite:///{file}", bytes(range(32)))
        together.wait()
        with db.write() as connection:
            found = int(connection.scalar(text("SELECT 1")) or 0)
        db.dispose()
        return found

    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            assert list(pool.map(open_it, [tmp_path / f"{number}.db"] * 8)) == [1] * 8


def test_processes_that_start_together_upgrade_an_empty_postgresql_database_once(empty_postgres_url: str) -> None:
    assert upgrade_together(empty_postgres_url) == [(0, ""), (0, "")]
    assert schema_differences(empty_postgres_url) == []


def schema_differences(url: str) -> list[object]:
    db = Database(url, bytes(range(32)))
    with db.read() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    db.dispose()
    return found


def test_a_database_does_not_open_with_another_master_key(sqlite_database: Database) -> None:
    sealed = sqlite_database.seal("contact", b"maya@example.org", "row")
    other = Database(str(sqlite_database.url), bytes(32))
    with pytest.raises(KeyMaterialError, match="is this the master key"):
        other.open("contact", sealed, "row")
    other.dispose()


def test_a_time_without_a_zone_is_refused(sqlite_database: Database) -> None:
    with pytest.raises(Exception, match="a time needs a timezone"):
        SqlMembers(sqlite_database).create(
            external_id=None,
            display_name="Naive",
            email=None,
            at=datetime(2026, 5, 1),  # noqa: DTZ001
        )


def test_members_are_paged_without_gaps(small_shop: Database) -> None:
    store, seen, after = SqlMembers(small_shop), [], None
    while page := store.page(after=after, limit=7):
        seen += [member.member_id for member in page]
        after = page[-1].member_id
    assert len(seen) == len(set(seen)) == 60
    assert seen == sorted(seen)
    assert isinstance(seen[0], str)
    assert store.get(MemberId("nobody")) is None
