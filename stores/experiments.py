"""Experiments, who was exposed to which arm, and what came of it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import polars as pl
from sqlalchemy import Connection, Select, and_, func, insert, or_, select, union_all, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError

from personalization.experiments.spec import METRICS, Arm, Assignment, Experiment
from personalization.types import Channel, EventType, Purpose, Subject
from stores.consents import latest_consents
from stores.database import Database
from stores.errors import ConflictError, NotFoundError
from stores.tables import conversations, events, experiments, exposures, members, order_lines

Status = Literal["draft", "running", "ended"]
BEFORE = timedelta(days=56)
KEPT_S = 5.0  # how long a process goes on with the experiments that it knows
MOST_KNOWN = 50_000
_ENGAGED = [EventType.CLICKED.value, EventType.ADDED_TO_BASKET.value]


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

    def create(self, experiment: Experiment, *, at: datetime) -> Stored:
        """Store a draft. Raises ConflictError when the id is taken: a running experiment is never changed."""
        row = {
            "experiment_id": experiment.experiment_id,
            "spec": _spec(experiment),
            "status": "draft",
            "created_at": at,
        }
        try:
            with self._db.write() as connection:
                connection.execute(insert(experiments).values(row))
        except IntegrityError:
            raise ConflictError(
                f"there is an experiment {experiment.experiment_id} already; choose another id"
            ) from None
        return Stored(experiment, "draft", at, None, None)

    def start(self, experiment_id: str, *, at: datetime) -> Stored:
        """Let a draft run. Raises NotFoundError, or ConflictError when it is none."""
        return self._move(experiment_id, "draft", {"status": "running", "started_at": at})

    def end(self, experiment_id: str, *, at: datetime) -> Stored:
        """End a running experiment: from now on everybody is treated alike. Raises NotFoundError or ConflictError."""
        return self._move(experiment_id, "running", {"status": "ended", "ended_at": at})

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

    def running(self) -> Sequence[Experiment]:
        """Return what runs now; another process's change is seen within KEPT_S seconds."""
        with self._lock:
            since, found = self._running
        if time.monotonic() - since < KEPT_S:
            return found
        query = select(experiments).where(experiments.c.status == "running").order_by(experiments.c.experiment_id)
        with self._db.read() as connection:
            found = [_stored(row).experiment for row in connection.execute(query)]
        with self._lock:
            self._running = (time.monotonic(), found)
        return found

    def expose(
        self, running: Sequence[Experiment], subject: Subject, *, at: datetime, channel: Channel
    ) -> Sequence[Assignment]:
        """Return the subject's arms in `running`, and log each unit's first exposure.

        An arm stays once it was shown: for a member whatever the channel, and for a visitor who turns out to be a member.
        """
        units = [str(unit) for unit in (subject.member_id, subject.visitor_id) if unit is not None]
        seen = self._seen([experiment.experiment_id for experiment in running], units)
        found: list[Assignment] = []
        fresh: list[dict[str, Any]] = []
        for experiment in running:
            earlier = next((name for unit in units if (name := seen.get((experiment.experiment_id, unit)))), None)
            arm = (experiment.arm(earlier) if earlier else None) or experiment.assign(units[0])
            if arm is None:
                continue
            found.append(Assignment(experiment.experiment_id, arm))
            if (experiment.experiment_id, units[0]) not in seen:
                fresh.append({"experiment_id": experiment.experiment_id, "unit_id": units[0], "arm": arm.name, "channel": channel.value, "at": at})  # fmt: skip
        if fresh:
            with self._db.write() as connection:
                _insert_new(connection, fresh)
            self._remember(((row["experiment_id"], row["unit_id"]), row["arm"]) for row in fresh)
        return found

    def outcomes(self, experiment_id: str, *, at: datetime) -> pl.DataFrame:
        """Return one row per unit whose window has passed by `at` (columns: `analysis.analyse`, unit_id, at), in order of exposure.

        Members who do not agree to profiling any more are left out. Visitors have no orders. Raises NotFoundError.
        """
        window = timedelta(days=self.get(experiment_id).experiment.window_days)
        agreed = latest_consents(Purpose.PROFILING)
        mine = (
            select(exposures.c.unit_id, exposures.c.arm, exposures.c.at)
            .outerjoin(members, members.c.member_id == exposures.c.unit_id)
            .outerjoin(agreed, agreed.c.member_id == exposures.c.unit_id)
            .where(exposures.c.experiment_id == experiment_id, exposures.c.at <= at - window)
            .where(or_(members.c.member_id.is_(None), agreed.c.granted))
        )
        with self._db.read() as connection:
            units = _frame(
                connection,
                mine.order_by(exposures.c.at, exposures.c.unit_id),
                {"unit_id": pl.String, "arm": pl.String, "at": _TIME},
            )
            lines, seen, talks = (_frame(connection, *query) for query in _happened(experiment_id))
        return _measured(units, lines, seen, talks, window)

    def counts(self, experiment_id: str) -> dict[str, int]:
        """Return how many units were exposed to each arm so far."""
        query = select(exposures.c.arm, func.count().label("n")).where(exposures.c.experiment_id == experiment_id)
        with self._db.read() as connection:
            return {row.arm: row.n for row in connection.execute(query.group_by(exposures.c.arm))}

    def _move(self, experiment_id: str, since: Status, values: dict[str, Any]) -> Stored:
        mine = and_(experiments.c.experiment_id == experiment_id, experiments.c.status == since)
        with self._db.write() as connection:
            moved = connection.execute(update(experiments).where(mine).values(values)).rowcount
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
            query = select(exposures.c.experiment_id, exposures.c.unit_id, exposures.c.arm).where(
                exposures.c.unit_id.in_(sorted({unit for _, unit in missing})), exposures.c.experiment_id.in_(names)
            )
            with self._db.read() as connection:
                stored = {(row.experiment_id, row.unit_id): row.arm for row in connection.execute(query)}
            self._remember(stored.items())
            found |= stored
        return found

    def _remember(self, items: Iterable[tuple[tuple[str, str], str]]) -> None:
        with self._lock:
            self._known.update(items)
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)


