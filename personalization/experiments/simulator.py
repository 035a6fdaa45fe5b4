"""A push campaign among generated members whose true tastes are known: a profile-driven push against a uniform one.

Each member is told of PUSHED categories. The uniform arm tells everybody of those that sell best; the profile arm of those
with the largest share of the member's own past spending, which is all that it sees. Whether a member answers depends on the
member's true taste, which no arm sees: of those who notice, a pushed category draws extra lines in proportion to how often
they buy of it anyway, by the factor that this shop's promotions have (`ShopModel.response`). How many notice, and how deep the
offer is, are assumed. Engagement counts those extra lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personalization.experiments.analysis import Result, analyse
from personalization.experiments.spec import Arm, Experiment
from personalization.profiling.features import category_shares
from personalization.synth.generate import Generator, Members
from personalization.synth.shop import ShopModel
from personalization.synth.traits import Floats

PUSHED, NOTICE, DEPTH = 3, 0.3, 0.5
WINDOW, BEFORE = timedelta(days=28), timedelta(days=56)
BLOCK = 500
UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
EXPERIMENT = Experiment(
    "simulated-push", "Members answer a push from their own profile more than the same push for everybody.",
    (Arm("uniform", 0.5, personalize=False), Arm("profile", 0.5)), metric="engagement", guardrails={"discount": 0.2, "retention": 0.05}, window_days=WINDOW.days,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated experiment: its result, and the units that it comes from (columns: `analysis.analyse`, unit_id)."""

    result: Result
    units: pl.DataFrame


def simulate(
    model: ShopModel, *, members: int, seed: int, experiment: Experiment = EXPERIMENT, effect: float = 1.0,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Simulated:  # fmt: skip
    """Run the push among `members` generated members; `effect` scales their answers (0: nobody answers, an A/A test)."""
    generator = Generator(model, seed=seed, until=UNTIL, block=BLOCK)
    category = dict(zip(model.product_ids.tolist(), model.categories[model.category].tolist(), strict=True))
    parts, total = [], -(-members // BLOCK)
    for block in range(total):
        parts.append(_block(generator, block, experiment, category, effect))
        progress(block + 1, total)
    units = pl.concat(parts).head(members)
    return Simulated(analyse(experiment, units), units)


def _block(
    generator: Generator, block: int, experiment: Experiment, category: Mapping[str, str], effect: float
) -> pl.DataFrame:
    model, at = generator.model, UNTIL - WINDOW
    people = generator.members(block)
    lines = generator.block(block).with_columns(
        pl.col("product_id").replace_strict(category).alias("category"),
        pl.lit(1000, dtype=pl.Int64).alias("price_level"),
    )
    ids = pl.DataFrame({"number": people.number}).select(
        "number", generator.member_id(pl.col("number")).alias("unit_id")
    )
    units = ids.join(_natural(lines, at), on="number", how="left", maintain_order="left").fill_null(0)
    arms = [experiment.assign(unit) for unit in units["unit_id"]]
    units = units.with_columns(pl.Series("arm", [arm.name if arm else None for arm in arms], dtype=pl.String))
    personal = np.array([bool(arm and arm.personalize) for arm in arms])
    pushed = _pushed(lines, ids["unit_id"], at, model, personal)
    answers = _answers(generator, people, pushed, units["lines_before"].to_numpy() / (BEFORE / WINDOW), block, effect)
    return _added(units, answers, model).drop_nulls("arm")


def _natural(lines: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Return what members do without any push: number and the figures of an experiment's units."""
    after, before = pl.col("at") >= at, (pl.col("at") < at) & (pl.col("at") >= at - BEFORE)
    order = pl.col("order_id")
    return lines.group_by("number").agg(
        pl.col("amount_minor").filter(after).sum().alias("spend"), order.filter(after).n_unique().cast(pl.Int64).alias("orders"),
        order.filter(pl.col("at") >= at + WINDOW / 2).n_unique().cast(pl.Int64).alias("late"),
        (pl.col("discount_minor") + pl.col("coupon_minor")).filter(after).sum().alias("discount"),
        pl.col("amount_minor").filter(before).sum().alias("spend_before"), order.filter(before).n_unique().cast(pl.Int64).alias("orders_before"),
        order.filter(before).len().cast(pl.Int64).alias("lines_before"),
    )  # fmt: skip


def _pushed(
    lines: pl.DataFrame, ids: pl.Series, at: datetime, model: ShopModel, personal: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Return the categories that each member is told of, (m, PUSHED), chosen from what was bought before `at`."""
    names = model.categories.tolist()
    best = _best_sellers(model)
    shares = category_shares(lines.filter(pl.col("at") < at), at, names)
    own = (
        pl.DataFrame({"member_id": ids}).join(shares, on="member_id", how="left", maintain_order="left").fill_null(0.0)
    )
    score = own.select(names).to_numpy()
    score = np.where(personal[:, None] & (score.sum(axis=1) > 0)[:, None], score, best)
    return np.argsort(-score, axis=1, kind="stable")[:, :PUSHED]


def _best_sellers(model: ShopModel) -> Floats:
    """Return each category's expected share of lines, (c,), from the median member's topics."""
    mix = np.exp(model.knots[-len(model.topics) :].mean(axis=1))
    shares: Floats = mix / mix.sum() @ model.topics
    return shares


def _answers(
    generator: Generator, people: Members, pushed: NDArray[np.intp], rate: Floats, block: int, effect: float
) -> NDArray[np.int64]:
    """Return the extra lines of each pushed category, (m, c)."""
    model, rng = generator.model, np.random.default_rng([generator.seed, block, 3])
    drawn = np.zeros((len(pushed), len(model.categories)), bool)
    np.put_along_axis(drawn, pushed, True, axis=1)
    factor = np.maximum(np.exp(model.response * DEPTH) - 1, 0.0)
    noticed = rng.random(len(pushed)) < NOTICE
    found: NDArray[np.int64] = rng.poisson(
        rate[:, None] * generator.tastes(people) * factor * drawn * noticed[:, None] * effect
    )
    return found


def _added(units: pl.DataFrame, answers: NDArray[np.int64], model: ShopModel) -> pl.DataFrame:
    """Return the units with what the push brought: extra lines at the category's mean price, less the mean discount."""
    price = np.bincount(model.category, model.share * model.price_minor) * np.exp(model.price_ratio[:, 0])
    off = model.discount_knots.mean(axis=1)
    extra, came = answers.sum(axis=1), answers.sum(axis=1) > 0
    return units.with_columns(
        pl.col("spend") + pl.Series(np.rint(answers @ (price * (1 - off))).astype(np.int64)),
        pl.col("discount") + pl.Series(np.rint(answers @ (price * off)).astype(np.int64)),
        pl.when(pl.col("orders") > 0).then("orders").otherwise(pl.Series(came.astype(np.int64))).alias("orders"),
        pl.Series("engagement", extra), pl.lit(0, dtype=pl.Int64).alias("handoffs"),
    ).with_columns(
        (pl.col("orders") > 0).cast(pl.Int64).alias("conversion"), (pl.col("late") > 0).cast(pl.Int64).alias("retention")
    ).drop("number", "late", "lines_before")  # fmt: skip
