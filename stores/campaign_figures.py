"""Figures of campaigns: how they were paced, and what became of their coupons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select

from stores.console_tables import pacing_points
from stores.coupon_tables import coupons, pacing
from stores.database import Database

MOST_POINTS = 500


@dataclass(frozen=True, slots=True)
class Point:
    """Five minutes of a campaign: the price λ, money spent and money promised."""

    at: datetime
    price: float
    spent: int
    reserved: int


class SqlCampaignFigures:
    """Reads them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def pacing(self, campaign_id: str) -> tuple[list[Point], dict[str, Any] | None]:
        """Return at most MOST_POINTS points over the whole time, oldest first, and the control loop's state."""
        p = pacing_points.c
        mine = p.campaign_id == campaign_id
        own = (pacing.c.campaign_id == campaign_id) & (pacing.c.scope == "") & (pacing.c.scope_id == "")
        with self._db.read() as connection:
            count = connection.scalar(select(func.count()).select_from(pacing_points).where(mine)) or 0
            every = max(-(-count // MOST_POINTS), 1)
            age = (func.row_number().over(order_by=p.at.desc()) - 1).label("age")  # 0, the last one, is always told
            aged = select(p.at, p.price, p.spent, p.reserved, age).where(mine).subquery()
            a = aged.c
            query = select(a.at, a.price, a.spent, a.reserved).where(a.age % every == 0).order_by(a.at)
            kept = [Point(*row) for row in connection.execute(query)]
            state = connection.scalar(select(pacing.c.state).where(own))
        return kept, state

    def coupons(self, campaign_id: str) -> dict[str, int]:
        """Return how many coupons are open, redeemed and expired."""
        query = select(coupons.c.status, func.count().label("n")).where(coupons.c.campaign_id == campaign_id)
        with self._db.read() as connection:
            found = {row.status: row.n for row in connection.execute(query.group_by(coupons.c.status))}
        return {status: found.get(status, 0) for status in ("open", "redeemed", "expired")}

    def rungs(self, campaign_id: str) -> list[dict[str, int]]:
        """Return how many coupons of each discount were given and redeemed."""
        redeemed = func.sum(case((coupons.c.status == "redeemed", 1), else_=0))
        query = (
            select(coupons.c.discount_minor, func.count().label("given"), redeemed.label("redeemed"))
            .where(coupons.c.campaign_id == campaign_id)
            .group_by(coupons.c.discount_minor)
            .order_by(coupons.c.discount_minor)
        )
        with self._db.read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]
