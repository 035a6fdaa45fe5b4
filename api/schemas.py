"""What requests may hold. Answers are built in `api.views`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from personalization.coupons.campaign_plan import OF_CAMPAIGNS
from personalization.experiments.spec import Arm, Experiment, ExperimentError
from personalization.types import Channel, EventType, Purpose


def _aware(value: datetime) -> datetime:
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("this is no time that a calendar has") from error


def _past(value: datetime) -> datetime:
    """Allow for clocks that are a day ahead; what is later than that would distort what is due again."""
    if value.year < 1970 or value > datetime.now(UTC) + timedelta(days=1):
        raise ValueError("an event lies between 1970 and now")
    return value


def _number(value: Any) -> Any:
    """Take no text and no truth value for a number, as JSON tells them apart."""
    if isinstance(value, bool | str):
        raise ValueError("a number is expected")
    return value


def _written(value: Any) -> Any:
    if not isinstance(value, str | datetime):
        raise ValueError("a time in ISO 8601 is expected")
    return value


Whole = Annotated[int, BeforeValidator(_number)]
Real = Annotated[float, BeforeValidator(_number)]
Truth = Annotated[bool, Field(strict=True)]
Time = Annotated[
    datetime,
    BeforeValidator(_written),
    AfterValidator(_aware),
    Field(description="ISO 8601; without an offset it is UTC."),
]
PastTime = Annotated[Time, AfterValidator(_past)]
PRINTABLE = r"^[^\x00]*$"
MEANT = r"^[^\x00]*[^\x00\s][^\x00]*$"  # not only spaces
Id = Annotated[str, Field(min_length=1, max_length=36, pattern=r"^[A-Za-z0-9._:-]+$")]
Key = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")]
Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]+$")]


class Body(BaseModel):
    """A request's body; a field that is not known is an error, so that a typo is noticed."""

    model_config = ConfigDict(extra="forbid")


class EventIn(Body):
    """Something that happened. An outcome names the decision that it follows from."""

    event_id: Id = Field(
        description="Yours, unique; sending it again changes nothing.",
        examples=["0190a7c4-5a9e-7b1c-9d0e-2f6b8a4c1d3e"],
    )
    type: EventType
    at: PastTime
    channel: Channel = Channel.API
    member_id: Id | None = None
    visitor_id: Id | None = None
    decision_id: Id | None = None
    product_id: Key | None = None
    payload: dict[str, Any] = Field(
        default_factory=dict,
        description="What docs/events.md lists for the type; other keys are dropped. For `bought`: `order_id`, `store_id`, `channel` and `lines` of product_id, quantity, amount_minor, discount_minor, coupon_minor.",
    )


class EventsIn(Body):
    """A batch; each event is judged on its own."""

    events: list[dict[str, Any]] = Field(
        min_length=1, max_length=1000, json_schema_extra={"items": {"$ref": "#/components/schemas/EventIn"}}
    )


class AffectIn(Body):
    """How the shopper seems to feel."""

    valence: Real = Field(ge=-1, le=1, allow_inf_nan=False)
    arousal: Real = Field(0.3, ge=0, le=1, allow_inf_nan=False)


class RecommendationIn(Body):
    """A question to the brain. With a widget token the shopper is the token's."""

    member_id: Id | None = None
    visitor_id: Id | None = None
    channel: Channel = Channel.API
    query: str | None = Field(None, max_length=300, pattern=PRINTABLE, examples=["oat milk"])
    store_id: Key | None = None
    slate_size: Whole = Field(5, ge=1, le=30)
    wants_coupon: Truth = False
    wants_creative: Truth = False
    language: str = Field(
        "",
        max_length=8,
        pattern=PRINTABLE,
        description="What the shopper reads: a poster's words. Left out: the shop's first language.",
        examples=["en"],
    )
    affect: AffectIn | None = None


