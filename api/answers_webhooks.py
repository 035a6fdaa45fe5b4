"""What answers about webhooks hold (see `api.answers`)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.answers import OLDER_NAME, Shape


class EndpointOut(Shape):
    """Somebody who is told."""

    endpoint_id: str
    kind: Literal["webhook", "hubspot", "salesforce"]
    name: str
    url: str
    topics: list[str] = Field(examples=[["member.updated", "coupon.redeemed"]])
    status: Literal["active", "paused", "disabled"]
    reason: str | None = Field(description="Why it was disabled.")
    options: list[str] = Field(description="The names of a connector's options; their values are not shown.")
    old_secret_until: str | None = Field(description="Until when the secret before signs, too.")
    failures: int = Field(description="Failed attempts in a row.")
    retry_at: str | None = Field(description="The circuit is open until then: nothing is tried.")
    created_at: str
    updated_at: str


class EndpointWithSecret(EndpointOut):
    """An endpoint with its secret, which is shown this once."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class EndpointChanged(EndpointOut):
    """An endpoint, with a new secret where it is at another host now."""

    secret: str | None = Field(description="Only after a change of host, this once; null otherwise.")


class EndpointWithCounts(EndpointOut):
    """An endpoint with the numbers of its deliveries."""

    deliveries: dict[str, int] = Field(examples=[{"pending": 0, "delivered": 12, "dead": 0}])


class EndpointsOut(Shape):
    """Everybody who is told."""

    endpoints: list[EndpointOut]


class DeliveryOut(Shape):
    """One event for one endpoint."""

    delivery: int = Field(description="Its place in the endpoint's order.")
    event_id: str = Field(description="The `webhook-id`: the same in every attempt.")
    topic: str
    status: Literal["pending", "delivered", "dead"]
    attempts: int
    at: str
    due_at: str | None = Field(description="When it is tried next.")
    gives_up_at: str | None
    ended_at: str | None
    answer: str | None = Field(description="How the last attempt ended.", examples=["HTTP 503"])


class DeliveriesPage(Shape):
    """A page of deliveries, in order."""

    deliveries: list[DeliveryOut]
    next: int | None = Field(**OLDER_NAME)
    next_cursor: str | None


class PingOut(Shape):
    """How a test event was answered."""

    ok: bool
    answer: str = Field(examples=["HTTP 204"])


class ReplayedOut(Shape):
    """How many dead letters wait again."""

    replayed: int
