"""Outcomes of large experiments, kept from one gathering to the next, so that whoever reads one does not wait for it.

Gathering sums what tens of thousands of people did and takes a second or two; the worker does it ahead. Rows of who withdraws
or is erased go in the same transaction, which also tells every gathering that is under way: it may have read them before, and
leaves them out. So it comes to its end however often somebody leaves.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol

import polars as pl
from sqlalchemy import Connection, delete, func, insert, select, update

from stores.console_tables import experiment_gatherings, experiment_leavers, experiment_units
from stores.database import Database, alone, new_id, upsert
from stores.experiment_outcomes import TIME
from stores.tables import experiments, exposures

LARGE = 5_000
"""Units from which outcomes are kept: of fewer they are gathered while somebody waits."""
OFTEN, SHARE = timedelta(seconds=45), 30
"""A gathering is due after OFTEN, or SHARE times as long as it takes, so that it never takes more than a thirtieth of a core."""
LATE = timedelta(days=28)
"""How long after its last window an ended experiment is gathered: what comes in later is rare, and so is who looks."""
ABANDONED = timedelta(minutes=10)
"""When a gathering that has begun and not come to its end is another's to do: its process was killed."""
_AT_ONCE = 5_000
_COLUMNS = [column for column in experiment_units.columns if column.name != "experiment_id"]


class Gathers(Protocol):
    """What works out the outcomes."""

    def outcomes(self, experiment_id: str, *, at: datetime) -> pl.DataFrame:
        """Return a row for each unit whose window has passed by `at`."""
        ...


class SqlExperimentUnits:
    """Keeps the outcomes of large experiments."""

    def __init__(self, db: Database, experiments_: Gathers) -> None:
        self._db, self._experiments = db, experiments_

    def keep(self, *, now: datetime, stop: Callable[[], bool] = lambda: False) -> int:
        """Gather what is due; return how many experiments were. Once `stop` says so it leaves the rest."""
        kept = 0
        self._let_go_of_what_is_over(now)
        for experiment_id in self._due(now):
            if stop():
                break
            kept += self.gather(experiment_id, now=now)
        return kept

    def gather(self, experiment_id: str, *, now: datetime) -> bool:
        """Work the outcomes out and keep them; return whether they are kept: not while another process does it."""
        mine = self._begin(experiment_id, now)
        if mine is None:
            return False
        try:
            return self._gather(experiment_id, mine, now)
        except BaseException:
            with self._db.write() as connection:
                _end(connection, mine)
            raise

    def _begin(self, experiment_id: str, now: datetime) -> str | None:
        """Return the token of a new gathering; None while another is under way."""
        mine, g = new_id(), experiment_gatherings.c
        with self._db.write() as connection:
            alone(connection, experiment_gatherings)  # who is just leaving has left before anything is read
            known = select(g.token, g.gathered_at, g.took_ms, g.began_at).where(g.experiment_id == experiment_id)
            before = connection.execute(known).first()
            if before is not None:
                if before.began_at is not None and now - before.began_at < ABANDONED:
                    return None
                _end(connection, before.token)
            kept = {"gathered_at": before.gathered_at, "took_ms": before.took_ms} if before else {}
            row = {"experiment_id": experiment_id, "token": mine, "gathered_at": None, "took_ms": 0, "began_at": now}
            upsert(connection, experiment_gatherings, [row | kept])
        return mine

    def _gather(self, experiment_id: str, mine: str, now: datetime) -> bool:
        started = time.monotonic()
        fresh = (
            self._experiments.outcomes(experiment_id, at=now).with_columns(at_us=pl.col("at").dt.epoch("us")).drop("at")
        )
        took = time.monotonic() - started
        with self._db.read() as connection:
            old = _rows(connection, experiment_id)
        fresh = fresh.select(old.columns)
        changed = (
            fresh.join(old, on=fresh.columns, how="anti").with_columns(experiment_id=pl.lit(experiment_id)).to_dicts()
        )
        gone = old.join(fresh, on="unit_id", how="anti")["unit_id"].to_list()
        for start in range(0, max(len(changed), 1), _AT_ONCE):
            with self._db.write() as connection:
                left = _leavers(connection, mine)
                if left is None:
                    return False
                some = changed[start : start + _AT_ONCE]
                if left:
                    some = [row for row in some if _leaver(mine, row["unit_id"]) not in left]
                upsert(connection, experiment_units, some)
                if start + _AT_ONCE >= len(changed):
                    _drop(connection, gone, experiment_id)
                    done = {"gathered_at": now, "took_ms": round(took * 1000)}
                    own = experiment_gatherings.c.token == mine
                    connection.execute(update(experiment_gatherings).where(own).values(done))
                    _end(connection, mine)
        return True

    def kept(self, experiment_id: str, *, at: datetime) -> pl.DataFrame | None:
        """Return what was gathered a minute or two ago (columns: `SqlExperiments.outcomes`), None where nothing was."""
        g = experiment_gatherings.c
        with self._db.read() as connection:
            found = connection.execute(select(g.gathered_at, g.took_ms).where(g.experiment_id == experiment_id)).first()
            if found is None or found.gathered_at is None or at - found.gathered_at > 3 * _every(found.took_ms):
                return None
            rows = _rows(connection, experiment_id)
        rows = rows.with_columns(
            pl.from_epoch("at_us", time_unit="us").dt.replace_time_zone("UTC").cast(TIME).alias("at")
        )
        order = [
            "unit_id",
            "arm",
            "at",
            *(name for name in rows.columns if name not in {"unit_id", "arm", "at", "at_us"}),
        ]
        return rows.sort("at_us", "unit_id").select(order)

    def _let_go_of_what_is_over(self, now: datetime) -> None:
        """Delete what was gathered of experiments that are not gathered any more: who looks now waits a little."""
        e, g = experiments.c, experiment_gatherings.c
        query = select(e.spec, e.ended_at, e.experiment_id).join(
            experiment_gatherings, e.experiment_id == g.experiment_id
        )
        with self._db.read() as connection:
            over = [row.experiment_id for row in connection.execute(query) if _is_over(row, now)]
        if over:
            with self._db.write() as connection:
                connection.execute(delete(experiment_units).where(experiment_units.c.experiment_id.in_(over)))
                connection.execute(delete(experiment_gatherings).where(g.experiment_id.in_(over)))

    def _due(self, now: datetime) -> list[str]:
        e, g = experiments.c, experiment_gatherings.c
        query = select(e.experiment_id, e.spec, e.ended_at, g.gathered_at, g.took_ms).select_from(
            experiments.outerjoin(experiment_gatherings, e.experiment_id == g.experiment_id)
        )
        with self._db.read() as connection:
            rows = connection.execute(query.where(e.status != "draft").order_by(e.experiment_id)).all()
            due = [row.experiment_id for row in rows if _asked_for(row, now)]
            counts = select(exposures.c.experiment_id).where(exposures.c.experiment_id.in_(due))
            large = counts.group_by(exposures.c.experiment_id).having(func.count() >= LARGE)
            return sorted(connection.scalars(large)) if due else []


