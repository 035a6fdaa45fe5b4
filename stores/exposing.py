"""Who was exposed: a person is one unit of an experiment, also who was a visitor at first."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, delete, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stores.tables import ID, counters, exposures, profiles

GIVEN_BACK = "exposures_given_back"
"""The counter of it: whoever remembers units looks again when it changes."""


def insert_new(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Insert exposures with the clusters that members are in; of two processes that expose a unit at once, the first one's stands."""
    mine = select(profiles.c.member_id, profiles.c.segment_id).where(
        profiles.c.member_id.in_({row["unit_id"] for row in rows})
    )
    clusters = {row.member_id: row.segment_id for row in connection.execute(mine)}
    statement = _insert(connection).on_conflict_do_nothing()
    connection.execute(statement, [row | {"cluster": clusters.get(row["unit_id"])} for row in rows])


def identify(
    connection: Connection, visitor_id: str, member_id: str, experiment_ids: Collection[str] | None = None,
    *, merge_id: str | None = None,
) -> None:  # fmt: skip
    """Make the visitor's exposures the member's, who turns out to be the same person; where the member has been exposed, that stands.

    merge_id : the merge that says so, whose end gives them back.
    """
    e = exposures.c
    theirs = e.unit_id == visitor_id
    if experiment_ids is not None:
        theirs &= e.experiment_id.in_(experiment_ids)
    moved = select(
        e.experiment_id, literal(member_id), e.arm, e.channel, e.at, literal(visitor_id), literal(merge_id, ID)
    ).where(theirs)
    names = ["experiment_id", "unit_id", "arm", "channel", "at", "visitor_id", "merge_id"]
    connection.execute(_insert(connection).from_select(names, moved).on_conflict_do_nothing())
    connection.execute(delete(exposures).where(theirs))


def give_back(connection: Connection, merge_id: str) -> None:
    """Make the exposures that a merge moved the visitor's again. One transaction at a time (`stores.events.in_order`)."""
    e = exposures.c
    moved = select(e.experiment_id, e.visitor_id, e.arm, e.channel, e.at).where(e.merge_id == merge_id)
    names = ["experiment_id", "unit_id", "arm", "channel", "at"]
    connection.execute(_insert(connection).from_select(names, moved).on_conflict_do_nothing())
    connection.execute(delete(exposures).where(e.merge_id == merge_id))
    mine = counters.c.name == GIVEN_BACK
    if connection.execute(update(counters).where(mine).values(value=counters.c.value + 1)).rowcount == 0:
        connection.execute(insert(counters).values(name=GIVEN_BACK, value=1))


def _insert(connection: Connection) -> Any:
    return (sqlite_insert if connection.dialect.name == "sqlite" else pg_insert)(exposures)
