"""`aisle bench profiling`: the event stream, features, churn, segments, and a million members."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bench import profiling_models as models
from bench import profiling_stream as stream
from bench.page import Bar, write_page
from bench.report import Metric

SEED = 7
BARS = {
    "profiling.event_to_label_p95_ms": Bar(250), "profiling.ingest_events_per_s": Bar(3000, least=True),
    "profiling.replay_10m_s": Bar(900), "profiling.replay_equal": Bar(1, least=True), "profiling.lost_or_doubled": Bar(0),
    "profiling.batch_equals_incremental_max_abs": Bar(1e-9), "profiling.churn28_auc": Bar(0.870, least=True),
    "profiling.churn56_auc": Bar(0.858, least=True), "profiling.churn28_ece": Bar(0.03), "profiling.telco_auc": Bar(0.849, least=True),
    "profiling.segment_jaccard": Bar(0.75, least=True), "profiling.rule_accuracy": Bar(0.85, least=True),
    "profiling.read_p99_ms": Bar(5), "profiling.million_members_s": Bar(300), "profiling.million_members_rss_mib": Bar(4096),
}  # fmt: skip
TITLES = {"profiling.event_to_label_p95_ms": "How long after an event is its label there?"}


def main(*, quick: bool, data: Path | None) -> None:
    """Print every metric of profiling. Without `quick` the full protocol runs and docs/benchmarks/profiling.md is written."""
    found: list[Metric] = []
    parts: list[Callable[[], Iterator[Metric]]] = [
        *(partial(part, quick) for part in (stream.through_the_api, stream.replay_time, stream.replay_equal_and_read, stream.kills)),
        *(partial(part, quick) for part in (models.batch_equals_incremental, models.churn)),
        partial(models.telco, data),
        *(partial(part, quick) for part in (models.segments, models.million)),
    ]  # fmt: skip
    for part in parts:
        for metric in part():
            metric.print()
            found.append(metric)
    if not quick:
        from bench.profiling_studies import studies

        write_page("profiling", "Profiling", BARS, found, seed=SEED, titles=TITLES, after=studies(data, found))