def let_go(connection: Connection, unit_ids: Iterable[str]) -> None:
    """Forget what these units did, in the transaction of a withdrawal or an erasure, also in what is being gathered."""
    ids = list(unit_ids)
    gather_anew(connection, ids)
    connection.execute(update(exposures).where(exposures.c.unit_id.in_(ids)).values(cluster=None))


def gather_anew(connection: Connection, unit_ids: Iterable[str]) -> None:
    """Leave these units out of what is kept and of what is being gathered; the next gathering has them as they are then."""
    ids, g = list(unit_ids), experiment_gatherings.c
    alone(connection, experiment_gatherings)  # first: a gathering that writes now is waited for
    tokens = connection.scalars(select(g.token).where(g.began_at.is_not(None))).all()
    told = {(token, _leaver(token, unit_id)) for token in tokens for unit_id in ids}
    told -= {tuple(row) for row in connection.execute(select(experiment_leavers))}
    if told:
        rows = [{"token": token, "leaver": leaver} for token, leaver in sorted(told)]
        connection.execute(insert(experiment_leavers), rows)
    _drop(connection, ids)


def _leavers(connection: Connection, token: str) -> set[str] | None:
    """Return who left since a gathering began, as hashes; None when it is over. Nobody leaves until this transaction ends."""
    alone(connection, experiment_gatherings)
    g = experiment_gatherings.c
    if connection.scalar(select(g.token).where(g.token == token, g.began_at.is_not(None))) is None:
        return None
    return set(connection.scalars(select(experiment_leavers.c.leaver).where(experiment_leavers.c.token == token)))


def _leaver(token: str, unit_id: str) -> str:
    return hashlib.sha256(f"{token} {unit_id}".encode()).hexdigest()


def _end(connection: Connection, token: str) -> None:
    g = experiment_gatherings.c
    connection.execute(update(experiment_gatherings).where(g.token == token).values(began_at=None))
    connection.execute(delete(experiment_leavers).where(experiment_leavers.c.token == token))


def _asked_for(row: Any, now: datetime) -> bool:
    return not _is_over(row, now) and (row.gathered_at is None or now - row.gathered_at >= _every(row.took_ms))


def _is_over(row: Any, now: datetime) -> bool:
    return row.ended_at is not None and now > row.ended_at + timedelta(days=row.spec["window_days"]) + LATE


def _every(took_ms: int) -> timedelta:
    return max(OFTEN, SHARE * timedelta(milliseconds=took_ms))


def _drop(connection: Connection, unit_ids: list[str], experiment_id: str | None = None) -> None:
    u = experiment_units.c
    for start in range(0, len(unit_ids), 900):
        some = u.unit_id.in_(unit_ids[start : start + 900])
        connection.execute(
            delete(experiment_units).where(some if experiment_id is None else some & (u.experiment_id == experiment_id))
        )


def _rows(connection: Connection, experiment_id: str) -> pl.DataFrame:
    """Return the kept rows as the driver has them: no column of theirs has to be converted, and there are many."""
    result = connection.execute(select(*_COLUMNS).where(experiment_units.c.experiment_id == experiment_id))
    schema = {column.name: pl.String if column.name in {"unit_id", "arm"} else pl.Int64 for column in _COLUMNS}
    return pl.DataFrame(result.cursor.fetchall(), schema=schema, orient="row")
