"""Webhook endpoints: who is told what happens, how far they have been told, and what could not be told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Path, Query, Response

from api.answers import answers
from api.answers_webhooks import (
    DeliveriesPage,
    DeliveryOut,
    EndpointChanged,
    EndpointsOut,
    EndpointWithCounts,
    EndpointWithSecret,
    PingOut,
    ReplayedOut,
)
from api.auth import api_key
from api.cursors import Cursor, place_before, read_number, write_place
from api.errors import ProblemError, problems
from api.routes.deps import ServicesDep
from api.schemas_webhooks import EndpointIn, EndpointPatch, ReplayIn, RotateIn
from api.services.connectors import hubspot, salesforce
from api.services.targets import TargetError
from api.services.webhooks import tell_once
from api.tags import IfMatch, tag
from api.wiring import Services
from stores.database import new_id
from stores.webhooks import Delivery, Endpoint, new_secret

router = APIRouter(tags=["Webhooks"], dependencies=[Depends(api_key("webhooks"))])
EndpointId = Annotated[str, Path(max_length=36)]
MOST_ENDPOINTS = 100
WHAT = "the endpoint"
_NEEDED = {"hubspot": hubspot.NEEDED, "salesforce": salesforce.NEEDED}


@router.post("/webhook-endpoints", summary="Add a webhook endpoint", **answers(EndpointWithSecret, 201, but=[409]))
def add(body: EndpointIn, services: ServicesDep) -> dict[str, Any]:
    """Store an endpoint. Its `secret` is shown this once; verify signatures with it (docs/webhooks.md)."""
    _check(services, body.url)
    _check_options(body.kind, body.options)
    if len(services.webhooks.all()) >= MOST_ENDPOINTS:
        raise ProblemError(409, "conflict", f"There are {MOST_ENDPOINTS} endpoints already; delete one first.")
    made = services.webhooks.create(
        body.name, body.url, [topic.value for topic in dict.fromkeys(body.topics)], at=datetime.now(UTC), kind=body.kind,
        options=body.options,
    )  # fmt: skip
    return {**_endpoint(made), "secret": made.secret}


@router.get("/webhook-endpoints", summary="List webhook endpoints", **answers(EndpointsOut))
def list_endpoints(services: ServicesDep) -> dict[str, Any]:
    """Return every endpoint, oldest first."""
    return {"endpoints": [_endpoint(one) for one in services.webhooks.all()]}


@router.get("/webhook-endpoints/{endpoint_id}", summary="Read a webhook endpoint", **answers(EndpointWithCounts))
def read(endpoint_id: EndpointId, services: ServicesDep, response: Response) -> dict[str, Any]:
    """Return an endpoint with how many events wait, arrived, and could not be told."""
    found = services.webhooks.get(endpoint_id)
    response.headers["ETag"] = _tag(found)
    return {**_endpoint(found), "deliveries": services.webhooks.counts(endpoint_id)}


@router.patch(
    "/webhook-endpoints/{endpoint_id}", summary="Change a webhook endpoint", **answers(EndpointChanged, but=[412])
)
def change(
    endpoint_id: EndpointId, body: EndpointPatch, services: ServicesDep, response: Response, if_match: IfMatch
) -> dict[str, Any]:
    """Change what is given. `status` pauses it, or makes it active again after 410 or a pause, with its circuit closed.

    Who answers at another host is somebody else: they get a `secret` of their own, shown this once, and a connector's `options` have to be
    sent along, so that nobody sends the stored ones to a host of theirs.
    """
    before, now = services.webhooks.get(endpoint_id), datetime.now(UTC)
    changes = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    if "url" in changes:
        _check(services, changes["url"])
    if "topics" in changes:
        changes["topics"] = tuple(topic.value for topic in dict.fromkeys(changes["topics"]))
    if "options" in changes:
        _check_options(before.kind, changes["options"])
    moved = "url" in changes and _host(changes["url"]) != _host(before.url)
    if moved and before.options and "options" not in changes:
        raise ProblemError(422, "invalid", "options: send them again with an address at another host.")
    if moved:
        changes |= {"secret": new_secret(), "old_secret": None, "old_until": None}
    found = services.webhooks.change(endpoint_id, at=now, check=if_match.against(_tag, WHAT), **changes)
    response.headers["ETag"] = _tag(found)
    return {**_endpoint(found), "secret": found.secret if moved else None}


@router.delete("/webhook-endpoints/{endpoint_id}", summary="Delete a webhook endpoint", status_code=204,
               response_class=Response, responses=problems(412))  # fmt: skip
def delete(endpoint_id: EndpointId, services: ServicesDep, if_match: IfMatch) -> Response:
    """Delete it, and what it was to be told."""
    services.webhooks.delete(endpoint_id, check=if_match.against(_tag, WHAT))
    return Response(status_code=204)


@router.post("/webhook-endpoints/{endpoint_id}/rotate", summary="Give a webhook endpoint a new secret",
             **answers(EndpointWithSecret, but=[412]))  # fmt: skip
def rotate(
    endpoint_id: EndpointId, services: ServicesDep, response: Response, if_match: IfMatch, body: RotateIn | None = None
) -> dict[str, Any]:
    """Make a new secret. For a day, or `overlap_s`, requests carry a signature by each of the two."""
    overlap = timedelta(seconds=(body or RotateIn.model_validate({})).overlap_s)
    check = if_match.against(_tag, WHAT)
    found = services.webhooks.rotate(endpoint_id, at=datetime.now(UTC), overlap=overlap, check=check)
    response.headers["ETag"] = _tag(found)
    return {**_endpoint(found), "secret": found.secret}


@router.post("/webhook-endpoints/{endpoint_id}/ping", summary="Send a test event", **answers(PingOut))
def ping(endpoint_id: EndpointId, services: ServicesDep) -> dict[str, Any]:
    """Send `aisle.ping`, signed like every event, once and at once; it waits for nothing and is not tried again."""
    found, now = services.webhooks.get(endpoint_id), datetime.now(UTC)
    event = {"id": new_id(), "topic": "ping", "at": now.isoformat(), "data": {"endpoint_id": found.endpoint_id}}
    told = tell_once(services.tellers[found.kind], found, event, at=now)
    return {"ok": told.ok, "answer": told.answer}


@router.get("/webhook-endpoints/{endpoint_id}/deliveries", summary="List an endpoint's deliveries",
            **answers(DeliveriesPage))  # fmt: skip
def deliveries(
    endpoint_id: EndpointId, services: ServicesDep, response: Response,
    status: Annotated[Literal["pending", "delivered", "dead"] | None, Query(description="Only these.")] = None,
    cursor: Cursor = None,
    after: Annotated[int | None, Query(ge=0, le=2**53, description="`next` of the page before.", deprecated=True)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:  # fmt: skip
    """Return deliveries in order. What arrived is listed for 30 days, without its content."""
    behind = read_number(place_before(response, cursor, after))
    page = services.webhooks.deliveries(endpoint_id, status=status, after=behind, limit=limit)
    last = page[-1].seq if len(page) == limit else None
    return {
        "deliveries": [_delivery(one) for one in page], "next": last,
        "next_cursor": None if last is None else write_place(str(last)),
    }  # fmt: skip


@router.post("/webhook-endpoints/{endpoint_id}/replay", summary="Send dead letters again", **answers(ReplayedOut))
def replay(endpoint_id: EndpointId, services: ServicesDep, body: ReplayIn | None = None) -> dict[str, Any]:
    """Queue what could not be told, with its old ids and in its old order: all of it, or the one `delivery`."""
    seq = None if body is None else body.delivery
    return {"replayed": services.webhooks.replay(endpoint_id, at=datetime.now(UTC), seq=seq)}


@router.post("/webhook-endpoints/{endpoint_id}/deliveries/{delivery}/give-up", summary="Give one delivery up",
             **answers(DeliveryOut, but=[409]))  # fmt: skip
def give_up(
    endpoint_id: EndpointId, delivery: Annotated[int, Path(ge=1, le=2**53)], services: ServicesDep
) -> dict[str, Any]:
    """Make one that waits a dead letter, so that what stands behind it goes on."""
    services.webhooks.give_up(endpoint_id, delivery, at=datetime.now(UTC))
    return _delivery(services.webhooks.deliveries(endpoint_id, after=delivery - 1, limit=1)[0])


def _check_options(kind: str, options: Mapping[str, str]) -> None:
    if missing := sorted(name for name in _NEEDED.get(kind, frozenset()) if not options.get(name, "").strip()):
        raise ProblemError(422, "invalid", f"options: {kind} needs {', '.join(missing)} (docs/webhooks.md).")


def _host(url: str) -> tuple[str, str]:
    told = urlsplit(url)
    return told.scheme.lower(), told.netloc.lower()


def _check(services: Services, url: str) -> None:
    try:
        services.outside.check(url)
    except TargetError as error:
        raise ProblemError(422, "invalid", f"url: {error}.") from None


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _tag(one: Endpoint) -> str:
    return tag("endpoint", one.updated_at)


def _endpoint(one: Endpoint) -> dict[str, Any]:
    return {
        "endpoint_id": one.endpoint_id, "kind": one.kind, "name": one.name, "url": one.url, "topics": list(one.topics),
        "status": one.status, "reason": one.reason, "options": sorted(one.options), "old_secret_until": _iso(one.old_until),
        "failures": one.failures, "retry_at": _iso(one.retry_at), "created_at": one.created_at.isoformat(),
        "updated_at": one.updated_at.isoformat(),
    }  # fmt: skip


def _delivery(one: Delivery) -> dict[str, Any]:
    waits = one.status == "pending"
    return {
        "delivery": one.seq, "event_id": one.event_id, "topic": one.topic, "status": one.status, "attempts": one.attempts,
        "at": one.at.isoformat(), "due_at": _iso(one.due_at) if waits else None,
        "gives_up_at": _iso(one.give_up_at) if waits else None, "ended_at": _iso(one.ended_at), "answer": one.answer,
    }  # fmt: skip
