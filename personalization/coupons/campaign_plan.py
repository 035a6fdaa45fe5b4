"""A campaign on paper: what it is for, whom it is for, what it may cost and give; and how it becomes a campaign that runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from personalization.coupons.objective import Objective
from personalization.experiments.spec import Arm, Experiment
from personalization.types import Money

HOLDOUT, LONGEST, MOST_RUNGS, MOST_POSTERS = 0.1, timedelta(days=366), 8, 8
MOST_HOLDOUT = 0.5
LONGEST_CATEGORIES = 2_000  # of their names, joined by semicolons, as an offer keeps them
OF_CAMPAIGNS = "holdout-"
"""What ids of experiments that measure campaigns begin with."""
METRIC: Mapping[str, str] = {"orders": "conversion", "revenue": "spend", "margin": "spend", "lifetime": "retention"}
"""Of an experiment: what is measured of the holdout for each objective."""


class State(StrEnum):
    """Where a campaign stands. What is a draft or approved can be changed, and is a draft then."""

    DRAFT = "draft"
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


class Move(StrEnum):
    """What can be done to a campaign."""

    CHANGE = "change"
    APPROVE = "approve"
    LAUNCH = "launch"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"


MOVES: Mapping[Move, tuple[frozenset[State], State]] = {
    Move.CHANGE: (frozenset({State.DRAFT, State.APPROVED}), State.DRAFT),
    Move.APPROVE: (frozenset({State.DRAFT}), State.APPROVED),
    Move.LAUNCH: (frozenset({State.APPROVED}), State.RUNNING),
    Move.PAUSE: (frozenset({State.RUNNING}), State.PAUSED),
    Move.RESUME: (frozenset({State.PAUSED}), State.RUNNING),
    Move.END: (frozenset({State.RUNNING, State.PAUSED}), State.ENDED),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A rung of the ladder: `discount_minor` off one product, or with `percent_bp` (of 10,000) that part of its price, at most `discount_minor`."""

    discount_minor: int
    percent_bp: int = 0


class AudienceKind(StrEnum):
    """How an audience is told."""

    EVERYBODY = "everybody"
    LIST = "list"
    CLUSTER = "cluster"
    LABELS = "labels"
    SEGMENT = "segment"


FROM_PROFILES = frozenset({AudienceKind.CLUSTER, AudienceKind.LABELS, AudienceKind.SEGMENT})
"""Audiences that follow from what is known of members, so that they reach those only who agree to profiling."""


