"""`train`: order lines and products to artifacts and a manifest. Serving never trains."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix
from threadpoolctl import threadpool_limits

from personalization import artifacts
from personalization.artifacts import Items
from personalization.evaluation import ndcg, recall, summary
from personalization.ports import CandidateSource, TrainingSource
from personalization.profiling import clustering, drift, rules, spending
from personalization.profiling.churn.model import ChurnModel
from personalization.profiling.churn.model import fit as fit_churn
from personalization.profiling.facts import feature_lines
from personalization.profiling.features import FEATURES, batch, category_shares, embedding
from personalization.ranking.ranker import WEIGHTS, merge
from personalization.ranking.sources import AlsSource, PopularitySource, RepeatPurchaseSource
from personalization.ranking.text import terms
from personalization.types import Channel, Context, Money, OrderId, ProductId, Purchase

Progress = Callable[[str, int, int], None]
FACTORS, ITERATIONS, REGULARIZATION, ALPHA = 64, 8, 5.0, 1.0
LEAST_BUYERS = 5
HOLDOUT = timedelta(weeks=4)
SEGMENT_CATEGORIES = 30
ORIGINS_EVERY = timedelta(days=14)
EVALUATED_MEMBERS = 500


class TrainingError(Exception):
    """There is too little to learn from; the message says what is missing."""


def train(source: TrainingSource, out_dir: Path, *, seed: int, progress: Progress) -> dict[str, Any]:
    """Train on everything, after evaluating on the last four weeks; replace `out_dir` at the end and return its manifest.

    Raises TrainingError when fewer than 20 members have orders.
    """
    started, steps = time.monotonic(), 8
    progress("reading orders", 0, steps)
    every, products = source.order_lines(), source.products()
    lines = every.join(products.select("product_id"), on="product_id", how="semi").sort("at", "order_id", "product_id")
    if lines["member_id"].n_unique() < 20:
        raise TrainingError(
            "fewer than 20 members with orders and consent to profiling; import orders first (`aisle import`)"
        )
    end = lines["at"].max()
    if not isinstance(end, datetime):
        raise TrainingError("the orders have no dates")
    with threadpool_limits(1, "blas"):
        progress("evaluating on the last four weeks", 1, steps)
        metrics = _evaluate(lines, products, end - HOLDOUT, seed)
        progress("learning tastes from everything", 2, steps)
        items = build_items(lines, products, seed)
        progress("finding segments", 3, steps)
        profiled = feature_lines(every, source.product_facts())
        found = _segments(profiled, seed)
        progress("learning who stays away and who spends what", 4, steps)
        churn = fit_churn(profiled, until=end, every=ORIGINS_EVERY, seed=seed)
        worth = spending.fit(profiled, until=end, every=ORIGINS_EVERY, seed=seed)
        progress("finding what goes together", 5, steps)
        together = rules.mine(profiled, seed=seed)
        near = embedding.fit(profiled)
    progress("indexing the catalogue for search", 6, steps)
    vocabulary, matrix = build_search(products, items)
    progress("writing", 7, steps)
    digest = _digest(lines, products)
    manifest = {
        "version": f"{end:%Y%m%d}-{digest[:8]}-{seed}", "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed, "data_sha256": digest, "data_until": end.isoformat(), "members": lines["member_id"].n_unique(),
        "order_lines": lines.height, "items": len(items.product_ids), "seconds": round(time.monotonic() - started, 1),
        "parameters": {"factors": FACTORS, "iterations": ITERATIONS, "regularization": REGULARIZATION, "alpha": ALPHA,
                       "fusion": WEIGHTS},
        "segments": {"k": len(found["segments"]), "sizes": found["sizes"], **{name: found[name] for name in ("chosen", "rule_accuracy")}},
        "rules": {name: together[name] for name in ("mined", "kept", "baskets")},
        "evaluation": metrics,
    }  # fmt: skip
    _write(out_dir, items, vocabulary, matrix, found, (churn, worth), {"rules": together, "embedding": near}, manifest)
    progress("done", steps, steps)
    return manifest


def build_items(lines: pl.DataFrame, products: pl.DataFrame, seed: int) -> Items:
    """Return popularity and taste factors of all products in `products`, learned from `lines`."""
    end = lines["at"].max()
    products = products.sort("product_id")
    position = products.select("product_id").with_row_index("item")
    categories = products["category"].unique().sort()
    category = (
        products["category"].replace_strict(categories, np.arange(len(categories)), return_dtype=pl.Int32).to_numpy()
    )
    lines = lines.join(position, on="product_id")
    recent = lines.filter(pl.col("at") > end - pl.duration(weeks=8))
    buyers = np.zeros(len(products), np.int32)
    counted = recent.group_by("item").agg(pl.col("member_id").n_unique().alias("n"))
    buyers[counted["item"].to_numpy()] = counted["n"].to_numpy()
    stores, local = _store_popularity(recent, len(products))
    return Items(
        product_ids=products["product_id"].to_numpy().astype(str), categories=categories.to_numpy().astype(str),
        category=category, popularity=(np.log1p(buyers) / np.log1p(max(buyers.max(), 1))).astype(np.float32), buyers=buyers,
        factors=_taste(lines, len(products), seed), regularization=REGULARIZATION, alpha=ALPHA, stores=stores,
        store_popularity=local,
    )  # fmt: skip


def _store_popularity(recent: pl.DataFrame, items: int) -> tuple[NDArray[np.str_], csc_matrix]:
    counted = recent.drop_nulls("store_id").group_by("store_id", "item").agg(pl.col("member_id").n_unique().alias("n"))
    counted = counted.filter(pl.col("n") >= 3).with_columns(
        (pl.col("n") / pl.col("n").max().over("store_id")).alias("share")
    )
    stores = counted["store_id"].unique().sort()
    row: Any = (
        counted["store_id"].replace_strict(stores, np.arange(len(stores)), return_dtype=pl.Int32).to_numpy()
        if len(stores)
        else []
    )
    shape = (max(len(stores), 1), items)
    local = csc_matrix((counted["share"].to_numpy().astype(np.float32), (row, counted["item"].to_numpy())), shape=shape)
    return stores.to_numpy().astype(str), local


def _taste(lines: pl.DataFrame, items: int, seed: int) -> NDArray[np.float32]:
    """Return ALS item factors (items, FACTORS); zeros for items with fewer than LEAST_BUYERS buyers."""
    pairs = lines.group_by("member_id", "item").agg(pl.col("order_id").n_unique().alias("orders"))
    common = pairs.group_by("item").len().filter(pl.col("len") >= LEAST_BUYERS)["item"].sort()
    factors = np.zeros((items, FACTORS), np.float32)
    if len(common) <= FACTORS:
        return factors
    pairs = pairs.filter(pl.col("item").is_in(common.implode())).sort("member_id", "item")
    column = pairs["item"].replace_strict(common, np.arange(len(common)), return_dtype=pl.Int32).to_numpy()
    row = pairs["member_id"].rank("dense").cast(pl.Int32).to_numpy() - 1
    weight = (1.0 + ALPHA * np.log1p(pairs["orders"].to_numpy())).astype(np.float32)
    model = AlternatingLeastSquares(
        factors=FACTORS,
        regularization=REGULARIZATION,
        alpha=1.0,
        iterations=ITERATIONS,
        random_state=seed,
        num_threads=2,
    )
    model.fit(csr_matrix((weight, (row, column))), show_progress=False)
    factors[common.to_numpy()] = model.item_factors
    return factors


def build_search(products: pl.DataFrame, items: Items) -> tuple[dict[str, int], csc_matrix]:
    """Return a TF-IDF index of names, categories and brands: terms to columns, and (items, terms) of unit rows."""
    ordered = products.sort("product_id")
    rows, columns, values = [], [], []
    vocabulary: dict[str, int] = {}
    for row, (name, category, brand) in enumerate(ordered.select("name", "category", "brand").iter_rows()):
        weights: dict[str, float] = {}
        for text, weight in ((name, 1.0), (category, 0.5), (brand, 0.3)):
            for term in terms(text):
                weights[term] = weights.get(term, 0.0) + weight * (0.35 if term.startswith("#") else 1.0)
        for term, weighed in weights.items():
            rows.append(row)
            columns.append(vocabulary.setdefault(term, len(vocabulary)))
            values.append(weighed)
    n = len(items.product_ids)
    matrix = csr_matrix((np.array(values, np.float32), (rows, columns)), shape=(n, len(vocabulary)))
    frequency = np.bincount(matrix.indices, minlength=len(vocabulary))
    matrix.data *= np.log((1 + n) / (1 + frequency[matrix.indices])).astype(np.float32) + 1.0
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    matrix = matrix.multiply(1.0 / np.maximum(norms, 1e-9)[:, None])
    # what nobody buys should not come before what many buy at the same match
    return vocabulary, csc_matrix(matrix.multiply((0.9 + 0.1 * items.popularity)[:, None]).astype(np.float32))


def _segments(lines: pl.DataFrame, seed: int) -> dict[str, Any]:
    """Fit segments on everybody's features at the end of the orders."""
    end = lines["at"].max()
    found = batch(lines, end).filter(pl.col("orders") > 0).sort("member_id")  # type: ignore[arg-type]
    spent = lines.filter(pl.col("category") != "").group_by("category").agg(pl.col("amount_minor").sum())
    top = (
        spent.sort("amount_minor", "category", descending=[True, False])["category"].head(SEGMENT_CATEGORIES).to_list()
    )
    shares = category_shares(lines, end, top).join(found, on="member_id", how="semi").sort("member_id")  # type: ignore[arg-type]
    columns = {name: found[name].to_numpy() for name in FEATURES}
    model = clustering.fit(columns, shares.select(top).to_numpy(), top, seed=seed)
    return model | {"reference": drift.reference(columns, model["sizes"])}


