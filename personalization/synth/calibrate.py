"""The four numbers that cannot be read off the data: chosen so that generated members are like the real ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl

from personalization.synth.generate import Generator
from personalization.synth.shop import ShopModel
from personalization.synth.traits import Floats, prepare

GRIDS: dict[str, tuple[float, ...]] = {
    "spread": (0.4, 0.8, 1.5, 3.0, 6.0, 15.0), "kin": (0.0, 0.05, 0.1, 0.15, 0.2, 0.3),
    "favourites": (0.0, 0.08, 0.16, 0.25, 0.35, 0.5), "loyal": (0.4, 0.6, 0.8, 1.0, 1.2, 1.5),
}  # fmt: skip
ROUNDS, TRIED_MEMBERS = 2, 150


def calibrated(model: ShopModel, real: pl.DataFrame, *, seed: int) -> ShopModel:
    """Return `model` with spread, kin, favourites and loyal set by coordinate search: `summary` as in `real` (prepared lines)."""
    products = pl.DataFrame(
        {
            "product_id": model.product_ids,
            "category": model.categories[model.category],
            "price_minor": model.price_minor,
        }
    )
    topic_of = dict(zip(model.categories.tolist(), model.topics.argmax(axis=0).tolist(), strict=True))
    wanted = summary(real, topic_of)

    def distance(candidate: ShopModel) -> float:
        generator = Generator(candidate, seed=seed, until=datetime(2026, 1, 1, tzinfo=UTC), block=TRIED_MEMBERS)
        found = summary(prepare(pl.concat(generator.lines(TRIED_MEMBERS)), products, model.opens_at), topic_of)
        return float(((found / wanted - 1) ** 2).sum())

    for _ in range(ROUNDS):
        for name, values in GRIDS.items():
            tried = [replace(model, **{name: value}) for value in values]  # type: ignore[arg-type]
            model = min(tried, key=distance)
    return model


def summary(prepared: pl.DataFrame, topic_of: dict[str, int]) -> Floats:
    """Return four figures of prepared lines.

    How widely members buy (nats of category entropy); the kinds per line, and the part of the commonest topic, in baskets of
    5 to 20 lines; the share of lines whose product the member had bought before.
    """
    n = prepared.group_by("member_id", "category", maintain_order=True).len()
    share = pl.col("len") / pl.col("len").sum().over("member_id")
    entropy = (
        n.with_columns((-share * share.log()).alias("nats"))
        .group_by("member_id", maintain_order=True)
        .agg(pl.col("nats").sum())
    )
    topic = pl.col("category").replace_strict(topic_of, return_dtype=pl.Int64)
    baskets = prepared.group_by("order_id", maintain_order=True).agg(
        pl.len().alias("lines"), pl.col("category").n_unique().alias("kinds"), topic.unique_counts().max().alias("most")
    )
    baskets = baskets.filter(pl.col("lines").is_between(5, 20))
    ratios = baskets.select((pl.col("kinds", "most") / pl.col("lines")).mean()).row(0) if baskets.height else (1.0, 1.0)
    found = np.array([entropy["nats"].mean(), *ratios, prepared["again"].mean()], float)
    figures: Floats = np.maximum(np.nan_to_num(found), 1e-9)
    return figures