@dataclass(frozen=True, slots=True)
class AudienceSpec:
    """Whom a campaign is for. `of` names the cluster or the segment; `labels` maps labels to the value that each must have.

    The members of a list are kept apart, since they are people's.
    """

    kind: AudienceKind = AudienceKind.EVERYBODY
    of: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flaw:
    """What makes a plan unfit; `where` is the field, `reason` says what to change."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    """Everything that launching needs. Without `product_ids` and `categories` the coupons are for anything.

    caps : by channel, the most that it may take of the budget, in minor units; holdout : the share of people who get no coupon of
    this campaign, so that what it adds can be measured; creative_campaign_ids : the campaigns of posters that start, pause and end with it.
    """

    campaign_id: str
    name: str
    objective: Objective
    audience: AudienceSpec
    budget: Money
    starts_at: datetime
    ends_at: datetime
    ladder: tuple[Step, ...]
    product_ids: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    minimum_basket: int = 0
    per_member: int | None = 1
    per_household: int | None = None
    caps: Mapping[str, int] = field(default_factory=dict)
    creative_campaign_ids: tuple[str, ...] = ()
    holdout: float = HOLDOUT

    def flaws(self) -> list[Flaw]:
        """Return what has to be changed before anybody can approve it."""
        deepest = max((step.discount_minor for step in self.ladder), default=0)
        rules = (
            ("name", bool(self.name.strip()), "Give the campaign a name."),
            ("budget_minor", self.budget.minor_units > 0, "Give it a budget above 0."),
            ("ends_at", self.ends_at > self.starts_at, "It must end after it starts."),
            ("ends_at", self.ends_at - self.starts_at <= LONGEST, f"It may run for {LONGEST.days} days at most."),
            ("ladder", 1 <= len(self.ladder) <= MOST_RUNGS, f"Give it 1 to {MOST_RUNGS} discounts."),
            ("ladder", len(set(self.ladder)) == len(self.ladder), "Two discounts are the same."),
            ("ladder", all(step.discount_minor > 0 for step in self.ladder), "Each discount must be above 0."),
            ("ladder", all(0 <= step.percent_bp < 10_000 for step in self.ladder), "A percentage lies below 100 %."),
            ("ladder", deepest <= max(self.budget.minor_units, 0), "The largest discount is above the whole budget."),
            ("caps", all(0 < most <= self.budget.minor_units for most in self.caps.values()),
             "What a channel may take lies above 0 and within the budget."),
            ("categories", not any(";" in name for name in self.categories), "A category's name has no semicolon."),
            ("categories", len(";".join(self.categories)) <= LONGEST_CATEGORIES, "These are too many categories; choose fewer."),
            ("per_member", self.per_member is None or self.per_member > 0, "A limit is above 0."),
            ("per_household", self.per_household is None or self.per_household > 0, "A limit is above 0."),
            ("creative_campaign_ids", len(self.creative_campaign_ids) <= MOST_POSTERS, f"It has {MOST_POSTERS} campaigns of posters at most."),
            ("holdout", 0 <= self.holdout <= MOST_HOLDOUT, f"The holdout lies between 0 and {MOST_HOLDOUT:.0%}."),
            ("audience", self.audience.kind not in (AudienceKind.CLUSTER, AudienceKind.SEGMENT) or bool(self.audience.of),
             "Say which group of members it is for."),
            ("audience", self.audience.kind is not AudienceKind.LABELS or bool(self.audience.labels), "Name at least one label."),
        )  # fmt: skip
        return [Flaw(where, reason) for where, holds, reason in rules if not holds]

    def experiment(self) -> Experiment | None:
        """Return what measures the campaign by its holdout, which is the control; None without a holdout."""
        if not self.holdout:
            return None
        days = min(max((self.ends_at - self.starts_at).days, 1), 28)
        arms = (
            Arm("holdout", self.holdout, without=self.campaign_id),
            Arm("campaign", 1 - self.holdout),
        )
        return Experiment(
            experiment_of(self.campaign_id), f"The campaign “{self.name}” adds to {METRIC[self.objective]}."[:400], arms,
            metric=METRIC[self.objective], window_days=days,
        )  # fmt: skip

    def tree(self) -> dict[str, Any]:
        """Return the plan as JSON types, without its id."""
        found = asdict(self)
        del found["campaign_id"], found["budget"]
        return found | {
            "budget_minor": self.budget.minor_units, "currency": self.budget.currency, "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat(), "objective": self.objective.value,
            "audience": {"kind": self.audience.kind.value, "of": self.audience.of, "labels": dict(self.audience.labels)},
            "ladder": [asdict(step) for step in self.ladder], "product_ids": list(self.product_ids),
            "categories": list(self.categories), "caps": dict(self.caps), "creative_campaign_ids": list(self.creative_campaign_ids),
        }  # fmt: skip

    @classmethod
    def from_tree(cls, campaign_id: str, tree: Mapping[str, Any]) -> CampaignPlan:
        """Return the plan that `tree` told."""
        given = dict(tree)
        audience = given.pop("audience")
        budget = Money(given.pop("budget_minor"), given.pop("currency"))
        starts, ends = (datetime.fromisoformat(given.pop(name)) for name in ("starts_at", "ends_at"))
        ladder = tuple(Step(**step) for step in given.pop("ladder"))
        products, categories = (tuple(given.pop(name)) for name in ("product_ids", "categories"))
        one = given.pop("creative_campaign_id", "")  # as plans were written until November 2026
        posters = tuple(given.pop("creative_campaign_ids", (one,) if one else ()))
        spec = AudienceSpec(AudienceKind(audience["kind"]), audience["of"], audience["labels"])
        return cls(
            campaign_id, audience=spec, budget=budget, starts_at=starts, ends_at=ends, ladder=ladder, product_ids=products,
            categories=categories, creative_campaign_ids=posters, objective=Objective(given.pop("objective")), **given,
        )  # fmt: skip


def experiment_of(campaign_id: str) -> str:
    """Return the id of the experiment that measures a campaign by its holdout."""
    return f"{OF_CAMPAIGNS}{campaign_id}"
