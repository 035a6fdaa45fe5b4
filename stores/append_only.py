"""Tables that the database itself lets nobody change. Migrations make the triggers."""

from __future__ import annotations

from typing import Protocol


class _Op(Protocol):
    def execute(self, statement: str) -> None: ...


def protect(op: _Op, dialect: str, table: str, *, unless: str = "") -> None:
    """Refuse updates of `table`, and deletions, these save while the SQL condition `unless` holds."""
    told = f"{table} is append-only"
    if dialect == "sqlite":
        allowed = f" WHEN NOT ({unless})" if unless else ""
        op.execute(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{told}'); END"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}{allowed} BEGIN SELECT RAISE(ABORT, '{told}'); END"
        )
        return
    allowed = f"IF TG_OP = 'DELETE' AND ({unless}) THEN RETURN OLD; END IF; " if unless else ""
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {allowed}RAISE EXCEPTION '{told}'; END $$"
    )
    for what, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER {table}_append_only_{each.lower()} BEFORE {what} ON {table}"
            f" FOR EACH {each} EXECUTE FUNCTION {table}_append_only()"
        )


def release(op: _Op, dialect: str, table: str) -> None:
    """Take the triggers away again."""
    if dialect == "sqlite":
        for what in ("update", "delete"):
            op.execute(f"DROP TRIGGER {table}_no_{what}")
        return
    for each in ("row", "statement"):
        op.execute(f"DROP TRIGGER {table}_append_only_{each} ON {table}")
    op.execute(f"DROP FUNCTION {table}_append_only()")
