"""Simulated requests with several feedbacks: what a ranker sees, what is shown, what people do, and what they would do.

A viewer who is shown an item stays with it (a click) or swipes on after a few seconds. Who stays watches until boredom,
which comes at a constant rate, or until the end; the longer somebody watches, the likelier a like, a follow, a comment
or a forward, with saturation. So long items get more interactions per view and fewer per second, the "decoupling
paradox" of EMER (arXiv 2508.05093). All expectations have a closed form. All constants are assumptions, see `Truth`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from personalization.ranking.simulation import kuairand

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

FEEDBACKS = ("click", "long_view", "like", "follow", "comment", "forward")
OBJECTIVES = (*FEEDBACKS, "watch")
BINARY = np.array([name != "watch" for name in OBJECTIVES])
INTERACTION = np.array([name in {"like", "follow", "comment", "forward"} for name in OBJECTIVES])
FORMULA = np.array([0.2, 0.2, 0.3, 0.1, 0.1, 0.1, 0.3])
"""Exponents of the hand formula that logs: a product of powers of the predictions, one per objective."""
CHUNK = 256  # requests whose scores for all items are in memory together


@dataclass(frozen=True, slots=True)
class Truth:
    """How viewers behave and how predictors err. No value is estimated from logs: there are none to be had.

    Sizes were set by their marginals alone (about half of all candidates would hold their viewer beyond the first seconds; interactions are some
    times more frequent than in real feeds, so that thousands of requests suffice instead of millions).
    Effects are in log-odds, or in log seconds, per standard deviation of a trait.
    """

    dimensions: int = 16  # of the taste vectors
    unknown: float = 0.4  # share of a taste's variance that no feature tells
    popularity: float = 0.8  # log popularity per standard deviation of an item's quality
    retrieval: float = 0.5  # how much the candidates' choice follows taste
    stay: float = -0.8  # log-odds of staying with an average item
    stay_taste: float = 0.9
    stay_quality: float = 0.4
    dwell: float = 15.0  # seconds until an average viewer is bored by an average item of one minute
    dwell_taste: float = 0.5
    dwell_quality: float = 0.25
    dwell_user: float = 0.3
    dwell_duration: float = 0.25  # exponent of duration / one minute: long items hold a little longer
    bounce: tuple[float, float] = (0.5, 3.0)  # seconds, uniform, of who does not stay
    long_view: float = 18.0  # seconds, or to the end
    rates: tuple[float, float, float, float] = (0.10, 0.02, 0.03, 0.015)  # like, follow, comment, forward without end
    rate_taste: float = 0.6
    rate_quality: float = 0.3
    rate_user: float = 0.7
    rate_item: float = 0.5
    warming: float = 20.0  # seconds within which 63 % of those interact who ever would
    noise: float = 0.5  # of a prediction, in log-odds or log seconds, anew for each candidate
    item_noise: float = 0.3  # the same for all candidates of one item
    duration_bias: float = 0.15  # per log of duration / median duration
    temperature: float = 0.5  # of the logging policy, in units of the formula's log
    explore: float = 0.1  # share of the logging policy's choice that is uniform


@dataclass(frozen=True, slots=True)
class World:
    """Users and items. u users, i items, d dimensions, k = 4 interactions.

    *_known : (u or i, d) what features tell of a taste; *_taste : (u or i, d) the taste; patience : (u,); prone : (u, k);
    quality : (i,); drawing : (i, k); error : (i, OBJECTIVES) of predictions; duration : (i,) seconds; popularity : (i,),
    adds up to 1.
    """

    truth: Truth
    user_known: Floats
    user_taste: Floats
    patience: Floats
    prone: Floats
    item_known: Floats
    item_taste: Floats
    quality: Floats
    drawing: Floats
    error: Floats
    duration: Floats
    popularity: Floats


@dataclass(frozen=True, slots=True)
class Requests:
    """n requests of `candidates` candidates each, row by row (rows = n · candidates). `len` is n.

    starts : (n + 1,); user, item : (rows,) positions; features : (rows, F); duration : (rows,) seconds; pxtr : (rows,
    OBJECTIVES) predictions, probabilities and seconds; shown : (rows,); feedback : (rows, FEEDBACKS) and watch : (rows,)
    seconds, what people did, nothing where not shown; expected : (rows, OBJECTIVES) the truth, shown or not.
    """

    candidates: int
    starts: Ints
    user: Ints
    item: Ints
    features: NDArray[np.float32]
    duration: Floats
    pxtr: Floats
    shown: Flags
    feedback: Flags
    watch: Floats
    expected: Floats

    def __len__(self) -> int:
        """Return the number of requests."""
        return len(self.starts) - 1

    @property
    def unit(self) -> Floats:
        """Predicted unit time, (rows,) seconds."""
        return self.pxtr[:, -1]

    @property
    def satisfaction(self) -> Ints:
        """Number of positive feedbacks, (rows,)."""
        return self.feedback.sum(axis=1)


def load(folder: Path, n_users: int, n_items: int, seed: int, truth: Truth | None = None) -> World:
    """Return a world of at most so many users and items with KuaiRand-Pure's features, drawn at random."""
    return _world(kuairand.read(folder), n_users, n_items, seed, truth or Truth())


