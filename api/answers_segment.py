"""What answers to Segment's libraries hold (see `api.answers`)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.answers import OLDER_NAME, Shape


class MessageResult(Shape):
    """What became of one message."""

    message_id: str
    status: Literal["accepted", "duplicate", "ignored", "rejected"]
    reason: str | None = Field(description="Why it was ignored or rejected.")
    notes: list[str] = Field(description="What was left out of an accepted one, and why.")
    events: int = Field(description="How many events it made.")


class BatchTaken(Shape):
    """What became of each message; `success` is false when one was rejected."""

    success: bool
    results: list[MessageResult]


class MessageTaken(MessageResult):
    """What became of the message."""

    success: Literal[True]


class MergeOut(Shape):
    """That a visitor is a member."""

    merge_id: str
    member_id: str
    visitor_id: str
    source: str = Field(examples=["identify"])
    events: int = Field(description="Earlier events of the visitor that it made the member's.")
    at: str
    undone_at: str | None
    undone_by: str | None


class MergesPage(Shape):
    """A page of merges, oldest first."""

    merges: list[MergeOut]
    next: str | None = Field(**OLDER_NAME)
    next_cursor: str | None