def _evaluate(lines: pl.DataFrame, products: pl.DataFrame, cut: datetime, seed: int) -> dict[str, Any]:
    """Learn from before `cut` and rank for what was bought after it, for a sample of members active on both sides."""
    before, after = lines.filter(pl.col("at") < cut), lines.filter(pl.col("at") >= cut)
    active = sorted(set(before["member_id"]) & set(after["member_id"]))
    if len(active) < 20:
        return {"note": "too few members bought on both sides of the split"}
    sample = sorted(np.random.default_rng(seed).permutation(np.array(active))[:EVALUATED_MEMBERS].tolist())
    items = build_items(before, products, seed)
    sources: dict[str, CandidateSource] = {
        "repeat": RepeatPurchaseSource(items),
        "taste": AlsSource(items),
        "popular": PopularitySource(items),
    }
    context = Context(Channel.API, cut)
    truth = {member: set(found) for member, found in after.group_by("member_id").agg("product_id").iter_rows()}
    history = {key[0]: frame for key, frame in before.filter(pl.col("member_id").is_in(sample)).group_by("member_id")}
    scores: dict[str, dict[str, list[float]]] = {"ndcg@10": {}, "recall@10": {}, "new_ndcg@10": {}}
    for member in sample:
        purchases = purchases_of(history[member])
        owned = {str(purchase.product_id) for purchase in purchases}
        groups = {name: source.candidates(context, None, purchases, 200) for name, source in sources.items()}
        fused = merge(list(groups.values()))
        ranked = {name: [str(c.product_id) for c in group] for name, group in groups.items()}
        best = sorted(fused, key=lambda c: -sum(WEIGHTS[name] * score for name, score in c.scores.items()))
        ranked["fused"] = [str(c.product_id) for c in best]
        for name, order in ranked.items():
            scores["ndcg@10"].setdefault(name, []).append(ndcg(order, truth[member]))
            scores["recall@10"].setdefault(name, []).append(recall(order, truth[member]))
            if new := truth[member] - owned:
                unseen = [product_id for product_id in order if product_id not in owned]
                scores["new_ndcg@10"].setdefault(name, []).append(ndcg(unseen, new))
    found = {metric: summary(values, seed=seed) for metric, values in scores.items()}
    return {
        "split": f"learned from before {cut:%Y-%m-%d}, judged on the four weeks after",
        "members": len(sample),
        **found,
    }


