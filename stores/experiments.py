"""Experiments, who was exposed to which arm, and what came of it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import polars as pl
from sqlalchemy import Connection, and_, case, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from personalization.experiments.spec import Arm, Assignment, Experiment
from personalization.types import Channel, Purpose, Subject
from stores.consents import latest_consents
from stores.database import Check, Database
from stores.errors import ConflictError, NotFoundError
from stores.experiment_dials import pinned, refuse_unapplied
from stores.experiment_outcomes import TIME, frame, measured
from stores.exposing import GIVEN_BACK, identify, insert_new
from stores.tables import counters, experiments, exposures, members

Status = Literal["draft", "running", "ended"]
KEPT_S = 5.0  # how long a process goes on with the experiments that it knows
MOST_KNOWN = 50_000


@dataclass(frozen=True, slots=True)
class Stored:
    """An experiment with its dates."""

    experiment: Experiment
    status: Status
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class SqlExperiments:
    """The `Experiments` of the brain, and their administration."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._running: tuple[float, list[Experiment]] = (float("-inf"), [])
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._given_back: int | None = None

    def create(self, experiment: Experiment, *, at: datetime) -> Stored:
        """Store a draft. Raises ConflictError when the id is taken: a running experiment is never changed, or when an arm's tuning never counted."""
        row = {
            "experiment_id": experiment.experiment_id,
            "spec": _spec(experiment),
            "status": "draft",
            "created_at": at,
        }
        try:
            with self._db.write() as connection:
                refuse_unapplied(connection, experiment)
                connection.execute(insert(experiments).values(row))
        except IntegrityError:
            raise ConflictError(
                f"there is an experiment {experiment.experiment_id} already; choose another id"
            ) from None
        return Stored(experiment, "draft", at, None, None)

    def start(self, experiment_id: str, *, at: datetime, check: Check[Stored] = None) -> Stored:
        """Let a draft run, its arms of dials by the versions that count now (`experiment_dials`).

        Raises NotFoundError, or ConflictError when it is no draft, an arm's tuning never counted, or its dials cannot be compared.
        """
        drafted = self.get(experiment_id).experiment
        return self._move(
            experiment_id, "draft",
            lambda connection: {"status": "running", "started_at": at, "spec": _spec(pinned(connection, drafted))}, check,
        )  # fmt: skip

    def end(self, experiment_id: str, *, at: datetime, check: Check[Stored] = None) -> Stored:
        """End a running experiment: from now on everybody is treated alike. Raises NotFoundError or ConflictError."""
        return self._move(experiment_id, "running", lambda _: {"status": "ended", "ended_at": at}, check)

    def get(self, experiment_id: str) -> Stored:
        """Return one experiment. Raises NotFoundError."""
        with self._db.read() as connection:
            row = connection.execute(select(experiments).where(experiments.c.experiment_id == experiment_id)).first()
        if row is None:
            raise NotFoundError(f"there is no experiment {experiment_id}")
        return _stored(row)

    def all(self) -> list[Stored]:
        """Return every experiment, newest first."""
        query = select(experiments).order_by(experiments.c.created_at.desc(), experiments.c.experiment_id)
        with self._db.read() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def page(self, *, limit: int, before: tuple[datetime, str] | None = None) -> list[Stored]:
        """Return the newest experiments, those older than `before`."""
        c = experiments.c
        query = select(experiments).order_by(c.created_at.desc(), c.experiment_id.desc()).limit(limit)
        if before is not None:
            at, last = before
            query = query.where(or_(c.created_at < at, and_(c.created_at == at, c.experiment_id < last)))
        with self._db.read() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def running(self) -> Sequence[Experiment]:
        """Return what runs now; another process's change is seen within KEPT_S seconds."""
        with self._lock:
            since, found = self._running
        if time.monotonic() - since < KEPT_S:
            return found
        given_back = select(counters.c.value).where(counters.c.name == GIVEN_BACK).scalar_subquery().label("given_back")
        query = select(experiments, given_back).where(experiments.c.status == "running")
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(experiments.c.experiment_id)).all()
        found = [_stored(row).experiment for row in rows]
        with self._lock:
            if rows and rows[0].given_back != self._given_back:  # who is known may have become another unit
                self._known.clear()
                self._given_back = rows[0].given_back
            self._running = (time.monotonic(), found)
        return found

    def expose(
        self, running: Sequence[Experiment], subject: Subject, *, at: datetime, channel: Channel
    ) -> Sequence[Assignment]:
        """Return the subject's arms in `running`, and log each unit's first exposure.

        An arm stays once it was shown: for a member whatever the channel, and for a visitor who turns out to be a member, and
        who is one unit from then on.
        """
        units = [str(unit) for unit in (subject.member_id, subject.visitor_id) if unit is not None]
        seen = self._seen([experiment.experiment_id for experiment in running], units)
        found: list[Assignment] = []
        fresh: list[dict[str, Any]] = []
        pair, same = " ".join(units), list[str]()
        for experiment in running:
            earlier = next((name for unit in units if (name := seen.get((experiment.experiment_id, unit)))), None)
            arm = (experiment.arm(earlier) if earlier else None) or experiment.assign(units[0])
            if arm is None:
                continue
            found.append(Assignment(experiment.experiment_id, arm))
            if (experiment.experiment_id, units[0]) not in seen:
                fresh.append({"experiment_id": experiment.experiment_id, "unit_id": units[0], "arm": arm.name, "channel": channel.value, "at": at})  # fmt: skip
            key = (experiment.experiment_id, pair)
            if len(units) > 1 and (experiment.experiment_id, units[1]) in seen and key not in self._known:
                same.append(experiment.experiment_id)
        if fresh or same:
            with self._db.write() as connection:
                if same:
                    identify(connection, units[1], units[0], same)
                if fresh:
                    insert_new(connection, fresh)
            self._remember(((row["experiment_id"], row["unit_id"]), row["arm"]) for row in fresh)
            self._remember(((name, pair), "") for name in same)
        return found

    def outcomes(self, experiment_id: str, *, at: datetime) -> pl.DataFrame:
        """Return one row per unit whose window has passed by `at` (columns: `analysis.analyse`, unit_id, at, member), in order of exposure.

        Members who do not agree to profiling any more are left out. Visitors have no orders. Raises NotFoundError.
        """
        window = timedelta(days=self.get(experiment_id).experiment.window_days)
        agreed = latest_consents(Purpose.PROFILING)
        member = case((members.c.member_id.is_(None), 0), else_=1)
        mine = (
            select(exposures.c.unit_id, exposures.c.arm, exposures.c.at, member)
            .outerjoin(members, members.c.member_id == exposures.c.unit_id)
            .outerjoin(agreed, agreed.c.member_id == exposures.c.unit_id)
            .where(exposures.c.experiment_id == experiment_id, exposures.c.at <= at - window)
            .where(or_(members.c.member_id.is_(None), agreed.c.granted))
        )
        with self._db.read() as connection:
            units = frame(
                connection,
                mine.order_by(exposures.c.at, exposures.c.unit_id),
                {"unit_id": pl.String, "arm": pl.String, "at": TIME, "member": pl.Int64},
            )
            visitor = func.coalesce(exposures.c.visitor_id, exposures.c.unit_id).label("visitor_id")
            exposed = select(exposures.c.unit_id, visitor, exposures.c.at).where(
                exposures.c.experiment_id == experiment_id, exposures.c.at <= at - window
            )
            return measured(connection, units, exposed, window)

    def counts(self, experiment_id: str) -> dict[str, int]:
        """Return how many units were exposed to each arm so far."""
        query = select(exposures.c.arm, func.count().label("n")).where(exposures.c.experiment_id == experiment_id)
        with self._db.read() as connection:
            return {row.arm: row.n for row in connection.execute(query.group_by(exposures.c.arm))}

    def forget_running(self) -> None:
        """Look again at what runs: somebody else's transaction has changed it."""
        with self._lock:
            self._running = (float("-inf"), [])

    def _move(
        self, experiment_id: str, since: Status, values: Callable[[Connection], dict[str, Any]], check: Check[Stored]
    ) -> Stored:
        mine = and_(experiments.c.experiment_id == experiment_id, experiments.c.status == since)
        locked = select(experiments).where(experiments.c.experiment_id == experiment_id).with_for_update()
        with self._db.write() as connection:
            row = connection.execute(locked).first()
            if row is not None and check:
                check(_stored(row))
            moved = row is not None and row.status == since
            if moved:
                connection.execute(update(experiments).where(mine).values(values(connection)))
        found = self.get(experiment_id)
        if not moved:
            raise ConflictError(f"the experiment {experiment_id} is {found.status}, not {since}")
        with self._lock:
            self._running = (float("-inf"), [])
        return found

    def _seen(self, names: Sequence[str], units: Sequence[str]) -> dict[tuple[str, str], str]:
        keys = [(name, unit) for name in names for unit in units]
        with self._lock:
            found = {key: self._known[key] for key in keys if key in self._known}
        missing = [key for key in keys if key not in found]
        if missing:
            e, wanted = exposures.c, sorted({unit for _, unit in missing})
            query = select(e.experiment_id, e.unit_id, e.visitor_id, e.arm).where(
                e.experiment_id.in_(names), or_(e.unit_id.in_(wanted), e.visitor_id.in_(wanted))
            )
            with self._db.read() as connection:
                rows = connection.execute(query).all()
            stored = {(row.experiment_id, row.visitor_id): row.arm for row in rows if row.visitor_id in wanted}
            stored |= {(row.experiment_id, row.unit_id): row.arm for row in rows if row.unit_id in wanted}
            self._remember(stored.items())
            found |= stored
        return found

    def _remember(self, items: Iterable[tuple[tuple[str, str], str]]) -> None:
        with self._lock:
            self._known.update(items)
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)


def run_at_once(connection: Connection, experiment: Experiment, *, at: datetime) -> None:
    """Start an experiment within somebody else's transaction; processes that know none yet see it within KEPT_S seconds."""
    dates = {"created_at": at, "started_at": at}
    connection.execute(
        insert(experiments).values(
            experiment_id=experiment.experiment_id, spec=_spec(experiment), status="running", **dates
        )
    )


def end_at_once(connection: Connection, experiment_id: str, *, at: datetime) -> None:
    """End an experiment, if it runs, within somebody else's transaction."""
    mine = and_(experiments.c.experiment_id == experiment_id, experiments.c.status == "running")
    connection.execute(update(experiments).where(mine).values(status="ended", ended_at=at))


def _spec(experiment: Experiment) -> dict[str, Any]:
    spec = asdict(experiment)
    return spec | {"arms": list(spec["arms"]), "guardrails": dict(experiment.guardrails)}


def _stored(row: Any) -> Stored:
    spec = dict(row.spec)
    experiment = Experiment(**{**spec, "arms": tuple(Arm(**arm) for arm in spec["arms"])})
    return Stored(experiment, row.status, row.created_at, row.started_at, row.ended_at)
