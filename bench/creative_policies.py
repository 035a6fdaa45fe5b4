"""The ways to place creatives that are compared. Each chooses shares for every audience of a campaign for a day, and hears clicks late."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, lapack

from bench.creative_market import ARRIVES, CATEGORIES, MEASURES, WHO, Market
from personalization.creative.features import Design, Singles
from personalization.creative.placement import Limits, shares_of
from personalization.creative.predictor import Predictor
from personalization.creative.priors import belief
from personalization.creative.screening import Rules, keep, likeness, screen, spread
from personalization.creative.variants import Audience

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a policy shows on a day: places in the pool (a, k) and the share of each (a, k); -1 is no variant, with share 0."""

    sets: Ints
    shares: Floats


class Policy(Protocol):
    """Chooses, and learns."""

    def choose(self, campaign: int, day: int) -> Choice:
        """Return what the campaign shows."""
        ...

    def hear(self, campaign: int, choice: Choice, shown: Ints, clicks: Ints, *, first: bool) -> None:
        """Learn of clicks (a, k) on what `choice` placed, `shown` (a, k) times; only the first news of a day brings `shown`."""
        ...

    def end_day(self) -> None:
        """Work over night."""
        ...


def design() -> Design:
    """Return the product's design for the markets of the benchmark, without pairs: the markets' own are drawn at random."""
    from bench.creative_market import AFFECTS, CHANNELS, OPTIONS, SEGMENTS

    options = {name: tuple(f"{name} {number}" for number in range(count)) for name, count in OPTIONS.items()}
    return Design(
        options, {"segment": SEGMENTS, "channel": CHANNELS, "affect": AFFECTS, "category": CATEGORIES}, MEASURES, ()
    )


@lru_cache(maxsize=1)
def encoded(market: Market) -> list[Singles]:
    """Return every pool's columns (n, q), made once for all policies."""
    own = design()
    return [own.encode(market.variants(c)) for c in range(market.size.campaigns)]


class Uniform:
    """Every variant of a fixed set per audience, evenly: the whole pool, or what screening took before any outcome."""

    def __init__(self, sets: list[Ints]) -> None:
        self._sets = sets

    def choose(self, campaign: int, day: int) -> Choice:
        """Return the set, evenly."""
        del day
        sets = self._sets[campaign]
        return Choice(sets, np.full(sets.shape, 1.0 / sets.shape[1]))

    def hear(self, campaign: int, choice: Choice, shown: Ints, clicks: Ints, *, first: bool) -> None:
        """Learn nothing."""

    def end_day(self) -> None:
        """Do nothing."""


class AbThenCommit:
    """An A/B test of the set's variants for a share of the campaign's days, then the one with the highest click rate for everybody."""

    def __init__(self, market: Market, sets: list[Ints], test: float) -> None:
        self._market, self._sets = market, sets
        self._until = max(1, round(test * market.size.lasts))
        pool = market.size.pool
        self._shown, self._clicks = np.zeros((2, market.size.campaigns, pool))

    def choose(self, campaign: int, day: int) -> Choice:
        """Return the set evenly while the test runs, then the winner."""
        sets = self._sets[campaign]
        if day - self._market.starts[campaign] < self._until:
            return Choice(sets, np.full(sets.shape, 1.0 / sets.shape[1]))
        rate = np.where(self._shown[campaign] > 0, self._clicks[campaign] / np.maximum(self._shown[campaign], 1), -1.0)
        return Choice(np.full((len(sets), 1), rate.argmax()), np.ones((len(sets), 1)))

    def hear(self, campaign: int, choice: Choice, shown: Ints, clicks: Ints, *, first: bool) -> None:
        """Count, as long as the test decides."""
        if choice.sets.shape[1] > 1:
            if first:
                np.add.at(self._shown[campaign], choice.sets, shown)
            np.add.at(self._clicks[campaign], choice.sets, clicks)

    def end_day(self) -> None:
        """Do nothing."""


