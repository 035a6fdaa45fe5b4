"""The control loops of all running campaigns: begun from history, fed from the log of allotments, their prices left for serving."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from personalization.coupons.allocator import MARGIN_SHARE, MOST_OF_PRICE, VALID_FOR
from personalization.coupons.caps import WHOLE, Cap
from personalization.coupons.features import Habits, Record, Scope, features_of
from personalization.coupons.objective import Objective, expected_cost, worth
from personalization.coupons.pacing import Pacer
from personalization.coupons.pattern import Pattern
from personalization.coupons.response import ResponseModel
from personalization.coupons.several import Pacers
from personalization.coupons.traffic import WEEK_S, Traffic, TrafficShape
from personalization.types import CampaignId, Product

Floats = NDArray[np.float64]
HISTORY = timedelta(weeks=4)
LEAST_WEEKLY = 50.0  # arrivals that a shop without history is thought to have
BITE = 2_000
SAVED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Account:
    """A running campaign's budget or a cap within it. total, spent : minor units; state : what `Pacer.state` told last, None for a new one."""

    cap: Cap
    total: int
    spent: int
    state: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Running:
    """A running campaign and its accounts, its own budget first; seq : the last allotment seen."""

    campaign_id: CampaignId
    objective: str
    ends_at: datetime
    accounts: tuple[Account, ...]
    seq: int


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Allotments of one campaign in the order of the log, n of them.

    at : POSIX seconds; value, cost : (n, k), shorter ladders end in zeros; rung : (n,); caps : what each counts against.
    """

    seq: int
    at: Floats
    value: Floats
    cost: Floats
    rung: NDArray[np.int64]
    caps: Sequence[Collection[Cap]]

    def drawn(self, accounts: Sequence[Cap]) -> Floats:
        """Return what each rung is expected to take from each of `accounts`, (n, k, b)."""
        counts = [[cap == WHOLE or cap in each for cap in accounts] for each in self.caps]
        return np.asarray(self.cost[:, :, None] * np.array(counts, float)[:, None, :])


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

    def save(
        self, campaign_id: CampaignId, kept: Mapping[Cap, tuple[dict[str, Any], float]], *, seq: int, at: datetime
    ) -> None:
        """Keep the state and price of each of a campaign's accounts."""
        ...


@dataclass(slots=True)
class _Loop:
    """One campaign's pacers by account, the last allotment they saw, and when they were kept."""

    accounts: tuple[Cap, ...]
    pacers: Pacers
    seq: int
    saved: datetime


class Loops:
    """The pacers of all running campaigns' budgets and caps. One process at a time runs them; a restart goes on from what was saved."""

    def __init__(self, pacing: Pacing, response: ResponseModel, *, margin_share: float = MARGIN_SHARE) -> None:
        self._pacing, self._response, self._margin_share = pacing, response, margin_share
        self._known: dict[CampaignId, _Loop] = {}

    def advance(self, *, now: datetime) -> int:
        """Take every loop up to `now`, and keep the prices of those that moved; return how many allotments were read."""
        read, at = 0, now.timestamp()
        campaigns = self._pacing.running(at=now)
        running = {campaign.campaign_id for campaign in campaigns}
        # who pauses and goes on is read again: its state says then that nobody was due meanwhile
        self._known = {one: loop for one, loop in self._known.items() if one in running}
        for campaign in campaigns:
            loop = self._loop(campaign, now)
            loop.pacers.prices(at)
            before = loop.seq
            while (found := self._pacing.arrivals(campaign.campaign_id, after=loop.seq, most=BITE)) is not None:
                drawn = found.drawn(loop.accounts)
                loop.pacers.observe(found.value, drawn, found.rung, min(float(found.at[-1]), at))
                loop.seq, read = found.seq, read + len(found.rung)
            moved = loop.seq != before
            for pacer, account in zip(loop.pacers.pacers, campaign.accounts, strict=True):
                pacer.budget = float(account.total)
                pacer.traffic.observe(0, at)
                if account.spent != pacer.spent:
                    moved = True
                    pacer.reconcile(float(account.spent), at)
            if moved or now - loop.saved >= SAVED_EVERY:
                prices = loop.pacers.prices(at).tolist()
                states = [pacer.state() for pacer in loop.pacers.pacers]
                kept = dict(zip(loop.accounts, zip(states, prices, strict=True), strict=True))
                self._pacing.save(campaign.campaign_id, kept, seq=loop.seq, at=now)
                loop.saved = now
        return read

    def _loop(self, campaign: Running, now: datetime) -> _Loop:
        """Return the campaign's loop as it stands: begun, restored, or with the accounts that an import added."""
        accounts = tuple(account.cap for account in campaign.accounts)
        known = self._known.get(campaign.campaign_id)
        if known is not None and known.accounts == accounts:
            return known
        pacers = [
            Pacer.from_state(account.state)
            if account.state is not None
            else begin(campaign, account, self._pacing, self._response, now=now, margin_share=self._margin_share)
            for account in campaign.accounts
        ]
        made = _Loop(accounts, Pacers(pacers), campaign.seq, datetime.min.replace(tzinfo=UTC))
        self._known[campaign.campaign_id] = made
        return made


def planned(
    state: Mapping[str, Any] | None, total: int, starts: datetime, ends: datetime
) -> Callable[[datetime], float]:
    """Return what would be spent by a time if money followed visits: by the loop's forecast, evenly before there is one."""
    shape = TrafficShape.even() if state is None else Traffic.from_state(state["traffic"]).shape
    first, last = starts.timestamp(), ends.timestamp()
    whole = shape.between(first, last)

    def due(at: datetime) -> float:
        return total * min(shape.between(first, at.timestamp()) / whole, 1.0) if whole > 0 else 0.0

    return due


def begin(
    campaign: Running, account: Account, pacing: Pacing, response: ResponseModel, *, now: datetime, margin_share: float = MARGIN_SHARE
) -> Pacer:  # fmt: skip
    """Return a new loop: traffic as the orders of the last weeks had it, the spend curve from what was bought then.

    How much of the traffic a cap meets is not known before it is seen, so its forecast is soon given up.
    """
    times = pacing.order_times(since=now - HISTORY)
    weekly = max(len(times) / (HISTORY.total_seconds() / WEEK_S), LEAST_WEEKLY)
    shape = TrafficShape.learn(times) if len(times) else TrafficShape.even()
    doubt = 0.2 if account.cap == WHOLE else 1.0
    traffic = Traffic(shape, weekly, campaign.ends_at.timestamp(), now.timestamp(), doubt=doubt)
    visits = pacing.visits(campaign.campaign_id, most=BITE)
    pattern = _pattern(visits, Objective(campaign.objective), response, margin_share) if visits else None
    return Pacer(float(account.total), traffic, validity_s=VALID_FOR.total_seconds(), pattern=pattern)


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
