"""The words of the brain as plain, frozen dataclasses.

Money is integer minor units with a currency, time is timezone-aware UTC. Ids that Aisle makes are UUIDv7 strings;
products, stores, orders and campaigns keep the retailer's own keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, NewType

from personalization.currencies import written
from personalization.tuning import SHIPPED, TuningPolicy

MemberId = NewType("MemberId", str)
VisitorId = NewType("VisitorId", str)
ProductId = NewType("ProductId", str)
StoreId = NewType("StoreId", str)
OrderId = NewType("OrderId", str)
CampaignId = NewType("CampaignId", str)
CouponId = NewType("CouponId", str)
CreativeId = NewType("CreativeId", str)
DecisionId = NewType("DecisionId", str)


class Channel(StrEnum):
    """Where a shopper meets Aisle."""

    WIDGET = "widget"
    KIOSK = "kiosk"
    API = "api"


class Purpose(StrEnum):
    """What a consent is for. Each purpose is granted and withdrawn on its own."""

    PROFILING = "profiling"
    FACE_RECOGNITION = "face_recognition"
    EXPRESSION = "expression"
    LOCATION = "location"
    MARKETING = "marketing"
    RESEARCH = "research"
    SENSORS = "sensors"


class Placement(StrEnum):
    """How a store promotes a product."""

    DISPLAY = "display"
    MAILER = "mailer"


class EventType(StrEnum):
    """What can be told to the event log. The last six are outcomes and may name a decision."""

    PAGE_VIEWED = "page_viewed"
    MESSAGE_SENT = "message_sent"
    DWELLED = "dwelled"
    EXPRESSED = "expressed"
    LOCATED = "located"
    ATTRIBUTE_SET = "attribute_set"
    MENTIONED = "mentioned"
    SENSED = "sensed"
    RATED = "rated"
    ALERTED = "alerted"
    IDENTIFIED = "identified"
    VIEWED = "viewed"
    CLICKED = "clicked"
    ADDED_TO_BASKET = "added_to_basket"
    BOUGHT = "bought"
    REDEEMED = "redeemed"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in integer minor units (cents for USD) of an ISO 4217 currency."""

    minor_units: int
    currency: str

    def __str__(self) -> str:
        return written(self.minor_units, self.currency)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a decision is for: a member (known), or a visitor (unknown). At least one id is set."""

    member_id: MemberId | None = None
    visitor_id: VisitorId | None = None

    def __post_init__(self) -> None:
        if self.member_id is None and self.visitor_id is None:
            raise ValueError("a subject needs a member id or a visitor id")


FACE, TEXT = "face", "text"
"""Where an affect comes from: a face has had a part in it, or has not."""


@dataclass(frozen=True, slots=True)
class Affect:
    """How someone seems to feel now.

    `valence` is in [-1, 1] (unpleasant to pleasant), `arousal` in [0, 1]; `emotions` maps a label to a
    probability in [0, 1]; `source` is "text" or "face".
    """

    valence: float
    arousal: float
    emotions: Mapping[str, float] = field(default_factory=dict)
    source: str = TEXT


@dataclass(frozen=True, slots=True)
class Product:
    """One item of the catalogue. `regular_price` is set only where it is truly above `price`.

    `minimum_age` is 0 without an age limit; `contains` are words in lower case that a shopper may want to avoid ("nuts").
    `aisle` and `shelf` say where it stands, `stock` how many pieces are left, empty and None where the retailer does not tell;
    `attributes` are (name, value) pairs, the value empty where the name alone says it ("vegan"). `picture` is the SHA-256 of its
    photograph, empty where it has none, and `picture_licence` says under which licence that may be used.
    """

    product_id: ProductId
    name: str
    department: str
    category: str
    brand: str
    price: Money
    package_size: str = ""
    regular_price: Money | None = None
    in_stock: bool = True
    minimum_age: int = 0
    contains: frozenset[str] = frozenset()
    aisle: str = ""
    shelf: str = ""
    stock: int | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    picture: str = ""
    picture_licence: str = ""


class ProductName(NamedTuple):
    """What one or more products of the catalogue are called; `only` is the id where it is one."""

    name: str
    department: str
    category: str
    brand: str
    package_size: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    only: ProductId | None = None


@dataclass(frozen=True, slots=True)
class Purchase:
    """One line of one order, as profiling and ranking read it."""

    order_id: OrderId
    product_id: ProductId
    at: datetime
    quantity: int
    amount: Money
    store_id: StoreId | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """The circumstances of one question to the brain."""

    channel: Channel
    at: datetime
    store_id: StoreId | None = None
    query: str | None = None
    affect: Affect | None = None
    slate_size: int = 5
    wants_coupon: bool = False
    wants_creative: bool = False
    exclude: frozenset[ProductId] = frozenset()
    avoid: frozenset[str] = frozenset()
    """Words that nothing in the slate may contain: what others who look at the same screen avoid."""
    widened: bool = False
    """Whether the slate is to be more varied than usual, since what the member was shown has narrowed (`trust.variety`)."""
    conversation_id: str | None = None
    """The conversation in which it was asked, so that its words go with it; the log keeps it beside the decision."""
    tuning: TuningPolicy = SHIPPED
    """Where the dials stand; the log has the version alone, among the models' versions."""
    language: str = ""
    """What the shopper speaks, "" where nobody knows: a poster speaks the shop's own language then."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item, a coupon or a creative was chosen.

    `code` is stable for machines ("repeat_purchase"), `facts` are the true inputs, `sentence` is made from
    those facts alone and is what a shopper reads.
    """

    code: str
    sentence: str
    facts: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that one or more sources proposed. `scores` maps a source's name to its score in [0, 1]."""

    product_id: ProductId
    scores: Mapping[str, float]
    facts: Mapping[str, Mapping[str, str | int | float | bool | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SlateItem:
    """One item that was shown: `rank` counts from 1, `score` orders within this slate only.

    `parts` is what its score loses without each kind of evidence, in units of the candidates' scores (`CandidateSet.scores`).
    """

    product: Product
    rank: int
    score: float
    reason: Reason
    sources: tuple[str, ...]
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """Everything that was compared for one request, kept so that ranking can learn from it.

    product_ids : (n,); objectives : (k,) names of `predictions`, n rows of k; scores : (n,) larger is better; stage : what scored them.
    """

    product_ids: tuple[ProductId, ...]
    objectives: tuple[str, ...]
    predictions: tuple[tuple[float, ...], ...]
    scores: tuple[float, ...]
    stage: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a ranker answers: the slate, what just missed it, and all that was compared.

    `stage` says which stage scored; `cause` is why it was not the best one, None when it was.
    """

    slate: tuple[SlateItem, ...]
    missed: tuple[SlateItem, ...] = ()
    candidates: CandidateSet | None = None
    stage: str = ""
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A group of members that behave alike, named and explained from what sets it apart."""

    segment_id: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Label:
    """A named, dated, explained fact about a member.

    `value` is a word, a number or a yes; `confidence` in [0, 1]; `evidence` holds the true inputs and `sentence` is
    made from them alone; `source` names the rule or the model ("rule", "segments", "churn", ...); it may be used until
    `expires_at` and only for what `purpose` was agreed to.
    """

    member_id: MemberId
    name: str
    value: str | float | bool
    confidence: float
    sentence: str
    evidence: Mapping[str, str | int | float | bool | None]
    source: str
    purpose: Purpose
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known about a member that may be used: empty without consent to profiling.

    `category_shares` maps a category to its share of spending, in [0, 1]; `labels` are those that may be used now; `features` are
    profiling's, as of `as_of`.
    """

    member_id: MemberId
    as_of: datetime
    recency_days: float | None
    frequency: int
    monetary: Money | None
    category_shares: Mapping[str, float]
    segment: Segment | None
    labels: tuple[Label, ...] = ()
    features: Mapping[str, float] = field(default_factory=dict)
