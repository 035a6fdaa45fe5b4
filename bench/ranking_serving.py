"""How quick, how faithful and how large: one core, requests of real members on the trained demo."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from functools import cache

import numpy as np

from bench.profiling_models import database, state_dir
from bench.report import ROOT, Metric, percentile_with_ci, progress
from personalization import artifacts
from personalization.ranking.deadline import Deadline
from personalization.ranking.ranker import EnsembleRanker, merge
from personalization.ranking.reasons import without
from personalization.ranking.scoring import Scored, score
from personalization.ranking.shopper import Shoppers
from personalization.ranking.sources import LIMITS, shopper_sources
from personalization.types import Candidate, Channel, Context, MemberId, Product, ProductId, Purchase
from stores.catalogue import SqlCatalogue
from stores.decisions import SqlResponses
from stores.purchases import SqlPurchases, SqlTrainingSource

SEED = 7
CANDIDATES = 200
"""What an end-to-end request compares."""


@cache
def trained() -> artifacts.Artifacts | None:
    """Return the demo's artifacts, if they are there and rank with the ensemble."""
    try:
        found = artifacts.load(state_dir() / "artifacts")
    except artifacts.ArtifactError:
        return None
    return found if found.ranking.ensemble is not None else None


class Asked:
    """Requests of members of the demo, with all that the ranker is given."""

    def __init__(self, found: artifacts.Artifacts, members: int) -> None:
        db = database()
        assert db is not None
        self.found, self.shoppers = found, Shoppers(found.items)
        self.ranker = EnsembleRanker(found.items, self.shoppers, found.ranking, SqlResponses(db), budget_ms=1e9)
        self.sources = shopper_sources(found.items, self.shoppers)
        lines = SqlTrainingSource(db).order_lines()
        self.at: datetime = lines["at"].max()  # type: ignore[assignment]
        ids = lines["member_id"].unique().sort().to_list()
        chosen = np.random.default_rng(SEED).permutation(len(ids))[:members]
        self.members = [MemberId(ids[i]) for i in chosen]
        self.purchases, self.catalogue = SqlPurchases(db), SqlCatalogue(db)

    def request(
        self, member: MemberId
    ) -> tuple[Context, tuple[Purchase, ...], list[Candidate], dict[ProductId, Product]]:
        """Return what the core would hand to the ranker, at most CANDIDATES candidates."""
        bought = tuple(self.purchases.of_member(member, until=self.at))
        context = Context(Channel.WIDGET, self.at, bought[-1].store_id if bought else None)
        groups = [source.candidates(context, None, bought, LIMITS[source.name]) for source in self.sources]
        candidates = _mixed(groups)
        return context, bought, candidates, dict(self.catalogue.products([c.product_id for c in candidates]))


def _mixed(groups: list[list[Candidate]] | list) -> list[Candidate]:
    """Return CANDIDATES candidates, the sources by turns."""
    order: dict[ProductId, None] = {}
    for place in range(max(len(group) for group in groups)):
        for group in groups:
            if place < len(group):
                order.setdefault(group[place].product_id)
    kept = set(list(order)[:CANDIDATES])
    return [c for c in merge(groups) if c.product_id in kept]


