"""The control loops of all running campaigns: begun from history, fed from the log of allotments, their prices left for serving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from personalization.coupons.allocator import MARGIN_SHARE, MOST_OF_PRICE, VALID_FOR
from personalization.coupons.features import Habits, Record, Scope, features_of
from personalization.coupons.objective import Objective, expected_cost, worth
from personalization.coupons.pacing import Pacer
from personalization.coupons.pattern import Pattern
from personalization.coupons.response import ResponseModel
from personalization.coupons.traffic import WEEK_S, Traffic, TrafficShape
from personalization.types import CampaignId, Product

Floats = NDArray[np.float64]
HISTORY = timedelta(weeks=4)
LEAST_WEEKLY = 50.0  # arrivals that a shop without history is thought to have
BITE = 2_000
SAVED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Running:
    """A running campaign. total, spent : minor units; state : what `Pacer.state` told last, None for a new one; seq : the last allotment seen."""

    campaign_id: CampaignId
    objective: str
    ends_at: datetime
    total: int
    spent: int
    state: dict[str, Any] | None
    seq: int


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Allotments of one campaign in the order of the log: times (n,) in POSIX seconds, value and cost (n, k), rungs (n,); shorter ladders end in zeros."""

    seq: int
    at: Floats
    value: Floats
    cost: Floats
    rung: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Visit:
    """A past order line that a campaign's offers would have covered: when, what, and the offers' rising discounts in minor units."""

    at: datetime
    product: Product
    discounts: tuple[int, ...]


class Pacing(Protocol):
    """What the loops need kept."""

    def running(self, *, at: datetime) -> Sequence[Running]:
        """Return the campaigns that run at `at`."""
        ...

    def arrivals(self, campaign_id: CampaignId, *, after: int, most: int) -> Arrivals | None:
        """Return up to `most` allotments after number `after`; None without any."""
        ...

    def order_times(self, *, since: datetime) -> Floats:
        """Return when members ordered since then, (n,) POSIX seconds."""
        ...

    def visits(self, campaign_id: CampaignId, *, most: int) -> Sequence[Visit]:
        """Return a sample of recent order lines that the campaign covers."""
        ...

    def save(self, campaign_id: CampaignId, *, state: dict[str, Any], price: float, seq: int, at: datetime) -> None:
        """Keep a loop's state and price."""
        ...


class Loops:
    """The pacers of all running campaigns. One process at a time runs them; a restart goes on from what was saved."""

    def __init__(self, pacing: Pacing, response: ResponseModel, *, margin_share: float = MARGIN_SHARE) -> None:
        self._pacing, self._response, self._margin_share = pacing, response, margin_share
        self._known: dict[CampaignId, tuple[Pacer, int, datetime]] = {}

    def advance(self, *, now: datetime) -> int:
        """Take every loop up to `now`, and keep the prices of those that moved; return how many allotments were read."""
        read, at = 0, now.timestamp()
        for campaign in self._pacing.running(at=now):
            pacer, seq, saved = self._known.get(campaign.campaign_id) or self._begun(campaign, now)
            before = seq
            while (found := self._pacing.arrivals(campaign.campaign_id, after=seq, most=BITE)) is not None:
                pacer.observe(found.value, found.cost, found.rung, min(float(found.at[-1]), at))
                seq, read = found.seq, read + len(found.rung)
            pacer.budget = float(campaign.total)
            pacer.traffic.observe(0, at)
            moved = seq != before or campaign.spent != pacer.spent
            if campaign.spent != pacer.spent:
                pacer.reconcile(float(campaign.spent), at)
            if moved or now - saved >= SAVED_EVERY:
                state, price = pacer.state(), pacer.price(at)
                self._pacing.save(campaign.campaign_id, state=state, price=price, seq=seq, at=now)
                saved = now
            self._known[campaign.campaign_id] = (pacer, seq, saved)
        return read

    def _begun(self, campaign: Running, now: datetime) -> tuple[Pacer, int, datetime]:
        never = datetime.min.replace(tzinfo=UTC)
        if campaign.state is not None:
            return Pacer.from_state(campaign.state), campaign.seq, never
        return (
            begin(campaign, self._pacing, self._response, now=now, margin_share=self._margin_share),
            campaign.seq,
            never,
        )


def begin(
    campaign: Running, pacing: Pacing, response: ResponseModel, *, now: datetime, margin_share: float = MARGIN_SHARE
) -> Pacer:
    """Return a new loop: traffic as the orders of the last weeks had it, the spend curve from what was bought then."""
    times = pacing.order_times(since=now - HISTORY)
    weekly = max(len(times) / (HISTORY.total_seconds() / WEEK_S), LEAST_WEEKLY)
    shape = TrafficShape.learn(times) if len(times) else TrafficShape.even()
    traffic = Traffic(shape, weekly, campaign.ends_at.timestamp(), now.timestamp())
    visits = pacing.visits(campaign.campaign_id, most=BITE)
    pattern = _pattern(visits, Objective(campaign.objective), response, margin_share) if visits else None
    return Pacer(float(campaign.total), traffic, validity_s=VALID_FOR.total_seconds(), pattern=pattern)


def _pattern(visits: Sequence[Visit], objective: Objective, response: ResponseModel, margin_share: float) -> Pattern:
    k = max(len(visit.discounts) for visit in visits) + 1
    discount = np.zeros((len(visits), k))
    for row, visit in enumerate(visits):
        most = MOST_OF_PRICE * visit.product.price.minor_units
        own = [0, *(each for each in visit.discounts if each <= most)]
        discount[row] = [*own, *[own[-1]] * (k - len(own))]
    days = VALID_FOR / timedelta(days=1)
    nobody = Habits.of_lines([], 0.0)
    features = np.stack([features_of({}, Record(), nobody, Scope.of_product(v.product, days), None) for v in visits])
    curves = response.curves(features, discount)
    price = np.array([visit.product.price.minor_units for visit in visits], float)
    one = np.ones(len(visits))
    value = worth(curves, price, margin_share * one, discount, 0.0 * one, objective)
    at = np.array([visit.at.timestamp() for visit in visits])
    return Pattern.learn(at, value, expected_cost(curves, discount))
