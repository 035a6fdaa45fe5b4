"""`aisle bench ranking`: accuracy and variety on held-out months, EMER and its parts, the closed loop, speed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bench import ranking_emer as emer
from bench import ranking_objectives as predictors
from bench import ranking_offline as offline
from bench import ranking_serving as serving
from bench.page import Bar, write_page
from bench.plot import curve_svg, points_svg
from bench.report import ROOT, Metric, progress

SEED = 7
BARS = {
    "ranking.product_ndcg10": Bar(0.515, least=True), "ranking.product_novel_ndcg10": Bar(0.095, least=True),
    "ranking.next_basket_recall10": Bar(0.145, least=True), "ranking.category_ndcg10": Bar(0.752, least=True),
    "ranking.coverage": Bar(0.367, least=True), "ranking.ild": Bar(0.93, least=True), "ranking.candidate_recall": Bar(0.345, least=True),
    "ranking.emer_vs_formula_iput_gauc": Bar(0.0, least=True), "ranking.emer_vs_lambdamart_ndcg10": Bar(0.0, least=True),
    "ranking.simulated_retention_gain": Bar(0.0, least=True), "ranking.faithful_share": Bar(0.95, least=True),
    "ranking.p99_ms": Bar(25), "ranking.ensemble_p99_ms": Bar(6), "ranking.train_s": Bar(600),
}  # fmt: skip
TITLES = {"ranking.p99_ms": "How long does one request take, features to reasons?"}
PAGE = ROOT / "docs" / "benchmarks"


def main(*, quick: bool, data: Path | None) -> None:
    """Print every metric of ranking. Without `quick` the full protocol runs and docs/benchmarks/ranking.md is written."""
    found: list[Metric] = []
    parts: list[Callable[[], Iterator[Metric]]] = [
        partial(serving.serving, quick), partial(offline.offline, quick), partial(emer.on_orders_metrics, quick),
        partial(emer.on_simulated_metrics, quick, data), partial(emer.loop_metrics, quick),
    ]  # fmt: skip
    for part in parts:
        for metric in part():
            metric.print()
            found.append(metric)
    if not quick:
        write_page("ranking", "Ranking", BARS, found, seed=SEED, titles=TITLES, after=list(_after(data)))


def _after(data: Path | None) -> Iterator[str]:
    if offline.run("products", quick=False) is not None:
        for what in ("products", "categories"):
            yield from (
                "",
                f"## {what.capitalize()}: every method on the same candidates",
                "",
                *offline.comparison(what),
            )
        yield from _frontier()
        columns = (
            "ndcg10",
            "novel_ndcg10",
            "next_basket_recall10",
            "gauc_purchase",
            "gauc_repeat",
            "gauc_redeem",
            "iput_gauc",
        )
        yield from (
            "",
            "## EMER and its parts, Complete Journey",
            "",
            *emer.table(emer.on_orders(quick=False), columns),
        )
        yield from ("", "## Predictors: one network or trees", "", *predictors.table(predictors.measure()))
    simulated = ("iput_gauc", "gauc_click", "gauc_long_view", "gauc_like", "gauc_follow", "gauc_comment", "gauc_forward",
               "interactions per session", "watch per session", "views per session")  # fmt: skip
    yield from (
        "",
        "## EMER and its parts, simulated requests",
        "",
        *emer.table(emer.on_simulated(data, quick=False), simulated),
    )
    yield from _loop()
    yield from _scaling()


def _frontier() -> Iterator[str]:
    points = offline.frontier()
    by_name = {m.name: m for m in offline.methods("products", quick=False)}
    others = [
        (m.mean("coverage"), m.mean("ndcg10"), name) for name, m in by_name.items() if not name.startswith("Aisle")
    ]
    ours = [(m.mean("coverage"), m.mean("ndcg10"), f"{knob:g}") for knob, m in points.items()]
    (PAGE / "ranking-frontier.svg").write_text(
        points_svg(
            "NDCG@10 against coverage: our slates by knob, and the others",
            {"knobs": ours, "others": others},
            "catalogue coverage",
            "NDCG@10",
            joined={"knobs"},
        )
    )
    yield from (
        "",
        "## Accuracy and diversity: the knob's frontier, products",
        "",
        "![frontier](ranking-frontier.svg)",
        "",
    )
    columns = (
        "ndcg10",
        "next_basket_recall10",
        "ild",
        "distance",
        "novelty_bits",
        "coverage",
        "gini",
        "miscalibration",
    )
    yield "| knob | " + " | ".join(columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for knob, m in points.items():
        shipped = " (shipped)" if knob == offline.SHIPPED else ""
        yield f"| {knob:g}{shipped} | " + " | ".join(f"{m.mean(c):.4f}" for c in columns) + " |"


def _loop() -> Iterator[str]:
    study = emer.closed_loop(quick=False)
    yield from ("", "## Closed loop: what retains members, and which offline metric foretells it", "")
    yield from ("| policy | retention after 90 days | purchases per member-day |", "|---|---|---|")
    for name, (mean, low, high) in study.retention.items():
        yield f"| {name} | {mean:.3f} ({low:.3f} to {high:.3f}) | {study.purchases[name][0]:.3f} |"
    yield from ("", "| offline metric | rank correlation with retention, over policies |", "|---|---|")
    for name, (mean, low, high) in sorted(study.correlation.items(), key=lambda pair: -pair[1][0]):
        yield f"| {name} | {mean:+.2f} ({low:+.2f} to {high:+.2f}) |"


def _scaling() -> Iterator[str]:
    progress("scaling")
    curves = serving.scaling(False)
    yield from ("", "## Scaling, one core", "")
    told = {
        "items_ms": ("p99 of one request by size of the catalogue, sources to reasons", "items", "ms"),
        "items_mib": ("Memory by size of the catalogue", "items", "MiB"),
        "members_per_s": ("Training requests made per second by number of members", "members", "requests/s"),
        "members_mib": ("Memory of making training requests by number of members", "members", "MiB"),
    }
    for name, (title, across, up) in told.items():
        (PAGE / f"ranking-{name}.svg").write_text(curve_svg(title, curves[name], across, up))
        told_values = ", ".join(f"{size:,}: {value:g} {up}" for size, value in curves[name])
        yield from (f"![{title}](ranking-{name}.svg)", "", f"By {across}: {told_values}.", "")