class MemberIn(Body):
    """A new member."""

    external_id: Key | None = Field(None, description="Your own key.", examples=["crm-4711"])
    display_name: Name = Field(examples=["Maya Lindqvist"])
    email: str | None = Field(None, max_length=254, pattern=PRINTABLE, description="Encrypted at rest.")


class MemberPatch(Body):
    """What can be changed about a member."""

    display_name: Name


class ConsentIn(Body):
    """A consent or, with `granted` false, its withdrawal."""

    member_id: Id | None = Field(
        None, description="Needed with an API key; with a widget token it is the token's member."
    )
    purpose: Purpose
    granted: Truth
    text_version: Key = Field(description="Which text the person saw.", examples=["web-2026-11"])
    channel: str = Field(
        "api", pattern=r"^[a-z][a-z0-9_-]{0,15}$", examples=["till"],
        description="Where it was said, with an API key; with a widget token it is `widget`.",
    )  # fmt: skip


class CouponIn(Body):
    """Whom a coupon is for; what it is worth, if anything, is the brain's choice."""

    member_id: Id
    product_ids: list[Key] = Field(
        [], max_length=50, description="What it should be on, best first; without, what the brain would recommend."
    )


Minor = Annotated[Whole, Field(ge=0, le=10**11, description="Minor units.", examples=[349])]
Code = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f]+$", examples=["7KQ2M9XD4T0AW"])]


class BasketLineIn(Body):
    """One line of a basket, as the till has it."""

    product_id: Key = Field(examples=["1082185"])
    amount_minor: Minor = Field(description="What the whole line costs before coupons, in minor units.")
    quantity: Whole = Field(1, ge=1, le=1_000_000)


class BasketAddIn(Body):
    """What goes into the basket, beside what is there."""

    product_id: Id
    quantity: Whole = Field(1, ge=1, le=999)
    decision_id: Id | None = Field(None, description="The decision that showed the product.")


class BasketPutIn(Body):
    """How many pieces of a product the basket shall hold."""

    quantity: Whole = Field(ge=0, le=999, description="0 takes the line out.")
    decision_id: Id | None = Field(None, description="The decision that showed the product.")


class BasketIn(Body):
    """A basket, the coupons that are held against it and, where the till knows, whose it is."""

    lines: list[BasketLineIn] = Field(min_length=1, max_length=500)
    codes: list[Code] = Field(default_factory=list, max_length=20)
    member_id: Id | None = Field(None, description="Coupons of other members are refused then.")
    visitor_id: Id | None = None
    till_id: Key | None = Field(None, description="So that one till's mistakes do not slow the others down.")


class RedeemIn(Body):
    """A redemption at the till; the same request may be sent again and gets the same answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"order_id": "78", "amount_minor": 150, "till_id": "s1-04"},
                {
                    "order_id": "79",
                    "basket": {"lines": [{"product_id": "1082185", "amount_minor": 349}], "codes": ["7KQ2M9XD4T0AW"]},
                },
            ]
        }
    )
    order_id: Key | None = None
    request_id: Key | None = Field(None, description="Names the request; without it the order does. New for a new try.")
    amount_minor: Minor | None = Field(None, ge=1, description="A part of the value; the rest goes back to the budget.")
    basket: BasketIn | None = Field(
        None, description="Instead of the amount: it is worked out, and the terms are checked."
    )
    member_id: Id | None = Field(None, description="Who stands at the till; another member's coupon is refused.")
    visitor_id: Id | None = None
    till_id: Key | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.basket is not None and self.amount_minor is not None:
            raise ValueError("send amount_minor or basket, not both")
        return self


class RollbackIn(Body):
    """Which redemption is taken back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"order_id": "78"}]})
    order_id: Key | None = None
    redemption_id: Id | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if (self.order_id is None) == (self.redemption_id is None):
            raise ValueError("send order_id or redemption_id")
        return self


