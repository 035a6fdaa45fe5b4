"""Experiments of dials: each arm has a version that counted, the same from start to end, and one such experiment runs at a time."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, func, select

from personalization.experiments.spec import Experiment, ExperimentError
from stores.console_tables import tunings
from stores.errors import ConflictError
from stores.tables import experiments

_LOCK = 0x4449414C


def refuse_unapplied(connection: Connection, experiment: Experiment) -> None:
    """Refuse arms by a tuning that nobody has applied: an experiment is no way round the second person."""
    wanted = {arm.tuning for arm in experiment.arms if arm.tuning}
    applied = select(tunings.c.version).where(tunings.c.version.in_(wanted), tunings.c.state == "applied")
    if missing := wanted - set(connection.scalars(applied) if wanted else ()):
        raise ConflictError(
            f"version {min(missing)} of the tuning was never applied; apply it first, or choose one that was"
        )


def pinned(connection: Connection, experiment: Experiment) -> Experiment:
    """Return the experiment as it starts: arms of dials "as they are" name the version that counts now, so that a turn of the dials moves no arm.

    Raises ConflictError when the arms are then alike, or when another experiment of dials runs: a decision follows one set of dials.
    """
    refuse_unapplied(connection, experiment)
    if "tuning" not in experiment.differs:
        return experiment
    if connection.dialect.name != "sqlite":  # two that start at once
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    for spec in connection.scalars(select(experiments.c.spec).where(experiments.c.status == "running")):
        if len({arm.get("tuning") for arm in spec["arms"]}) > 1:
            raise ConflictError(
                f"the experiment {spec['experiment_id']} compares dials already, and each person is answered by one set of them; "
                "end it first, or wait for its end"
            )
    counts = connection.scalar(select(func.max(tunings.c.version)).where(tunings.c.state == "applied")) or 0
    arms = tuple(replace(arm, tuning=counts) if arm.tuning is None else arm for arm in experiment.arms)
    try:
        found = replace(experiment, arms=arms)
    except ExperimentError as error:
        raise ConflictError(str(error)) from None
    if len({arm.treatment() for arm in arms}) == 1:
        raise ConflictError(f"version {counts} of the dials counts already, so that there is nothing to compare")
    return found
