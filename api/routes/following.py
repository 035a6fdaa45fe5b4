"""A conversation as it happens: its stream, who has read and who types, signals of mood, and the rating."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Header, Query
from sse_starlette import EventSourceResponse, ServerSentEvent

from api import views
from api.answers import answers, content
from api.answers_talk import Done, Mood, TalkState
from api.auth import visitor, visitor_in_url
from api.routes.conversations import own
from api.routes.deps import ChatDep, DeskDep, ServicesDep
from api.schemas import RatingIn, ReadIn, SignalIn, TypingIn
from api.services.moods import Signals, told
from api.shoppers import Visitor
from api.talk import DESK
from stores.errors import NotFoundError

router = APIRouter(prefix="/conversations/{conversation_id}", tags=["Conversations"])
Who = Annotated[Visitor, Depends(visitor)]
HEARTBEAT_S = 15
LOOK_AGAIN_S = 10  # what another process did is seen by then even without Redis


@router.get(
    "/stream",
    summary="Follow a conversation",
    response_class=EventSourceResponse,
    **content("text/event-stream", about="Events, as docs/api.md describes them."),
)
async def follow(
    conversation_id: str,
    services: ServicesDep,
    desk: DeskDep,
    who: Annotated[Visitor, Depends(visitor_in_url)],
    after: Annotated[str | None, Query(max_length=36, description="The last message that was seen.")] = None,
    last_event_id: Annotated[str | None, Header(max_length=36)] = None,
) -> EventSourceResponse:
    """Stream the conversation: its state, the messages after `after`, and then what happens, in order and each once."""
    await run_sync(own, services, conversation_id, who)
    seen = last_event_id or after
    if seen is not None and not await run_sync(services.conversations.has, conversation_id, seen):
        seen = None
    return EventSourceResponse(
        _stream(conversation_id, services, desk, who, seen),
        ping=HEARTBEAT_S,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(
    conversation_id: str, services: ServicesDep, desk: DeskDep, who: Visitor, seen: str | None
) -> AsyncIterator[ServerSentEvent]:
    changes = services.talk.listen(conversation_id)
    upcoming, shown = asyncio.ensure_future(anext(changes)), None
    await asyncio.sleep(0)  # listens from here on, so that nothing is missed while the first messages are read
    news: tuple[str, dict[str, Any]] = ("state", {})
    try:
        while True:
            kind, data = news
            if kind == "gone":
                yield _event("gone", {})
                return
            if kind in {"typing", "read", "part"}:
                yield _event(kind, data)
            elif not await run_sync(services.shoppers.counts, who):
                return
            else:
                state = await run_sync(desk.state, conversation_id)
                if state != shown:
                    shown = state
                    yield _event("state", state)
                for message in await run_sync(_messages, services, conversation_id, seen):
                    seen = str(message["message_id"])
                    yield _event("message", message, seen)
            if (await asyncio.wait({upcoming}, timeout=LOOK_AGAIN_S))[0]:
                news, upcoming = upcoming.result(), asyncio.ensure_future(anext(changes))
            else:
                news = ("state", {})
    except NotFoundError:
        yield _event("gone", {})
    finally:
        upcoming.cancel()


def _messages(services: ServicesDep, conversation_id: str, seen: str | None) -> list[dict[str, Any]]:
    return [views.message(one) for one in services.conversations.messages(conversation_id, after=seen)]


def _event(name: str, data: dict[str, Any], event_id: str | None = None) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(data), event=name, id=event_id, retry=2000)


@router.get("/state", summary="Who has the conversation?", **answers(TalkState))
def state(conversation_id: str, services: ServicesDep, desk: DeskDep, who: Who) -> dict[str, Any]:
    """Return what the stream's `state` tells, for who cannot follow a stream."""
    own(services, conversation_id, who)
    return desk.state(conversation_id)


@router.post("/read", summary="Say how far was read", **answers(Done))
def mark_read(conversation_id: str, body: ReadIn, services: ServicesDep, who: Who) -> dict[str, Any]:
    """Note that the shopper has read up to a message, and tell the others."""
    own(services, conversation_id, who)
    if services.conversations.read_up_to(conversation_id, body.message_id, side="user"):
        services.talk.tell(conversation_id, "read", {"role": "user", "message_id": body.message_id})
    return {"done": True}


@router.post("/typing", summary="Say that the shopper types", **answers(Done))
def typing(conversation_id: str, body: TypingIn, services: ServicesDep, who: Who) -> dict[str, Any]:
    """Tell an agent who has the conversation; nothing is stored."""
    own(services, conversation_id, who)
    services.talk.tell(DESK, "typing", {"conversation_id": conversation_id, "on": body.on})
    return {"done": True}


@router.post("/signals", summary="Report what the shopper does", **answers(Mood))
def signal(conversation_id: str, body: SignalIn, services: ServicesDep, chat: ChatDep, who: Who) -> dict[str, Any]:
    """Take in a sign of mood that is no message, and return the mood. A face counts only with the member's consent."""
    conversation = own(services, conversation_id, who)
    signals = Signals([body.behaviour] if body.behaviour else [], body.expression, body.valence)
    return told(chat.moods.notice(conversation, signals, datetime.now(UTC)))


@router.post("/rating", summary="Rate a person's help", **answers(Done, but=[409]))
def rate(conversation_id: str, body: RatingIn, services: ServicesDep, desk: DeskDep, who: Who) -> dict[str, Any]:
    """Keep the rating of the last hand-off, once."""
    own(services, conversation_id, who)
    desk.rate(conversation_id, body.score, body.comment)
    return {"done": True}
