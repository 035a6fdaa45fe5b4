"""Outcomes that the database sums are those that follow from single orders, clicks and conversations."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import insert, select

from personalization.experiments.spec import Arm, Experiment
from personalization.types import Purpose
from stores import experiment_units
from stores.consents import ConsentEntry, SqlConsents
from stores.console_tables import experiment_leavers
from stores.database import Database, new_id
from stores.erasure import erase_member
from stores.experiment_outcomes import BEFORE
from stores.experiment_units import SqlExperimentUnits
from stores.experiments import SqlExperiments
from stores.tables import consents, conversations, events, exposures, members, order_lines

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINE, AWAY = 120, 20


def grown(db: Database, window_days: int, *, seed: int) -> None:
    """Fill a shop with members, some without consent, and visitors who did things around their exposures."""
    rng = np.random.default_rng(seed)
    arms = (Arm("off", 0.5, personalize=False), Arm("on", 0.5))
    SqlExperiments(db).create(Experiment("e", "x", arms, "spend", {}, 1.0, window_days), at=NOW - timedelta(days=90))
    known = [new_id() for _ in range(MINE)]
    units = [*known, *(new_id() for _ in range(MINE // 3))]
    # to the second, and to the microsecond: both ends of a window are met exactly by some
    at = {unit: NOW - timedelta(days=float(rng.integers(0, 60)), microseconds=int(rng.integers(2))) for unit in units}
    window, edges = (
        timedelta(days=window_days),
        [timedelta(0), timedelta(days=window_days), -BEFORE, timedelta(days=window_days) / 2],
    )

    def moment(unit: str) -> datetime:
        if rng.random() < 0.3:
            return at[unit] + edges[rng.integers(len(edges))] + timedelta(microseconds=int(rng.integers(-1, 2)))
        return at[unit] + (window + BEFORE) * float(rng.uniform(-1.1, 1.1))

    lines = [
        {
            "order_id": f"{unit}-{line % 3}", "line_no": line, "member_id": unit, "product_id": "p", "at": moment(unit), "quantity": 1,
            "amount_minor": int(rng.integers(1, 9_000)), "discount_minor": int(rng.integers(0, 50)), "coupon_minor": int(rng.integers(0, 9)),
            "currency": "USD",
        }
        for unit in known
        for line in range(int(rng.integers(0, 9)))
    ]  # fmt: skip
    seen, talks = [], []
    for unit in units:
        who = "member_id" if unit in at and unit in known else "visitor_id"
        for _ in range(int(rng.integers(0, 6))):
            kind, when = rng.choice(["viewed", "clicked", "added_to_basket"]), moment(unit)
            event = {
                "event_id": new_id(),
                "type": str(kind),
                "at": when,
                "received_at": when,
                "channel": "widget",
                "payload": {},
            }
            seen.append({"member_id": None, "visitor_id": None, **event, who: unit})
        talk = {"conversation_id": new_id(), "member_id": None, "visitor_id": new_id(), "created_at": moment(unit)}
        talks.append({**talk, "handoff": bool(rng.random() < 0.5), who: unit})
    with db.write() as connection:
        people = [
            {"member_id": one, "display_name": "x", "name_is_synthetic": True, "created_at": NOW} for one in known
        ]
        connection.execute(insert(members), people)
        agreed = {"purpose": "profiling", "at": NOW - timedelta(days=300), "channel": "api", "text_version": "1"}
        given = [
            {"consent_id": new_id(), "member_id": one, "granted": n >= AWAY, **agreed} for n, one in enumerate(known)
        ]
        connection.execute(insert(consents), given)
        shown = [
            {
                "experiment_id": "e",
                "unit_id": one,
                "arm": str(rng.choice(["off", "on"])),
                "channel": "widget",
                "at": at[one],
            }
            for one in units
        ]
        for table, rows in ((exposures, shown), (order_lines, lines), (events, seen), (conversations, talks)):
            connection.execute(insert(table), rows)


def slowly(db: Database, window: timedelta) -> dict[str, dict[str, Any]]:
    """Work the outcomes out row by row."""
    with db.read() as connection:
        rows = {
            t: connection.execute(select(t)).all()
            for t in (exposures, order_lines, events, conversations, consents, members)
        }
    agreed = {one.member_id for one in rows[consents] if one.granted}
    known, found = {one.member_id for one in rows[members]}, {}
    for unit in rows[exposures]:
        if unit.at > NOW - window or (unit.unit_id in known and unit.unit_id not in agreed):
            continue
        mine = [one for one in rows[order_lines] if one.member_id == unit.unit_id]
        inside = [one for one in mine if unit.at <= one.at < unit.at + window]
        before = [one for one in mine if unit.at - BEFORE <= one.at < unit.at]
        done = defaultdict[str, int](int)
        for name, happened, when in ((e.type, e, e.at) for e in rows[events]):
            if unit.unit_id in {happened.member_id, happened.visitor_id} and unit.at <= when < unit.at + window:
                done[name] += 1
        asked = [t for t in rows[conversations] if t.handoff and unit.unit_id in {t.member_id, t.visitor_id}]
        found[unit.unit_id] = {
            "arm": unit.arm, "at": unit.at, "member": int(unit.unit_id in known), "spend": sum(one.amount_minor for one in inside),
            "orders": len({one.order_id for one in inside}), "conversion": int(bool(inside)),
            "retention": int(any(one.at >= unit.at + window / 2 for one in inside)),
            "discount": sum(one.discount_minor + one.coupon_minor for one in inside),
            "engagement": done["clicked"] + done["added_to_basket"],
            "handoffs": sum(unit.at <= one.created_at < unit.at + window for one in asked),
            "spend_before": sum(one.amount_minor for one in before), "orders_before": len({one.order_id for one in before}),
        }  # fmt: skip
    return found


@pytest.mark.parametrize("window_days", [7, 28])
def test_sums_of_the_database_are_those_of_single_rows(database: Database, window_days: int) -> None:
    grown(database, window_days, seed=window_days)
    found = SqlExperiments(database).outcomes("e", at=NOW)
    wanted = slowly(database, timedelta(days=window_days))
    assert len(wanted) > MINE // 2
    assert {row.pop("unit_id"): row for row in found.to_dicts()} == wanted
    assert found["at"].is_sorted()


def test_what_is_kept_is_what_would_be_gathered_and_loses_who_withdraws_or_is_erased(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment_units, "LARGE", 10)
    grown(database, 7, seed=3)
    store, now = SqlExperiments(database), NOW
    store.start("e", at=NOW - timedelta(days=80))
    units = SqlExperimentUnits(database, store)
    assert units.kept("e", at=now) is None
    assert units.keep(now=now) == 1
    assert units.keep(now=now + timedelta(seconds=1)) == 0, "it is not due again so soon"
    _same(units.kept("e", at=now), store.outcomes("e", at=now))
    known = [one for one in store.outcomes("e", at=now)["unit_id"] if _is_member(database, one)]
    SqlConsents(database).record([ConsentEntry(known[0], Purpose.PROFILING, False, datetime.now(UTC), "api", "1")])
    erase_member(database, known[1], at=now)
    _same(units.kept("e", at=now), store.outcomes("e", at=now))
    with database.write() as connection:
        line = {
            "product_id": "p",
            "quantity": 1,
            "amount_minor": 77,
            "currency": "USD",
            "order_id": "late",
            "line_no": 1,
        }
        at = connection.scalar(select(exposures.c.at).where(exposures.c.unit_id == known[2]))
        connection.execute(insert(order_lines), [line | {"member_id": known[2], "at": at}])
    later = now + timedelta(minutes=2)
    assert units.keep(now=later) == 1
    _same(units.kept("e", at=later), store.outcomes("e", at=later))
    assert units.kept("e", at=later + timedelta(hours=1)) is None, "what is old is not shown"


def test_who_withdraws_or_is_erased_while_outcomes_are_gathered_is_left_out_of_them(database: Database) -> None:
    grown(database, 7, seed=4)
    store = SqlExperiments(database)

    class Meanwhile:
        """Gathers, and lets somebody withdraw and somebody be erased before it answers."""

        def outcomes(self, experiment_id: str, *, at: datetime) -> Any:
            found = store.outcomes(experiment_id, at=at)
            one, two = [unit for unit in found["unit_id"] if _is_member(database, unit)][:2]
            SqlConsents(database).record([ConsentEntry(one, Purpose.PROFILING, False, datetime.now(UTC), "api", "1")])
            erase_member(database, two, at=datetime.now(UTC))
            return found

    units = SqlExperimentUnits(database, Meanwhile())
    for _ in range(3):
        assert units.gather("e", now=NOW), "it comes to its end, however often somebody leaves"
        _same(units.kept("e", at=NOW), store.outcomes("e", at=NOW))
    with database.read() as connection:
        assert connection.execute(select(experiment_leavers)).all() == [], "nothing is left of who left"


def _is_member(db: Database, unit_id: str) -> bool:
    with db.read() as connection:
        return connection.scalar(select(members.c.member_id).where(members.c.member_id == unit_id)) is not None


def _same(kept: pl.DataFrame | None, fresh: pl.DataFrame) -> None:
    assert kept is not None
    assert kept.height == fresh.height > MINE // 2
    assert_frame_equal(kept, fresh)
