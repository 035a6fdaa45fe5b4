"""The campaigns of creatives that a campaign's plan owns: made for it, and started, paused and ended with it, in its own transactions.

What may be shown stays what somebody, or the creatives' own policy, approved: owning them starts and stops them and approves nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, case, delete, func, select, update

from personalization.coupons.campaign_plan import CampaignPlan, State
from personalization.creative.approval import Mode
from personalization.creative.approval import State as VariantState
from personalization.creative.placement import Limits
from personalization.creative.screening import Rules
from personalization.types import ProductId
from stores.console_tables import campaign_plans
from stores.creative_tables import creative_campaigns, creative_sets, creative_variants
from stores.creatives import CreativeCampaign, add
from stores.database import Database
from stores.errors import ConflictError

_LIVE = (State.RUNNING.value, State.PAUSED.value)
_STANDING = (VariantState.PROPOSED, VariantState.APPROVED)
_LONGEST_NAME = 48


@dataclass(frozen=True, slots=True)
class OwnedCreatives:
    """A campaign of creatives in a plan: how many of its variants stand where, and what came of them.

    taken_by : another campaign that runs it at this moment, None where it is free or the plan's own.
    """

    creative_campaign_id: str
    product_id: str
    approval: str
    owner: str | None
    held: bool
    starts_at: datetime
    ends_at: datetime
    proposed: int
    approved: int
    shown: int
    clicked: int
    converted: int
    taken_by: str | None


class SqlCampaignCreatives:
    """Reads them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, plan: CampaignPlan) -> list[OwnedCreatives]:
        """Return those of a plan that there are, in the plan's order."""
        with self._db.read() as connection:
            found = {row.campaign_id: row for row in connection.execute(_wanted(plan.creative_campaign_ids))}
            counted = {row.campaign_id: row for row in connection.execute(_counted(plan.creative_campaign_ids))}
            taken = _taken(connection, plan.creative_campaign_ids, but=plan.campaign_id)
        return [
            _told(found[name], counted.get(name), taken.get(name))
            for name in plan.creative_campaign_ids
            if name in found
        ]


def own(connection: Connection, plan: CampaignPlan, products: Sequence[str]) -> CampaignPlan:
    """Make campaigns of creatives for `products`, and let go of those that the plan names no more; return the plan with those that were made.

    They wait for the launch, and somebody approves each variant. Those that are let go of are not shown until another plan takes them,
    and where nobody has proposed a variant they are gone. What the plan owns of a product is taken again instead of made twice.
    """
    c = creative_campaigns.c
    mine = connection.execute(select(c.campaign_id, c.product_id).where(c.owner == plan.campaign_id)).all()
    there = {row.product_id: row.campaign_id for row in mine}
    names = list(plan.creative_campaign_ids)
    for product_id in dict.fromkeys(products):
        name = there.get(product_id) or _free_name(connection, plan.campaign_id)
        if product_id not in there:
            add(connection, _waiting(name, plan, product_id))
        names.append(name)
    kept = replace(plan, creative_campaign_ids=tuple(dict.fromkeys(names)))
    held = (c.owner == plan.campaign_id, c.held)
    connection.execute(update(creative_campaigns).where(*held).values(starts_at=plan.starts_at, ends_at=plan.ends_at))
    dropped = select(c.campaign_id).where(*held, c.campaign_id.not_in(kept.creative_campaign_ids))
    _let_go(connection, connection.scalars(dropped.order_by(c.campaign_id).with_for_update()).all())
    return kept


def start(connection: Connection, plan: CampaignPlan) -> None:
    """Start the plan's creatives with its dates and for its audience. ConflictError where one is gone, or runs with another campaign."""
    wanted = _wanted(plan.creative_campaign_ids).order_by(creative_campaigns.c.campaign_id).with_for_update()
    found = {row.campaign_id for row in connection.execute(wanted)}
    if gone := [name for name in plan.creative_campaign_ids if name not in found]:
        raise ConflictError(f"its campaign of posters {gone[0]} is gone; choose others first")
    for name, other in _taken(connection, plan.creative_campaign_ids, but=plan.campaign_id).items():
        raise ConflictError(
            f"its campaign of posters {name} runs with the campaign {other}; choose others, or end that one"
        )
    values = {"owner": plan.campaign_id, "held": False, "starts_at": plan.starts_at, "ends_at": plan.ends_at}
    mine = creative_campaigns.c.campaign_id.in_(plan.creative_campaign_ids)
    connection.execute(update(creative_campaigns).where(mine).values(values))


