"""`train`: order lines and products to artifacts and a manifest. Serving never trains."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import csc_matrix
from threadpoolctl import threadpool_limits

from personalization import artifacts
from personalization.coupons.log import CouponLog
from personalization.coupons.response import ResponseModel
from personalization.coupons.response import fit as fit_response
from personalization.decisions import LoggedRequest
from personalization.ports import TrainingSource
from personalization.profiling import clustering, drift, rules, spending
from personalization.profiling.churn.model import ChurnModel
from personalization.profiling.churn.model import fit as fit_churn
from personalization.profiling.facts import feature_lines
from personalization.profiling.features import FEATURES, batch, category_shares, embedding
from personalization.ranking import evaluate, index, learning, study
from personalization.ranking.catalogue import EASE_PENALTY, Catalogue, items_at
from personalization.ranking.history import History, Ints, as_day, of_lines
from personalization.ranking.items import ITEM_ARRAYS, Items
from personalization.ranking.learning import Learned, Plan
from personalization.ranking.logged import keep, tally
from personalization.ranking.metrics import told
from personalization.ranking.scoring import SOURCE_WEIGHTS, Models
from personalization.ranking.sentences import texts
from personalization.ranking.sentences.texts import TextVectors

Progress = Callable[[str, int, int], None]
HOLDOUT = timedelta(weeks=4)
COUPON_HORIZON, COUPON_MEMORY = timedelta(days=14), timedelta(days=365)
SEGMENT_CATEGORIES = 30
ORIGINS_EVERY = timedelta(days=14)
EVALUATED_MEMBERS = 500
RANKING_STEPS, TEXT_STEPS = 20, 4


class TrainingError(Exception):
    """There is too little to learn from; the message says what is missing."""


def train(
    source: TrainingSource, out_dir: Path, *, seed: int, progress: Progress, plan: Plan | None = None,
    models: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Train on everything, after evaluating on the last four weeks; replace `out_dir` at the end and return its manifest.

    Raises TrainingError when fewer than 20 members have orders. A killed run leaves a checkpoint of the ensemble beside
    `out_dir`, from which the next one goes on. `models` is the folder that `aisle models pull` fills, `models` beside
    `out_dir` by default; without the sentence encoder there, search is by words alone.
    """
    started, plan = time.monotonic(), plan or Plan()
    steps = RANKING_STEPS + TEXT_STEPS + 6

    def ranking(share: float) -> None:
        progress("learning to rank", 1 + int(share * RANKING_STEPS), steps)

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
    after = RANKING_STEPS + 1
    with threadpool_limits(2, "blas"):
        ranking(0.0)
        since = end - timedelta(days=plan.origins * plan.every)
        logged = partial(source.logged_requests, since=since, most=plan.logged)
        items, learned, metrics = _ranking(lines, products, logged, end, plan, out_dir, seed, ranking)
    with threadpool_limits(1, "blas"):
        progress("finding segments", after, steps)
        profiled = feature_lines(every, source.product_facts())
        found = _segments(profiled, seed)
        progress("learning who stays away and who spends what", after + 1, steps)
        churn = fit_churn(profiled, until=end, every=ORIGINS_EVERY, seed=seed)
        worth = spending.fit(profiled, until=end, every=ORIGINS_EVERY, seed=seed)
        progress("finding what goes together", after + 2, steps)
        together = rules.mine(profiled, seed=seed)
        given = source.coupon_log(since=end - COUPON_MEMORY, until=end - COUPON_HORIZON, horizon=COUPON_HORIZON)
        response = fit_response(given, seed=seed)
        near = embedding.fit(profiled)
    progress("indexing the catalogue for search", after + 3, steps)
    vocabulary, matrix = index.build(products, items.popularity)
    read, told_of_texts = _texts(
        products, models or out_dir.with_name("models"),
        lambda share: progress("reading product texts", after + 4 + int(share * (TEXT_STEPS - 1)), steps),
    )  # fmt: skip
    progress("writing", after + 4 + TEXT_STEPS, steps)
    digest = _digest(lines, products, learned.log_sha256, given)
    manifest = {
        "version": f"{end:%Y%m%d}-{digest[:8]}-{seed}", "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed, "data_sha256": digest, "data_until": end.isoformat(), "members": lines["member_id"].n_unique(),
        "order_lines": lines.height, "items": len(items.product_ids), "seconds": round(time.monotonic() - started, 1),
        "parameters": {"plan": asdict(plan), "ease_penalty": EASE_PENALTY, "sources": SOURCE_WEIGHTS},
        "segments": {"k": len(found["segments"]), "sizes": found["sizes"], **{name: found[name] for name in ("chosen", "rule_accuracy")}},
        "rules": {name: together[name] for name in ("mined", "kept", "baskets")},
        "coupons": {"allotments": len(given), "learned": response.booster_text is not None, "drop": round(response.drop, 4)},
        "ranking": learned.report, "texts": told_of_texts, "evaluation": metrics,
    }  # fmt: skip
    more = {"segments": found, "rules": together, "embedding": near}
    _write(out_dir, items, learned, (vocabulary, matrix, read), (churn, worth, response), more, manifest)
    progress("done", steps, steps)
    return manifest


