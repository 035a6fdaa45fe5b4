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
    owner: str | None = Field(description="The campaign that starts, pauses and ends it; null where its own dates do.")
    held: bool = Field(description="Whether nothing of it is placed for now: its campaign is not launched, or paused.")


class CreativeCampaignsPage(Shape):
    """Campaigns of creatives."""

    campaigns: list[CreativeCampaignOut]
    next_cursor: str | None = Field(None, description="Of the page behind; null at the end.")


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
    next_cursor: str | None = Field(None, description="Of the page behind; null at the end.")


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
    next_cursor: str | None = Field(None, description="Of the page behind; null at the end.")


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


class ProductPictureOut(Shape):
    """A product's photograph, by the file that is kept of it."""

    product_id: str
    sha256: str
    licence: str
    at: str
    picture_url: str


class BrandKitOut(Shape):
    """A version of the brand kit; version 0 stands in the operator's file, or follows from the settings."""

    version: int
    retailer: str
    colour: str = Field(examples=["#2f6b3c"])
    clear_space: float
    tones: list[str]
    pairings: list[str]
    forbidden_words: list[str]
    forbidden_colours: list[str]
    legal: str
    logo: bool = Field(description="Whether it has one.")
    logo_licence: str = Field(description="Under which licence the logo may be used; empty where nobody said.")
    note: str
    author: str
    at: str | None


class BrandKitNow(BrandKitOut):
    """The kit that counts, and what may be chosen."""

    all_tones: list[str]
    all_pairings: list[str]


class BrandKits(Shape):
    """Versions of the brand kit, newest first."""

    versions: list[BrandKitOut]
    next_cursor: str | None = Field(None, description="Of the page behind; null at the end.")


class PosterOut(Shape):
    """A poster as a picture in the answer itself."""

    alt: str
    webp: str = Field(description="Base64.")
    width: int
    height: int


class BrandPreview(Shape):
    """Posters as they would look under a kit that is not saved."""

    posters: list[PosterOut]


class AudienceOut(Shape):
    """For whom a creative is chosen; an empty word is not known."""

    segment: str
    channel: str
    affect: str
    category: str


class PerformedOut(Shape):
    """A variant before an audience: what is predicted, and what came."""

    variant_id: str
    family: str
    share: float | None = Field(description="How often it is placed now; null where it is not in the audience's set.")
    predicted: float | None = Field(
        description="Clicks against an average variant of the campaign: 1.2 is a fifth more."
    )
    predicted_low: float | None = Field(description="Of 95 %.")
    predicted_high: float | None
    shown: int
    clicked: int
    rate: float | None
    rate_low: float | None = Field(description="Wilson's interval of 95 %.")
    rate_high: float | None


class AudiencePerformance(Shape):
    """The variants before one audience."""

    audience: AudienceOut
    variants: list[PerformedOut]


class PerformanceOut(Shape):
    """Predicted and real performance of a campaign's variants by audience, those with most views first."""

    learned: bool = Field(description="False while the predictor knows no outcome: then predictions are its priors.")
    audiences: list[AudiencePerformance]