class LinUcb:
    """LinUCB (Li et al. 2010) with one ridge regression over everything that our predictor reads, and every audience's level.

    The arm with the highest upper bound is shown to the whole audience until the next morning. `alpha` and the ridge were chosen
    for it on development seeds.
    """

    def __init__(self, market: Market, sets: list[Ints], alpha: float, ridge: float) -> None:
        self._market, self._sets, self._alpha = market, sets, alpha
        self._design = design()
        self._z = encoded(market)
        self._audiences = [market.audiences(c) for c in range(market.size.campaigns)]
        self._extra = market.size.campaigns + len(WHO)
        d = self._design.d + self._extra
        self._a, self._b = np.diag(np.r_[np.full(self._design.d, ridge), np.full(self._extra, 10.0)]), np.zeros(d)
        self.end_day()

    def end_day(self) -> None:
        """Solve the regression."""
        factor = cholesky(self._a.astype(np.float32), lower=True, overwrite_a=True, check_finite=False)
        self._theta = np.zeros(len(self._b))
        for _ in range(3):
            self._theta += cho_solve((factor, True), (self._b - self._a @ self._theta).astype(np.float32))
        half = np.tril(lapack.spotri(factor, lower=1)[0])
        self._inverse = np.ascontiguousarray(half + np.tril(half, -1).T)

    def _blocks(self, audience: Audience, number: int, campaign: int) -> tuple[list[slice], list[int]]:
        d = self._design.d
        return self._design.blocks(audience), [d + campaign, d + self._market.size.campaigns + number]

    def choose(self, campaign: int, day: int) -> Choice:
        """Return the arm with the highest bound."""
        del day
        sets, q, own = self._sets[campaign], self._design.q, self._design.own
        best = np.zeros((len(sets), 1), np.int64)
        for number, audience in enumerate(self._audiences[campaign]):
            blocks, extra = self._blocks(audience, number, campaign)
            z = self._z[campaign][sets[number]]
            wide = [q if block.start == 0 else own for block in blocks]
            spread, cross, theta = np.zeros((q, q), np.float32), np.zeros(q, np.float32), np.zeros(q)
            for one, high in zip(blocks, wide, strict=True):
                cross[:high] += self._inverse[extra, one].sum(0)
                theta[:high] += self._theta[one]
                for other, width in zip(blocks, wide, strict=True):
                    spread[:high, :width] += self._inverse[one, other]
            level = float(self._inverse[np.ix_(extra, extra)].sum())
            variance = ((z @ spread) * z).sum(1) + 2 * z @ cross + level
            bound = z @ theta + self._alpha * np.sqrt(np.maximum(variance, 0.0))
            best[number] = sets[number][bound.argmax()]
        return Choice(best, np.ones(best.shape))

    def hear(self, campaign: int, choice: Choice, shown: Ints, clicks: Ints, *, first: bool) -> None:
        """Add impressions and clicks."""
        own = self._design.own
        for number, audience in enumerate(self._audiences[campaign]):
            blocks, extra = self._blocks(audience, number, campaign)
            z = self._z[campaign][choice.sets[number, 0]].astype(float)
            at = np.concatenate([np.arange(b.start, b.stop) for b in blocks] + [np.array(extra)])
            x = np.concatenate([z if b.start == 0 else z[:own] for b in blocks] + [np.ones(2)])
            some = x != 0
            at, x = at[some], x[some]
            if first:
                self._a[np.ix_(at, at)] += shown[number, 0] * np.outer(x, x)
            self._b[at] += clicks[number, 0] * x


class LinUcbPerVariant:
    """LinUCB with a ridge regression of its own for each variant over the audience's attributes, as in its paper's "disjoint" form."""

    def __init__(self, market: Market, sets: list[Ints], alpha: float, ridge: float) -> None:
        self._sets, self._alpha = sets, alpha
        from bench.creative_market import AFFECTS, CHANNELS, SEGMENTS

        self._x = np.array([
            [1.0, *(float(s == v) for v in SEGMENTS), *(float(c == v) for v in CHANNELS), *(float(f == v) for v in AFFECTS)]
            for s, c, f in WHO
        ])  # fmt: skip
        width = self._x.shape[1]
        self._a = [np.tile(ridge * np.eye(width), (market.size.pool, 1, 1)) for _ in range(market.size.campaigns)]
        self._b = np.zeros((market.size.campaigns, market.size.pool, width))

    def choose(self, campaign: int, day: int) -> Choice:
        """Return the arm with the highest bound."""
        del day
        used = np.unique(self._sets[campaign])
        inverse = np.linalg.inv(self._a[campaign][used])
        mean = np.einsum("aw,nwv,nv->an", self._x, inverse, self._b[campaign, used])
        bound = mean + self._alpha * np.sqrt(np.einsum("aw,nwv,av->an", self._x, inverse, self._x))
        whole = np.full((len(WHO), used.max() + 1), -np.inf)
        whole[:, used] = bound
        sets = self._sets[campaign]
        best = np.take_along_axis(sets, np.take_along_axis(whole, sets, 1).argmax(1)[:, None], 1)
        return Choice(best, np.ones(best.shape))

    def hear(self, campaign: int, choice: Choice, shown: Ints, clicks: Ints, *, first: bool) -> None:
        """Add impressions and clicks."""
        arm = choice.sets[:, 0]
        if first:
            np.add.at(self._a[campaign], arm, shown[:, :1, None] * self._x[:, :, None] * self._x[:, None, :])
        np.add.at(self._b[campaign], arm, clicks[:, :1] * self._x)

    def end_day(self) -> None:
        """Do nothing."""


