"""Whom a campaign is for, as members' ids. Only who agrees to marketing is counted, and what is known of a member only with consent to profiling."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from typing import cast as cast_to

from sqlalchemy import ColumnElement, Row, Select, Text, and_, cast, false, func, or_, select

from personalization.coupons.campaign_plan import AudienceKind, AudienceSpec
from personalization.types import ProductId, Purpose
from stores.consents import granted_to, latest_consents
from stores.console_tables import campaign_lists
from stores.database import Database, rows_where
from stores.tables import label_vetoes, labels, members, order_lines, products, profiles

MOST_CHOICES, MOST_CATEGORIES = 12, 400
KEPT_S, MOST_KEPT = 30.0, 200
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reach:
    """members : in the audience; reachable : of these, who agree to marketing and so can get a coupon."""

    members: int
    reachable: int


class SqlAudiences:
    """Finds audiences. `segment` returns the query for the members of a segment by its id."""

    def __init__(self, db: Database, segment: Callable[[str], Select[tuple[str]]] | None = None) -> None:
        self._db, self._segment = db, segment
        self._kept: dict[tuple[str, str], tuple[float, Any]] = {}

    def members(
        self, audience: AudienceSpec, *, at: datetime, campaign_id: str = "", listed: Iterable[str] = ()
    ) -> list[str]:
        """Return the members' ids, sorted; those who do not agree to profiling only where the audience follows from nothing known of them."""
        if listed := list(listed):
            return self.known(listed)
        with self._db.read() as connection:
            return sorted(connection.scalars(self._query(audience, campaign_id, at)))

    def reach(self, audience: AudienceSpec, *, at: datetime, listed: Iterable[str] = ()) -> Reach:
        """Count an audience; what is not a list may be counted up to KEPT_S seconds ago."""
        if listed := list(listed):
            found = self.known(listed)
            return Reach(len(found), len(self.reachable(found)))
        return self._lately(("reach", repr(audience)), lambda: self._counted(audience, at))

    def _counted(self, audience: AudienceSpec, at: datetime) -> Reach:
        mine = self._query(audience, "", at).subquery()
        everybody = select(func.count()).select_from(mine)
        agreed = everybody.where(mine.c.member_id.in_(_agreed_ids(Purpose.MARKETING)))
        with self._db.read() as connection:
            return Reach(connection.scalar(everybody) or 0, connection.scalar(agreed) or 0)

    def _query(self, audience: AudienceSpec, campaign_id: str, at: datetime) -> Select[tuple[str]]:
        if audience.kind is AudienceKind.SEGMENT:
            if self._segment is None:
                return select(members.c.member_id).where(false())
            mine = select(members.c.member_id).where(members.c.member_id.in_(self._segment(audience.of)))
            return mine.where(members.c.member_id.in_(_agreed_ids(Purpose.PROFILING)))
        return _query(audience, campaign_id, at)

    def _lately(self, key: tuple[str, str], count: Callable[[], T]) -> T:
        since, found = self._kept.get(key, (float("-inf"), None))
        if time.monotonic() - since < KEPT_S:
            return cast_to("T", found)
        made = count()
        if len(self._kept) > MOST_KEPT:
            self._kept.clear()
        self._kept[key] = (time.monotonic(), made)
        return made

    def reachable(self, found: Iterable[str]) -> list[str]:
        """Return those of `found` who agree to marketing."""
        return self.agreeing(found, {Purpose.MARKETING})

    def last_visit(self, *, until: datetime) -> datetime | None:
        """Return when somebody ordered last before a time: orders of tills may come days later."""
        with self._db.read() as connection:
            last: datetime | None = connection.scalar(
                select(func.max(order_lines.c.at)).where(order_lines.c.at < until)
            )
        return last

    def visits(self, *, since: datetime, until: datetime) -> dict[str, list[datetime]]:
        """Return when each member who agrees to profiling ordered, oldest first."""
        at = func.min(order_lines.c.at)
        query = (
            select(order_lines.c.member_id, at.label("first"))
            .where(order_lines.c.at >= since, order_lines.c.at < until)
            .where(order_lines.c.member_id.in_(_agreed_ids(Purpose.PROFILING)))
            .group_by(order_lines.c.member_id, order_lines.c.order_id)
            .order_by(at)
        )
        found: dict[str, list[datetime]] = {}
        with self._db.read() as connection:
            for member, first in connection.execute(query):
                found.setdefault(member, []).append(first)
        return found

    def favourites(
        self, product_ids: Sequence[str], categories: Sequence[str], *, since: datetime, most: int = 60
    ) -> list[ProductId]:
        """Return products that are sold and covered, those bought most since then first."""
        count = func.count(order_lines.c.order_id)
        sold = and_(order_lines.c.product_id == products.c.product_id, order_lines.c.at >= since)
        query = select(products.c.product_id).outerjoin(order_lines, sold).where(products.c.recommendable)
        if product_ids:
            query = query.where(products.c.product_id.in_(product_ids))
        if categories:
            query = query.where(products.c.category.in_(categories))
        query = query.group_by(products.c.product_id).order_by(count.desc(), products.c.product_id).limit(most)
        with self._db.read() as connection:
            return [ProductId(one) for one in connection.scalars(query)]

    def first(self, most: int) -> list[str]:
        """Return the members that were there first."""
        with self._db.read() as connection:
            return list(connection.scalars(select(members.c.member_id).order_by(members.c.member_id).limit(most)))

    def agreeing(self, found: Iterable[str], purposes: set[Purpose]) -> list[str]:
        """Return those of `found` who agree to all of the purposes."""
        wanted = list(found)
        with self._db.read() as connection:
            granted = granted_to(connection, wanted)
        return [member for member in wanted if purposes <= granted.get(member, frozenset())]

    def known(self, names: Iterable[str]) -> list[str]:
        """Return the ids of those members whose id or external id is among `names`, sorted."""
        return sorted({row.member_id for row in self._called(names)})

    def labels(self, *, at: datetime) -> dict[str, list[tuple[str, int]]]:
        """Return the labels that an audience can be told by, each with its commonest values and how many members have them, counted lately."""
        return self._lately(("labels", ""), lambda: self._labels(at))

    def _labels(self, at: datetime) -> dict[str, list[tuple[str, int]]]:
        value = cast(labels.c.value, Text)
        query = (
            select(labels.c.name, value.label("value"), func.count().label("n"))
            .where(labels.c.expires_at > at, labels.c.member_id.in_(_agreed_ids(Purpose.PROFILING)), _usable())
            .group_by(labels.c.name, value)
            .order_by(labels.c.name, func.count().desc(), value)
        )
        found: dict[str, list[tuple[str, int]]] = {}
        with self._db.read() as connection:
            for name, told, count in connection.execute(query):
                plain, own = json.loads(told), found.setdefault(name, [])
                if len(own) < MOST_CHOICES and isinstance(plain, str | bool):  # a number is nobody's audience
                    own.append((_spoken(plain), count))
        return {name: own for name, own in found.items() if own}

    def unknown(self, names: Sequence[str]) -> list[str]:
        """Return those of `names` that are no members' ids or external ids, in their order."""
        rows = self._called(names)
        known = {row.member_id for row in rows} | {row.external_id for row in rows}
        return [name for name in names if name not in known]

    def _called(self, names: Iterable[str]) -> list[Row[Any]]:
        """Return member_id and external_id of those who are called so; who is called so by both comes twice."""
        wanted, only = list(names), ("member_id", "external_id")
        with self._db.read() as connection:
            return [row for column in only for row in rows_where(connection, members, column, wanted, only=only)]

    def categories(self) -> list[dict[str, str | int]]:
        """Return the categories that are sold, the largest first, with what their products cost."""
        count = func.count().label("products")
        query = (
            select(products.c.category, count, func.min(products.c.price_minor).label("cheapest_minor"), func.max(products.c.price_minor).label("dearest_minor"))
            .where(products.c.recommendable, products.c.category != "")
            .group_by(products.c.category)
            .order_by(count.desc(), products.c.category)
            .limit(MOST_CATEGORIES)
        )  # fmt: skip
        with self._db.read() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    def clusters(self) -> dict[str, int]:
        """Return the sizes of clusters by their ids, counted lately."""
        return self._lately(("clusters", ""), self._clusters)

    def _clusters(self) -> dict[str, int]:
        query = select(profiles.c.segment_id, func.count().label("n")).where(profiles.c.segment_id.is_not(None))
        query = query.where(profiles.c.member_id.in_(_agreed_ids(Purpose.PROFILING))).group_by(profiles.c.segment_id)
        with self._db.read() as connection:
            return {row.segment_id: row.n for row in connection.execute(query)}