class WidgetTokenIn(Body):
    """Whom the token speaks for. Your server vouches for `member_id`: give it only for a signed-in shopper."""

    visitor_id: Id | None = None
    member_id: Id | None = None


ClientId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$", examples=["0197a3c2-5d3e-7c21-9a53-2f1f6f0f7a11"])]
Behaviour = Literal["rage_click", "repeated_question", "resent", "hurried_scroll", "reopened_chat", "failed_turn"]
Expression = Literal["positive", "neutral", "surprised", "negative"]


class MessageIn(Body):
    """A shopper's message; `title` is what the shopper saw of it, when its text is a command."""

    text: str = Field(min_length=1, max_length=1020, pattern=PRINTABLE, examples=["what do you recommend?"])
    title: str | None = Field(None, max_length=1000, pattern=PRINTABLE)
    client_message_id: ClientId | None = Field(
        None, description="What the sender calls this message. Sent again under it, it gets the same answer."
    )
    signals: list[Behaviour] = Field(
        default_factory=list,
        max_length=8,
        description="What the shopper did since the message before: kinds of acts, no more.",
    )
    expression: Expression | None = Field(None, description="How the face at a kiosk looks; used only with consent.")


class SignalIn(Body):
    """What a shopper did, or how they look; one of both."""

    behaviour: Behaviour | None = None
    expression: Expression | None = None
    valence: Real | None = Field(None, ge=-1, le=1, allow_inf_nan=False)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if (self.behaviour is None) == (self.expression is None):
            raise ValueError("send behaviour or expression")
        return self


class ReadIn(Body):
    """How far somebody has read."""

    message_id: Id


class TypingIn(Body):
    """Whether somebody is typing."""

    on: Truth


class RatingIn(Body):
    """How a person's help was."""

    score: Whole = Field(ge=1, le=5)
    comment: str | None = Field(None, max_length=1000, pattern=PRINTABLE)


class AgentIn(Body):
    """The name under which an agent answers shoppers."""

    name: str = Field(min_length=1, max_length=64, pattern=PRINTABLE, examples=["Ana"])


class AgentMessageIn(Body):
    """What an agent says."""

    text: str = Field(min_length=1, max_length=4000, pattern=PRINTABLE)
    client_message_id: ClientId | None = None


class NoteIn(Body):
    """What an agent notes for other agents."""

    text: str = Field(
        min_length=1, max_length=2000, pattern=PRINTABLE, examples=["Was promised a call back by Friday."]
    )


class TransferIn(Body):
    """Who gets the conversation."""

    agent_id: str = Field(min_length=1, max_length=64, pattern=PRINTABLE)


class CannedAnswerIn(Body):
    """Words that agents use again and again; `version` is the one that was read, for a change."""

    title: str = Field(min_length=1, max_length=60, pattern=PRINTABLE, examples=["Opening hours"])
    text: str = Field(min_length=1, max_length=2000, pattern=PRINTABLE, examples=["We are open from 7 to 22."])
    language: str = Field("en", pattern=r"^[a-z]{2}$")
    version: Whole | None = Field(None, ge=1)


class BrandKitIn(Body):
    """A brand kit as its file has it (docs/creative.md); a logo comes as the base64 of a PNG, JPEG, WebP or SVG file, up to 1 MB."""

    retailer: str = Field(min_length=1, max_length=60, pattern=PRINTABLE, examples=["Hofladen"])
    colour: str = Field(pattern=r"^#[0-9a-fA-F]{6}$", examples=["#2f6b3c"])
    clear_space: Real = Field(0.5, ge=0, le=3)
    tones: list[Annotated[str, Field(max_length=20)]] = Field(["warm", "plain"], min_length=1, max_length=10)
    pairings: list[Annotated[str, Field(max_length=40)]] = Field([], max_length=40, description="Empty: any.")
    forbidden_words: list[Annotated[str, Field(min_length=1, max_length=60, pattern=PRINTABLE)]] = Field(
        [], max_length=100
    )
    forbidden_colours: list[Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]] = Field([], max_length=20)
    legal: str = Field("", max_length=200, pattern=PRINTABLE, examples=["While stocks last."])
    logo: Annotated[str, Field(max_length=1_400_000)] | None = Field(
        None, description="Base64; null keeps the logo that counts now."
    )
    logo_licence: str = Field(
        "",
        max_length=200,
        pattern=PRINTABLE,
        examples=["our own"],
        description="Under which licence the logo may be used; needed to save a new logo, empty keeps what was said of the one that counts now.",
    )
    without_logo: Truth = False