_TIME = pl.Datetime("us", "UTC")


def _spec(experiment: Experiment) -> dict[str, Any]:
    spec = asdict(experiment)
    return spec | {"arms": list(spec["arms"]), "guardrails": dict(experiment.guardrails)}


def _stored(row: Any) -> Stored:
    spec = dict(row.spec)
    experiment = Experiment(**{**spec, "arms": tuple(Arm(**arm) for arm in spec["arms"])})
    return Stored(experiment, row.status, row.created_at, row.started_at, row.ended_at)


def _insert_new(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Insert exposures; of two processes that expose a unit at once, the first one's stands, and both chose the same arm."""
    statement: Any = (sqlite_insert if connection.dialect.name == "sqlite" else pg_insert)(exposures)
    connection.execute(statement.on_conflict_do_nothing(), rows)


def _happened(experiment_id: str) -> list[tuple[Select[Any] | Any, dict[str, Any]]]:
    """Return the queries of what exposed units did, each with its schema: order lines, engagement, handoffs."""
    units = select(exposures.c.unit_id).where(exposures.c.experiment_id == experiment_id)
    lines = select(
        order_lines.c.member_id, order_lines.c.order_id, order_lines.c.at, order_lines.c.amount_minor,
        order_lines.c.discount_minor + order_lines.c.coupon_minor,
    ).where(order_lines.c.member_id.in_(units))  # fmt: skip
    seen = union_all(
        *(
            select(column, events.c.at).where(events.c.type.in_(_ENGAGED), column.in_(units))
            for column in (events.c.member_id, events.c.visitor_id)
        )
    )
    talks = union_all(
        *(
            select(column, conversations.c.created_at).where(conversations.c.handoff, column.in_(units))
            for column in (conversations.c.member_id, conversations.c.visitor_id)
        )
    )
    happened = {"unit_id": pl.String, "when": _TIME}
    money = {"amount": pl.Int64, "discount": pl.Int64}
    return [
        (lines, {"unit_id": pl.String, "order_id": pl.String, "when": _TIME, **money}),
        (seen, happened),
        (talks, happened),
    ]


def _frame(connection: Connection, query: Any, schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([tuple(row) for row in connection.execute(query)], schema=schema, orient="row")


def _measured(
    units: pl.DataFrame, lines: pl.DataFrame, seen: pl.DataFrame, talks: pl.DataFrame, window: timedelta
) -> pl.DataFrame:
    since = pl.col("when") - pl.col("at")
    inside = (since >= timedelta(0)) & (since < window)
    before = (since < timedelta(0)) & (since >= -BEFORE)
    orders = units.select("unit_id", "at").join(lines, on="unit_id").group_by("unit_id").agg(
        pl.col("amount").filter(inside).sum().alias("spend"), pl.col("order_id").filter(inside).n_unique().alias("orders"),
        pl.col("order_id").filter(inside & (since >= window / 2)).n_unique().alias("late"), pl.col("discount").filter(inside).sum(),
        pl.col("amount").filter(before).sum().alias("spend_before"), pl.col("order_id").filter(before).n_unique().alias("orders_before"),
    )  # fmt: skip
    found = units.join(orders, on="unit_id", how="left", maintain_order="left")
    for name, frame in (("engagement", seen), ("handoffs", talks)):
        counted = units.select("unit_id", "at").join(frame, on="unit_id").filter(inside).group_by("unit_id").len(name)
        found = found.join(counted, on="unit_id", how="left", maintain_order="left")
    found = found.with_columns(
        pl.col(
            "spend", "orders", "late", "discount", "spend_before", "orders_before", "engagement", "handoffs"
        ).fill_null(0)
    )
    return found.with_columns(
        (pl.col("orders") > 0).cast(pl.Int64).alias("conversion"),
        (pl.col("late") > 0).cast(pl.Int64).alias("retention"),
    ).select("unit_id", "arm", "at", *METRICS, "spend_before", "orders_before")
