"""Events: what the CRM, the shop and the widget report."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import ValidationError

from api.answers import EventsOut, answers
from api.auth import visitor_or_key
from api.routes.deps import ServicesDep
from api.schemas import EventIn, EventsIn
from api.shoppers import Visitor
from personalization.profiling.sources import SourceError, admitted
from personalization.types import EventType
from stores.events import Event
from stores.keys import Key

router = APIRouter(tags=["Events"])
_BY_TILLS = {EventType.REDEEMED: "redeem", EventType.ROLLED_BACK: "rollback"}
_FROM_WIDGET = {EventType.PAGE_VIEWED, EventType.VIEWED, EventType.CLICKED, EventType.ADDED_TO_BASKET}


@router.post("/events", summary="Report a batch of events", **answers(EventsOut))
def post_events(
    body: EventsIn, services: ServicesDep, who: Annotated[Visitor | Key, Depends(visitor_or_key("events:write"))]
) -> dict[str, Any]:
    """Store up to 1,000 events. An `event_id` that was seen before changes nothing, so a batch may be sent again.

    What a type may bring, for how long it is kept and which consent it needs stands in docs/events.md; payload keys that
    are not listed there are dropped, and a member who did not agree is not named. A widget token reports only its own visitor's clicks and views; orders and redemptions come from the shop's server.
    """
    good: list[Event] = []
    rejected = []
    for index, raw in enumerate(body.events):
        try:
            event = EventIn.model_validate(raw)
        except ValidationError as error:
            reason = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
            rejected.append({"index": index, "reason": reason})
            continue
        if event.type in _BY_TILLS:
            rejected.append(
                {"index": index, "reason": f"use POST /v1/coupons/{{code}}/{_BY_TILLS[event.type]}; it makes the event"}
            )
            continue
        if event.type is EventType.IDENTIFIED:
            rejected.append({"index": index, "reason": "use POST /v1/identify; it makes the event"})
            continue
        if event.type is EventType.ALERTED:
            rejected.append(
                {"index": index, "reason": "alerts are made by Aisle itself; read them with GET /v1/alerts"}
            )
            continue
        if isinstance(who, Visitor):
            if event.type not in _FROM_WIDGET:
                rejected.append({"index": index, "reason": f"a widget token may not report {event.type}"})
                continue
            event = event.model_copy(update={"member_id": who.member_id, "visitor_id": who.visitor_id})
        try:
            admitted(event.type, event.payload)
        except SourceError as error:
            rejected.append({"index": index, "reason": str(error)})
            continue
        good.append(Event(**event.model_dump()))
    if services.stream is not None:
        services.stream.publish(good)
        return {"accepted": len(good), "duplicates": 0, "rejected": rejected}
    statuses = services.events.append_batch(good, received_at=datetime.now(UTC))
    return {"accepted": statuses.count("accepted"), "duplicates": statuses.count("duplicate"), "rejected": rejected}
