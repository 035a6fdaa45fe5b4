"""What answers about campaigns of creatives hold."""

from __future__ import annotations

from pydantic import Field

from api.answers import Shape


class CreativeCampaignOut(Shape):
    """A campaign and what it has placed."""

    campaign_id: str
    product_id: str
    objective: str
    approval: str
    starts_at: str
    ends_at: str
    limits: dict[str, float]
    screened: int
    placed: int
    explored: int = Field(description="Placements of another variant than the best guess.")


class VariantOut(Shape):
    """A variant, where it stands, and what came of it."""

    variant_id: str
    family: str
    choices: dict[str, str]
    measures: dict[str, float]
    state: str = Field(description="`proposed`, `approved`, `rejected` or `retired`.")
    shown: int
    clicked: int
    converted: int


class VariantsPage(Shape):
    """Variants of a campaign."""

    variants: list[VariantOut]


class StepOut(Shape):
    """One line of the history of approvals."""

    subject: str
    of_family: bool
    state: str
    by: str = Field(description="A person, or `policy` where the campaign's policy decided.")
    at: str
    note: str


class HistoryOut(Shape):
    """Lines of the history, oldest first."""

    steps: list[StepOut]


class PlacementOut(Shape):
    """What to show."""

    decision_id: str = Field(description="Name it in the events that tell what came of it.")
    campaign_id: str
    variant_id: str
    choices: dict[str, str]
    propensity: float = Field(description="The probability with which it was drawn; keep it for evaluations.")
    explored: bool
