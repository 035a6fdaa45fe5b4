"""Deletes what a schedule of retention says is over, and proves it: after the deletion nothing that is due is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, exists, func, or_, select, tuple_, update

from personalization.trust.retention import Schedule
from stores.api_tables import replies
from stores.camera_tables import staff, staff_templates
from stores.console_tables import experiment_units
from stores.coupon_tables import coupons, redemptions
from stores.creative_tables import creative_placements
from stores.database import Database
from stores.erasure import leave_no_words, receipt
from stores.erasure_plan import Whose, tables
from stores.events import LONGEST_DAYS, outlived
from stores.group_tables import member_groups
from stores.kiosks import bump_gallery
from stores.merge_tables import merges
from stores.merges import past_term
from stores.order_tables import customer_accounts, order_changes, service_orders
from stores.retention import purge_templates
from stores.screen_tables import plays
from stores.tables import (
    attachments,
    basket_lines,
    candidate_sets,
    conversations,
    decisions,
    events,
    exposures,
    labels,
    link_codes,
    member_affect,
    messages,
    order_lines,
)

BITE = 500
_ANYWAY = {"events": LONGEST_DAYS, "plays": 400}
"""Days of what a schedule without a line for it does not keep for good either."""


def enforce(db: Database, schedule: Schedule, *, now: datetime) -> list[dict[str, Any]]:
    """Delete what is due; return the records that were written: one for face templates, one for everything else, none where nothing was due.

    Each record holds, beside what was deleted, the schedule's digest, the cut-off of each kind, and how much of it is left that is due.
    """
    made = []
    most = schedule.data["templates"].days if "templates" in schedule.data else None
    if (faces := purge_templates(db, now=now, most_days=most)) is not None:
        made.append(faces)
    terms = {**_ANYWAY, **{kind: line.days for kind, line in schedule.data.items()}}
    cut = {kind: now - timedelta(days=terms[kind]) for kind in _DUE if kind in terms}
    with db.read() as connection:
        due = _counts(connection, cut, now)
    if not any(due.values()):
        return made
    counts = {kind: _delete_all(db, kind, at, now) for kind, at in cut.items()}
    if not any(counts.values()):  # somebody renewed their consent meanwhile
        return made
    with db.write() as connection:
        proof = {
            "schedule": schedule.digest, "jurisdictions": list(schedule.jurisdictions),
            "before": {kind: at.isoformat() for kind, at in cut.items()}, "due_and_left": _counts(connection, cut, now),
        }  # fmt: skip
        done = receipt(
            connection, "schedule", {kind: count for kind, count in counts.items() if count}, now, proof=proof
        )
    touched = {_DUE[kind][0].name for kind, count in counts.items() if count}
    if counts.get("merges"):
        touched.add(events.name)
    rewrite = [staff_templates.name] if counts.get("staff") else []
    if counts.get("conversations") or counts.get("decisions"):
        followers = (candidate_sets, decisions, events, replies, *tables(Whose.TALK, Whose.DECIDED))
        touched |= {table.name for table in followers}
    return [*made, {**done, "proof": proof, "files_scrubbed": db.scrub(sorted(touched), rewrite=rewrite)}]


def _old_talk(before: datetime) -> ColumnElement[bool]:
    last = select(func.max(messages.c.at)).where(messages.c.conversation_id == conversations.c.conversation_id)
    return func.coalesce(last.scalar_subquery(), conversations.c.created_at) < before


def _old_accounts(before: datetime, _: datetime) -> ColumnElement[bool]:
    ordered = exists().where(service_orders.c.member_id == customer_accounts.c.member_id)
    return and_(customer_accounts.c.at < before, ~ordered)


_DUE: Mapping[str, tuple[Table, Callable[[datetime, datetime], ColumnElement[bool]]]] = {
    "conversations": (conversations, lambda before, _: _old_talk(before)),
    "affect": (member_affect, lambda before, _: member_affect.c.at < before),
    "decisions": (decisions, lambda before, _: decisions.c.at < before),
    "orders": (order_lines, lambda before, _: order_lines.c.at < before),
    "exposures": (exposures, lambda before, _: exposures.c.at < before),
    "labels": (labels, lambda before, _: labels.c.expires_at < before),
    "link_codes": (link_codes, lambda before, _: link_codes.c.expires_at < before),
    "events": (events, outlived),
    "files": (attachments, lambda before, _: attachments.c.at < before),
    "plays": (plays, lambda before, _: plays.c.received_at < before),
    "baskets": (basket_lines, lambda before, _: basket_lines.c.at < before),
    "groups": (member_groups, lambda before, _: member_groups.c.at < before),
    "merges": (merges, lambda before, _: past_term(before)),
    "order_changes": (order_changes, lambda before, _: order_changes.c.at < before),
    "service_orders": (service_orders, lambda before, _: service_orders.c.at < before),
    "accounts": (customer_accounts, _old_accounts),
    "staff": (staff, lambda before, _: staff.c.consented_at < before),
}
"""In the order in which they are deleted: an account stays as long as an order of it does."""


def _counts(connection: Connection, cut: Mapping[str, datetime], now: datetime) -> dict[str, int]:
    found = {}
    for kind, before in cut.items():
        table, due = _DUE[kind]
        found[kind] = connection.scalar(select(func.count()).select_from(table).where(due(before, now))) or 0
    return found


def _delete_all(db: Database, kind: str, before: datetime, now: datetime) -> int:
    """Delete in bites, each a transaction of its own: nobody waits for the lock of a year's worth of rows."""
    table, due = _DUE[kind]
    key, count = tuple(table.primary_key.columns), 0
    due_rows = select(*key).where(due(before, now)).limit(BITE)
    if table is events:  # no index finds them: each bite goes on where the last one ended
        due_rows = due_rows.order_by(*key)
    if (
        table is staff
    ):  # waits for who is renewing their consent, and leaves them; locked before the gallery, as `SqlStaff` does
        due_rows = due_rows.with_for_update()
    some: Sequence[Row[Any]] = []
    while True:
        here = due_rows.where(events.c.seq > some[-1].seq) if table is events and some else due_rows
        with db.write() as connection:
            some = connection.execute(here).all()
            if some:
                count += _delete(db, connection, kind, before, now, [tuple(row) for row in some])
        if len(some) < BITE:
            return count


