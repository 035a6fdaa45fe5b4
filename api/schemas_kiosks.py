"""What requests about kiosks, their cameras and their displays hold (see `api.schemas`)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas import MEANT, Body, ClientId, Expression, Id, Key, Real, Time, Truth, Whole
from stores.kiosks import Zone
from stores.switches import LONGEST_RETENTION_DAYS, Terms, Use


class KioskIn(Body):
    """A new display."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$", examples=["entrance"])]
    store_id: Key | None = Field(None, description="Without a store its camera recognises nobody.", examples=["318"])


Share = Annotated[Real, Field(ge=0, le=1, allow_inf_nan=False)]


Corner = Annotated[list[Share], Field(min_length=2, max_length=2)]  # a tuple's schema no generator of clients knows


class ZonesIn(Body):
    """Where a kiosk's camera looks at nobody."""

    excluded: list[Annotated[list[Corner], Field(min_length=3, max_length=32)]] = Field(
        max_length=16,
        description="Polygons; corners as shares of the picture's width and height. An empty list ends it.",
        examples=[[[[0, 0], [0.3, 0], [0.3, 1], [0, 1]]]],
    )

    def zones(self) -> list[Zone]:
        """Return the zones as they are kept."""
        return [tuple((x, y) for x, y in zone) for zone in self.excluded]


class CamerasIn(Body):
    """What an operator names to switch a store's cameras on."""

    uses: list[Use] = Field(min_length=1, examples=[["recognition", "expression"]])
    purpose: str = Field(
        min_length=1,
        max_length=400,
        pattern=MEANT,
        examples=["Greet members who agree by name, with offers of theirs."],
    )
    retention_days: Whole = Field(
        ge=1,
        le=LONGEST_RETENTION_DAYS,
        description="Days after the last visit, or the enrolment, at which a template is deleted.",
        examples=[365],
    )
    notice: str = Field(
        min_length=1,
        max_length=4000,
        pattern=MEANT,
        description="The text that hangs at the entrance; kiosks show it before anybody agrees to anything.",
        examples=["At our kiosks a camera recognises members who agreed to it. No picture is stored."],
    )

    def terms(self) -> Terms:
        """Return the terms."""
        return Terms(frozenset(self.uses), self.purpose, self.retention_days, self.notice)


class PersonIn(Body):
    """One person whom a vision agent sees."""

    track_id: Whole = Field(ge=0, lt=2**53)
    member_id: Id | None = None
    similarity: Real | None = Field(None, ge=-1.01, le=1.01, allow_inf_nan=False)
    expression: Expression | None = None
    valence: Real | None = Field(None, ge=-1, le=1, allow_inf_nan=False)
    certainty: Real | None = Field(None, ge=0, le=1, allow_inf_nan=False)
    live: Truth | None = None
    dwell_ms: Whole = Field(0, ge=0, lt=2**53)


class ObservationIn(Body):
    """Everybody whom a vision agent sees, the nearest first; never a picture. `observation_id`: sent again, it counts once."""

    observation_id: ClientId
    people: list[PersonIn] = Field(max_length=32)
    at: Time


class PolicyIn(Body):
    """A display policy as its file has it, and why it is changed."""

    values: dict[str, Any] = Field(examples=[{"calm": {"below": -0.35}, "leaving": 1.0}])
    note: Annotated[
        str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$", examples=["Less eager to calm"])
    ]


class PreviewIn(Body):
    """A display policy to try, and the visit to try it on."""

    values: dict[str, Any]
    visit: str = Field("a visit with every mood", max_length=64)


class ForgetIn(Body):
    """Whom a screen greeted, where that is not whom it greets now: a kiosk tells it late when the api was away."""

    ticket: str | None = Field(None, max_length=2000, pattern=r"^[A-Za-z0-9_=-]+$", description="The display's own.")


class PlayIn(Body):
    """Something that stood on a kiosk's screen. Times by the kiosk's clock; `sent_at` of the batch tells how wrong it is."""

    play_id: str = Field(
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", description="A UUIDv7."
    )
    mode: Literal["attract", "welcome", "inspire", "calm", "help"]
    decision_id: Id | None = None
    creative_id: Id | None = None
    film_id: Id | None = Field(None, description="The film that was played in the creative's place.")
    product_ids: list[Key] = Field(default_factory=list, max_length=12)
    started_at: Time
    ended_at: Time
    online: Truth = Field(description="Whether the kiosk had a connection when it began.")


class PlaysIn(Body):
    """A batch in the order in which it was shown; each play is judged on its own."""

    sent_at: Time = Field(description="The kiosk's clock when it sent this.")
    plays: list[dict[str, Any]] = Field(
        min_length=1, max_length=500, json_schema_extra={"items": {"$ref": "#/components/schemas/PlayIn"}}
    )


class SampleIn(Body):
    """A template that a camera made in passing, of a member whom it recognised."""

    member_id: Id
    model: Key = Field(examples=["opencv-sface"])
    vector: str = Field(max_length=8192, pattern=r"^[A-Za-z0-9+/=]+$", description="Base64 of little-endian float32.")
    quality: Real = Field(ge=0, le=1, allow_inf_nan=False, description="Of the crop that it was made from.")
    live: Truth | None = Field(None, description="Whether a living face was seen; null where nobody looked.")
