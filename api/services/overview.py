"""The loop at a glance: figures over a period against the one before, money and its pace, value, risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from api import views
from api.services.health import alerts, fallbacks, models
from api.wiring import Services
from personalization.figures import EVERY_CHANNEL, FIGURES, VALUE_EDGES, Figure, combine
from personalization.types import Money
from stores.console import RunningBudget
from stores.figures import Daily, rows_of

TODAY = (
    "sessions", "members", "visitors", "decisions", "click_rate", "conversion_rate", "orders", "revenue", "coupons_issued", "coupons_redeemed",
    "coupon_spend", "acquired", "cost_per_acquired", "handoffs", "fallbacks", "affect", "rating",
)  # fmt: skip
FAR_OFF, EARLY = 0.25, 0.05


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `since` to `until`, both included, and as many before them."""

    since: date
    until: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.until - self.since).days + 1

    @property
    def before(self) -> Period:
        """The period of the same length before it."""
        return Period(self.since - timedelta(days=self.days), self.since - timedelta(days=1))

    def each(self) -> list[date]:
        """Return its days."""
        return [self.since + timedelta(days=n) for n in range(self.days)]


def overview(services: Services, period: Period, *, now: datetime) -> dict[str, Any]:
    """Return what the page Today shows."""
    before = period.before
    read = services.figures.read(rows_of(TODAY), before.since, period.until)
    running = services.console.budgets(at=now)
    health, fallen = models(services, now=now), fallbacks(services, now=now)
    return {
        "since": period.since.isoformat(), "until": period.until.isoformat(), "before_since": before.since.isoformat(),
        "as_of": now.isoformat(), "currency": services.settings.currency, "days": [day.isoformat() for day in period.each()],
        "figures": [figure(FIGURES[name], read, period) for name in TODAY],
        "budgets": [budget(one, now) for one in running],
        "value": value(services, period), "churn": churn(services, period), "models": health, "fallbacks": fallen,
        "alerts": alerts(services, running, health, fallen, now=now),
    }  # fmt: skip


def figure(one: Figure, read: Sequence[Daily], period: Period) -> dict[str, Any]:
    """Return a figure over a period, against the period before, and its series by day."""
    mine = [row for row in read if row.name in one.rows]
    now_, then = ([row for row in mine if p.since <= row.day <= p.until] for p in (period, period.before))
    value, before = _over(one, now_, period.days), _over(one, then, period.days)
    keys = sorted({_key(one, row) for row in now_} - {EVERY_CHANNEL})
    series = [{"key": key, "values": _daily(one, [r for r in now_ if _key(one, r) == key], period)} for key in keys]
    parts = {key: _over(one, [row for row in now_ if _key(one, row) == key], period.days) for key in keys}
    change = (value - before) / abs(before) if value is not None and before else None
    return {
        "name": one.name, "title": one.title, "unit": one.unit, "value": _short(value), "before": _short(before), "change": _short(change),
        "better": one.better, "split": one.split, "series": series, "parts": {key: _short(n) for key, n in parts.items() if n is not None},
    }  # fmt: skip


def _key(one: Figure, row: Daily) -> str:
    return row.part if one.split == "part" else row.channel


def _over(one: Figure, rows: Sequence[Daily], days: int) -> float | None:
    """Return the figure of some rows; where a day has people counted over all channels, its channels are not added up."""
    totals: dict[str, float] = {}
    whole = {(row.name, row.day) for row in rows if row.channel == EVERY_CHANNEL}
    for row in rows:
        if row.channel != EVERY_CHANNEL and (row.name, row.day) in whole:
            continue
        totals[row.name] = totals.get(row.name, 0.0) + row.value
    return combine(one, totals, days)


def _daily(one: Figure, rows: Sequence[Daily], period: Period) -> list[float | None]:
    by_day: dict[date, list[Daily]] = {}
    for row in rows:
        by_day.setdefault(row.day, []).append(row)
    return [_short(_over(one, by_day.get(day, ()), 1)) for day in period.each()]


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def budget(one: RunningBudget, now: datetime) -> dict[str, Any]:
    """Return a running campaign's money and whether it is spent in time."""
    elapsed = one.elapsed(now)
    return {
        "campaign_id": one.campaign_id, "name": one.name, "starts_at": one.starts_at.isoformat(), "ends_at": one.ends_at.isoformat(),
        **{name: views.money(Money(getattr(one, name), one.currency)) for name in ("total", "spent", "reserved")},
        "spent_share": round(one.spent_share, 4), "promised_share": round(one.promised_share, 4), "elapsed_share": round(elapsed, 4),
        "pace": pace(one, now), "price": one.price, "link": f"/console/campaigns/money/{one.campaign_id}",
    }  # fmt: skip


def pace(one: RunningBudget, now: datetime) -> str:
    """Say whether money goes faster or slower than time: by more than FAR_OFF of the budget."""
    elapsed = one.elapsed(now)
    if one.spent_share - elapsed > FAR_OFF:
        return "ahead"
    if elapsed < EARLY:
        return "early"
    return "behind" if elapsed - one.spent_share > FAR_OFF else "on pace"


def value(services: Services, period: Period) -> dict[str, Any]:
    """Return what members are expected to spend at the period's end, and at the end of the one before."""
    mean = FIGURES["lifetime_value"]
    totals = {
        row.name: row
        for name in ("value_sum", "value_members")
        for row in services.figures.latest(name, until=period.until)
    }
    earlier = {
        row.name: row.value
        for name in ("value_sum", "value_members")
        for row in services.figures.latest(name, until=period.before.until)
    }
    members = totals["value_members"].value if "value_members" in totals else 0
    return {
        "as_of": totals["value_sum"].day.isoformat() if "value_sum" in totals else None, "members": members,
        "mean": _mean(services, {name: row.value for name, row in totals.items()}), "before": _mean(services, earlier),
        "bins": _bins(services.figures.latest("value_bin", until=period.until)),
        "bins_before": _bins(services.figures.latest("value_bin", until=period.before.until)),
        "daily": _daily(mean, services.figures.read(mean.rows, period.since, period.until), period),
    }  # fmt: skip


def _mean(services: Services, totals: dict[str, int]) -> dict[str, Any] | None:
    members = totals.get("value_members", 0)
    return (
        views.money(Money(round(totals.get("value_sum", 0) / members), services.settings.currency)) if members else None
    )


def _bins(rows: Sequence[Daily]) -> list[dict[str, Any]]:
    found = {int(row.part): row.value for row in rows}
    ends = (*VALUE_EDGES[1:], None)
    return [
        {"least_minor": least, "most_minor": most, "members": found.get(number, 0)}
        for number, (least, most) in enumerate(zip(VALUE_EDGES, ends, strict=True))
    ]


def churn(services: Services, period: Period) -> dict[str, Any]:
    """Return how many members are at risk of lapsing."""
    rows = services.figures.latest("churn", until=period.until)
    daily = figure(FIGURES["churn"], services.figures.read({"churn"}, period.since, period.until), period)
    found = {row.part: row.value for row in rows}
    before = {row.part: row.value for row in services.figures.latest("churn", until=period.before.until)}
    return {
        "as_of": rows[0].day.isoformat() if rows else None, **{level: found.get(level, 0) for level in ("high", "medium", "low")},
        "high_before": before.get("high", 0) if before else None, "link": "/console/customers?churn=high", "series": daily["series"],
    }  # fmt: skip