class Ours:
    """The product: predictor, screening and placement, which learn from all campaigns together."""

    def __init__(
        self,
        market: Market,
        rules: Rules,
        limits: Limits,
        rng: np.random.Generator,
        *,
        screens_every: int = 3,
        kept: float = 1.0,
    ) -> None:
        self._market, self._rules, self._limits, self._rng = market, rules, limits, rng
        self._every, self._kept = screens_every, kept
        own = design()
        self.predictor = Predictor(own, belief(own))
        options = own.own - len(MEASURES)
        self._z = encoded(market)
        self.alike = [likeness(z, options) for z in self._z]
        self._audiences = [market.audiences(c) for c in range(market.size.campaigns)]
        self._rows = [
            self.predictor.rests.of([v.variant_id for v in market.variants(c)]) for c in range(market.size.campaigns)
        ]
        self._sets: dict[int, Ints] = {}
        self._shown = np.zeros((market.size.campaigns, market.size.pool), np.int64)
        self.end_day()

    def end_day(self) -> None:
        """Refresh the posterior and draw from it."""
        if self._kept < 1:
            self.predictor.forget(self._kept)
        self.predictor.refresh()
        self._theta = self.predictor.draw(self._rng, 128)

    def first_sets(self, campaign: int) -> Ints:
        """Return the screened sets (a, k) as of now, without anything kept."""
        return self._screen(campaign, None)

    def _screen(self, campaign: int, kept: NDArray[np.bool_] | None) -> Ints:
        z, rows = self._z[campaign], self._rows[campaign]
        quality = np.stack([
            found.mean + self._rules.optimism * found.sd
            for found in (self.predictor.score(audience, z, rows) for audience in self._audiences[campaign])
        ])  # fmt: skip
        return screen(quality, self.alike[campaign], self._rules.size, temperature=self._rules.temperature, kept=kept)

    def choose(self, campaign: int, day: int) -> Choice:
        """Screen every few days, and return the shares of the sets."""
        age = day - int(self._market.starts[campaign])
        z, rows, audiences = self._z[campaign], self._rows[campaign], self._audiences[campaign]
        if campaign not in self._sets:
            self._sets[campaign] = self._screen(campaign, None)
        elif age % self._every == 0:
            sets = self._sets[campaign]
            stays = np.zeros((len(sets), len(z)), bool)
            for number, (audience, members) in enumerate(zip(audiences, sets, strict=True)):
                drawn = self.predictor.drawn(audience, z[members], rows[members], self._theta, self._rng)
                stays[number, members] = keep(drawn, self._shown[campaign, members], self._rules)
            self._sets[campaign] = self._screen(campaign, stays)
        sets = self._sets[campaign]
        drawn = np.stack([
            self.predictor.drawn(audience, z[members], rows[members], self._theta, self._rng)
            for audience, members in zip(audiences, sets, strict=True)
        ])  # fmt: skip
        u = np.stack([self.predictor.design.gather(self.predictor.mean, audience) for audience in audiences])
        mean = np.einsum("akq,aq->ak", z[sets], u) + self.predictor.rests.mean(rows[sets])
        new = self._shown[campaign, sets] < self._limits.least_shown
        return Choice(sets, shares_of(drawn, mean, new, self._limits)[0])

    def hear(self, campaign: int, choice: Choice, shown: Ints, clicks: Ints, *, first: bool) -> None:
        """Learn from clicks; impressions only count towards the minimum exposure."""
        if first:
            np.add.at(self._shown[campaign], choice.sets, shown)
        some = clicks.sum(1) > 0
        if some.any():
            sets = choice.sets[some]
            self.predictor.learn_many(
                [a for a, heard in zip(self._audiences[campaign], some, strict=True) if heard],
                self._z[campaign][sets], self._rows[campaign][sets], choice.shares[some], clicks[some].astype(float),
            )  # fmt: skip

    def spread(self) -> float:
        """Return the mean share of choices in which two variants of a screened set differ."""
        return float(np.mean([spread(self.alike[c], row) for c, sets in self._sets.items() for row in sets]))


@dataclass(slots=True)
class Played:
    """What a policy got, by campaign and day (c, t): expected clicks given what was placed, the best possible, and impressions."""

    clicks: Floats
    best: Floats
    impressions: Floats

    @property
    def total(self) -> float:
        """All expected clicks."""
        return float(self.clicks.sum())


def play(market: Market, policy: Policy, seed: int) -> Played:
    """Play a policy in a market. Crowds are the same for every policy; luck is its own."""
    rng = np.random.default_rng([seed, 1])
    days = market.size.periods
    clicks, best, impressions = np.zeros((3, market.size.campaigns, days))
    late: list[list[tuple[int, Choice, Ints, Ints]]] = [[] for _ in range(days + len(ARRIVES))]
    for day in range(days):
        for campaign in market.running(day):
            crowd, truth = market.impressions(campaign, day), market.probability(campaign, day)
            choice = policy.choose(campaign, day)
            shown = rng.multinomial(crowd, choice.shares)
            chance = np.take_along_axis(truth, np.maximum(choice.sets, 0), 1)
            clicks[campaign, day] = float((shown * chance).sum())
            best[campaign, day] = float(crowd @ truth.max(1))
            impressions[campaign, day] = float(crowd.sum())
            happened = rng.binomial(shown, chance)
            heard = rng.multinomial(happened, ARRIVES)
            policy.hear(campaign, choice, shown, heard[..., 0], first=True)
            for wait in range(1, len(ARRIVES)):
                late[day + wait].append((campaign, choice, shown, heard[..., wait]))
        for campaign, choice, shown, arrived in late[day]:
            policy.hear(campaign, choice, shown, arrived, first=False)
        late[day].clear()
        policy.end_day()
    return Played(clicks, best, impressions)
