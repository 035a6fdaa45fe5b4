"""`aisle bench coupons`: the allocator against the optimum, the response model, strategic shoppers, the ledger, speed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bench import coupons_ledger as ledger
from bench import coupons_models as models
from bench import coupons_pages as pages
from bench import coupons_regret as regret
from bench import coupons_scale as scale
from bench import coupons_speed as speed
from bench import coupons_strategic as strategic
from bench.page import Bar, write_page
from bench.report import Metric

SEED = 7
BARS = {
    "coupons.optimum_share_iid": Bar(0.998, least=True), "coupons.optimum_share_drift": Bar(0.995, least=True),
    "coupons.optimum_share_misspecified": Bar(0.98, least=True), "coupons.utilisation_p05": Bar(0.995, least=True),
    "coupons.overspend_minor_units": Bar(0), "coupons.monotone_violations": Bar(0), "coupons.gain_over_best_fixed": Bar(0.15, least=True),
    "coupons.redemption_auc": Bar(0.82, least=True), "coupons.hillstrom_uplift30": Bar(0.073, least=True), "coupons.strategic_gain": Bar(0.05),
    "coupons.decide_p99_ms": Bar(1), "coupons.http_p99_ms": Bar(15), "coupons.batch_million_s": Bar(3), "coupons.ledger_imbalance": Bar(0),
}  # fmt: skip
TITLES = {
    "coupons.decide_p99_ms": "How long does one decision over 30 discounts take?",
    "coupons.http_p99_ms": "How long does a till wait at 200 requests a second?",
}


def main(*, quick: bool, data: Path | None) -> None:
    """Print every metric of coupons. Without `quick` the full protocol runs and docs/benchmarks/coupons.md is written."""
    found: list[Metric] = []
    parts: list[Callable[[], Iterator[Metric]]] = [
        partial(part.metrics, quick, data) for part in (speed, scale, regret, models, strategic, ledger)
    ]
    for part in parts:
        for metric in part():
            metric.print()
            found.append(metric)
    if not quick:
        told = (pages.section(), models.section(data), strategic.section(), ledger.section())
        after = [line for part in told for line in ("", *part)]
        write_page("coupons", "Coupons", BARS, found, seed=SEED, titles=TITLES, after=after)
