"""What an experiment says, in words: each sentence follows from the figures, and none promises more than they show."""

from __future__ import annotations

from collections.abc import Callable

from personalization.experiments.analysis import LEAST_UNITS, SRM_ALPHA, ArmResult, Effect, Result
from personalization.experiments.spec import COSTS, METRICS, Experiment
from personalization.said import Fact, Said

TOLD: dict[str, str] = {
    "conversion": "the share of people who order", "spend": "spending per person", "orders": "orders per person",
    "retention": "the share of people who order again in the second half of the window", "discount": "discounts given per person",
    "engagement": "products opened or put into the basket per person", "handoffs": "conversations handed to a person, per person",
}  # fmt: skip
assert TOLD.keys() == METRICS.keys()  # noqa: S101
Money = Callable[[float], str]
MINOR = frozenset({"spend", "discount"})
SHARES = frozenset({"conversion", "retention"})


def conclude(experiment: Experiment, found: Result, *, running: bool, money: Money | None = None) -> list[Said]:
    """Return what can be said now, the weightiest first. money : how an amount of minor units is written."""
    seen = sum(found.units.values())
    if not seen:
        days = experiment.window_days
        sentence = f"Nothing can be said yet: nobody's {days} days have passed since their first exposure."
        return [Said("experiment.nobody_yet", sentence, {"days": days})]
    if found.srm_p is not None and found.srm_p < SRM_ALPHA:
        sentence = (
            "The result is not to be used: the groups' sizes contradict the planned shares "
            f"(sample ratio mismatch, p = {found.srm_p:.2g}). Find out who is missing before you start again."
        )
        return [Said("experiment.lopsided", sentence, {"p": found.srm_p})]
    told = [line for arm in found.arms for line in _arm(experiment, arm, found, money)]
    if len(found.arms) > 1:
        sentence = (
            f"{len(found.arms)} arms are compared with the control: intervals and verdicts are those that hold for all of them together "
            "with 95 %."
        )
        told.append(Said("experiment.arms_together", sentence, {"arms": len(found.arms)}))
    if experiment.design == "fixed" and seen < experiment.planned_units:
        told.append(_early(experiment, seen))
    if found.later:
        sentence = (
            f"It is read at its planned size: the first {experiment.planned_units:,} people count, in order of their exposure; "
            f"{found.later:,} who came after them change nothing."
        )
        told.append(Said("experiment.read_once", sentence, {"planned": experiment.planned_units, "later": found.later}))
    if running and experiment.design == "sequential":
        told.append(
            Said("experiment.sequential", "The test is sequential: looking at it now and later does not spoil it.")
        )
    return told


def _early(experiment: Experiment, seen: int) -> Said:
    sentence = (
        f"It is planned to be read at {experiment.planned_units:,} people and has {seen:,}; until then differences may be chance, "
        "and acting on one early makes a false alarm likelier than 5 %."
    )
    return Said("experiment.planned", sentence, {"planned": experiment.planned_units, "seen": seen})


def _arm(experiment: Experiment, arm: ArmResult, found: Result, money: Money | None) -> list[Said]:
    control, metric = experiment.arms[0].name, experiment.metric
    if not arm.effects:
        least = min(arm.units, found.units[control])
        sentence = f"Nothing can be said of “{arm.arm}” yet: the smaller group has {least:,} people, and {LEAST_UNITS} are needed in each."
        return [Said("experiment.too_few", sentence, {"arm": arm.arm, "least": least, "needed": LEAST_UNITS})]
    effects = {effect.metric: effect for effect in arm.effects}
    one = effects[metric]
    told = [_sentence(experiment, arm, one, control, money)]
    told += [_broken(arm, effects[name], experiment.guardrails[name], money) for name in arm.broken]
    kept = [name for name in experiment.guardrails if name in effects and name not in arm.broken]
    if kept and not arm.broken:
        sentence = f"No guardrail is surely broken ({', '.join(kept)}); that is no proof that nothing got worse."
        told.append(Said("experiment.guardrails_kept", sentence, {"metrics": kept}))
    if one.saved >= 0.05:
        sentence = f"Taking account of what people did before (CUPED) removed {one.saved:.0%} of the noise."
        told.append(Said("experiment.cuped", sentence, {"saved": one.saved}))
    return told


def _broken(arm: ArmResult, one: Effect, tolerated: float, money: Money | None) -> Said:
    sentence = (
        f"“{arm.arm}” breaks a guardrail: {TOLD[one.metric]} changed by {_by(one, money)}, "
        f"surely beyond the {tolerated:.0%} that are tolerated. Do not roll it out."
    )
    return Said("experiment.guardrail_broken", sentence, {**_facts(arm, one), "tolerated": tolerated})


def _facts(arm: ArmResult, one: Effect) -> dict[str, Fact]:
    return {"arm": arm.arm, "metric": one.metric, "difference": one.difference, "relative": one.relative}


def _sentence(experiment: Experiment, arm: ArmResult, one: Effect, control: str, money: Money | None) -> Said:
    fixed = experiment.design == "fixed"
    interval = one.ci if fixed else (one.always or one.ci)
    sure = interval[0] > 0 or interval[1] < 0
    range_ = f"{_amount(one.metric, interval[0], money)} to {_amount(one.metric, interval[1], money)}"
    kind = "95 % interval" if fixed else "95 % interval that holds at every look"
    what = TOLD[one.metric]
    facts = {
        **_facts(arm, one), "control": control, "low": interval[0], "high": interval[1], "at_every_look": not fixed,
        "verdict": arm.verdict,
    }  # fmt: skip
    if not sure:
        sentence = (
            f"No difference in {what} has been found between “{arm.arm}” and “{control}”: it may lie anywhere from {range_} ({kind}). "
            "That is not proof that there is none."
        )
        return Said("experiment.unsure", sentence, facts)
    better = (one.difference > 0) != (one.metric in COSTS)
    verb = "rose" if one.difference > 0 else "fell"
    judged = "" if arm.verdict in {"better", "worse"} else f" The verdict is still “{arm.verdict}”."
    good = "an improvement" if better else "a loss"
    sentence = (
        f"With “{arm.arm}” {what} {verb} by {_by(one, money)} against “{control}” ({kind}: {range_}): {good}.{judged}"
    )
    return Said("experiment.effect", sentence, {**facts, "better": better})


def _by(one: Effect, money: Money | None) -> str:
    share = "" if one.relative is None else f" ({one.relative:+.1%})"
    return f"{_amount(one.metric, one.difference, money)}{share}"


def _amount(metric: str, value: float, money: Money | None) -> str:
    if metric in SHARES:
        return f"{value * 100:+.2f} percentage points"
    if metric in MINOR and money is not None:
        return f"{'+' if value >= 0 else '-'}{money(abs(value))}"
    return f"{value:+.3g}"