def serving(quick: bool) -> Iterator[Metric]:
    """Yield end-to-end and ensemble latency, and the share of named reasons that hold when they are removed."""
    found = trained()
    if found is None or database() is None:
        why = "no trained ensemble in the state folder; run `make demo` first"
        for name, unit in (("faithful_share", "share"), ("p99_ms", "ms"), ("ensemble_p99_ms", "ms")):
            yield Metric(f"ranking.{name}", None, unit, 0, "", reason=why)
        return
    asked = Asked(found, 60 if quick else 300)
    requests = [asked.request(member) for member in asked.members]
    progress(f"ranking {len(requests)} requests of {CANDIDATES} candidates")
    took, alone = [], []
    ensemble = found.ranking.ensemble
    assert ensemble is not None
    for turn in range(3 if quick else 5):
        for context, bought, candidates, products in requests:
            # another object each time, so that nothing of the history is remembered
            history = tuple(bought)[:] if turn == 0 else (*bought,)
            started = time.perf_counter()
            asked.ranker.rank(context, None, history, candidates, products)
            took.append((time.perf_counter() - started) * 1000)
    tokens = np.random.default_rng(SEED).normal(size=(CANDIDATES, ensemble.tokenizer.width)).astype(np.float32)
    for _ in range(300 if quick else 2000):
        started = time.perf_counter()
        ensemble.score(tokens)
        alone.append((time.perf_counter() - started) * 1000)
    yield from _faithful(asked, requests, 100 if quick else 500)
    for name, samples, where in (
        ("p99_ms", took, "Complete Journey demo, features to reasons"),
        ("ensemble_p99_ms", alone, "the ONNX model alone"),
    ):
        value, interval = percentile_with_ci(samples, 99, seed=SEED, resamples=500)
        median = round(float(np.median(samples)), 2)
        yield Metric(
            f"ranking.{name}",
            value,
            "ms",
            len(samples),
            where,
            ci=interval,
            baseline={"median": median},
            seed=SEED,
            samples=samples,
        )


def _faithful(asked: Asked, requests: list, most: int) -> Iterator[Metric]:
    held, all_ = 0, 0
    for context, bought, candidates, products in requests:
        ranking = asked.ranker.rank(context, None, bought, candidates, products)
        scored = score(
            context,
            asked.shoppers.of(context, bought),
            candidates,
            asked.found.ranking,
            Deadline(1e9),
            time.perf_counter(),
        )
        for item in ranking.slate:
            if (
                all_ < most
                and (lower := _lower_without(asked, scored, item.product.product_id, str(item.reason.facts["source"])))
                is not None
            ):
                held, all_ = held + lower, all_ + 1
    share = held / max(all_, 1)
    rng = np.random.default_rng(SEED)
    low, high = np.percentile(rng.binomial(all_, share, 2000) / max(all_, 1), [2.5, 97.5])
    yield Metric(
        "ranking.faithful_share", round(share, 4), "share", all_, "named top reason removed, the whole request scored again",
        ci=(round(float(low), 4), round(float(high), 4)), seed=SEED,
    )  # fmt: skip


def _lower_without(asked: Asked, scored: Scored, product: ProductId, group: str) -> bool | None:
    """Whether the item's score falls when the named evidence is taken away and the whole request is scored again."""
    models = asked.found.ranking
    row = next(i for i, c in enumerate(scored.candidates) if c.product_id == product)
    if (
        scored.compared is None
        or scored.predictions is None
        or row not in scored.compared
        or models.ensemble is None
        or models.predictors is None
    ):
        return None
    features, predictions = scored.features[scored.compared].copy(), scored.predictions[scored.compared].copy()
    place = int(np.flatnonzero(scored.compared == row)[0])
    features[place] = without(features[[place]], group)[0]
    predictions[place] = models.predictors.predict(features[[place]])[0]
    from personalization.ranking.scoring import told

    after = models.ensemble.score_request(features, predictions, told(Context(Channel.WIDGET, asked.at)))[place]
    return bool(after < scored.score[row])


SIZES = (1_000, 10_000, 100_000, 1_000_000)


def scaling(quick: bool) -> dict[str, list[tuple[float, float]]]:
    """Return (size, value) per curve: ranking's p99 in ms and memory in MiB over items, members per second and memory over members.

    Every size runs in a process of its own, on generated orders, one core.
    """
    curves: dict[str, list[tuple[float, float]]] = {
        "items_ms": [],
        "items_mib": [],
        "members_per_s": [],
        "members_mib": [],
    }
    for size in SIZES[: 1 if quick else len(SIZES)]:
        for what, first, second in (("items", "items_ms", "items_mib"), ("members", "members_per_s", "members_mib")):
            progress(f"{size:,} {what}")
            done = subprocess.run(
                [sys.executable, "-m", "bench.ranking_scale", what, str(size)],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            )
            value, memory = (float(part) for part in done.stdout.split())
            curves[first].append((size, value))
            curves[second].append((size, memory))
    return curves
