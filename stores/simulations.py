"""Simulations of campaigns: asked for, under way, done or failed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update

from stores.console_tables import simulations
from stores.database import Database, new_id
from stores.errors import NotFoundError

SILENT = timedelta(seconds=60)
"""After so long without a word its process is gone."""
_LOST = "The process that ran it has ended. Start it again."


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulation of one version of a plan. state : "queued", "running", "done" or "failed"; progress : from 0 to 1."""

    simulation_id: str
    campaign_id: str
    version: int
    state: str
    progress: float
    seed: int
    result: dict[str, Any] | None
    reason: str
    created_at: datetime


class SqlSimulations:
    """Keeps them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(self, campaign_id: str, version: int, seed: int, *, at: datetime) -> tuple[Simulation, bool]:
        """Return the simulation that was asked for and is not given up, else a new one; and whether it is new, so that who asked has to run it."""
        s = simulations.c
        same = select(simulations).where(s.campaign_id == campaign_id, s.version == version, s.seed == seed)
        with self._db.write() as connection:
            row = connection.execute(same.order_by(s.created_at.desc(), s.simulation_id.desc()).limit(1)).first()
            if row is not None and row.state in {"queued", "running"} and at - row.changed_at < SILENT:
                return _simulation(row, at), False
            made = {
                "simulation_id": new_id(), "campaign_id": campaign_id, "version": version, "state": "queued", "progress": 0.0,
                "seed": seed, "created_at": at, "changed_at": at,
            }  # fmt: skip
            connection.execute(insert(simulations).values(made))
        return self.get(str(made["simulation_id"]), at=at), True

    def get(self, simulation_id: str, *, at: datetime) -> Simulation:
        """Return one. Raises NotFoundError."""
        with self._db.read() as connection:
            row = connection.execute(select(simulations).where(simulations.c.simulation_id == simulation_id)).first()
        if row is None:
            raise NotFoundError(f"there is no simulation {simulation_id}")
        return _simulation(row, at)

    def newest(self, campaign_id: str, *, at: datetime) -> Simulation | None:
        """Return the campaign's newest, None without any."""
        s = simulations.c
        query = select(simulations).where(s.campaign_id == campaign_id)
        with self._db.read() as connection:
            row = connection.execute(query.order_by(s.created_at.desc(), s.simulation_id.desc()).limit(1)).first()
        return None if row is None else _simulation(row, at)

    def progress(self, simulation_id: str, done: float, *, at: datetime) -> None:
        """Tell how far it is."""
        self._set(simulation_id, {"state": "running", "progress": min(done, 0.99), "changed_at": at})

    def alive(self, simulation_ids: Collection[str], *, at: datetime) -> None:
        """Tell that somebody still has these to do, whether they are waiting in line or long at work."""
        s = simulations.c
        open_ = s.simulation_id.in_(simulation_ids) & s.state.in_(["queued", "running"])
        with self._db.write() as connection:
            connection.execute(update(simulations).where(open_).values(changed_at=at))

    def finish(self, simulation_id: str, result: dict[str, Any], *, at: datetime) -> None:
        """Keep what came of it."""
        self._set(simulation_id, {"state": "done", "progress": 1.0, "result": result, "changed_at": at})

    def fail(self, simulation_id: str, reason: str, *, at: datetime) -> None:
        """Say that it failed, and what to do."""
        self._set(simulation_id, {"state": "failed", "reason": reason, "changed_at": at})

    def _set(self, simulation_id: str, values: dict[str, Any]) -> None:
        mine = simulations.c.simulation_id == simulation_id
        with self._db.write() as connection:
            connection.execute(update(simulations).where(mine).values(values))


def _simulation(row: Row[Any], at: datetime) -> Simulation:
    lost = row.state in {"queued", "running"} and at - row.changed_at > SILENT
    state, reason = ("failed", _LOST) if lost else (row.state, row.reason)
    return Simulation(row.simulation_id, row.campaign_id, row.version, state, row.progress, row.seed, row.result, reason, row.created_at)  # fmt: skip
