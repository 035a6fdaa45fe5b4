"""What answers about the agents' desk hold: suggestions, canned answers, and how well shoppers are served."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.answers import CouponOut, Item, Shape


class SuggestedReply(Shape):
    """Words that an agent may send, after reading and changing them; nothing is sent by itself."""

    why: Literal["opening", "apology", "items", "coupon", "canned", "closing"]
    title: str = Field(description="The name of the canned answer; empty otherwise.")
    text: str


class SuggestionsOut(Shape):
    """What the core would say, show and give to this shopper now."""

    replies: list[SuggestedReply]
    items: list[Item]
    coupons: list[CouponOut] = Field(description="Coupons that the shopper holds and may use.")
    decision_id: str | None = Field(description="The decision that the items come from; its explanation tells why.")
    fallback: bool = Field(description="Whether the core answered with popular items.")


class CannedAnswerOut(Shape):
    """Words that agents use again and again."""

    answer_id: str
    title: str
    text: str
    language: str
    version: int
    by: str
    at: str


class CannedAnswers(Shape):
    """Every canned answer, by title."""

    answers: list[CannedAnswerOut]
    next_cursor: str | None = Field(None, description="Of the page behind; null at the end.")


class AgentLevel(Shape):
    """What one agent did in the period."""

    agent: str
    served: int
    median_wait_s: float | None
    csat: float | None
    rated: int


class ServiceLevel(Shape):
    """How well shoppers who asked for a person were served in a period; waits in seconds, CSAT from 1 to 5."""

    queued: int
    served: int
    withdrawn: int
    waiting: int
    longest_wait_s: float | None = Field(description="Of those that wait now.")
    target_s: int
    within_target: float | None = Field(description="The share of those served who waited no longer than the target.")
    median_wait_s: float | None
    p90_wait_s: float | None
    csat: float | None
    rated: int
    agents: list[AgentLevel]
    by_hour: list[int] = Field(description="Requests by the hour of the day, 24 of them, in the shop's time zone.")
