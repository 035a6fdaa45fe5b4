"""Campaigns on paper: drafted, changed, approved by a second person, launched into the tables that serve, paused, ended.

Everything that a move does is one transaction. A campaign's money is guarded by the ledger whatever is done here: pausing marks
its budget, so that no coupon is given from then on, and those that were given stay good.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from personalization.coupons.campaign_plan import FROM_PROFILES, MOVES, CampaignPlan, Move, State, experiment_of
from personalization.types import Purpose
from stores import campaign_creatives
from stores.consents import latest_consents
from stores.console_tables import campaign_lists, campaign_plans
from stores.coupon_tables import budgets, campaign_audience, campaigns, offer_products, offers, pacing
from stores.database import Database, alone, rows_where
from stores.errors import ChangedError, ConflictError, NotFoundError, SelfApprovalError
from stores.experiments import end_at_once, run_at_once
from stores.tables import members

_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Person:
    """Who does something: an id that stays, and a name for people."""

    person_id: str
    name: str


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan and where it stands. authors : ids of all who wrote what stands; history : what was done, by whom, when."""

    plan: CampaignPlan
    state: State
    version: int
    author: str
    authors: tuple[str, ...]
    approved_by: str | None
    history: tuple[dict[str, Any], ...]
    created_at: datetime
    changed_at: datetime


