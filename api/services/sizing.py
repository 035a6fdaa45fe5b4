"""How large an experiment has to be in this shop."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np

from api.errors import ProblemError
from api.schemas import PowerIn
from api.wiring import Services
from personalization.experiments.power import Past, days_until, detectable, needed
from personalization.experiments.spec import METRICS, ExperimentError
from personalization.said import Said

LEAST_PAST = 30
BEFORE = {"spend": "spend_before", "orders": "orders_before", "conversion": "orders_before", "retention": "orders_before",
          "discount": "spend_before"}  # fmt: skip


def worked_out(body: PowerIn, services: Services, *, now: datetime) -> dict[str, Any]:
    """Return size, detectable change and days; ProblemError 422 where the past says too little."""
    if body.metric not in METRICS:
        raise ProblemError(422, "invalid", f"A metric is one of {', '.join(METRICS)}.")
    frame = services.experiment_traffic.past(window_days=body.window_days, at=now)
    if frame.height < LEAST_PAST:
        raise ProblemError(
            422, "too-little", f"Only {frame.height} members came lately; {LEAST_PAST} are needed to work out a size. "
            "Start without a planned size, as a sequential test.",
        )  # fmt: skip
    values = frame[body.metric].to_numpy().astype(float)
    covariate = BEFORE.get(body.metric)
    before = np.zeros(len(values)) if covariate is None else frame[covariate].to_numpy().astype(float)
    told = before.std() > 0 and values.std() > 0
    correlation = float(np.corrcoef(values, before)[0, 1]) if told else 0.0
    past = Past(len(values), float(values.mean()), float(values.std(ddof=1)), correlation)
    reached = services.experiment_traffic.reached(at=now)
    given: dict[str, Any] = {
        "control": body.control_share, "alpha": body.alpha, "power": body.power, "sequential": body.design == "sequential",
    }  # fmt: skip
    try:
        units = _units(body, past, reached, given)
    except ExperimentError as error:
        raise ProblemError(422, "invalid", f"{str(error).capitalize()}.") from None
    change = detectable(past, units, **given)
    exposed = days_until(units, reached, body.traffic)
    days = None if exposed is None else exposed + body.window_days
    first = round(units * body.control_share)
    relative = change / past.mean if past.mean else None
    said = _said(body, units, relative, exposed, days)
    return {
        "metric": body.metric, "basis_units": past.units, "mean": past.mean, "deviation": past.deviation, "saved": correlation**2,
        "units": units, "per_arm": (first, units - first), "detectable": change, "relative": relative, "days": days, "exposed_days": exposed,
        "reached": reached, "sentence": said.sentence, "told": said.told(),
    }  # fmt: skip


def _units(body: PowerIn, past: Past, reached: list[int], given: dict[str, Any]) -> int:
    if body.relative is not None:
        return needed(past, body.relative, **given)
    if body.units is not None:
        return body.units
    days = body.days or 1
    lately = (reached[-1] - reached[-8]) / 7
    met = reached[days - 1] if days <= len(reached) else reached[-1] + lately * (days - len(reached))
    units = int(met * body.traffic)
    if units < LEAST_PAST:
        raise ExperimentError(f"only {units} people would take part in {days} days; give it more time or more traffic")
    return units


def _said(body: PowerIn, units: int, relative: float | None, exposed: int | None, days: int | None) -> Said:
    found = "" if relative is None else f" of {relative:.1%}"
    reach = (
        "At the traffic of the last four weeks that number is never met: look for a larger change, or let more people take part."
        if exposed is None
        else f"They are met in about {exposed:,} days, and after {body.window_days} more, on day {days:,}, the last of them can be judged."
    )
    sentence = f"{units:,} people in all show a change{found} in {body.power:.0%} of experiments in which there is one. {reach}"
    facts = {
        "units": units,
        "relative": relative,
        "power": body.power,
        "exposed": exposed,
        "window": body.window_days,
        "days": days,
    }
    return Said("experiment.size", sentence, facts)