def _ranking(
    lines: pl.DataFrame,
    products: pl.DataFrame,
    logged: Callable[[], Iterable[LoggedRequest]],
    end: datetime,
    plan: Plan,
    out_dir: Path,
    seed: int,
    progress: Callable[[float], None],
) -> tuple[Items, Learned, dict[str, Any]]:
    """Learn from before the last four weeks, judge on those, and return the items as of `end` with the models.

    The models hold no items and no members, so nothing is lost by leaving the last weeks for the judgement. What came of
    decisions is learned up to now; who has any in the last weeks is not judged.
    """
    catalogue = Catalogue.of(products, lines)
    members = lines["member_id"].unique().sort()
    history = of_lines(lines, members, catalogue.product_ids, catalogue.stores)
    until, cut = as_day(end) + 1e-6, as_day(end - HOLDOUT)
    checkpoint = out_dir.with_name(out_dir.name + ".checkpoint")
    with tempfile.TemporaryDirectory(prefix="aisle-log-") as name:
        log = None
        count, positive = tally(logged(), plan.least_logged, plan.least_positive)
        if count >= plan.least_logged and positive >= plan.least_positive:
            log = keep(logged(), Path(name), history, catalogue, members, every=plan.every, seed=seed)
        learned = learning.learn(
            history, catalogue, len(members), cut, plan, seed=seed, checkpoint=checkpoint, progress=progress, log=log
        )
        learned.report.setdefault("logged", {"requests": count, "learned": []})
        seen = log.members_since(cut) if log is not None and learned.log_sha256 else None
    metrics = _evaluate(history, catalogue, len(members), cut, learned.models, seed, seen)
    return items_at(catalogue, history, len(members), until, seed=seed), learned, metrics


def _evaluate(
    history: History, catalogue: Catalogue, members: int, cut: float, models: Models, seed: int, seen: Ints | None
) -> dict[str, Any]:
    """Rank for what was bought in the weeks after `cut`, for a sample of members active on both sides, without `seen`."""
    held = study.hold_out(
        history, catalogue, members, cut, HOLDOUT / timedelta(days=1), seed=seed, sample=EVALUATED_MEMBERS, without=seen
    )
    if held is None or len(held.requests) < 20:
        return {"note": "too few members bought on both sides of the split without being learned from in between"}
    scores = evaluate.simple_scores(held.requests)
    if models.predictors is not None:
        scores["predictors"], scores[models.best] = evaluate.predict(held.requests, models)
    judged = evaluate.judge(held.requests, held.truth, scores)
    day = datetime.fromtimestamp(cut * 86_400, UTC)
    return {
        "split": f"learned from before {day:%Y-%m-%d}, judged on the four weeks after", "members": len(held.requests),
        **{metric: told(values, seed=seed) for metric, values in judged.items()},
    }  # fmt: skip


def _texts(
    products: pl.DataFrame, models: Path, progress: Callable[[float], None]
) -> tuple[TextVectors | None, dict[str, Any]]:
    """Embed the products' texts, and say how it went; None when the sentence encoder cannot be had."""
    started = time.monotonic()
    progress(0.0)
    try:
        read = texts.fit(products, models, progress)
    except (OSError, ValueError, KeyError) as error:
        return None, {"note": f"no sentence encoder, so search is by words alone ({type(error).__name__}: {error}); run `aisle models pull` and train again"}  # fmt: skip
    return read, {
        "encoder": texts.NAME, "distinct": len(read.vectors), "graph": read.many,
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip


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


def _digest(lines: pl.DataFrame, products: pl.DataFrame, log_sha256: str, given: CouponLog) -> str:
    digest = hashlib.sha256(log_sha256.encode())
    for column in (given.features, given.discount, given.propensity, given.converted):
        digest.update(np.ascontiguousarray(column).tobytes())
    for frame in (lines, products.sort("product_id")):
        digest.update(frame.hash_rows(seed=0).to_numpy().tobytes())
    return digest.hexdigest()


def _write(
    out_dir: Path,
    items: Items,
    learned: Learned,
    search: tuple[dict[str, int], csc_matrix, TextVectors | None],
    models: tuple[ChurnModel | None, spending.SpendingModel | None, ResponseModel],
    more: dict[str, Any],
    manifest: dict[str, Any],
) -> None:
    """Write beside `out_dir` and swap, so that serving never sees half of it."""
    fresh = out_dir.with_name(out_dir.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    np.savez(fresh / "items.npz", **{name: getattr(items, name) for name in ITEM_ARRAYS})
    artifacts.save_sparse(fresh / "neighbours.npz", csc_matrix(items.neighbours))
    learning.write(fresh, learned)
    vocabulary, matrix, read = search
    if read is not None:
        read.write(fresh)
    artifacts.save_sparse(fresh / "store_popularity.npz", items.store_popularity)
    artifacts.save_sparse(fresh / "search.npz", matrix)
    for name, part in (("search_terms", vocabulary), *more.items(), ("manifest", manifest)):
        (fresh / f"{name}.json").write_text(json.dumps(part, indent=1, ensure_ascii=False))
    for name, model in zip(("churn", "spending", "response"), models, strict=True):
        if model is not None:
            (fresh / f"{name}.json").write_text(model.as_json())
    artifacts.seal(fresh)
    shutil.rmtree(out_dir, ignore_errors=True)
    fresh.rename(out_dir)
