"""What answers about displays hold (see `api.answers`)."""

from __future__ import annotations

from pydantic import Field

from api.answers import Shape


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
