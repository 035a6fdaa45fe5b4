"""Audiences of campaigns that were launched or imported: whom they count, and what takes a member out of them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Select, delete, exists, select, true

from personalization.coupons.campaign_plan import FROM_PROFILES
from personalization.types import Purpose
from stores.console_tables import campaign_plans
from stores.coupon_tables import campaign_audience


def counted(campaign_id: ColumnElement[str | None], member_id: str, *, profiled: bool) -> ColumnElement[bool]:
    """Return the condition that a campaign's audience has a member; not `profiled`: without what follows from what is known of them."""
    a = campaign_audience.c
    mine = exists().where(a.campaign_id == campaign_id, a.member_id == member_id)
    return mine & (true() if profiled else campaign_id.not_in(_from_profiles()))


def leave(connection: Connection, member_id: str, purpose: Purpose) -> None:
    """Take a member who withdraws `purpose` out of the audiences that need it; who agrees again is in those of later launches."""
    mine = delete(campaign_audience).where(campaign_audience.c.member_id == member_id)
    if purpose is Purpose.MARKETING:
        connection.execute(mine)
    elif purpose is Purpose.PROFILING:
        connection.execute(mine.where(campaign_audience.c.campaign_id.in_(_from_profiles())))


def _from_profiles() -> Select[tuple[str]]:
    kind = campaign_plans.c.body[("audience", "kind")].as_string()
    return select(campaign_plans.c.campaign_id).where(kind.in_([one.value for one in FROM_PROFILES]))