class SqlCampaignPlans:
    """Plans, and what they became."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def create(
        self, plan: CampaignPlan, listed: Collection[str], *, by: Person, at: datetime, posters_for: Sequence[str] = ()
    ) -> StoredPlan:
        """Store a draft, with campaigns of posters for these products. ConflictError when the id is taken, by a campaign that was imported, too."""
        with _taken(plan.campaign_id), self._db.write() as connection:
            taken = select(campaigns.c.campaign_id).where(campaigns.c.campaign_id == plan.campaign_id)
            drafted = select(campaign_plans.c.campaign_id).where(campaign_plans.c.campaign_id == plan.campaign_id)
            if connection.execute(taken.union_all(drafted)).first() is not None:
                raise ConflictError(f"there is a campaign {plan.campaign_id} already; choose another id")
            plan = campaign_creatives.own(connection, plan, posters_for)
            row = {
                "campaign_id": plan.campaign_id, "body": plan.tree(), "state": State.DRAFT.value, "version": 1, "author": by.name,
                "authors": [by.person_id], "approved_by": None, "history": [_line("create", by, at)], "created_at": at,
                "changed_at": at,
            }  # fmt: skip
            connection.execute(insert(campaign_plans).values(row))
            _keep_list(connection, plan.campaign_id, listed)
        return self.get(plan.campaign_id)

    def get(self, campaign_id: str) -> StoredPlan:
        """Return a plan. Raises NotFoundError."""
        with self._db.read() as connection:
            return _stored(_row(connection, campaign_id))

    def page(self, *, limit: int, before: tuple[datetime, str] | None = None) -> list[StoredPlan]:
        """Return the newest plans, those older than `before`."""
        c = campaign_plans.c
        query = select(campaign_plans).order_by(c.created_at.desc(), c.campaign_id.desc()).limit(limit)
        if before is not None:
            at, last = before
            query = query.where(or_(c.created_at < at, and_(c.created_at == at, c.campaign_id < last)))
        with self._db.read() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def listed(self, campaign_id: str) -> int:
        """Return how many members a plan's own list has."""
        return self.all_listed([campaign_id]).get(campaign_id, 0)

    def all_listed(self, campaign_ids: Collection[str]) -> dict[str, int]:
        """Return how many members the own lists of these plans have, of those that have one."""
        c = campaign_lists.c.campaign_id
        query = select(c, func.count().label("members")).where(c.in_(campaign_ids)).group_by(c)
        with self._db.read() as connection:
            return {row.campaign_id: row.members for row in connection.execute(query)}

    def change(
        self, plan: CampaignPlan, listed: Collection[str] | None, *, version: int, by: Person, at: datetime, posters_for: Sequence[str] = ()
    ) -> StoredPlan:  # fmt: skip
        """Replace what a draft or an approved plan says; it is a draft then, and wants approval again. None keeps its list.

        ConflictError when the name of its posters is taken meanwhile.
        """
        with _taken(plan.campaign_id), self._db.write() as connection:
            row = _ready(connection, plan.campaign_id, Move.CHANGE, version)
            plan = campaign_creatives.own(connection, plan, posters_for)
            authors = list(dict.fromkeys([*row.authors, by.person_id]))
            _write(connection, row, Move.CHANGE, by, at, body=plan.tree(), authors=authors, approved_by=None)
            if listed is not None:
                _keep_list(connection, plan.campaign_id, listed)
        return self.get(plan.campaign_id)

    def approve(self, campaign_id: str, *, version: int, above: int, by: Person, at: datetime) -> StoredPlan:
        """Approve a draft. A budget above `above` wants somebody who wrote no part of it; SelfApprovalError otherwise."""
        with self._db.write() as connection:
            row = _ready(connection, campaign_id, Move.APPROVE, version)
            if row.body["budget_minor"] > above and by.person_id in row.authors:
                raise SelfApprovalError(
                    "its budget wants a second person: ask somebody who did not write it to approve it"
                )
            _write(connection, row, Move.APPROVE, by, at, approved_by=by.name)
        return self.get(campaign_id)

    def launch(self, campaign_id: str, members: Sequence[str], *, version: int, by: Person, at: datetime) -> StoredPlan:
        """Write an approved plan into the tables that serve, with its holdout's experiment and its posters, all or nothing.

        ConflictError when an id is taken, or its posters run with another campaign.
        """
        with _taken(campaign_id), self._db.write() as connection:
            row = _ready(connection, campaign_id, Move.LAUNCH, version)
            plan = CampaignPlan.from_tree(campaign_id, row.body)
            if plan.ends_at <= at:
                raise ConflictError("its end has passed; change its dates first")
            if flaws := plan.flaws():
                raise ConflictError(f"it cannot run as it is; change it first: {flaws[0].reason}")
            _go_live(connection, plan, members, at)
            campaign_creatives.start(connection, plan)
            _write(connection, row, Move.LAUNCH, by, at)
        return self.get(campaign_id)

    def pause(self, campaign_id: str, *, version: int, by: Person, at: datetime) -> StoredPlan:
        """Give no coupon and show none of its posters from now on; coupons that were given stay good."""
        with self._db.write() as connection:
            row = _ready(connection, campaign_id, Move.PAUSE, version)
            _hold(connection, campaign_id, paused=True)
            campaign_creatives.hold(connection, campaign_id, held=True)
            _write(connection, row, Move.PAUSE, by, at)
        return self.get(campaign_id)

    def resume(self, campaign_id: str, *, version: int, by: Person, at: datetime) -> StoredPlan:
        """Go on. The control loops learn that nobody was due meanwhile."""
        with self._db.write() as connection:
            row = _ready(connection, campaign_id, Move.RESUME, version)
            _hold(connection, campaign_id, paused=False)
            campaign_creatives.hold(connection, campaign_id, held=False)
            mine = pacing.c.campaign_id == campaign_id
            for one in connection.execute(select(pacing).where(mine)).all():
                state = {**one.state, "traffic": {**one.state["traffic"], "at": at.timestamp()}}
                own = and_(mine, pacing.c.scope == one.scope, pacing.c.scope_id == one.scope_id)
                connection.execute(update(pacing).where(own).values(state=state))
            _write(connection, row, Move.RESUME, by, at)
        return self.get(campaign_id)

    def end(self, campaign_id: str, *, version: int, by: Person, at: datetime) -> StoredPlan:
        """End it now, and its experiment with it; coupons that were given stay good until they expire."""
        with self._db.write() as connection:
            _end(connection, _ready(connection, campaign_id, Move.END, version), by, at)
        return self.get(campaign_id)

    def finish(self, *, at: datetime) -> int:
        """End those whose last moment has passed; return how many there were."""
        over = select(campaign_plans.c.campaign_id).join(
            campaigns, campaigns.c.campaign_id == campaign_plans.c.campaign_id
        ).where(campaign_plans.c.state.in_([State.RUNNING.value, State.PAUSED.value]), campaigns.c.ends_at <= at)  # fmt: skip
        with self._db.read() as connection:
            found = connection.scalars(over).all()
        for campaign_id in found:
            with self._db.write() as connection:
                row = _row(connection, campaign_id, lock=True)
                if row.state in {State.RUNNING.value, State.PAUSED.value}:
                    _end(connection, row, Person("", "its end date"), at, moved=False)
        return len(found)


