"""The label "lapse_risk": how likely a member who was active lately is to stay away, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from personalization.profiling.churn.dataset import ACTIVE, COLUMNS, Floats
from personalization.profiling.churn.model import HIGH, MEDIUM, ChurnModel
from personalization.profiling.churn.rhythm import RHYTHM, rhythm_of_many
from personalization.profiling.features.definitions import FEATURES
from personalization.profiling.labels import MemberView
from personalization.types import Label, Purpose

LABEL_DAYS = timedelta(days=7)


class ChurnLabels:
    """Scores members who were active in the last twelve weeks."""

    name = "churn"

    def __init__(self, model: ChurnModel) -> None:
        self._model = model

    def labels(self, members: Sequence[MemberView]) -> list[list[Label]]:
        """Return one label for each active member, none for the others."""
        active = [n for n, member in enumerate(members) if member.features["recency_days"] < ACTIVE.days]
        found: list[list[Label]] = [[] for _ in members]
        if not active:
            return found
        table = rows_of([members[n] for n in active])
        risks = self._model.score(table)
        warned = np.flatnonzero(risks >= MEDIUM)
        why = dict(zip(warned.tolist(), self._model.reasons(table[warned]), strict=True))
        for row, n in enumerate(active):
            found[n] = [self._label(members[n], float(risks[row]), why.get(row, []))]
        return found

    def _label(self, member: MemberView, risk: float, why: Sequence[str]) -> Label:
        value = "high" if risk >= HIGH else "medium" if risk >= MEDIUM else "low"
        days = self._model.horizon_days
        because = f": {', '.join(why)}" if why else ""
        says = f"{risk:.0%} likely not to come within {days} days{because}."
        evidence = {
            "probability": round(risk, 3), "horizon_days": days, "recency_days": round(member.features["recency_days"], 1),
            "gap_mean_days": round(member.features["gap_mean_days"], 1), "orders_84d": member.features["orders_84d"],
        }  # fmt: skip
        sure = round(risk if value == "high" else 1 - risk, 3)
        return Label(
            member.member_id, "lapse_risk", value, sure, says, evidence, self.name, Purpose.PROFILING, member.at,
            member.at + LABEL_DAYS,
        )  # fmt: skip


def rows_of(members: Sequence[MemberView]) -> Floats:
    """Return COLUMNS of members as (n, k), as `dataset.matrix` has them."""
    plain = np.array([[member.features[name] for name in FEATURES] for member in members])
    times = rhythm_of_many([member.order_seconds for member in members], members[0].at)
    table = np.concatenate([plain.reshape(len(members), len(FEATURES)), times], axis=1)
    table[~np.isfinite(table)] = np.nan
    assert table.shape[1] == len(COLUMNS) == len(FEATURES) + len(RHYTHM)  # noqa: S101  the two are built in one order
    return table
