"""From placements to an off-policy estimate: what was shown to whom with which probability, what came of it, and what another policy would have shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from personalization.creative.policy_value import Estimate, Ints, Log, Method, Predict, cross_fitted, evaluate, gain
from personalization.creative.reward import fit
from personalization.creative.variants import Audience

LEAST = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """A placement that the old policy drew from `variant_ids` with `propensity`; `who` is one shopper's mark, "" for nobody's."""

    audience: Audience
    variant_id: str
    variant_ids: tuple[str, ...]
    propensity: float
    reward: float
    who: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Shares of variants for the audiences that have these attributes."""

    audience: Mapping[str, str]
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Policy:
    """Another way to place: the first rule that fits says the shares. Without rules everything in the set is shown evenly."""

    rules: Sequence[Rule] = ()

    def shares(self, audience: Audience, variant_ids: Sequence[str]) -> Mapping[str, float]:
        """Return what an audience would be shown."""
        if not self.rules:
            return dict.fromkeys(variant_ids, 1.0 / len(variant_ids))
        values = audience.values
        for rule in self.rules:
            if all(values.get(name, "") == value for name, value in rule.audience.items()):
                return rule.shares
        raise ValueError(
            f"no rule of the policy fits an audience with {dict(values) or 'nothing known'}; end with one for everybody"
        )


def policy_of(told: Any) -> Policy:
    """Return the policy of a list such as `[{"audience": {"channel": "kiosk"}, "shares": {"v1": 0.7, "v2": 0.3}}, {"shares": {"v1": 1}}]`.

    Raises ValueError that says what is wrong.
    """
    if not isinstance(told, list) or not told:
        raise ValueError("a policy is a list of rules, each with `shares` and, but for the last, an `audience`")
    rules = []
    for number, one in enumerate(told, 1):
        if not isinstance(one, dict) or set(one) - {"audience", "shares"} or not isinstance(one.get("shares"), dict):
            raise ValueError(f"rule {number} has `shares` and may have an `audience`, and nothing else")
        audience, shares = one.get("audience", {}), one["shares"]
        if not isinstance(audience, dict) or set(audience) - set(Audience.__slots__):
            raise ValueError(f"the audience of rule {number} has {', '.join(Audience.__slots__)}")
        if not all(isinstance(share, int | float) and share >= 0 for share in shares.values()) or not np.isclose(
            sum(shares.values()), 1
        ):
            raise ValueError(f"the shares of rule {number} are not below 0 and add up to 1")
        rules.append(Rule(audience, shares))
    return Policy(rules)


def log_of(outcomes: Sequence[Outcome], policy: Policy, *, seed: int = 0) -> Log:
    """Return the log with a reward model's predictions, cross-fitted by shopper. Raises ValueError for fewer than 20 placements."""
    if len(outcomes) < LEAST:
        raise ValueError(f"{len(outcomes)} placements can be judged by; {LEAST} are the least")
    audiences = {one: number for number, one in enumerate(dict.fromkeys(each.audience for each in outcomes))}
    shares = [policy.shares(one.audience, one.variant_ids) for one in outcomes]
    named = dict.fromkeys([*(one.variant_id for one in outcomes), *(name for row in shares for name in row)])
    variants = {name: number for number, name in enumerate(named)}
    audience = np.array([audiences[one.audience] for one in outcomes])
    variant = np.array([variants[one.variant_id] for one in outcomes])
    reward = np.array([one.reward for one in outcomes])
    target = np.zeros((len(outcomes), len(variants)))
    for row, told in enumerate(shares):
        target[row, [variants[name] for name in told]] = list(told.values())
    marks = {who: number for number, who in enumerate(dict.fromkeys(one.who for one in outcomes if one.who))}
    cluster = np.array([marks.get(one.who, len(marks) + row) for row, one in enumerate(outcomes)])

    def learned(some: Ints) -> Predict:
        rate = fit(audience[some], variant[some], reward[some], audiences=len(audiences), variants=len(variants)).rate
        return lambda held: (rate[audience[held], variant[held]], (target[held] * rate[audience[held]]).sum(1))

    predicted, expected = cross_fitted(len(outcomes), learned, np.random.default_rng(seed), cluster=cluster)
    places = np.arange(len(outcomes))
    seen = np.array(
        [sum(told.get(name, 0.0) for name in one.variant_ids) for one, told in zip(outcomes, shares, strict=True)]
    )
    return Log(
        reward, np.array([one.propensity for one in outcomes]), target[places, variant], np.clip(1.0 - seen, 0.0, 1.0), predicted, expected, cluster,
    )  # fmt: skip


def judged(log: Log) -> list[tuple[Estimate, Estimate]]:
    """Return the new policy's value and its gain over the old one, by every method."""
    return [(evaluate(log, method), gain(log, method)) for method in Method]
