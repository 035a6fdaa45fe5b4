"""What an experiment is: arms, what they do differently, what is measured, and what must not get worse."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

SWITCHES = ("personalize", "coupons", "creative")
METRICS: Mapping[str, str] = {
    "conversion": "whether there was an order",
    "spend": "money spent, in minor units",
    "orders": "how many orders",
    "retention": "whether there was an order in the second half of the window",
    "discount": "discounts and coupons that were given, in minor units",
    "engagement": "items clicked or put into the basket",
    "handoffs": "conversations handed to a person",
}
DESIGNS = ("sequential", "fixed")
OF_ORDERS = frozenset({"conversion", "spend", "orders", "retention", "discount"})  # known of members only
COSTS = frozenset({"discount", "handoffs"})  # less is better
_PARTS = 2**53


class ExperimentError(ValueError):
    """An experiment does not make sense; the message names what to change."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of treating people. A switch that is off is off for those who are in the arm, and changes nothing else.

    without : the campaign whose coupons the arm does not get, "" for none; tuning : the version of the tuning by which it is
    decided for the arm, None for the one that counts.
    """

    name: str
    share: float
    personalize: bool = True
    coupons: bool = True
    creative: bool = True
    without: str = ""
    tuning: int | None = None

    def off(self) -> frozenset[str]:
        """Return the names of the switches that are off."""
        return frozenset(name for name in SWITCHES if not getattr(self, name))

    def treatment(self) -> tuple[frozenset[str], str, int | None]:
        """Return all that the arm does."""
        return self.off(), self.without, self.tuning


@dataclass(frozen=True, slots=True)
class Experiment:
    """A hypothesis with arms; the first arm is the control, shares sum to 1, `traffic` is the part of people who take part.

    `guardrails` map a metric to the relative change for the worse that is tolerated. A unit (a member, else a visitor) is
    judged on the `window_days` after its first exposure. `design` is chosen up front: a "sequential" test may be looked at as often
    as one likes, a "fixed" one is read once, when `planned_units` were judged in all.
    """

    experiment_id: str
    hypothesis: str
    arms: tuple[Arm, ...]
    metric: str = "spend"
    guardrails: Mapping[str, float] = field(default_factory=dict)
    traffic: float = 1.0
    window_days: int = 28
    design: str = "sequential"
    planned_units: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be run or judged."""
        names = [arm.name for arm in self.arms]
        rules = (
            (len(self.arms) >= 2, "an experiment needs at least two arms; the first is the control"),
            (len(set(names)) == len(names), "two arms have the same name"),
            (all(arm.share > 0 for arm in self.arms), "an arm's share must be above 0"),
            (abs(sum(arm.share for arm in self.arms) - 1) < 1e-6, "the arms' shares must sum to 1"),
            (0 < self.traffic <= 1, "traffic must be above 0 and at most 1"),
            (1 <= self.window_days <= 365, "window_days must be from 1 to 365"),
            ({self.metric, *self.guardrails} <= set(METRICS), f"a metric is one of {', '.join(METRICS)}"),
            (all(0 < least <= 1 for least in self.guardrails.values()), "a guardrail tolerates a change above 0 and at most 1"),
            (len({arm.treatment() for arm in self.arms}) > 1 or all(not arm.off() for arm in self.arms),
             "all arms switch the same things off; then there is nothing to compare"),
            (self.design in DESIGNS, f"the design is one of {', '.join(DESIGNS)}"),
            (self.planned_units >= 0, "planned_units must not be below 0"),
            (self.design != "fixed" or self.planned_units > 0,
             "a fixed-horizon test needs planned_units, the size at which it is read; the power calculator tells it"),
        )  # fmt: skip
        for holds, otherwise in rules:
            if not holds:
                raise ExperimentError(otherwise)

    def assign(self, unit_id: str) -> Arm | None:
        """Return the unit's arm, None for who does not take part.

        It follows from the two names alone (SHA-256), so that every channel gives the same answer without asking another, and
        arms of different experiments are independent.
        """
        if _uniform(self.experiment_id, "traffic", unit_id) >= self.traffic:
            return None
        at, reached = _uniform(self.experiment_id, "arm", unit_id), 0.0
        for arm in self.arms:
            reached += arm.share
            if at < reached:
                return arm
        return self.arms[-1]

    def arm(self, name: str) -> Arm | None:
        """Return an arm by name."""
        return next((arm for arm in self.arms if arm.name == name), None)

    @property
    def differs(self) -> frozenset[str]:
        """What not all arms have in common: switches, "without", "tuning"."""
        return frozenset(
            name for name in (*SWITCHES, "without", "tuning") if len({getattr(arm, name) for arm in self.arms}) > 1
        )


@dataclass(frozen=True, slots=True)
class Assignment:
    """A unit's arm in one experiment."""

    experiment_id: str
    arm: Arm


def _uniform(*names: str) -> float:
    digest = hashlib.sha256("\x1f".join(names).encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / _PARTS
