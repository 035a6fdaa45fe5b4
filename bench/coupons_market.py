"""A coupon market with a known truth: who comes when, how each would answer to each discount, and what the model thinks of it.

Baskets, hours, weekdays and the size of drift are Complete Journey's (bench/coupons_fit.py). Assumed, because no public data
tells it: four kinds of shoppers with a logistic answer to the depth of a discount, the ladder, and the delay of redemptions.
Money in minor units, time in POSIX seconds. A day begins at four in the morning, when shops are emptiest.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bench.coupons_fit import fitted
from personalization.coupons.traffic import TrafficShape

Floats = NDArray[np.float64]
LADDER = np.array([0, 50, 100, 150, 200, 300, 400, 500, 750, 1000], dtype=float)
MOST_OF_BASKET = 0.5
DAY_S, FIRST_DAY, OPENS_S = 86_400.0, 1_577_836_800.0, 4 * 3_600.0  # 2020-01-01
# Assumed kinds: share, conversion without a coupon (mean of a beta of strength 20), log-odds per unit of depth (log-normal)
KINDS = ((0.30, 0.30, 1.0), (0.30, 0.12, 4.0), (0.15, 0.06, 10.0), (0.25, 0.03, 5.0))
SENSITIVITY_DEVIATION = 0.5


@dataclass(frozen=True, slots=True)
class Scenario:
    """What differs from a stationary market that is known exactly.

    daily : conversion and baskets move over the hours and from day to day as in Complete Journey; a warm start knows the hours,
    not the day, whose shift is day_shift times the data's. drift : further movements within the day, of `form`, that nothing foretells, in units of the data's deviation
    between days (the data itself shows next to none of them).
    random_counts : arrivals come by a Poisson process instead of as forecast; overdispersed by the data's day deviation.
    traffic_error, conversion_error : factors of what is forecast less 1, either sign by seed; answer_error : deviation of the log of
    every shopper's forecast level and answer. validity_s : 0 charges a coupon's expectation when it is chosen; otherwise its
    face is reserved, and paid after a delay of mean delay_share x validity_s if redeemed. missing : share of outcome events lost.
    """

    name: str
    daily: bool = False
    day_shift: float = 1.0
    drift: float = 0.0
    form: str = "wave"
    random_counts: bool = False
    traffic_error: float = 0.0
    conversion_error: float = 0.0
    answer_error: float = 0.0
    validity_s: float = 0.0
    delay_share: float = 0.25
    missing: float = 0.0


IID = Scenario("iid")
DRIFT = Scenario("drift", daily=True, drift=0.5, random_counts=True)
MISSPECIFIED = replace(DRIFT, name="misspecified", traffic_error=0.3, conversion_error=0.2, answer_error=0.1)
SCENARIOS = (IID, DRIFT, MISSPECIFIED)
REDEEMED = replace(MISSPECIFIED, name="redeemed", validity_s=600.0, missing=0.1)
# Families that no setting was chosen on.
UNSEEN = (
    replace(DRIFT, name="flash crowd of bargain hunters", drift=1.0, form="crowd"),
    replace(DRIFT, name="sudden change of mix", drift=1.0, form="break"),
    replace(DRIFT, name="steady decline of demand, traffic 15 % off", drift=1.0, form="decline", traffic_error=0.15),
    replace(MISSPECIFIED, name="threefold drift, every forecast off", drift=1.5, answer_error=0.2),
)


@dataclass(slots=True)
class Day:
    """One day's arrivals in their order, with the truth and what is thought of it.

    at (n,); discount, truth, thought (n, k): money and probabilities to convert; luck, wait, heard (n,): the draws that
    decide whether a coupon is redeemed, after which share of its validity, and whether the outcome event arrives.
    """

    scenario: Scenario
    start: float
    at: Floats
    discount: Floats
    truth: Floats
    thought: Floats
    forecast: float  # arrivals, as thought
    shape: TrafficShape
    luck: Floats
    wait: Floats
    heard: NDArray[np.bool_]
    tables: dict[str, Floats] = field(default_factory=dict)

    @property
    def end(self) -> float:
        """The time of the last possible arrival."""
        return self.start + DAY_S

    def table(self, name: str) -> Floats:
        """Return the (n, k) table of "value" or "cost" by the "true " curves, or by those thought."""
        if name not in self.tables:
            curve = self.truth if name.startswith("true ") or self.thought is self.truth else self.thought
            self.tables[name] = curve - curve[:, :1] if name.endswith("value") else curve * self.discount
        return self.tables[name]


@cache
def shape() -> TrafficShape:
    """Return the week's shape as Complete Journey's baskets have it."""
    counts = np.asarray(fitted()["weekly_quarters"], dtype=float)
    return TrafficShape((counts + 1.0) / (counts + 1.0).sum())


def draw(scenario: Scenario, n: int, seed: int) -> Day:
    """Return a day on which about `n` shoppers come."""
    rng = np.random.default_rng([seed, n])
    start = FIRST_DAY + DAY_S * int(rng.integers(0, 364)) + OPENS_S
    sign_traffic, sign_conversion = rng.choice((-1.0, 1.0), 2)
    at, crowd = _arrivals(scenario, n, start, rng)
    shopper = _shoppers(len(at), _moves(scenario, at, start, crowd, rng), rng)
    truth, discount = shopper
    thought = truth
    if scenario.conversion_error or scenario.answer_error:
        level, answer = np.exp(scenario.answer_error * rng.standard_normal((2, len(at), 1)))
        factor = 1.0 + sign_conversion * scenario.conversion_error
        thought = np.minimum(factor * (truth[:, :1] * level + (truth - truth[:, :1]) * answer), 0.99)
    return Day(
        scenario=scenario,
        start=start,
        at=at,
        discount=discount,
        truth=truth,
        thought=thought,
        forecast=n * (1.0 + sign_traffic * scenario.traffic_error),
        shape=shape(),
        luck=rng.random(len(at)),
        wait=_waits(scenario.delay_share, len(at), rng),
        heard=rng.random(len(at)) >= scenario.missing,
    )


def history(scenario: Scenario, n: int, seed: int, *, true: bool = False) -> Day:
    """Return a sample of days before: the same kind of model error, the market's usual mix."""
    usual = replace(scenario, drift=0.0, form="wave", random_counts=False, day_shift=0.0)
    if true:
        usual = replace(usual, conversion_error=0.0, answer_error=0.0)
    return draw(usual, n, seed + 500_000)


