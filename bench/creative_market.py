"""A market for creatives with a known truth: which audience clicks how often on which variant.

Nothing here is fitted to data: no public data set has outcomes by design feature. Sizes follow what is published of such engines
(72 campaigns, 33 products, 11 million impressions) and a click rate of 1.5 %; deviations are in log-odds. How well variants do is
drawn without regard to the priors of `personalization.creative`, so that a cold start is worth nothing here.

Seeds below 100 are for development; reported figures come from seeds from REPORTED on. The market named UNSEEN has another
functional form; it was written before any policy and is looked at once, at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product as combinations

import numpy as np
from numpy.typing import NDArray

from personalization.creative.variants import Audience, Variant

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CAMPAIGNS, PRODUCTS, IMPRESSIONS, REPORTED = 72, 33, 11_000_000, 10_000
PERIODS, LASTS = 21, 7  # days of the market, and of each campaign
OPTIONS = {
    "layout": 8, "focal": 4, "crop": 4, "scheme": 8, "type": 6, "scale": 3, "texture": 4, "motion": 6, "easing": 4, "rhythm": 4,
    "message": 8, "tone": 4, "action": 4, "aspect": 4,
}  # fmt: skip
MEASURES = ("contrast", "clutter", "colourfulness", "text_share", "warmth")
SEGMENTS, CHANNELS, AFFECTS = (
    ("a", "b", "c", "d"),
    ("widget", "kiosk", "api"),
    ("calm", "pleased", "bored", "distressed"),
)
CATEGORIES = tuple(f"category {number}" for number in range(8))
WHO = tuple(combinations(SEGMENTS, CHANNELS, AFFECTS))  # (48,)
ARRIVES = (0.7, 0.2, 0.1)  # share of clicks that are told within the same day, one and two days later
LEVEL, LEVEL_DEVIATION, AUDIENCE_DEVIATION = float(np.log(0.015 / 0.985)), 0.35, 0.2
# Deviations of log-odds among the variants of a pool: dimensions, what an audience adds per attribute, pairs, measures, the rest.
MAIN, INTERACTION, PAIRS, MEASURED, ITEM = 0.14, 0.05, 0.08, 0.06, 0.07
PAIR_COUNT, FLIPS = 6, 3


@dataclass(frozen=True, slots=True)
class Scenario:
    """What differs from a stationary market. `drift`: radians by which tastes turn over the whole time; `form`: of the truth."""

    name: str
    drift: float = 0.0
    form: str = "additive"


STATIONARY = Scenario("stationary")
DRIFTING = Scenario("drifting", drift=np.pi / 3)
UNSEEN = Scenario("unseen", form="prototypes")


@dataclass(frozen=True, slots=True)
class Size:
    """How large a market is."""

    campaigns: int = CAMPAIGNS
    products: int = PRODUCTS
    impressions: int = IMPRESSIONS
    pool: int = 300
    periods: int = PERIODS
    lasts: int = LASTS


@dataclass(slots=True, eq=False)
class Market:
    """The truth of one seed.

    choices (c, n, d), measures (c, n, m): the pools; category (c,); starts (c,); crowd (c, p, a): impressions by campaign, day of
    the campaign and audience.
    """

    scenario: Scenario
    size: Size
    seed: int
    choices: Ints
    measures: Floats
    category: Ints
    starts: Ints
    crowd: Ints
    level: Floats
    _terms: tuple[Floats, Floats]
    _kept: dict[int, Floats] = field(default_factory=dict)

    def running(self, day: int) -> list[int]:
        """Return the campaigns of a day."""
        return np.flatnonzero((self.starts <= day) & (day < self.starts + self.size.lasts)).tolist()

    def impressions(self, campaign: int, day: int) -> Ints:
        """Return how many shoppers of each audience see the campaign on a day, (a,)."""
        found: Ints = self.crowd[campaign, day - self.starts[campaign]]
        return found

    def probability(self, campaign: int, day: int) -> Floats:
        """Return each audience's probability to click on each variant of the campaign's pool, (a, n)."""
        if not self.scenario.drift:
            if campaign not in self._kept:
                self._kept[campaign] = _logistic(self.level[campaign][:, None] + self._terms[0][campaign])
            return self._kept[campaign]
        turned = self.scenario.drift * day / self.size.periods
        taste = np.cos(turned) * self._terms[0][campaign] + np.sin(turned) * self._terms[1][campaign]
        return _logistic(self.level[campaign][:, None] + taste)

    def variants(self, campaign: int) -> list[Variant]:
        """Return the campaign's pool as the product knows it."""
        names = list(OPTIONS)
        return [
            Variant(
                f"{campaign}-{number}",
                {name: f"{name} {option}" for name, option in zip(names, row, strict=True)},
                dict(zip(MEASURES, measured.tolist(), strict=True)),
            )
            for number, (row, measured) in enumerate(zip(self.choices[campaign], self.measures[campaign], strict=True))
        ]

    def audiences(self, campaign: int) -> list[Audience]:
        """Return the audiences of a campaign, in the order of `probability`'s rows."""
        category = CATEGORIES[self.category[campaign]]
        return [Audience(segment, channel, affect, category) for segment, channel, affect in WHO]


