"""`aisle bench trust`: what erasure leaves, whether explanations hold, how soon a withdrawal works, and what fairness costs."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from api.log import configure
from bench import trust_api, trust_erasing, trust_explaining, trust_fairness
from bench.page import Bar, write_page
from bench.report import Metric

SEED = 7
BARS = {
    "trust.schemathesis_server_errors": Bar(0), "trust.auth_bypass": Bar(0), "trust.outbox_lost": Bar(0), "trust.outbox_doubled": Bar(0),
    "trust.schemathesis_violations": Bar(0), "trust.erasure_hits": Bar(0), "trust.explanation_faithful_share": Bar(0.95, least=True), "trust.withdrawal_to_blank_ms": Bar(1000),
    "trust.fairness_gap_after": Bar(0.05), "trust.fairness_price": Bar(None), "trust.routes_without_matrix_entry": Bar(0),
}  # fmt: skip
NOTES = [
    "",
    "* `trust.erasure_hits`: the proof test (docs/privacy.md) goes further: a real face at a kiosk, a broker, a restored backup.",
    "* `trust.outbox_lost`, `trust.outbox_doubled`: a process that issues, redeems and sends is killed 200 times on each database, and the whole api 20 times, while shoppers send again under one `Idempotency-Key` what got no answer. There, what was said to be done and was not counts as lost, and a request that was done twice as doubled.",
    "* `trust.explanation_faithful_share`: where the item would stand without its evidence is told less exactly than its score: see the baseline.",
    "* `trust.fairness_gap_after`: prices of groups follow from earlier arrivals only. Prices fitted once in hindsight and used on other arrivals did not close the gap, since groups of 20 members are mostly chance.",
]


def main(*, quick: bool, data: Path | None) -> None:
    """Print every metric of trust. Without `quick` the full protocol runs and docs/benchmarks/trust.md is written."""
    del data  # nothing here is measured on evaluation data
    configure("console")
    found: list[Metric] = []
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for metric in trust_erasing.metrics(quick=quick):  # alone: a withdrawal is timed
            metric.print()
            found.append(metric)
        api = pool.submit(_of_the_api, quick=quick)
        for part in (trust_explaining.metrics, trust_fairness.metrics):
            for metric in part(quick=quick):
                metric.print()
                found.append(metric)
        for metric in api.result():
            metric.print()
            found.append(metric)
    if not quick:
        titles = {"trust.withdrawal_to_blank_ms": "How long until a screen shows nobody after a withdrawal?"}
        write_page("trust", "Trust", BARS, found, seed=SEED, titles=titles, after=NOTES)


def _of_the_api(*, quick: bool) -> list[Metric]:
    """Return what is measured of the API itself, by a process of its own."""
    configure("console")
    return list(trust_api.metrics(quick=quick))
