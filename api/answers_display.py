"""What answers about the display policy hold (see `api.answers`)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from api.answers import Shape


class LimitOut(Shape):
    """The range of one value, and the step in which people choose it."""

    least: float
    most: float
    step: float
    unit: str = Field(examples=["s", "valence"])


class PolicyOut(Shape):
    """A version of the display policy; version 0 came with the release or stands in a file."""

    version: int
    values: dict[str, Any] = Field(examples=[{"calm": {"below": -0.35}, "leaving": 1.0}])
    note: str
    author: str
    at: str | None
    restored: int | None = Field(description="The version whose values these are again.")


class PolicyNow(PolicyOut):
    """The display policy that counts, what its values may be, and the visits to try it on."""

    limits: dict[str, LimitOut]
    visits: list[str]


class PoliciesOut(Shape):
    """Versions of the display policy, newest first."""

    versions: list[PolicyOut]
    next_cursor: str | None = Field(None, description="Of the page behind; null at the end.")


class ScreenOut(Shape):
    """One mode, why it was chosen, and from when to when it stood, in seconds."""

    mode: str
    why: str
    since: float
    until: float


class PreviewOut(Shape):
    """A made visit as the kiosk would have shown it."""

    screens: list[ScreenOut]
    happened: list[Annotated[list[float | str], Field(min_length=2, max_length=2)]] = Field(
        description="From which second on, and what happened."
    )
    valences: list[Annotated[list[float], Field(min_length=2, max_length=2)]] = Field(
        description="At which second, and the look of the face, where it could be read."
    )
    flickers: int = Field(description="Screens that went within 2.5 s although everybody was still there.")
