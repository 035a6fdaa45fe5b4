"""Campaigns, their audiences, and what they can give."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, exists, or_, select

from personalization.offers import Campaign, Offer, Stacking, Terms
from personalization.types import CampaignId, Money, ProductId, Subject
from stores.coupon_tables import budgets, campaign_audience, campaigns, offer_products, offers
from stores.database import Database
from stores.tables import products

_AT: BindParameter[datetime] = bindparam("at")
_WANTED: BindParameter[Sequence[str]] = bindparam("wanted", expanding=True)
_AUDIENCE = select(campaign_audience.c.campaign_id).where(campaign_audience.c.member_id == bindparam("member"))
_COVERING = select(offer_products.c.offer_id).where(offer_products.c.product_id.in_(_WANTED))
# Made once: putting such a query together takes longer than asking it.
_OFFERS = (
    select(offers, campaigns.c.starts_at, campaigns.c.ends_at, campaigns.c.objective)
    .join(campaigns, campaigns.c.campaign_id == offers.c.campaign_id)
    .where(campaigns.c.starts_at <= _AT, campaigns.c.ends_at > _AT)
    .where(~exists().where(budgets.c.campaign_id == campaigns.c.campaign_id, budgets.c.paused))
    .where(or_(campaigns.c.for_everybody, campaigns.c.campaign_id.in_(_AUDIENCE)))
    .where(or_(offers.c.offer_id.in_(_COVERING), offers.c.for_any_product))
    .order_by(offers.c.offer_id)
)
_COVERED = select(offer_products.c.offer_id, offer_products.c.product_id).where(
    offer_products.c.offer_id.in_(bindparam("offers", expanding=True)), offer_products.c.product_id.in_(_WANTED)
)


class SqlCampaigns:
    """The `Campaigns` of the brain."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def active_offers(self, subject: Subject, *, at: datetime, product_ids: Collection[ProductId]) -> Sequence[Offer]:
        """Return offers on `product_ids`, or on anything, of running campaigns whose audience includes `subject`.

        An offer names those of `product_ids` that it covers, not the thousands of others.
        """
        wanted = set(product_ids)
        asked = {"member": subject.member_id or "", "at": at, "wanted": list(wanted)}
        with self._db.read() as connection:
            rows = connection.execute(_OFFERS, asked).all()
            found = [row.offer_id for row in rows]
            pairs = connection.execute(_COVERED, {"offers": found, "wanted": list(wanted)}).all() if found else []
            narrow = [row for row in rows if row.categories]
            category = dict(map(tuple, connection.execute(_categories(wanted)).all())) if narrow else {}
        covered: dict[str, set[ProductId]] = {}
        for offer_id, product_id in pairs:
            covered.setdefault(offer_id, set()).add(ProductId(product_id))
        for row in narrow:
            among = set(row.categories.split(";"))
            mine = wanted if row.for_any_product else covered.get(row.offer_id, set())
            covered[row.offer_id] = {product_id for product_id in mine if category.get(product_id) in among}
        return [
            Offer(
                row.offer_id,
                CampaignId(row.campaign_id),
                Money(row.discount_minor, row.currency),
                frozenset(covered.get(row.offer_id, ())),
                row.starts_at,
                row.ends_at,
                row.objective,
                terms=Terms(
                    row.percent_bp,
                    row.minimum_basket_minor,
                    frozenset(filter(None, row.categories.split(";"))),
                    Stacking(row.stacking),
                ),
            )
            for row in rows
            if covered.get(row.offer_id) or (row.for_any_product and not row.categories)
        ]

    def campaign(self, campaign_id: CampaignId) -> Campaign | None:
        """Return one campaign with its budget, or None."""
        query = (
            select(campaigns, budgets.c.total, budgets.c.currency)
            .join(budgets, budgets.c.campaign_id == campaigns.c.campaign_id)
            .where(campaigns.c.campaign_id == campaign_id, budgets.c.scope == "")
        )
        with self._db.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return Campaign(
            campaign_id,
            row.name,
            row.starts_at,
            row.ends_at,
            Money(row.total, row.currency),
        )


def _categories(product_ids: Collection[ProductId]) -> Select[Any]:
    return select(products.c.product_id, products.c.category).where(products.c.product_id.in_(product_ids))