class BrandKitSaved(BrandKitIn):
    """A brand kit to save, and why it is changed."""

    note: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$", examples=["New green"])]


Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$", examples=["personal-push"])]


class ArmIn(Body):
    """One way of treating people."""

    name: Slug
    share: Real = Field(gt=0, lt=1, examples=[0.5])
    personalize: Truth = Field(True, description="Off: popular items, as for a stranger.")
    coupons: Truth = Field(True, description="Off: no coupons.")
    creative: Truth = Field(True, description="Off: no posters.")
    tuning: Whole | None = Field(
        None, ge=0, lt=2**31, description="Decide by this version of the tuning; null: the one that counts."
    )


class ExperimentIn(Body):
    """A draft. The first arm is the control."""

    experiment_id: Slug
    hypothesis: str = Field(min_length=1, max_length=400)
    arms: list[ArmIn] = Field(min_length=2, max_length=8)
    metric: str = Field("spend", description="What decides: one of the metrics of docs/experiments.md.")
    guardrails: dict[str, Real] = Field(
        default_factory=dict, description="Metric to the relative change for the worse that is tolerated."
    )
    traffic: Real = Field(1.0, gt=0, le=1, description="The part of people who take part.")
    window_days: Whole = Field(28, ge=1, le=365)
    design: Literal["sequential", "fixed"] = Field(
        "sequential", description="Chosen up front: may be looked at all the time, or is read once at `planned_units`."
    )
    planned_units: Whole = Field(
        0, ge=0, le=10**9, description="People in all at which a fixed test is read; see the power calculator."
    )

    def experiment(self) -> Experiment:
        """Return the experiment. Raises ExperimentError where its parts do not go together."""
        if self.experiment_id.startswith(OF_CAMPAIGNS):
            raise ExperimentError(
                f"ids that begin with {OF_CAMPAIGNS} are of campaigns' own experiments; choose another id"
            )
        given = self.model_dump(exclude={"arms"})
        return Experiment(**given, arms=tuple(Arm(**arm.model_dump()) for arm in self.arms))


class PowerIn(Body):
    """What to work out: the size that finds `relative`, or what `units` or `days` can find. One of the three."""

    metric: str = "conversion"
    window_days: Whole = Field(28, ge=1, le=365)
    control_share: Real = Field(
        0.5, gt=0.01, lt=0.99, description="The control's share of the two arms that are compared."
    )
    traffic: Real = Field(1.0, gt=0, le=1)
    design: Literal["sequential", "fixed"] = "sequential"
    alpha: Real = Field(0.05, ge=0.001, le=0.2)
    power: Real = Field(0.8, ge=0.5, le=0.99)
    relative: Real | None = Field(None, gt=0, le=10, examples=[0.05], description="The change to be found, as a share.")
    units: Whole | None = Field(None, ge=20, le=10**9)
    days: Whole | None = Field(None, ge=1, le=365)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(value is not None for value in (self.relative, self.units, self.days)) != 1:
            raise ValueError("send one of relative, units and days")
        return self


class ExposureIn(Body):
    """Whom another system is about to treat, for example with an e-mail."""

    member_id: Id


class FairnessIn(Body):
    """Which decisions a fairness audit reads."""

    days: Whole = Field(ge=1, le=730, description="Those of so many days.", examples=[28])