def _agreed_ids(purpose: Purpose) -> Select[tuple[str]]:
    latest = latest_consents(purpose)
    return select(latest.c.member_id).where(latest.c.granted)


def _query(audience: AudienceSpec, campaign_id: str, at: datetime) -> Select[tuple[str]]:
    if audience.kind is AudienceKind.EVERYBODY:
        return select(members.c.member_id)
    if audience.kind is AudienceKind.LIST:
        return select(campaign_lists.c.member_id).where(campaign_lists.c.campaign_id == campaign_id)
    query = select(members.c.member_id).where(members.c.member_id.in_(_agreed_ids(Purpose.PROFILING)))
    if audience.kind is AudienceKind.CLUSTER:
        mine = select(profiles.c.member_id).where(profiles.c.segment_id == audience.of)
        return query.where(members.c.member_id.in_(mine))
    for name, value in audience.labels.items():
        vetoed = select(label_vetoes.c.member_id).where(label_vetoes.c.name == name)
        text = cast(labels.c.value, Text)
        has = select(labels.c.member_id).where(
            labels.c.name == name, labels.c.expires_at > at, text.in_(_written(value)), labels.c.member_id.not_in(vetoed), _usable()
        )  # fmt: skip
        query = query.where(members.c.member_id.in_(has))
    return query


def _usable() -> ColumnElement[bool]:
    """Whether a label may steer marketing: made for profiling, or for marketing that its member agrees to."""
    own = labels.c.purpose == Purpose.PROFILING.value
    agreed = labels.c.member_id.in_(_agreed_ids(Purpose.MARKETING))
    return or_(own, and_(labels.c.purpose == Purpose.MARKETING.value, agreed))


def _spoken(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _written(value: str) -> list[str]:
    """Return how a value may stand in the database: as a word, or as the number or the yes or no that it reads as."""
    try:
        plain = json.loads(value)
    except ValueError:
        return [json.dumps(value)]
    return [json.dumps(value), value] if isinstance(plain, bool | int | float) else [json.dumps(value)]
