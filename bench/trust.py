"""`aisle bench trust`: what erasure leaves, whether explanations hold, how soon a withdrawal works, and what fairness costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from api.log import configure
from bench import trust_erasing, trust_explaining, trust_fairness
from bench.page import Bar, write_page
from bench.report import Metric

SEED = 7
BARS = {
    "trust.schemathesis_server_errors": Bar(0), "trust.auth_bypass": Bar(0), "trust.outbox_lost": Bar(0), "trust.outbox_doubled": Bar(0),
    "trust.erasure_hits": Bar(0), "trust.explanation_faithful_share": Bar(0.95, least=True), "trust.withdrawal_to_blank_ms": Bar(1000),
    "trust.fairness_gap_after": Bar(0.05), "trust.fairness_price": Bar(None), "trust.routes_without_matrix_entry": Bar(0),
}  # fmt: skip
_API = {
    "schemathesis_server_errors": "errors", "auth_bypass": "bypasses", "outbox_lost": "events", "outbox_doubled": "events",
    "routes_without_matrix_entry": "routes",
}  # fmt: skip

NOTES = [
    "",
    "* `trust.erasure_hits`: the proof test (docs/privacy.md) goes further: a real face at a kiosk, a broker, a restored backup.",
    "* `trust.explanation_faithful_share`: where the item would stand without its evidence is told less exactly than its score: see the baseline.",
    "* `trust.fairness_gap_after`: prices of groups follow from earlier arrivals only. Prices fitted once in hindsight and used on other arrivals did not close the gap, since groups of 20 members are mostly chance.",
]


def main(*, quick: bool, data: Path | None) -> None:
    """Print every metric of trust. Without `quick` the full protocol runs and docs/benchmarks/trust.md is written."""
    del data  # nothing here is measured on evaluation data
    configure("console")
    found: list[Metric] = []
    parts: list[Callable[[], Iterator[Metric]]] = [
        partial(trust_erasing.metrics, quick=quick),
        partial(trust_explaining.metrics, quick=quick),
        partial(trust_fairness.metrics, quick=quick),
        partial(_api, quick=quick),
    ]
    for part in parts:
        for metric in part():
            metric.print()
            found.append(metric)
    if not quick:
        titles = {"trust.withdrawal_to_blank_ms": "How long until a screen shows nobody after a withdrawal?"}
        write_page("trust", "Trust", BARS, found, seed=SEED, titles=titles, after=NOTES)


def _api(*, quick: bool) -> Iterator[Metric]:
    """Yield what is measured of the API itself, where that benchmark is there."""
    if find_spec("bench.trust_api") is not None:
        yield from import_module("bench.trust_api").metrics(quick=quick)
        return
    for name, unit in _API.items():
        yield Metric(f"trust.{name}", None, unit, 0, "", reason="the API's part of this benchmark is not there")