def draw(scenario: Scenario, seed: int, size: Size | None = None) -> Market:
    """Return a market; the same seed and size give the same pools and crowds in every scenario."""
    size = size or Size()
    rng = np.random.default_rng([seed, size.campaigns, size.impressions])
    counts = np.array(list(OPTIONS.values()))
    choices = (rng.random((size.campaigns, size.pool, len(counts))) * counts).astype(np.int64)
    measures = _measures(choices, rng)
    products = rng.permutation(np.arange(size.campaigns) % size.products)
    category = rng.integers(0, len(CATEGORIES), size.products)[products]
    starts = np.sort(rng.integers(0, size.periods - size.lasts + 1, size.campaigns))
    starts[0] = 0
    level = LEVEL + LEVEL_DEVIATION * rng.standard_normal((size.campaigns, 1))
    level = level + AUDIENCE_DEVIATION * rng.standard_normal(len(WHO))
    weight = rng.gamma(3.0, size=(size.campaigns, 1)) * rng.dirichlet(np.ones(len(WHO)), size.campaigns)
    daily = (weight / weight.sum())[:, None, :] / size.lasts * np.ones((1, size.lasts, 1))
    crowd = rng.multinomial(size.impressions, daily.ravel()).reshape(daily.shape)
    truth = [
        _prototypes(choices, measures, category, rng.spawn(1)[0])
        if scenario.form == "prototypes"
        else _additive(choices, measures, category, rng.spawn(1)[0])
        for _ in range(2 if scenario.drift else 1)
    ]
    return Market(
        scenario, size, seed, choices, measures, category, starts, crowd, level, (truth[0], truth[-1])
    )  # fmt: skip


def _measures(choices: Ints, rng: np.random.Generator) -> Floats:
    """Return measures that follow from a few choices and from the picture itself, (c, n, m) in [0, 1]."""
    found = np.full((*choices.shape[:2], len(MEASURES)), 0.5) + 0.12 * rng.standard_normal(
        (*choices.shape[:2], len(MEASURES))
    )
    for measure in range(len(MEASURES)):
        for dimension in rng.choice(choices.shape[2], 3, replace=False):
            found[..., measure] += 0.1 * rng.standard_normal(choices[..., dimension].max() + 1)[choices[..., dimension]]
    return np.clip(found, 0.0, 1.0)


def _additive(choices: Ints, measures: Floats, category: Ints, rng: np.random.Generator) -> Floats:
    """Return log-odds (c, a, n) of main effects, audiences' own, pairs, measures with a best value, and the rest."""
    campaigns, pool, dimensions = choices.shape
    counts = list(OPTIONS.values())
    weights = np.sqrt(rng.dirichlet(np.ones(dimensions)))
    main = [MAIN * w * rng.standard_normal(count) for w, count in zip(weights, counts, strict=True)]
    own = {
        (attribute, value): [
            INTERACTION / np.sqrt(dimensions) * rng.standard_normal(count) for count in counts
        ]
        for attribute, values in enumerate((SEGMENTS, CHANNELS, AFFECTS, CATEGORIES))
        for value in range(len(values))
    }  # fmt: skip
    strongest = np.argsort(-weights)
    for dimension in strongest[:FLIPS]:  # some tastes are the opposite in one mood
        mood = int(rng.integers(0, len(AFFECTS)))
        own[2, mood][dimension] = -2.0 * main[dimension]
    common = sum(main[d][choices[..., d]] for d in range(dimensions))
    pairs = [rng.choice(dimensions, 2, replace=False) for _ in range(PAIR_COUNT)]
    for first, second in pairs:
        table = rng.standard_normal((counts[first], counts[second]))
        common = common + PAIRS / np.sqrt(PAIR_COUNT) * table[choices[..., first], choices[..., second]]
    best = rng.uniform(0.3, 0.7, measures.shape[2])
    curve = -((measures - best) ** 2) @ rng.gamma(2.0, size=measures.shape[2])
    common = common + MEASURED * (curve - curve.mean()) / curve.std()
    common = common + ITEM * rng.standard_normal((campaigns, pool))
    added = {key: sum(table[d][choices[..., d]] for d in range(dimensions)) for key, table in own.items()}
    found = np.repeat(common[:, None, :], len(WHO), axis=1)
    for number, (segment, channel, affect) in enumerate(WHO):
        found[:, number] += added[0, SEGMENTS.index(segment)] + added[1, CHANNELS.index(channel)]
        found[:, number] += added[2, AFFECTS.index(affect)]
    for campaign, kind in enumerate(category):
        found[campaign] += added[3, int(kind)][campaign]
    return found


def _prototypes(choices: Ints, measures: Floats, category: Ints, rng: np.random.Generator) -> Floats:
    """Return log-odds (c, a, n) of audiences that like what is near to their few prototypes, and dislike a clash.

    Nearness is a bump over the weighted share of choices that differ and the distance of measures: not a sum of effects.
    """
    campaigns, pool, dimensions = choices.shape
    counts = np.array(list(OPTIONS.values()))
    liked = (rng.random((6, dimensions)) * counts).astype(np.int64)
    looks = rng.uniform(0.2, 0.8, (6, measures.shape[2]))
    weights = rng.dirichlet(np.full(dimensions, 0.5), 6)
    bumps = []
    for number in range(6):
        far = (choices != liked[number]) @ weights[number]
        apart = np.sqrt(((measures - looks[number]) ** 2).mean(-1))
        bumps.append(np.exp(-((far / 0.35) ** 2) - (apart / 0.25) ** 2))
    shown = np.stack(bumps, -1)  # (c, n, 6)
    taste = (
        rng.dirichlet(np.full(6, 0.7), len(WHO))
        + 0.5 * rng.dirichlet(np.full(6, 0.7), len(CATEGORIES))[category][:, None, :]
    )
    found = np.einsum("cnk,cak->can", shown, taste)
    first, second = rng.choice(dimensions, 2, replace=False)
    clash = (choices[..., first] == 0) & (choices[..., second] <= counts[second] // 2)
    found = found / found.std(axis=2).mean() * 0.18
    found = found - 0.3 * clash[:, None, :]
    return found + ITEM * rng.standard_normal((campaigns, 1, pool)) - found.mean()


def _logistic(odds: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-odds))
