"""The audit log shows every way of falsifying it; the database refuses the ordinary ones."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

from stores.audit import SqlAudit
from stores.database import Database


@contextmanager
def unlocked(db: Database) -> Iterator[Connection]:
    """Somebody with all rights on the database, who takes the triggers away first."""
    with db.write() as connection:
        if db.is_sqlite:
            for what in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER audit_log_no_{what}"))
        else:
            connection.execute(text("ALTER TABLE audit_log DISABLE TRIGGER ALL"))
        yield connection


def written(db: Database, head: Path | None = None) -> SqlAudit:
    audit = SqlAudit(db, head)
    for number in range(1, 7):
        audit.append("key ak_1 crm", "POST /v1/members", f"m{number}", {"request_id": f"r{number}"})
    assert audit.verify() == []
    return audit


def test_the_database_refuses_to_change_or_delete_a_line(database: Database) -> None:
    written(database)
    for statement in ("UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log WHERE seq = 6"):
        with pytest.raises(DatabaseError, match="append-only"), database.write() as connection:
            connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (["UPDATE audit_log SET actor = 'nobody' WHERE seq = 3"], "line 3"),
        (["UPDATE audit_log SET at = '2020-01-01 00:00:00.000000' WHERE seq = 1"], "line 1"),
        (["DELETE FROM audit_log WHERE seq = 2"], "lines are missing"),
        (["DELETE FROM audit_log WHERE seq = 2", "UPDATE audit_log SET seq = seq - 1 WHERE seq = 3"], "line 2"),
        (["UPDATE audit_log SET seq = 99 WHERE seq = 4", "UPDATE audit_log SET seq = 4 WHERE seq = 5",
          "UPDATE audit_log SET seq = 5 WHERE seq = 99"], "line 4"),
        (["DELETE FROM audit_log WHERE seq > 4"], "the last lines are missing: there were 6, there are 4"),
        (["DELETE FROM audit_log"], "the last lines are missing"),
    ],
    ids=["edit", "backdating", "deletion", "deletion with numbers closed up", "reordering", "truncation", "all"],
)  # fmt: skip
def test_a_falsified_record_is_found_out(database: Database, statements: list[str], told: str) -> None:
    audit = written(database)
    with unlocked(database) as connection:
        for statement in statements:
            connection.execute(text(statement))
    assert told in " ".join(audit.verify())


def test_a_truncation_that_also_sets_the_databases_own_head_back_shows_beside_it(
    database: Database, tmp_path: Path
) -> None:
    audit = written(database, tmp_path / "audit.head")
    with unlocked(database) as connection:
        connection.execute(text("DELETE FROM audit_log WHERE seq > 4"))
        connection.execute(text("UPDATE counters SET value = 4 WHERE name = 'audit'"))
    assert SqlAudit(database).verify() == [], "without the file it cannot be seen"
    assert "there were 6, there are 4" in " ".join(audit.verify())


def test_who_writes_at_once_writes_one_after_the_other(database: Database, tmp_path: Path) -> None:
    audit = SqlAudit(database, tmp_path / "audit.head")
    with ThreadPoolExecutor(8) as pool:
        seqs = list(pool.map(lambda n: audit.append("somebody", f"action {n}").seq, range(40)))
    assert sorted(seqs) == list(range(1, 41))
    assert audit.verify() == []