def made(n_users: int, n_items: int, seed: int, truth: Truth | None = None) -> World:
    """Return a world with invented features."""
    both = kuairand.made(n_users, n_items, np.random.default_rng([seed, 1]))
    return _world(both, n_users, n_items, seed, truth or Truth())


def requests(world: World, n: int, *, rng: np.random.Generator, candidates: int = 100, shown: int = 10) -> Requests:
    """Return n requests of random users; `shown` of their candidates were shown by the logging policy.

    Raises ValueError where there are fewer items than candidates, or fewer candidates than are to be shown.
    """
    if not 0 < shown <= candidates <= len(world.duration):
        raise ValueError("there must be at least as many items as candidates, and candidates as are shown")
    by = rng.integers(0, len(world.user_taste), n)
    parts = [_candidates(world, by[at : at + CHUNK], candidates, rng) for at in range(0, n, CHUNK)]
    item, taste = (np.concatenate(part).ravel() for part in zip(*parts, strict=True))
    user = np.repeat(by, candidates)
    duration = world.duration[item]
    stay, dwell, rates = _nature(world, user, item, taste)
    expected = _expected(world.truth, stay, dwell, rates, duration)
    pxtr = _predicted(world, expected, item, rng)
    logged = (np.log(pxtr) @ FORMULA).reshape(n, candidates)
    seen = np.sort((_logged(logged, shown, world.truth, rng) + np.arange(n)[:, None] * candidates).ravel())
    feedback, watch = np.zeros((len(item), len(FEEDBACKS)), bool), np.zeros(len(item))
    feedback[seen], watch[seen] = _sampled(world.truth, stay[seen], dwell[seen], rates[seen], duration[seen], rng)
    popular = world.popularity[item] * len(world.popularity)  # 1 is average
    told = [world.user_known[user], world.item_known[item], duration[:, None], popular[:, None]]
    features = np.concatenate(told, axis=1, dtype=np.float32, casting="same_kind")
    flags = np.zeros(len(item), bool)
    flags[seen] = True
    starts = np.arange(n + 1, dtype=np.int64) * candidates
    return Requests(candidates, starts, user, item, features, duration, pxtr, flags, feedback, watch, expected)


def _world(both: kuairand.Both, n_users: int, n_items: int, seed: int, truth: Truth) -> World:
    rng = np.random.default_rng(seed)
    d, k = truth.dimensions, len(truth.rates)
    users, items = both.users.projected(d + 1 + k, rng), both.videos.projected(d + 1 + k, rng)
    users = users[np.sort(rng.permutation(len(users))[:n_users])]
    chosen = np.sort(rng.permutation(len(items))[:n_items])
    items, duration = items[chosen], both.duration[chosen]

    def blurred(known: Floats) -> Floats:
        return np.sqrt(1 - truth.unknown) * known + np.sqrt(truth.unknown) * rng.standard_normal(known.shape)

    whole_users, whole_items = blurred(users), blurred(items)
    popularity = np.exp(truth.popularity * whole_items[:, d])
    return World(
        truth, users[:, :d], whole_users[:, :d], whole_users[:, d], whole_users[:, d + 1 :],
        items[:, :d], whole_items[:, :d], whole_items[:, d], whole_items[:, d + 1 :],
        truth.item_noise * rng.standard_normal((len(items), len(OBJECTIVES))), duration, popularity / popularity.sum(),
    )  # fmt: skip


