"""What answers for auditors hold."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.answers import Shape


class FairGroup(Shape):
    """One declared group in a comparison."""

    group: str = Field(examples=["25-34"])
    members: int
    rows: int
    mean: float | None
    off: float | None = Field(
        description="How far from everybody: a share of their mean, or in the measure's own unit; null: too few to tell."
    )
    low: float | None = Field(description="95 % bootstrap interval over members.")
    high: float | None
    judged: bool = Field(description="False: too few members to judge.")


class FairFinding(Shape):
    """One measure by one declared attribute."""

    measure: str = Field(examples=["coupon_value"])
    attribute: str = Field(examples=["age_band"])
    unit: str
    overall: float | None
    within: float | None = Field(description="The policy's limit; null: none.")
    how: Literal["relative", "absolute"]
    gap: float | None
    low: float | None
    high: float | None
    difference: float | None
    verdict: Literal["within", "unclear", "beyond", "too few"]
    sentence: str
    reversed_in_segments: list[str] = Field(description="Segments in which it turns round (Simpson's paradox).")
    groups: list[FairGroup]


class FairReport(Shape):
    """What an audit found."""

    report_id: str
    at: str
    days: int
    author: str
    decisions: int
    summary: str
    price: str = Field(description="What keeping to the limit on coupon value would have cost.")
    findings: list[FairFinding]


class FairnessOut(Shape):
    """The latest audit of fairness."""

    report: FairReport | None
    running: bool
    failed: bool = Field(description="Whether the newest one came to no end.")


class ShopWeekOut(Shape):
    """How varied was what members were shown in a week; means are over who saw at least three slates, null where nobody did."""

    week: str = Field(description="Its Monday.", examples=["2026-11-23"])
    members: int = Field(description="Members who were shown something.")
    narrow: int = Field(description="Of them, who was shown too little variety; their next week's slates are widened.")
    share: float = Field(description="`narrow` of `members`.", examples=[0.04])
    diversity: float | None = Field(description="Share of pairs within a slate that are of two categories.")
    novelty: float | None = Field(description="Share of items that a member was not shown in the weeks before.")
    entropy: float | None = Field(description="Of the categories shown, bits.")


class VarietyOut(Shape):
    """Whether the shop shows its members too little variety (filter bubbles)."""

    state: Literal["unknown", "quiet", "widened", "alarm"] = Field(
        description="`unknown`: last week is not worked out yet, or nobody was shown anything in it; `quiet`: nobody's last week was narrow; `widened`: some members' was, and theirs are made more "
        "varied; `alarm`: `why` says what is to be looked at."
    )
    why: list[Literal["share", "trend"]] = Field(
        description="`share`: too many members are seen narrowly; `trend`: the mean entropy falls."
    )
    alarm_share: float = Field(description="The share of narrow members from which it is an alarm.", examples=[0.1])
    least_members: int = Field(description="Members of a week whose share says something.")
    trend: float | None = Field(description="Of the mean entropy, bits a week; null: too few weeks.")
    alarm_trend: float = Field(description="The trend from which on, downwards, it is an alarm.", examples=[-0.15])
    weeks: list[ShopWeekOut] = Field(description="The last weeks that are worked out for every member, oldest first.")


class LogLine(Shape):
    """A line of the audit log."""

    seq: int
    at: str
    actor: str = Field(examples=["staff 01a21b26-9e4b-75fd-907d-60bfd8a14ac0"])
    name: str | None = Field(description="Who that is today; null where it is no account, or a deleted one.")
    action: str
    target: str
    detail: dict[str, Any]


class LogPage(Shape):
    """Lines of the audit log, newest first."""

    lines: list[LogLine]
    next_cursor: str | None


class ChainOut(Shape):
    """Whether the audit log is as it was written."""

    whole: bool
    lines: int
    wrong: list[str] = Field(description="What is wrong with it, at most twenty.")
    checked_at: str


class ConsentCount(Shape):
    """Members' last words on a purpose, by the text and the channel that they were given by."""

    purpose: str
    text_version: str
    channel: str
    granted: int
    withdrawn: int
    expired: int


class ConsentDay(Shape):
    """What was said on a day about a purpose."""

    day: str = Field(examples=["2026-11-27"])
    purpose: str
    granted: int
    withdrawn: int


class ConsentsOut(Shape):
    """Consents in numbers."""

    standing: list[ConsentCount]
    days: list[ConsentDay]
    members: int


class Term(Shape):
    """How long a kind of data may be kept."""

    kind: str
    days: int
    purpose: str
    since: str
    law: str


class ConsentTerm(Shape):
    """After how many days a consent has to be given again."""

    purpose: str
    days: int = Field(description="0: it does not end by itself.")


class RetentionOut(Shape):
    """The schedule of retention that counts."""

    jurisdictions: list[str]
    digest: str
    terms: list[Term]
    consents: list[ConsentTerm]


class JobOut(Shape):
    """A deletion, in numbers."""

    receipt_id: str
    at: str
    scope: str = Field(description="`schedule`, `retention` (faces), `member`, …", examples=["schedule"])
    deleted: dict[str, int]
    total: int
    due_and_left: int | None = Field(description="What was due and is still there: 0. Null where no schedule was followed.")  # fmt: skip


class JobsPage(Shape):
    """Deletions, newest first."""

    jobs: list[JobOut]
    next_cursor: str | None


class GivenUpOut(Shape):
    """An event that another system never took."""

    delivery: int = Field(
        description="Its place in the order; with it and the endpoint it can be sent again.", examples=[41]
    )
    event_id: str
    endpoint_id: str
    endpoint: str = Field(description="The name of whom it was for.", examples=["CRM"])
    topic: str = Field(examples=["decision.made"])
    attempts: int
    at: str
    ended_at: str
    answer: str | None = Field(description="What was said last.", examples=["HTTP 500"])


class GivenUpPage(Shape):
    """Deliveries that were given up, the newest event first."""

    deliveries: list[GivenUpOut]
    next_cursor: str | None


class CardFigure(Shape):
    """A measured number with its interval, where there is one."""

    name: str = Field(examples=["evaluation.ndcg10.emer"])
    value: float
    low: float | None
    high: float | None
    n: int | None


class ModelCard(Shape):
    """What a model is for, what it is not for, and how good it is."""

    id: str
    name: str
    what: str
    not_for: str
    learned_from: str
    personal_data: str
    doc: str = Field(description="The page of the documentation: docs/models/….md.")
    trained_here: bool = Field(description="Whether `aisle train` makes it; otherwise it ships.")
    there: bool
    version: str | None
    made_at: str | None
    seed: int | None
    data_sha256: str | None
    figures: list[CardFigure]


class ModelCards(Shape):
    """Every model that decides something about people."""

    models: list[ModelCard]