def hold(connection: Connection, campaign_id: str, *, held: bool) -> None:
    """Place nothing of the campaign's creatives from now on, or go on with it."""
    mine = creative_campaigns.c.owner == campaign_id
    connection.execute(update(creative_campaigns).where(mine).values(held=held))


def end(connection: Connection, campaign_id: str, *, at: datetime) -> None:
    """End the campaign's creatives now; those that end earlier stay as they are."""
    c = creative_campaigns.c
    mine = (c.owner == campaign_id, c.ends_at > at)
    connection.execute(update(creative_campaigns).where(*mine).values(ends_at=at))


def _wanted(names: Sequence[str]) -> Select[Any]:
    return select(creative_campaigns).where(creative_campaigns.c.campaign_id.in_(names))


def _counted(names: Sequence[str]) -> Select[Any]:
    v = creative_variants.c
    standing = {one: func.sum(case((v.state == one.value, 1), else_=0)).label(one.value) for one in _STANDING}
    came = [func.sum(column).label(column.name) for column in (v.shown, v.clicked, v.converted)]
    query = select(v.campaign_id, *standing.values(), *came).where(v.campaign_id.in_(names))
    return query.group_by(v.campaign_id)


def _taken(connection: Connection, names: Sequence[str], *, but: str) -> dict[str, str]:
    """Return those that run with another campaign, each with that campaign's id."""
    c, p = creative_campaigns.c, campaign_plans.c
    query = (
        select(c.campaign_id, c.owner)
        .join(campaign_plans, p.campaign_id == c.owner)
        .where(c.campaign_id.in_(names), c.owner != but, p.state.in_(_LIVE))
        .order_by(c.campaign_id)
    )
    return {row.campaign_id: row.owner for row in connection.execute(query)}


def _let_go(connection: Connection, names: Sequence[str]) -> None:
    """Delete those that have no variant, since nothing was made of them; the others have ended before they began, until a plan takes them."""
    v = creative_variants.c.campaign_id
    made = set(connection.scalars(select(v).where(v.in_(names))))
    gone = [name for name in names if name not in made]
    for one in (creative_sets, creative_campaigns):
        connection.execute(delete(one).where(one.c.campaign_id.in_(gone)))
    free = update(creative_campaigns).where(creative_campaigns.c.campaign_id.in_(made))
    connection.execute(free.values(owner=None, held=False, ends_at=creative_campaigns.c.starts_at))


def _free_name(connection: Connection, campaign_id: str) -> str:
    """Return an id that no campaign of creatives has: a letter first, as all of theirs begin."""
    stem = f"posters-{campaign_id[:_LONGEST_NAME]}"
    names = (f"{stem}-{number}" for number in itertools.count(1))
    c = creative_campaigns.c.campaign_id
    return next(name for name in names if connection.scalar(select(c).where(c == name)) is None)


def _waiting(name: str, plan: CampaignPlan, product_id: str) -> CreativeCampaign:
    limits = Limits()
    return CreativeCampaign(
        name, ProductId(product_id), "clicks", Mode.EACH, limits, Rules(least_shown=limits.least_shown), plan.starts_at, plan.ends_at,
        owner=plan.campaign_id, held=True,
    )  # fmt: skip


def _told(row: Row[Any], counts: Row[Any] | None, taken_by: str | None) -> OwnedCreatives:
    known = {} if counts is None else counts._mapping
    proposed, approved, shown, clicked, converted = (
        int(known.get(name, 0)) for name in ("proposed", "approved", "shown", "clicked", "converted")
    )
    return OwnedCreatives(
        row.campaign_id, row.product_id, row.mode, row.owner, row.held, row.starts_at, row.ends_at, proposed, approved, shown, clicked,
        converted, taken_by,
    )  # fmt: skip
