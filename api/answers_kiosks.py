"""What answers about kiosks hold: what they have shown, their cameras, and the staff whom these leave out (see `api.answers`)."""

from __future__ import annotations

from pydantic import Field

from api.answers import Shape
from stores.switches import Use


class PlayOut(Shape):
    """Something that a kiosk has shown. Times are the server's."""

    position: int
    play_id: str
    mode: str = Field(examples=["attract"])
    decision_id: str | None
    creative_id: str | None
    film_id: str | None = Field(description="The film that was played in the creative's place.")
    product_ids: list[str]
    started_at: str
    ended_at: str
    online: bool
    clock_offset_s: float = Field(description="What was added to the kiosk's own times.")
    received_at: str


class PlaysOut(Shape):
    """What a kiosk has shown, as it came in; ask again with the last `position` as `after`."""

    plays: list[PlayOut]


class Purged(Shape):
    """The number that the kiosk's copies have to carry from now on."""

    epoch: int


class KioskOut(Shape):
    """A display."""

    kiosk_id: str
    name: str
    store_id: str | None
    excluded: list[list[list[float]]] = Field(
        description="Zones of its camera's picture in which nobody is looked at (`PUT …/zones`)."
    )


class KioskMade(KioskOut):
    """A new display with its device key, which is shown this once."""

    device_key: str


class KiosksOut(Shape):
    """Every display."""

    kiosks: list[KioskOut]
    next_cursor: str | None = Field(None, description="Of the page behind; null at the end.")


class NoticeOut(Shape):
    """The notice that hangs at a store's entrance, and what it stands for."""

    uses: list[Use]
    purpose: str = Field(examples=["Greet members who agree by name, with offers of theirs."])
    retention_days: int = Field(examples=[365])
    version: int = Field(description="Counts the store's notices from 1.", examples=[1])
    at: str
    text: str = Field(examples=["At our kiosks a camera recognises members who agreed to it. No picture is stored."])


class CamerasLine(Shape):
    """What cameras may do from `at` on."""

    on: bool
    uses: list[Use] = Field(examples=[["recognition"]])
    notice: NoticeOut | None = Field(description="Null while cameras are off.")
    number: int
    by: str = Field(description="Who switched: a key, or somebody at the command line.", examples=["key ak_4fJ2… crm"])
    at: str


class CamerasOut(Shape):
    """What a store's cameras may do now, and the record of how that came about, oldest first. It is never changed."""

    store_id: str = Field(examples=["318"])
    on: bool
    uses: list[Use] = Field(examples=[["recognition"]])
    notice: NoticeOut | None = Field(description="Null while cameras are off.")
    kiosks: list[str] = Field(description="Names of the store's kiosks.", examples=[["entrance"]])
    history: list[CamerasLine]
    etag: str = Field(
        description="What `If-Match` names, to change nothing that was not seen.", examples=['"cameras-3"']
    )


class StoresCameras(Shape):
    """What cameras may do, store by store."""

    stores: list[CamerasOut]
    next_cursor: str | None = Field(None, description="Of the page behind; null at the end.")


class StaffOut(Shape):
    """Somebody of the staff whom cameras leave out."""

    staff_id: str
    name: str = Field(examples=["Ana Diaz"])
    templates: int = Field(examples=[1])
    consent_text_version: str = Field(examples=["staff-2"])
    consented_at: str
    recorded_by: str = Field(examples=["key ak_4fJ2… crm"])


class StaffListOut(Shape):
    """The staff whom cameras leave out, by name."""

    staff: list[StaffOut]
    next_cursor: str | None = Field(None, description="Of the page behind; null at the end.")


class Seen(Shape):
    """What a frame shows, expression and dwell of the nearest person. It tells no name: the display does."""

    people: int
    present: bool
    recognised: bool
    expression: str | None
    dwell_ms: int
    stages_ms: dict[str, float]
    latency_ms: float


class FrameOut(Shape):
    """What a frame shows; null when the one before was still being looked at."""

    observation: Seen | None
    changed: bool


class Changed(Shape):
    """Whether the display changed."""

    changed: bool


class Forgotten(Shape):
    """How many members' faces were forgotten."""

    forgotten: int


class TemplateOut(Shape):
    """One consenting member's template: base64 of little-endian float32."""

    member_id: str
    vector: str
    expression: bool = Field(description="Whether this member's expression may be read.")


class GalleryOut(Shape):
    """What a camera needs to recognise consenting members."""

    model: str
    threshold: float
    expression_notice: bool = Field(description="Whether strangers' expressions may be read.")
    templates: list[TemplateOut]
    adaptive: bool = Field(description="Whether templates made in passing are wanted (`POST …/adaptations`).")
    staff: list[str] = Field(description="Templates of the staff, nobody says whose: who matches is dropped at once.")
    excluded: list[list[list[float]]] = Field(
        description="Zones in which nobody may be looked at: corners of polygons in shares of the picture."
    )


class Adapted(Shape):
    """What became of a template that a camera made in passing."""

    taken: bool
    why: str = Field(examples=["not like what was enrolled"])


class Coached(Shape):
    """Whether a picture is good enough to be recognised by; else what to change, in words for the person."""

    good: bool
    advice: str
    code: str = Field(description="The advice for machines: nobody, several, size, sharpness, light, frontal, other.")


class Enrolled(Shape):
    """Who was enrolled."""

    display_name: str
    first_name: str
