"""What answers about creatives and their campaigns hold."""

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


class CreativeCampaignsPage(Shape):
    """Campaigns of creatives."""

    campaigns: list[CreativeCampaignOut]


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


class InputOut(Shape):
    """Something that a creative was made of."""

    kind: str = Field(examples=["picture"])
    sha256: str | None = Field(description="Of the file, as it came.")
    licence: str = Field(examples=["our own photograph"])


class DecidedOut(StepOut):
    """A line of the history of the variant that a creative shows."""

    campaign_id: str


class CreativeInfo(Shape):
    """A creative: how it looks, what it says, what it was made of, and who approved it."""

    creative_id: str = Field(description="Names the spec and all inputs: the same id, the same pixels.")
    spec_id: str = Field(description="Names the spec alone.")
    version: str = Field(description="Of the design space.")
    choices: dict[str, str] = Field(examples=[{"layout": "arc", "scheme": "tint", "type": "fraunces"}])
    width: int
    height: int
    alt: str = Field(examples=["Poster: Butter croissants, $2.79"])
    language: str
    words: dict[str, str] = Field(description="`origin` is `grammar` or `language model`.")
    inputs: list[InputOut]
    marks: list[str] = Field(
        description="What its content credentials and, where people should know, the poster itself say of how it was made.",
        examples=[["made by a program", "illustration"]],
    )
    approvals: list[DecidedOut] = Field(
        description="Of the campaign's variant that it shows; empty where it shows none."
    )
    files: dict[str, str] = Field(examples=[{"png": "/v1/creatives/5d3b….png"}])