def _delete(
    db: Database, connection: Connection, kind: str, before: datetime, now: datetime, some: list[tuple[Any, ...]]
) -> int:
    table, _ = _DUE[kind]
    if kind == "merges":
        some = _of_their_devices(connection, some)
    ids = [row[0] for row in some]
    if kind == "conversations":
        leave_no_words(db, connection, ids, now)
        for follower in tables(Whose.TALK):
            connection.execute(delete(follower).where(follower.c.conversation_id.in_(ids)))
    if kind == "decisions":
        old = ids
        for follower in (candidate_sets, *tables(Whose.DECIDED)):
            connection.execute(delete(follower).where(follower.c.decision_id.in_(old)))
        connection.execute(update(plays).where(plays.c.decision_id.in_(old)).values(decision_id=None))
        nobody = dict.fromkeys(("member_id", "visitor_id", "decision_id"))
        closed = or_(coupons.c.status != "open", coupons.c.expires_at < before)
        own = select(coupons.c.coupon_id).where(coupons.c.decision_id.in_(old), closed)
        connection.execute(update(redemptions).where(redemptions.c.coupon_id.in_(own)).values(order_id=None, asked=""))
        connection.execute(update(coupons).where(coupons.c.coupon_id.in_(own)).values(**nobody, reason=None))
        connection.execute(update(creative_placements).where(creative_placements.c.decision_id.in_(old)).values(nobody))
    if kind == "merges":  # what a merge named stays the member's, and nothing tells any more that it was by a merge
        for named in (events, exposures):
            connection.execute(update(named).where(named.c.merge_id.in_(ids)).values(merge_id=None))
    if kind == "staff":
        bump_gallery(connection)  # agents fetch what is left
        connection.execute(delete(staff_templates).where(staff_templates.c.staff_id.in_(ids)))
    if kind == "exposures":  # what was gathered of them goes with them
        kept = tuple_(experiment_units.c.experiment_id, experiment_units.c.unit_id)
        connection.execute(delete(experiment_units).where(kept.in_(some)))
    return connection.execute(delete(table).where(tuple_(*table.primary_key.columns).in_(some))).rowcount


def _of_their_devices(connection: Connection, some: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the keys of all merges of these merges' devices: one that was left alone would stand for what several share."""
    devices = select(merges.c.visitor_id).where(merges.c.merge_id.in_([merge_id for (merge_id,) in some]))
    return [tuple(row) for row in connection.execute(select(merges.c.merge_id).where(merges.c.visitor_id.in_(devices)))]
