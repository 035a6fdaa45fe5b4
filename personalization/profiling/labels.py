"""Labels: named, dated, explained facts. Rules stand in `label_rules.yaml`; models, and what members told, add theirs through `LabelSource`."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import yaml
from numpy.typing import NDArray

from personalization.profiling.features.definitions import FEATURES, SIGNALS
from personalization.types import Label, MemberId, Purpose

RULES = Path(__file__).with_name("label_rules.yaml")
_COMPARE = {"at_least": operator.ge, "at_most": operator.le, "above": operator.gt, "below": operator.lt}
_KEYS = {"label", "value", "when", "confidence", "days", "purpose", "says"}
TOLD_DAYS = 60  # as for most rules; made again from the attribute long before


class LabelRuleError(Exception):
    """The rules file does not make sense; the message names the rule and what is wrong."""


@dataclass(frozen=True, slots=True)
class MemberView:
    """What labels are made from: one member's features, category shares and readings at `at`.

    `order_seconds` are the times of the orders up to `at`, in seconds since 1970.
    """

    member_id: MemberId
    at: datetime
    features: Mapping[str, float]
    shares: Mapping[str, float]
    readings: Mapping[str, str]
    granted: frozenset[Purpose]
    order_seconds: NDArray[np.int64]


class LabelSource(Protocol):
    """Makes labels for several members at once, in their order."""

    @property
    def name(self) -> str: ...  # noqa: D102

    def labels(self, members: Sequence[MemberView]) -> Sequence[Sequence[Label]]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the rules file."""

    label: str
    value: str | float | bool
    when: tuple[tuple[str, str, float], ...]
    evidence: str
    half: float
    days: int
    purpose: Purpose
    says: str

    def holds(self, columns: Mapping[str, NDArray[np.float64]]) -> NDArray[np.bool_]:
        """Return for which members every condition holds; `columns` has one value per member for each feature."""
        held = [_COMPARE[how](columns[name], bound) for name, how, bound in self.when]
        found: NDArray[np.bool_] = np.logical_and.reduce(held)
        return found

    def apply(self, member: MemberView) -> Label:
        """Return the label, which holds."""
        found = member.features[self.evidence]
        used = {name for name, _, _ in self.when} | {self.evidence}
        return Label(
            member.member_id, self.label, self.value, round(found / (found + self.half), 3), self.says.format(**member.features),
            {name: round(member.features[name], 4) for name in sorted(used)}, "rule", self.purpose, member.at,
            member.at + timedelta(days=self.days),
        )  # fmt: skip


class RuleLabels:
    """Labels by the rules of a file; the first rule of a label that holds is the one."""

    name = "rule"

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules

    def labels(self, members: Sequence[MemberView]) -> list[list[Label]]:
        """Return each member's labels; a rule whose purpose is not granted is not asked."""
        needed = {name for rule in self._rules for name, _, _ in rule.when}
        columns = {name: np.array([member.features[name] for member in members]) for name in needed}
        found: list[dict[str, Label]] = [{} for _ in members]
        for rule in self._rules:
            for number in np.flatnonzero(rule.holds(columns)).tolist():
                if rule.label not in found[number] and rule.purpose in members[number].granted:
                    found[number][rule.label] = rule.apply(members[number])
        return [list(labels.values()) for labels in found]


class ToldLabels:
    """The label `avoids`, from the attribute of that name: words separated by semicolons, which hard rules of ranking read."""

    name = "told"

    def labels(self, members: Sequence[MemberView]) -> list[list[Label]]:
        """Return each member's label, if they told what they avoid."""
        told = [(member, _words(member.readings.get("crm:avoids", ""))) for member in members]
        return [[_avoids(member, words)] if words else [] for member, words in told]


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(word for part in text.lower().split(";") if (word := part.strip())))


def _avoids(member: MemberView, words: Sequence[str]) -> Label:
    value = ";".join(words)
    listed = " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    return Label(
        member.member_id, "avoids", value, 1.0, f"You told us that you avoid {listed}.", {"avoids": value}, "told",
        Purpose.PROFILING, member.at, member.at + timedelta(days=TOLD_DAYS),
    )  # fmt: skip


@cache
def load_rules(path: Path = RULES) -> tuple[Rule, ...]:
    """Read a rules file. Raises LabelRuleError with the rule's number where it does not make sense."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise LabelRuleError(f"the label rules in {path} cannot be read: {error}") from error
    if not isinstance(raw, list):
        raise LabelRuleError(f"the label rules in {path} are not a list")
    return tuple(_rule(number, entry) for number, entry in enumerate(raw, start=1))


def _rule(number: int, entry: Any) -> Rule:
    try:
        if unknown := set(entry) - _KEYS:
            raise LabelRuleError(f"label rule {number} has an unknown key: {', '.join(sorted(unknown))}")
        when = tuple(
            (name, how, float(bound)) for name, bounds in entry["when"].items() for how, bound in bounds.items()
        )
        rule = Rule(
            str(entry["label"]), entry.get("value", True), when, str(entry["confidence"]["evidence"]),
            float(entry["confidence"]["half"]), int(entry["days"]), Purpose(entry.get("purpose", "profiling")), str(entry["says"]),
        )  # fmt: skip
        known = dict.fromkeys((*FEATURES, *SIGNALS), 0.5)
        rule.holds({name: np.array([value]) for name, value in known.items()})
        rule.says.format(**known)
        known[rule.evidence]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise LabelRuleError(f"label rule {number} does not make sense: {type(error).__name__} {error}") from error
    return rule
