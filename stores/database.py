"""One database, SQLite or PostgreSQL: connections, transactions, migrations and sealed values."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import structlog
from sqlalchemy import Connection, Row, Table, create_engine, event, insert, select, text
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from uuid_utils import uuid7

from stores import (  # noqa: F401 - whoever opens a database knows every table
    api_tables,
    audit_tables,
    camera_tables,
    console_tables,
    coupon_tables,
    creative_tables,
    desk_tables,
    film_tables,
    group_tables,
    insight_tables,
    merge_tables,
    order_tables,
    outbox_tables,
    screen_tables,
    staff_account_tables,
)
from stores.asked import mark
from stores.crypto import Cipher, KeyRing, new_key
from stores.erasure_journal import ErasureJournal
from stores.tables import data_keys

if TYPE_CHECKING:
    from alembic.config import Config

BUSY_TIMEOUT_MS = 30_000
SCRUB_TRIES, SCRUB_TRY_MS = 6, 500
_MOST_VALUES = 900  # SQLite takes a limited number of values in one statement

log = structlog.get_logger(__name__)
T = TypeVar("T")
Check: TypeAlias = Callable[[T], None] | None
"""What a write asks of the state that it is about to change, once nobody else can change it: it raises where that is not what its author has seen."""


def new_id() -> str:
    """Return a new UUIDv7 (RFC 9562): unique, and ordered by time."""
    return str(uuid7())


class Database:
    """Transactions on one database.

    `read()` and `write()` are one transaction each: committed when the block ends, rolled back when it raises. On SQLite
    a write takes the write lock at once, so that two writers queue instead of failing half way. `journal` : folder of the
    journal of erasures; without it none is kept.
    """

    def __init__(self, url: str, master_key: bytes | KeyRing, *, journal: Path | None = None) -> None:
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite and parsed.database not in {None, "", ":memory:"}:
            Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        arguments: dict[str, Any] = {"connect_args": {"timeout": BUSY_TIMEOUT_MS / 1000}} if self.is_sqlite else {}
        self.engine = create_engine(
            parsed,
            pool_size=8,
            max_overflow=24,
            pool_pre_ping=not self.is_sqlite,
            **arguments,
        )
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self.master = master_key if isinstance(master_key, KeyRing) else KeyRing(lambda: [master_key])
        self.journal = ErasureJournal(journal, self.master) if journal else None
        self._key = lru_cache(self._load_key)
        self._cipher = lru_cache(lambda purpose: Cipher(self._key(purpose)))
        self._scrub_due = False
        self._writing: AbstractContextManager[Any] = threading.RLock() if self.is_sqlite else nullcontext()
        self.appended = threading.Event()  # set when this process has appended events

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection to read with."""
        with self.engine.connect() as connection:
            yield connection
            connection.rollback()

    @contextmanager
    def write(self, *, beside: bool = False) -> Iterator[Connection]:
        """Yield a connection whose changes are committed together.

        SQLite lets one write at a time, and whom it turns away it makes sleep ever longer; threads of a process take turns here instead.
        `beside` : what is written (counts of attempts, the audit log) is not the work of the request that is being answered: it alone does not
        keep that from being done anew (`stores.asked`).
        """  # fmt: skip
        with (
            self._writing,
            self.engine.connect().execution_options(aisle_write=True) as connection,
            connection.begin(),
        ):
            yield connection
            asked = None if beside else mark(connection)
        if asked is not None:
            asked.changed = True

    def upgrade(self) -> None:
        """Bring the schema to the newest version."""
        from alembic import command  # noqa: PLC0415  it takes half of this module's import time

        config = self.alembic_config()
        command.upgrade(config, "head")
        if config.attributes["scrub"]:
            self.scrub(config.attributes["scrub"])

    def alembic_config(self) -> Config:
        """Return Alembic's configuration for this database."""
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        config.attributes.update(engine=self.engine, master=self.master, scrub=[])
        return config

    def seal(self, purpose: str, plain: bytes, bound_to: str) -> bytes:
        """Encrypt `plain` under the data key of `purpose`."""
        return self._cipher(purpose).seal(plain, bound_to)

    def open(self, purpose: str, sealed: bytes, bound_to: str) -> bytes:
        """Decrypt what `seal` made."""
        return self._cipher(purpose).open(sealed, bound_to)

    def fingerprint(self, purpose: str, plain: str) -> str:
        """Return a keyed hash by which a sealed value can be found, and from which it cannot be guessed without the key."""
        key = hashlib.sha256(b"fingerprint" + self._key(purpose)).digest()
        return hmac.new(key, plain.encode(), hashlib.sha256).hexdigest()

    def _load_key(self, purpose: str) -> bytes:
        find = select(data_keys.c.wrapped).where(data_keys.c.purpose == purpose)
        with self.read() as connection:
            wrapped = connection.scalar(find)
        if wrapped is None:
            self.master.reload()  # another process may have rotated the master key: the old one may be taken away
            try:
                with self.write(beside=True) as connection:
                    connection.execute(
                        insert(data_keys).values(
                            purpose=purpose,
                            wrapped=self.master.seal(new_key(), purpose),
                        )
                    )
            except IntegrityError:
                pass  # another process was first: its key is the one
            with self.read() as connection:
                wrapped = connection.scalar(find)
        return self.master.open(bytes(wrapped or b""), purpose)

    def rewrap(self) -> int:
        """Wrap every data key, and the journal's, by the newest master key; return how many. What they have sealed stays as it is.

        Processes that have unwrapped a key go on with it; others find the newest master key when they next read the keys.
        """
        self.master.reload()
        with self.write() as connection:
            rows = connection.execute(select(data_keys)).all()
            for row in rows:
                anew = self.master.seal(self.master.open(bytes(row.wrapped), row.purpose), row.purpose)
                connection.execute(data_keys.update().where(data_keys.c.purpose == row.purpose).values(wrapped=anew))
        if self.journal is not None:
            self.journal.rewrap()
        return len(rows)

    def scrub(self, tables: Sequence[str], *, rewrite: Sequence[str] = ()) -> bool:
        """Make deleted rows unreadable in the files themselves; return whether that is done.

        SQLite overwrites deleted bytes (secure_delete); what the write-ahead log still holds is folded in and the log
        cut to nothing, which waits for readers of the old pages: False when they did not end in time. PostgreSQL
        vacuums `tables`, and writes `rewrite` (small ones) anew without what was deleted.
        """
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not self.is_sqlite:
                if tables:
                    connection.execute(text("VACUUM " + ", ".join(tables)))
                for table in rewrite:
                    connection.execute(text(f"VACUUM FULL {table}"))
                return True
            self._scrub_due = not self._cut_log(connection)
            return not self._scrub_due

    def finish_scrub(self) -> None:
        """Try again what `scrub` could not finish."""
        if self._scrub_due:
            self.scrub([])

    def _cut_log(self, connection: Connection) -> bool:
        # short tries: a waiting checkpoint keeps every writer out
        connection.execute(text(f"PRAGMA busy_timeout={SCRUB_TRY_MS}"))
        try:
            for attempt in range(SCRUB_TRIES):
                if not connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]:
                    return True
                time.sleep(attempt * SCRUB_TRY_MS / 1000)
        finally:
            connection.execute(text(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}"))
        log.warning("deleted bytes are still in the write-ahead log: another process keeps reading the old pages")
        return False

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def rows_where(
    connection: Connection,
    table: Table,
    column: str,
    values: Iterable[str],
    *,
    only: Sequence[str] = (),
    lock: bool = False,
) -> Iterator[Row[Any]]:
    """Yield the rows of `table` (or their columns `only`) whose `column` has one of any number of values.

    `lock` : nobody else changes them until the end of the transaction.
    """
    wanted = sorted(set(values))
    chosen = [table.c[name] for name in only or table.columns.keys()]
    for start in range(0, len(wanted), _MOST_VALUES):
        query = select(*chosen).where(table.c[column].in_(wanted[start : start + _MOST_VALUES]))
        yield from connection.execute(query.order_by(table.c[column]).with_for_update() if lock else query)


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; where the primary key exists already, replace the row."""
    if not rows:
        return
    statement: Any = (sqlite_insert if connection.dialect.name == "sqlite" else pg_insert)(table)
    key = [column.name for column in table.primary_key]
    rest = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=rest), list(rows))


def alone(connection: Connection, table: Table) -> None:
    """Let nobody else write to `table` until this transaction ends; others go on reading. SQLite lets one write at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" below starts the transactions
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    _write_ahead(connection)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: Any) -> None:
    """Switch a new file to WAL; of several processes that do so at once SQLite refuses some without waiting."""
    until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return
    writes = connection.get_execution_options().get("aisle_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
