"""How the fusion weights of `personalization.ranking.ranker` were chosen: a grid on the four weeks before the test weeks.

Run `python -m bench.fusion_weights DATABASE_URL`; the last four weeks, on which `aisle train` reports, are never seen.
"""

from __future__ import annotations

import itertools
import sys
from datetime import datetime

import numpy as np
import polars as pl

from personalization.evaluation import ndcg
from personalization.ports import CandidateSource
from personalization.ranking.ranker import merge
from personalization.ranking.sources import AlsSource, PopularitySource, RepeatPurchaseSource
from personalization.training import HOLDOUT, build_items, purchases_of
from personalization.types import Channel, Context
from stores.crypto import new_key
from stores.database import Database
from stores.purchases import SqlTrainingSource

SEED, MEMBERS = 7, 300


def main(url: str) -> None:
    """Print mean NDCG@10 on the validation weeks for each triple of weights, best first."""
    source = SqlTrainingSource(Database(url, new_key()))
    products = source.products()
    lines = source.order_lines().join(products.select("product_id"), on="product_id", how="semi")
    end = lines["at"].max()
    if not isinstance(end, datetime):
        sys.exit("there are no orders; import some first")
    test_start = end - HOLDOUT
    lines = lines.filter(pl.col("at") < test_start).sort("at", "order_id", "product_id")
    cut = test_start - HOLDOUT
    before, after = lines.filter(pl.col("at") < cut), lines.filter(pl.col("at") >= cut)
    active = np.array(sorted(set(before["member_id"]) & set(after["member_id"])))
    sample = np.random.default_rng(SEED).permutation(active)[:MEMBERS].tolist()
    items = build_items(before, products, SEED)
    sources: list[CandidateSource] = [RepeatPurchaseSource(items), AlsSource(items), PopularitySource(items)]
    context = Context(Channel.API, cut)
    pooled = []
    for key, frame in before.filter(pl.col("member_id").is_in(sample)).group_by("member_id"):
        purchases = purchases_of(frame)
        fused = merge([source.candidates(context, None, purchases, 200) for source in sources])
        truth = set(after.filter(pl.col("member_id") == key[0])["product_id"])
        parts = np.array([[c.scores.get(source.name, 0.0) for source in sources] for c in fused])
        pooled.append(([str(c.product_id) for c in fused], parts, truth))
    results = []
    for taste, popular in itertools.product((0.0, 0.02, 0.05, 0.1, 0.2), (0.0, 0.02, 0.05, 0.1, 0.2)):
        weights = np.array([1.0, taste, popular])
        scores = [ndcg([ids[i] for i in np.argsort(-(parts @ weights))[:10]], truth) for ids, parts, truth in pooled]
        results.append((float(np.mean(scores)), taste, popular))
    for mean, taste, popular in sorted(results, reverse=True)[:12]:
        print(f"repeat 1.00 taste {taste:.2f} popular {popular:.2f}: NDCG@10 {mean:.4f}")


if __name__ == "__main__":
    main(sys.argv[1])
