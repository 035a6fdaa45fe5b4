"""What the console shows of right now: running budgets, how busy it is, what fell back, what was not delivered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, distinct, func, select

from stores.coupon_tables import budgets, campaigns, pacing
from stores.database import Database
from stores.outbox_tables import webhook_deliveries, webhook_endpoints
from stores.tables import decisions, events, handoffs

LATELY = timedelta(hours=1)
SESSION = timedelta(minutes=5)
MOST_READ = 2_000


@dataclass(frozen=True, slots=True)
class RunningBudget:
    """A campaign that runs, with its money in minor units; `price` is λ, None before its loop began."""

    campaign_id: str
    name: str
    starts_at: datetime
    ends_at: datetime
    currency: str
    total: int
    reserved: int
    spent: int
    price: float | None

    def elapsed(self, at: datetime) -> float:
        """Return the part of its time that is over."""
        return min(max((at - self.starts_at) / max(self.ends_at - self.starts_at, timedelta(seconds=1)), 0.0), 1.0)

    @property
    def spent_share(self) -> float:
        """The part of its money that is spent."""
        return self.spent / self.total if self.total else 0.0

    @property
    def promised_share(self) -> float:
        """The part of its money that is spent or promised in open coupons."""
        return (self.spent + self.reserved) / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Live:
    """How busy it is now."""

    decisions_per_minute: int
    sessions: int
    waiting: int


@dataclass(frozen=True, slots=True)
class GivenUp:
    """An event that another system never took; `answer` is what it said last."""

    seq: int
    event_id: str
    endpoint_id: str
    endpoint: str
    topic: str
    attempts: int
    at: datetime
    ended_at: datetime
    answer: str | None


class SqlConsole:
    """Reads, and keeps nothing."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def budgets(self, *, at: datetime) -> Sequence[RunningBudget]:
        """Return the campaigns that run at `at` and are not paused, those that end first in front."""
        b, p, c = budgets.c, pacing.c, campaigns.c
        query = (
            select(c.campaign_id, c.name, c.starts_at, c.ends_at, b.currency, b.total, b.reserved, b.spent, p.price)
            .join(budgets, and_(b.campaign_id == c.campaign_id, b.scope == ""))
            .outerjoin(pacing, and_(p.campaign_id == c.campaign_id, p.scope == ""))
            .where(c.starts_at <= at, c.ends_at > at, b.paused.is_(False))
            .order_by(c.ends_at, c.campaign_id)
        )
        with self._db.read() as connection:
            return [RunningBudget(*row) for row in connection.execute(query)]

    def live(self, *, at: datetime) -> Live:
        """Return decisions of the last minute, who was there in the last SESSION, and how many wait for a person."""
        decided = select(func.count()).select_from(decisions).where(decisions.c.at > at - timedelta(minutes=1))
        who = func.coalesce(events.c.member_id, events.c.visitor_id)
        there = select(func.count(distinct(who))).where(events.c.at > at - SESSION, events.c.at <= at)
        waiting = select(func.count()).select_from(handoffs).where(handoffs.c.state == "queued")
        with self._db.read() as connection:
            return Live(*(connection.scalar(query) or 0 for query in (decided, there, waiting)))

    def fallbacks(self, *, at: datetime) -> dict[tuple[str, str], int]:
        """Return how often which fallback (component, what was used) answered in the newest decisions of the last hour."""
        query = select(decisions.c.body["fallbacks"]).where(decisions.c.at > at - LATELY)
        used = Counter[tuple[str, str]]()
        with self._db.read() as connection:
            for fallen in connection.scalars(query.order_by(decisions.c.at.desc()).limit(MOST_READ)):
                used.update((str(one["component"]), str(one["used"])) for one in fallen or ())
        return dict(used)

    def dead_letters(self, *, since: datetime) -> int:
        """Return how many deliveries to other systems were given up."""
        d = webhook_deliveries.c
        query = select(func.count()).select_from(webhook_deliveries).where(d.status == "dead", d.ended_at > since)
        with self._db.read() as connection:
            return connection.scalar(query) or 0

    def given_up(self, *, before: int | None = None, limit: int = 50) -> Sequence[GivenUp]:
        """Return up to `limit` deliveries that were given up, the newest event first, of those before position `before`."""
        d, e = webhook_deliveries.c, webhook_endpoints.c
        query = (
            select(d.seq, d.event_id, d.endpoint_id, e.name, d.topic, d.attempts, d.at, d.ended_at, d.answer)
            .join(webhook_endpoints, e.endpoint_id == d.endpoint_id)
            .where(d.status == "dead", *([] if before is None else [d.seq < before]))
            .order_by(d.seq.desc())
            .limit(limit)
        )
        with self._db.read() as connection:
            return [GivenUp(*row) for row in connection.execute(query)]