def _arrivals(scenario: Scenario, n: int, start: float, rng: np.random.Generator) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the times of arrival, sorted, and who of them belongs to a flash crowd."""
    grid = np.linspace(start, start + DAY_S, 24 * 60 + 1)
    mass = np.array([shape().periods(at) for at in grid])
    mass = (mass - mass[0]) / (mass[-1] - mass[0])
    if scenario.random_counts:
        level = np.exp(float(fitted()["traffic_by_day"]) * rng.standard_normal())  # type: ignore[arg-type]
        place = np.sort(rng.random(rng.poisson(n * level)))
    else:
        place = (np.arange(n) + 0.5) / n
    if scenario.form != "crowd":
        return np.interp(place, mass, grid), np.zeros(len(place), dtype=bool)
    begins = rng.uniform(0.2, 0.7)
    more = begins + 0.05 * rng.random(rng.poisson(0.15 * n))
    order = np.argsort(np.concatenate([place, more]), kind="stable")
    return np.interp(np.concatenate([place, more])[order], mass, grid), order >= len(place)


def _moves(
    scenario: Scenario, at: Floats, start: float, crowd: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Return how log-odds, log of sensitivity and log of basket size differ from the usual mix, (n,) each."""
    x, known = (at - start) / DAY_S, fitted()
    by_day = [float(known[name]) for name in ("coupon_log_odds_by_day", "size_log_by_day")]  # type: ignore[arg-type]
    hours = [np.zeros(len(at)), np.zeros(len(at))]
    if scenario.daily:
        place = (OPENS_S / 3_600 + 24 * x - 0.5) % 24
        names = ("coupon_log_odds_by_hour", "size_log_by_hour")
        hours = [np.interp(place, np.arange(24), np.asarray(known[name]), period=24) for name in names]
        hours = [h + scenario.day_shift * d * rng.standard_normal() for h, d in zip(hours, by_day, strict=True)]
    form = _forms(scenario.form, x, crowd, rng)
    odds, size = (scenario.drift * deviation for deviation in by_day)
    return hours[0] + odds * form[0], odds * form[1], hours[1] + size * form[2]


def _forms(form: str, x: Floats, crowd: NDArray[np.bool_], rng: np.random.Generator) -> list[Floats]:
    """Return movements of level, sensitivity and size over the share `x` of the day, in deviations."""
    if form == "crowd":
        return [np.where(crowd, size, 0.0) for size in (-1.0, 2.0, -1.0)]
    if form == "break":
        after = x > rng.uniform(0.3, 0.7)
        return [sign * after for sign in rng.choice((-1.5, 1.5), 3)]
    if form == "decline":
        return [-2.0 * x, -x, -x]
    return [
        np.sqrt(2.0) * rng.uniform(0.5, 1.0) * np.sin(2 * np.pi * (rng.integers(1, 3) * x + rng.random()))
        + rng.uniform(-1.0, 1.0) * (x - 0.5)
        for _ in range(3)
    ]


def _shoppers(n: int, moves: tuple[Floats, Floats, Floats], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return every arrival's probability to convert at every rung, and the rungs' money, (n, k)."""
    known = fitted()
    kind = rng.choice(len(KINDS), n, p=[share for share, _, _ in KINDS])
    base = np.array([b for _, b, _ in KINDS])[kind]
    level = np.clip(rng.beta(20 * base, 20 * (1 - base)), 0.002, 0.95)
    sensitivity = np.array([s for _, _, s in KINDS])[kind] * np.exp(
        SENSITIVITY_DEVIATION * rng.standard_normal(n) + moves[1]
    )
    spread = np.hypot(float(known["size_log_between"]), float(known["size_log_within"]))  # type: ignore[arg-type]
    size = np.exp(float(known["size_log_mean"]) + moves[2] + spread * rng.standard_normal(n))  # type: ignore[arg-type]
    size = np.clip(size, 100.0, 100_000.0)
    discount = np.minimum(LADDER, np.floor(MOST_OF_BASKET * size)[:, None])
    odds = (np.log(level / (1 - level)) + moves[0])[:, None] + sensitivity[:, None] * discount / size[:, None]
    return 1.0 / (1.0 + np.exp(-odds)), discount


def _waits(mean: float, n: int, rng: np.random.Generator) -> Floats:
    """Return exponential delays with `mean`, cut at 1, in units of a coupon's validity."""
    return -mean * np.log(1.0 - rng.random(n) * (1.0 - np.exp(-1.0 / mean)))
