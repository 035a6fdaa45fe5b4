"""The audit log shows every way of falsifying it; the database refuses the ordinary ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

import stores.audit
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


def test_a_check_goes_on_where_the_one_before_ended(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(database, tmp_path / "audit.head")
    audit, read = SqlAudit(database, tmp_path / "audit.head"), list[int]()  # as after a restart
    real = stores.audit.entry_of
    monkeypatch.setattr(stores.audit, "entry_of", lambda row: (read.append(row.seq), real(row))[1])
    for number in (7, 8):
        audit.append("key", f"action {number}")
    assert audit.verify_on() == audit.verify_on() == []
    assert read == [7, 8]
    audit.append("key", "action 9")
    with unlocked(database) as connection:
        connection.execute(text("UPDATE audit_log SET actor = 'nobody' WHERE seq = 9"))
    for _ in range(2):
        assert audit.verify_on() == ["line 9 is not what was written, or does not follow line 8"]


def test_a_mark_that_somebody_without_the_key_wrote_saves_no_line_from_the_check(
    database: Database, tmp_path: Path
) -> None:
    written(database, tmp_path / "audit.head")
    with unlocked(database) as connection:
        connection.execute(text("UPDATE audit_log SET actor = 'nobody' WHERE seq = 3"))
    mark = tmp_path / "audit.head.checked"
    told = json.loads(mark.read_text())
    assert told["seq"] == 6
    for wrong in (json.dumps(told | {"own": "0" * 64}), "{", "[]"):
        mark.write_text(wrong)
        assert "line 3" in " ".join(SqlAudit(database, tmp_path / "audit.head").verify_on())


def test_a_line_that_was_checked_and_is_another_now_is_told(database: Database) -> None:
    audit = written(database)
    with unlocked(database) as connection:
        connection.execute(text("UPDATE audit_log SET hash = 'x' WHERE seq = 6"))
    assert audit.verify_on() == ["line 6 is another than the one that was checked before"]


def test_who_writes_at_once_writes_one_after_the_other(database: Database, tmp_path: Path) -> None:
    audit = SqlAudit(database, tmp_path / "audit.head")
    with ThreadPoolExecutor(8) as pool:
        seqs = list(pool.map(lambda n: audit.append("somebody", f"action {n}").seq, range(40)))
    assert sorted(seqs) == list(range(1, 41))
    assert audit.verify() == []
