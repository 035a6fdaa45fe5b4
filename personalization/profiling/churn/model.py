"""Gradient boosting on rhythm and features, calibrated on a later origin, explained by TreeSHAP (Lundberg et al. 2020)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personalization.calibration import platt
from personalization.profiling.churn.dataset import COLUMNS, Floats, matrix, origins, training_rows
from personalization.profiling.churn.words import reason

# fixed before any test period was looked at: small steps, large leaves, since weekly origins repeat the same members
PARAMETERS: dict[str, Any] = {
    "objective": "binary", "learning_rate": 0.015, "num_leaves": 15, "min_data_in_leaf": 200, "bagging_fraction": 0.7,
    "bagging_freq": 1, "feature_fraction": 0.3, "lambda_l2": 10.0, "verbosity": -1, "num_threads": 2, "deterministic": True,
    "force_row_wise": True,
}  # fmt: skip
TREES = 400
HORIZON = timedelta(days=28)
HIGH, MEDIUM = 0.4, 0.2


@dataclass(frozen=True)
class ChurnModel:
    """A booster (LightGBM's text format), and the line that calibrates its log-odds (Platt 1999)."""

    booster_text: str
    slope: float
    offset: float
    horizon_days: int

    @cached_property
    def _booster(self) -> Any:
        import lightgbm  # noqa: PLC0415  it takes seconds to import; only the worker needs it

        return lightgbm.Booster(model_str=self.booster_text)

    def load(self) -> None:
        """Import LightGBM and read the trees now, so that the first label need not wait for it."""
        _ = self._booster

    def score(self, table: Floats) -> Floats:
        """Return the calibrated probability of lapsing for rows of COLUMNS, (n, k) -> (n,)."""
        raw = np.asarray(self._booster.predict(table, raw_score=True, num_threads=2))
        found: Floats = 1.0 / (1.0 + np.exp(-(self.slope * raw + self.offset)))
        return found

    def reasons(self, table: Floats, top: int = 2) -> list[list[str]]:
        """Return for each row the `top` facts that raise its risk most, in words; TreeSHAP contributions decide."""
        if not len(table):
            return []
        parts = np.asarray(self._booster.predict(table, pred_contrib=True, num_threads=2))[:, :-1]
        found = []
        for row, contribution in zip(table, parts, strict=True):
            said: dict[str, None] = {}
            for column in np.argsort(-contribution):
                if contribution[column] <= 0 or len(said) >= top:
                    break
                words = reason(COLUMNS[column], row)
                if words:
                    said[words] = None
            found.append(list(said))
        return found

    def as_json(self) -> str:
        """Return the model as text."""
        return json.dumps({name: getattr(self, name) for name in ("booster_text", "slope", "offset", "horizon_days")})

    @classmethod
    def from_json(cls, text: str) -> ChurnModel:
        """Read what `as_json` wrote. Raises ValueError, KeyError or TypeError for something else."""
        return cls(**json.loads(text))


def fit(
    lines: pl.DataFrame,
    *,
    until: datetime,
    horizon: timedelta = HORIZON,
    every: timedelta = timedelta(days=7),
    seed: int,
) -> ChurnModel | None:
    """Learn from every origin whose horizon ends by `until`; None when there are too few members who lapsed.

    The newest of these origins calibrates a booster that has seen only origins whose horizon ends before it; the booster
    that is kept then learns from all.
    """
    first = lines["at"].min()
    if not isinstance(first, datetime):
        return None
    at = origins(first, until - horizon, every=every)
    earlier = [origin for origin in at if at and origin <= at[-1] - horizon]
    if not earlier:
        return None
    rows = training_rows(lines, at, horizon)
    table, lapsed = matrix(rows), rows["lapsed"].to_numpy()
    judged, seen = (rows["origin"] == at[-1]).to_numpy(), rows["origin"].is_in(earlier).to_numpy()
    if min(lapsed[seen].sum(), lapsed[judged].sum(), (~lapsed[judged]).sum()) < 20:
        return None
    raw = boost(table[seen], lapsed[seen], seed).predict(table[judged], raw_score=True)
    slope, offset = platt(raw, lapsed[judged].astype(float), np.ones(len(raw)))
    return ChurnModel(boost(table, lapsed, seed).model_to_string(), slope, offset, horizon.days)


def boost(table: Floats, lapsed: NDArray[np.bool_], seed: int, names: Sequence[str] = COLUMNS) -> Any:
    """Return a booster fitted to rows (n, k) and labels (n,)."""
    import lightgbm  # noqa: PLC0415

    data = lightgbm.Dataset(table, lapsed.astype(float), feature_name=list(names), free_raw_data=True)
    return lightgbm.train({**PARAMETERS, "seed": seed}, data, num_boost_round=TREES)
