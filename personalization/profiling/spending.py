"""The label "expected_spend": a boosted mean with the spread of the probability model of `value` around it.

Grocery shoppers are more regular than BG/NBD believes, so that its mean is no better than a run rate. Boosting on what lapses
are foreseen from (`churn.dataset`) is; but it knows no interval. So the model's draws are scaled to the boosted mean.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np
import polars as pl

from personalization.profiling import value
from personalization.profiling.churn import model as churn
from personalization.profiling.churn.dataset import ACTIVE, COLUMNS, Floats, matrix, origins, rows_at
from personalization.profiling.churn.labels import rows_of
from personalization.profiling.labels import MemberView
from personalization.profiling.value import DAY_S, HORIZON_DAYS, WINDOW_DAYS, Prediction, ValueModel
from personalization.types import Label, Money, Purpose

LABEL_DAYS = timedelta(days=14)
PARAMETERS = {**churn.PARAMETERS, "objective": "tweedie", "learning_rate": 0.03, "min_data_in_leaf": 100}
TREES = 300


@dataclass(frozen=True)
class SpendingModel:
    """The priors of visits and money, and the booster of the mean (LightGBM's text) where there was enough history for one."""

    priors: ValueModel
    booster_text: str | None
    horizon_days: int

    @cached_property
    def _booster(self) -> Any:
        import lightgbm  # noqa: PLC0415  it takes seconds to import; only the worker needs it

        return lightgbm.Booster(model_str=self.booster_text)

    def means(self, table: Floats) -> Floats | None:
        """Return what members who were active lately will spend, rows of COLUMNS (n, k) -> (n,) minor units; None without a booster."""
        if self.booster_text is None:
            return None
        found: Floats = np.asarray(self._booster.predict(table, num_threads=2))
        return found

    def as_json(self) -> str:
        """Return the model as text."""
        return json.dumps(
            {"priors": asdict(self.priors), "booster_text": self.booster_text, "horizon_days": self.horizon_days}
        )

    @classmethod
    def from_json(cls, text: str) -> SpendingModel:
        """Read what `as_json` wrote. Raises ValueError, KeyError or TypeError for something else."""
        told = json.loads(text)
        return cls(ValueModel(**told["priors"]), told["booster_text"], told["horizon_days"])


def fit(
    lines: pl.DataFrame, *, until: datetime, every: timedelta, seed: int, horizon: timedelta = timedelta(days=HORIZON_DAYS)
) -> SpendingModel | None:  # fmt: skip
    """Learn from order lines up to `until` (the columns that `features.batch` reads); None for too few members.

    The booster learns from origins whose horizon ends by `until`. It is left out where they do not span a horizon: it would
    know one season only, and lost to the priors alone on such a cut (docs/models/value.md).
    """
    priors = value.fit(lines, until=until)
    first = lines["at"].min()
    if priors is None or not isinstance(first, datetime):
        return None
    at = origins(first, until - horizon, every=every)
    if not at or at[-1] - at[0] < horizon:
        return SpendingModel(priors, None, horizon.days)
    import lightgbm  # noqa: PLC0415

    rows = pl.concat([_with_spending(lines, origin, horizon) for origin in at])
    data = lightgbm.Dataset(matrix(rows), rows["later"].to_numpy().astype(float), feature_name=list(COLUMNS))
    booster = lightgbm.train({**PARAMETERS, "seed": seed}, data, num_boost_round=TREES)
    return SpendingModel(priors, booster.model_to_string(), horizon.days)


def _with_spending(lines: pl.DataFrame, origin: datetime, horizon: timedelta) -> pl.DataFrame:
    inside = lines.filter((pl.col("at") > origin) & (pl.col("at") <= origin + horizon))
    later = inside.group_by("member_id").agg(pl.col("amount_minor").sum().clip(0).alias("later"))
    rows = rows_at(lines, origin, None).join(later, on="member_id", how="left", maintain_order="left")
    return rows.with_columns(pl.col("later").fill_null(0))


class SpendingLabels:
    """The label "expected_spend": what a member with an order in the last half year will spend, with an interval."""

    name = "value"

    def __init__(self, model: SpendingModel, currency: str) -> None:
        self._model, self._currency = model, currency

    def labels(self, members: Sequence[MemberView]) -> list[list[Label]]:
        """Return one label for each member with an order in the window, none for the others."""
        active = [n for n, member in enumerate(members) if member.features["recency_days"] < ACTIVE.days]
        boosted = self._model.means(rows_of([members[n] for n in active])) if active else None
        means = dict(zip(active, boosted, strict=True)) if boosted is not None else {}
        return [
            [self._label(member, means.get(n))] if member.features["orders"] else [] for n, member in enumerate(members)
        ]

    def _label(self, member: MemberView, mean: float | None) -> Label:
        ago = np.unique((int(member.at.timestamp()) - member.order_seconds) // DAY_S)
        visits = max(int((ago < WINDOW_DAYS).sum()), 1)
        money, days = member.features["spent"] / visits, self._model.horizon_days
        # the same draws for a member each time: a label that stays put
        rng = np.random.default_rng(crc32(member.member_id.encode()))
        found = self._model.priors.predict(
            len(ago) - 1, float(ago[-1] - ago[0]), float(ago[-1]), visits, money, rng, days
        )
        told = found if mean is None else found.around(float(mean))
        return self._told(member, told, {"money_per_visit_minor": round(money), "boosted": mean is not None})

    def _told(self, member: MemberView, found: Prediction, about: dict[str, int | bool]) -> Label:
        mean, low, high = (Money(round(amount), self._currency) for amount in (found.mean, found.low, found.high))
        says = f"Expected to spend {mean} in the next {self._model.horizon_days // 7} weeks (90% between {low} and {high})."
        evidence = {
            "low_minor": low.minor_units, "high_minor": high.minor_units, "visits": round(found.visits, 1),
            "still_a_customer": round(found.alive, 3), **about,
        }  # fmt: skip
        return Label(
            member.member_id, "expected_spend", float(mean.minor_units), 0.9, says, evidence, self.name, Purpose.PROFILING, member.at,
            member.at + LABEL_DAYS,
        )  # fmt: skip