@contextmanager
def _taken(campaign_id: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise ConflictError(
            f"a campaign, an offer, an experiment or posters named after {campaign_id} were made meanwhile; try again, or draft it anew with another id"
        ) from None


def _row(connection: Connection, campaign_id: str, *, lock: bool = False) -> Row[Any]:
    query = select(campaign_plans).where(campaign_plans.c.campaign_id == campaign_id)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFoundError(f"there is no campaign {campaign_id}; GET /v1/campaigns lists those that there are")
    return row


def _ready(connection: Connection, campaign_id: str, move: Move, version: int) -> Row[Any]:
    """Return the plan's row, locked, after looking whether it is what was read and the move can be made."""
    row = _row(connection, campaign_id, lock=True)
    if row.version != version:
        who = row.history[-1]["by"]
        raise ChangedError(f"{who} has changed it meanwhile ({row.history[-1]['what']}); read it again", by=who)
    since, _ = MOVES[move]
    if State(row.state) not in since:
        raise ConflictError(f"it is {row.state}; to {move.value} it, it must be {' or '.join(sorted(since))}")
    return row


def _write(connection: Connection, row: Row[Any], move: Move, by: Person, at: datetime, **values: Any) -> None:
    changed = {
        "state": MOVES[move][1].value, "version": row.version + 1, "changed_at": at,
        "history": [*row.history, _line(move.value, by, at)], **values,
    }  # fmt: skip
    connection.execute(update(campaign_plans).where(campaign_plans.c.campaign_id == row.campaign_id).values(changed))


def _end(connection: Connection, row: Row[Any], by: Person, at: datetime, *, moved: bool = True) -> None:
    if moved:
        connection.execute(update(campaigns).where(campaigns.c.campaign_id == row.campaign_id).values(ends_at=at))
    _hold(connection, row.campaign_id, paused=True)
    campaign_creatives.end(connection, row.campaign_id, at=at)
    end_at_once(connection, experiment_of(row.campaign_id), at=at)
    _write(connection, row, Move.END, by, at)


def _hold(connection: Connection, campaign_id: str, *, paused: bool) -> None:
    """Mark the budgets, which whoever gives a coupon has locked: after this nobody gives one.

    Locked in the order of `accounts.lock` first, so that neither waits for the other.
    """
    mine = budgets.c.campaign_id == campaign_id
    ordered = select(budgets.c.scope).where(mine).order_by(budgets.c.scope, budgets.c.scope_id)
    connection.execute(ordered.with_for_update()).all()
    connection.execute(update(budgets).where(mine).values(paused=paused))


def _go_live(connection: Connection, plan: CampaignPlan, chosen: Sequence[str], at: datetime) -> None:
    everybody = plan.audience.kind.value == "everybody"
    own = {"campaign_id": plan.campaign_id}
    connection.execute(
        insert(campaigns).values(
            own | {
                "name": plan.name, "starts_at": plan.starts_at, "ends_at": plan.ends_at, "for_everybody": everybody,
                "per_member": plan.per_member, "per_household": plan.per_household, "objective": plan.objective.value,
            }
        )
    )  # fmt: skip
    if not everybody:
        _enter(connection, plan, chosen)
    whole = own | {"currency": plan.budget.currency, "reserved": 0, "spent": 0}
    connection.execute(insert(budgets).values(whole | {"total": plan.budget.minor_units}))
    for channel, most in plan.caps.items():
        connection.execute(insert(budgets).values(whole | {"scope": "channel", "scope_id": channel, "total": most}))
    for number, step in enumerate(plan.ladder, 1):
        offer = {"offer_id": f"{plan.campaign_id}-{number}"}
        connection.execute(
            insert(offers).values(
                own | offer | {
                    "discount_minor": step.discount_minor, "currency": plan.budget.currency, "for_any_product": not plan.product_ids,
                    "percent_bp": step.percent_bp, "minimum_basket_minor": plan.minimum_basket, "categories": ";".join(plan.categories),
                }
            )
        )  # fmt: skip
        if plan.product_ids:
            covered = [offer | {"product_id": product_id} for product_id in dict.fromkeys(plan.product_ids)]
            connection.execute(insert(offer_products), covered)
    experiment = plan.experiment()
    if experiment is not None:
        run_at_once(connection, experiment, at=at)


def _enter(connection: Connection, plan: CampaignPlan, chosen: Sequence[str]) -> None:
    """Write the audience: of those who were chosen a moment ago whoever has not left since.

    Whoever withdraws or is erased takes their rows out of this table, and so waits for this transaction, or it for theirs.
    """
    alone(connection, campaign_audience)
    left = set[str]()
    for purpose in (Purpose.MARKETING, *([Purpose.PROFILING] if plan.audience.kind in FROM_PROFILES else ())):
        latest = latest_consents(purpose)
        left.update(connection.scalars(select(latest.c.member_id).where(~latest.c.granted)))
    for first in range(0, len(chosen), _BATCH):
        some = chosen[first : first + _BATCH]
        known = {row.member_id for row in rows_where(connection, members, "member_id", some, only=("member_id",))}
        rows = [{"campaign_id": plan.campaign_id, "member_id": one} for one in some if one in known and one not in left]
        if rows:
            connection.execute(insert(campaign_audience), rows)


def _keep_list(connection: Connection, campaign_id: str, listed: Collection[str]) -> None:
    connection.execute(delete(campaign_lists).where(campaign_lists.c.campaign_id == campaign_id))
    rows = [{"campaign_id": campaign_id, "member_id": member} for member in sorted(set(listed))]
    for first in range(0, len(rows), _BATCH):
        connection.execute(insert(campaign_lists), rows[first : first + _BATCH])


def _line(what: str, by: Person, at: datetime) -> dict[str, str]:
    return {"what": what, "by": by.name, "at": at.isoformat()}


def _stored(row: Row[Any]) -> StoredPlan:
    return StoredPlan(
        CampaignPlan.from_tree(row.campaign_id, row.body), State(row.state), row.version, row.author, tuple(row.authors),
        row.approved_by, tuple(row.history), row.created_at, row.changed_at,
    )  # fmt: skip