def _candidates(world: World, users: Ints, size: int, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Return `size` different items for each user, by popularity and taste, and the tastes for them; (users, size)."""
    taste = world.user_taste[users] @ world.item_taste.T / np.sqrt(world.truth.dimensions)
    keys = np.log(world.popularity) + world.truth.retrieval * taste + rng.gumbel(size=taste.shape)
    item = np.argpartition(-keys, size - 1, axis=1)[:, :size]
    return item, np.take_along_axis(taste, item, axis=1)


def _nature(world: World, user: Ints, item: Ints, taste: Floats) -> tuple[Floats, Floats, Floats]:
    """Return P(stays), (rows,), mean seconds until bored, (rows,), and the interactions' rates, (rows, 4)."""
    t, quality = world.truth, world.quality[item]
    stay = _sigmoid(t.stay + t.stay_taste * taste + t.stay_quality * quality)
    length = np.log(world.duration[item] / 60.0)
    dwell = t.dwell * np.exp(
        t.dwell_taste * taste + t.dwell_quality * quality + t.dwell_user * world.patience[user] + t.dwell_duration * length
    )  # fmt: skip
    base = np.log(np.array(t.rates) / (1 - np.array(t.rates)))
    appeal = (t.rate_taste * taste + t.rate_quality * quality)[:, None]
    return stay, dwell, _sigmoid(base + appeal + t.rate_user * world.prone[user] + t.rate_item * world.drawing[item])


def _expected(t: Truth, stay: Floats, dwell: Floats, rates: Floats, duration: Floats) -> Floats:
    """Return the expectation of every objective over what is watched, min(Exponential(dwell), duration); (rows, OBJECTIVES)."""
    both = 1.0 / (1.0 / dwell + 1.0 / t.warming)
    warm = both / t.warming * (1.0 - np.exp(-duration / both))  # E[1 - exp(-watched / warming)]
    long_view = np.exp(-np.minimum(t.long_view, duration) / dwell)
    watch = stay * dwell * (1.0 - np.exp(-duration / dwell)) + (1.0 - stay) * sum(t.bounce) / 2.0
    return np.column_stack([stay, stay * long_view, (stay * warm)[:, None] * rates, watch])


def _sampled(
    t: Truth, stay: Floats, dwell: Floats, rates: Floats, duration: Floats, rng: np.random.Generator
) -> tuple[Flags, Floats]:
    """Return feedback, (rows, FEEDBACKS), and seconds watched, (rows,)."""
    stays = rng.random(len(stay)) < stay
    watch = np.where(stays, np.minimum(rng.exponential(dwell), duration), rng.uniform(*t.bounce, len(stay)))
    long_view = stays & (watch >= np.minimum(t.long_view, duration))
    warm = np.where(stays, 1.0 - np.exp(-watch / t.warming), 0.0)
    return np.column_stack([stays, long_view, rng.random(rates.shape) < rates * warm[:, None]]), watch


def _predicted(world: World, expected: Floats, item: Ints, rng: np.random.Generator) -> Floats:
    """Return what predictors say: the truth in log-odds (log seconds), with noise and a bias towards long items."""
    t = world.truth
    level = np.where(BINARY, np.log(expected) - np.log1p(-np.where(BINARY, expected, 0.0)), np.log(expected))
    level += t.noise * rng.standard_normal(level.shape) + world.error[item]
    level += t.duration_bias * np.log(world.duration[item] / np.median(world.duration))[:, None]
    return np.where(BINARY, _sigmoid(level), np.exp(level))


def _logged(level: Floats, shown: int, t: Truth, rng: np.random.Generator) -> Ints:
    """Return (n, shown) different candidates, drawn one after the other from a softmax mixed with a uniform choice."""
    p = np.exp((level - level.max(axis=1, keepdims=True)) / t.temperature)
    p = (1 - t.explore) * p / p.sum(axis=1, keepdims=True) + t.explore / level.shape[1]
    keys = np.log(p) + rng.gumbel(size=p.shape)
    return np.argpartition(-keys, shown - 1, axis=1)[:, :shown]


def _sigmoid(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-x))
