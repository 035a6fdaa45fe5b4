"""What requests about webhooks may hold (see `api.schemas`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.schemas import Body, Name, Whole
from stores.outbox import Topic

Topics = Annotated[list[Topic], Field(min_length=1, max_length=len(Topic), description="What it is to be told of.")]
Url = Annotated[
    str, Field(min_length=9, max_length=2000, pattern=r"^[\x21-\x7e]+$", examples=["https://crm.example/hooks/aisle"],
               description="https, on the public internet, unless the operator allows its host (`AISLE_WEBHOOK_HOSTS`)."),
]  # fmt: skip
Option = Annotated[str, Field(max_length=2000)]
Options = Annotated[
    dict[Annotated[str, Field(max_length=40, pattern=r"^[a-z_]+$")], Option],
    Field(max_length=20, description="What a connector needs, such as its token; never shown again (docs/webhooks.md)."),
]  # fmt: skip


class EndpointIn(Body):
    """Somebody who is to be told."""

    name: Name = Field(examples=["CRM"])
    url: Url
    topics: Topics
    kind: Literal["webhook", "hubspot", "salesforce"] = "webhook"
    options: Options = Field(default_factory=dict)


class EndpointPatch(Body):
    """What changes; what is left out stays."""

    name: Name | None = None
    url: Url | None = None
    topics: Topics | None = None
    status: Literal["active", "paused"] | None = None
    options: Options | None = None


class RotateIn(Body):
    """How long the secret before still signs, beside the new one."""

    overlap_s: Whole = Field(86_400, ge=0, le=604_800)


class ReplayIn(Body):
    """Which dead letter to send again; none: all of them."""

    delivery: Whole | None = Field(None, ge=1, le=2**53, description="Its `delivery`.")
