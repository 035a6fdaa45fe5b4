"""What the answer about all kiosks holds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.answers import Shape

Light = Literal["on", "off", "silent", "never"]


class ShownItem(Shape):
    """An item on a screen."""

    name: str
    picture_url: str


class ShownNow(Shape):
    """What a kiosk shows now. What is for somebody who was recognised is not told: only that it is."""

    mode: str = Field(examples=["attract"])
    personal: bool
    headline: str | None = Field(description="Null where the screen is personal.")
    poster_url: str | None
    items: list[ShownItem]
    decision_id: str | None


class KioskHealthOut(Shape):
    """A kiosk, whether its page and its camera are there, and what it shows. Cameras' health is told without pictures."""

    kiosk_id: str
    name: str
    store_id: str | None
    display: Light = Field(description="`on`: connected within the last minute; `silent`: it was once.")
    display_seen_at: str | None
    camera: Light = Field(
        description="`off`: switched off in this store; `silent`: it should tell something, and does not."
    )
    camera_seen_at: str | None
    camera_late_s: float | None = Field(description="Seconds from seeing to telling, at the last report.")
    shown: ShownNow | None = Field(description="Null while it shows nothing.")


class FleetOut(Shape):
    """Every kiosk, by name."""

    kiosks: list[KioskHealthOut]
