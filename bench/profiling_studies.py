"""What stands beside the metrics on the profiling page: learners on the same splits, spending against the run rate, uplift, the cost curve."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bench.churn_study import as_markdown, study, telco_study
from bench.plot import curve_svg
from bench.profiling_models import demo_lines, last_sunday, telco_table
from bench.report import ROOT, Metric, progress
from personalization.profiling.churn.dataset import matrix, rows_at
from personalization.profiling.spending import fit as fit_spending
from personalization.profiling.uplift import fit as fit_uplift
from personalization.profiling.value import Prediction, history

SEED = 7
FOUR_WEEKS = timedelta(days=28)


def studies(data: Path | None, found: list[Metric], folder: Path = ROOT / "docs" / "benchmarks") -> list[str]:
    """Run every study whose data is there; return the page's lines and write the cost curve beside it."""
    text = cost_curve(found, folder)
    lines = demo_lines(False)
    if lines is not None:
        end = last_sunday(lines)
        text += ["## Lapse: learners on the same splits", "", _LAPSE, ""]
        for days in (28, 56):
            progress(f"learners side by side, {days} days")
            tests = [end - timedelta(days=days) - FOUR_WEEKS * back for back in range(3)]
            text += as_markdown(
                f"No visit within {days} days", study(lines, timedelta(days=days), tests, every=FOUR_WEEKS)
            )
    if data is not None and (path := data / "tabular" / "telco.csv").exists():
        progress("learners side by side, Telco")
        y, table = telco_table(path)
        text += as_markdown("IBM Telco", telco_study(table, y))
    if lines is not None:
        text += spending(lines)
    if data is not None and (path := data / "tabular" / "hillstrom.csv").exists():
        text += uplift(path)
    return text


_LAPSE = (
    "AUC (95 % bootstrap interval over members) and PR-AUC at three origins; learned from origins four weeks apart whose horizon had ended. "
    "\"Cluster, then stack\" reproduces the cited hybrid (k-medoids, then boosting, a tree and a neural network, stacked)."
)  # fmt: skip


def cost_curve(found: list[Metric], folder: Path) -> list[str]:
    """Draw the seconds to segment and score growing numbers of members."""
    [metric] = [one for one in found if one.metric == "profiling.million_members_s"]
    if not metric.baseline:
        return []
    points = [(int(size.replace(",", "")), float(seconds)) for size, seconds in metric.baseline.items()]
    (folder / "profiling-cost.svg").write_text(
        curve_svg("Segmenting and scoring members", points, "members", "seconds")
    )
    return ["![Seconds by number of members](profiling-cost.svg)", ""]


def spending(lines: pl.DataFrame) -> list[str]:
    """Judge expected spending of active members on what was spent after three cuts, beside the run rate and the priors alone."""
    end = lines["at"].max()
    assert isinstance(end, datetime)
    rows = [
        _spending_at(lines, end - timedelta(days=days) - FOUR_WEEKS * back, days) for days in (28, 84) for back in range(3)
    ]  # fmt: skip
    head = "| horizon | cut | members | run rate | BG/NBD alone | Aisle | sum, predicted by real | within the 90 % interval | of BG/NBD alone |"
    return ["## Expected spending", "", _SPENDING, "", head, "|---|---|---|---|---|---|---|---|---|", *rows, ""]


_SPENDING = (
    "Mean absolute error in dollars (root mean square error), learned from everything before the cut. The run rate is money per visit "
    "times visits in 26 weeks, continued. Where Aisle equals BG/NBD, origins did not span a horizon yet and it was left to the priors."
)  # fmt: skip


def _spending_at(lines: pl.DataFrame, cut: datetime, days: int) -> str:
    progress(f"expected spending, {days} days after {cut:%Y-%m-%d}")
    model = fit_spending(lines, until=cut, every=timedelta(days=14), seed=SEED, horizon=timedelta(days=days))
    assert model is not None
    after = (pl.col("at") > cut) & (pl.col("at") <= cut + timedelta(days=days))
    later = lines.filter(after).group_by("member_id").agg(pl.col("amount_minor").sum().alias("later"))
    rows = rows_at(lines, cut, None)
    known = rows.select("member_id").join(history(lines, cut), on="member_id", how="left", maintain_order="left")
    known = known.join(later, on="member_id", how="left", maintain_order="left").with_columns(
        pl.col("later").fill_null(0)
    )
    plain = [
        model.priors.predict(x, recency, age, visits, money, np.random.default_rng(n), days)
        for n, (x, recency, age, visits, money) in enumerate(known.select("x", "recency", "age", "visits", "money").iter_rows())
    ]  # fmt: skip
    boosted = model.means(matrix(rows))
    told = plain if boosted is None else [one.around(float(mean)) for one, mean in zip(plain, boosted, strict=True)]
    y, mean = known["later"].to_numpy(), np.array([one.mean for one in told])
    run_rate = (
        known["visits"].to_numpy() * known["money"].to_numpy() / np.minimum(known["age"].to_numpy() + 1, 182) * days
    )

    def error(guess: NDArray[np.float64]) -> str:
        return f"{np.abs(y - guess).mean() / 100:.2f} ({np.sqrt(((y - guess) ** 2).mean()) / 100:.1f})"

    def inside(found: list[Prediction]) -> str:
        return f"{np.mean([one.low <= value <= one.high for one, value in zip(found, y, strict=True)]):.1%}"

    alone = error(np.array([one.mean for one in plain]))
    return (
        f"| {days} days | {cut:%Y-%m-%d} | {len(y):,} | {error(run_rate)} | {alone} | {error(mean)} | {mean.sum() / y.sum():.2f} | "
        f"{inside(told)} | {inside(plain)} |"
    )


def uplift(path: Path) -> list[str]:
    """Cross-fit the uplift model on Hillstrom's experiment, outcome visits."""
    progress("uplift on Hillstrom")
    frame = pl.read_csv(path, infer_schema_length=None)
    plain = frame.drop("segment", "visit", "conversion", "spend")
    table = plain.to_dummies([name for name, kind in plain.schema.items() if kind == pl.String])
    model = fit_uplift(
        table.to_numpy().astype(float), frame["segment"].to_numpy().astype(str), frame["visit"].to_numpy().astype(float), columns=table.columns,
        control="No E-Mail", experiment_id="hillstrom", name="visits", seed=SEED,
    )  # fmt: skip
    found = model.evaluation
    assert found is not None
    rows = [
        f"| {arm} | {found.at_30[arm]:.3f} ({found.at_30_ci[arm][0]:.3f} to {found.at_30_ci[arm][1]:.3f}) | {found.random[arm]:.3f} | {found.suggested[arm]:.0%} |"
        for arm in found.at_30
    ]
    policy = f"Visits per customer under the model's choices: {found.policy:.3f} ({found.policy_ci[0]:.3f} to {found.policy_ci[1]:.3f}); under the best single mail {found.best_arm:.3f}."
    head = "| mail | effect among the 30 % whom it suits best | among everybody | suggested to |"
    return [
        "## Uplift on Hillstrom (64,000 customers, visits, cross-fitted)",
        "",
        head,
        "|---|---|---|---|",
        *rows,
        "",
        policy,
        "",
    ]