def purchases_of(frame: pl.DataFrame) -> list[Purchase]:
    """Return one member's order lines as purchases."""
    columns = ("order_id", "product_id", "at", "quantity", "amount_minor")
    return [
        Purchase(OrderId(order), ProductId(product), at, quantity, Money(amount, ""))
        for order, product, at, quantity, amount in frame.select(columns).iter_rows()
    ]


def _digest(lines: pl.DataFrame, products: pl.DataFrame) -> str:
    digest = hashlib.sha256()
    for frame in (lines, products.sort("product_id")):
        digest.update(frame.hash_rows(seed=0).to_numpy().tobytes())
    return digest.hexdigest()


def _write(
    out_dir: Path,
    items: Items,
    vocabulary: dict[str, int],
    matrix: csc_matrix,
    found: dict[str, Any],
    models: tuple[ChurnModel | None, spending.SpendingModel | None],
    more: dict[str, Any],
    manifest: dict[str, Any],
) -> None:
    """Write beside `out_dir` and swap, so that serving never sees half of it."""
    fresh = out_dir.with_name(out_dir.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    arrays = {
        name: getattr(items, name)
        for name in (
            "product_ids",
            "categories",
            "category",
            "popularity",
            "buyers",
            "factors",
            "regularization",
            "alpha",
            "stores",
        )
    }
    np.savez(fresh / "items.npz", **arrays)
    artifacts.save_sparse(fresh / "store_popularity.npz", items.store_popularity)
    artifacts.save_sparse(fresh / "search.npz", matrix)
    for name, part in (("search_terms", vocabulary), ("segments", found), *more.items(), ("manifest", manifest)):
        (fresh / f"{name}.json").write_text(json.dumps(part, indent=1, ensure_ascii=False))
    for name, model in zip(("churn", "spending"), models, strict=True):
        if model is not None:
            (fresh / f"{name}.json").write_text(model.as_json())
    shutil.rmtree(out_dir, ignore_errors=True)
    fresh.rename(out_dir)
