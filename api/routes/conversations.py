"""Widget tokens and conversations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse

from api import views
from api.answers import Token, answers
from api.answers_talk import ConversationOut, Done, HandoffOut, LatestConversation, ReplyOut
from api.auth import api_key, member, visitor
from api.cursors import Cursor, Limit, read_place, write_place
from api.errors import ProblemError
from api.routes.deps import ChatDep, DeskDep, ServicesDep, get_member
from api.schemas import MessageIn, WidgetTokenIn
from api.services.chat import Said
from api.services.moods import Signals
from api.shoppers import Visitor
from api.wiring import Services
from chatbot.languages.detect import preferred
from personalization.types import MemberId, Subject, VisitorId
from stores.conversations import GO_ON_FOR, Conversation
from stores.database import new_id
from stores.keys import Key

router = APIRouter(tags=["Conversations"])
Who = Annotated[Visitor, Depends(visitor)]
_at_the_door = CapacityLimiter(2)  # whose a conversation is does not queue behind the answers that are in the making


@router.post("/widget-tokens", summary="Make a widget token", **answers(Token, 201))
def make_token(
    body: WidgetTokenIn,
    services: ServicesDep,
    request: Request,
    key: Annotated[Key, Depends(api_key("widget-tokens"))],
) -> dict[str, Any]:
    """Return a token that speaks for one visitor for 15 minutes. Call this from your server, never from a browser."""
    if key.kind == "staff":
        raise ProblemError(
            403, "not-a-key", "A widget token belongs to an API key, with which it ends; make one for your server."
        )
    member_id = get_member(services, body.member_id).member_id if body.member_id else None
    if member_id is not None:  # whoever has the token acts for them
        request.state.about, request.state.told = member_id, {"for": "member"}
    return begin(services, Visitor(VisitorId(body.visitor_id or new_id()), member_id, key.key_id))


@router.post("/widget-tokens/renew", summary="Renew a widget token", **answers(Token, 201))
def renew_token(services: ServicesDep, who: Who) -> dict[str, Any]:
    """Return a fresh token for the same session, which must still count; so must the old token, and the key that it came from.

    After `AISLE_WIDGET_SESSION_HOURS` the page asks your server again.
    """
    return _told(services, *services.shoppers.renew(who))


def begin(services: ServicesDep, who: Visitor) -> dict[str, Any]:
    """Begin a session and return its token as the widget takes it; what a visitor said and gathered goes along when they turn out to be a member."""
    started = services.shoppers.start(who)
    if who.member_id:
        now, visitor = datetime.now(UTC), Subject(None, who.visitor_id)
        services.baskets.bring_along(visitor, who.subject, at=now)
    return _told(services, *started)


def _told(services: ServicesDep, token: str, who: Visitor, expires_at: datetime) -> dict[str, Any]:
    member = services.members.get(who.member_id) if who.member_id else None
    return {
        "token": token,
        "visitor_id": who.visitor_id,
        "session_id": who.session_id,
        "expires_at": expires_at.isoformat(),
        "display_name": member.display_name if member else None,
    }


@router.post("/conversations", summary="Start a conversation", **answers(ConversationOut, 201))
def start(
    services: ServicesDep, chat: ChatDep, who: Who, accept_language: Annotated[str, Header()] = ""
) -> dict[str, Any]:
    """Return a new conversation with the assistant's greeting, which says that it is an AI, in a language that is accepted."""
    known = who.member_id if who.member_id and services.members.get(who.member_id) else None
    language = preferred(accept_language, services.settings.served_languages)
    conversation, greeting = chat.start(who.visitor_id, known, language)
    return {"conversation_id": conversation.conversation_id, "messages": [greeting]}


@router.get("/me/conversation", summary="Find my conversation", **answers(LatestConversation))
def latest(services: ServicesDep, member_id: Annotated[MemberId, Depends(member)]) -> dict[str, Any]:
    """Return the signed-in member's conversation of the last day, begun on whatever device, to go on with it here."""
    since = datetime.now(UTC) - GO_ON_FOR
    return {"conversation_id": services.conversations.latest_of_member(member_id, since=since)}


@router.get("/conversations/{conversation_id}", summary="Read a conversation", **answers(ConversationOut))
def read(
    conversation_id: str, services: ServicesDep, who: Who, cursor: Cursor = None, limit: Limit = 500
) -> dict[str, Any]:
    """Return the newest messages, oldest first, so that a reloaded page goes on where it was; `next_cursor` leads to older ones."""
    conversation, older = own(services, conversation_id, who), read_place(cursor, 1)
    stored = services.conversations
    found = stored.before(conversation_id, older[0], limit + 1) if older else stored.latest(conversation_id, limit + 1)
    page = found[-limit:]
    return {
        "conversation_id": conversation_id,
        "messages": [views.message(one) for one in page],
        "next_cursor": write_place(page[0].message_id) if len(found) > limit else None,
        "handoff": conversation.handoff,
        "state": conversation.state,
        "read_by_agent": conversation.read_by_agent,
    }


@router.delete("/conversations/{conversation_id}", summary="Forget a conversation", **answers(Done))
async def forget(conversation_id: str, services: ServicesDep, chat: ChatDep, who: Who) -> dict[str, Any]:
    """Delete the conversation with its messages, mood and hand-offs, here and in the dialogue engine."""
    await chat.forget(await run_sync(own, services, conversation_id, who))
    return {"done": True}


@router.post("/conversations/{conversation_id}/messages", summary="Send a message", **answers(ReplyOut))
async def send(conversation_id: str, body: MessageIn, services: ServicesDep, chat: ChatDep, who: Who) -> JSONResponse:
    """Return the assistant's answer, the mood it heard, and whether the full assistant or its fallback answered.

    While a person has the conversation the message goes to them, and the assistant is silent.
    """
    conversation = await look_up(services, conversation_id, who)
    signals = Signals(body.signals, body.expression)
    said = Said(body.text.strip() or body.text, body.title, body.client_message_id, signals)
    answered = await chat.answer(conversation, said)
    return JSONResponse(answered.as_json())  # plain already: FastAPI would go through every piece of it


@router.post("/conversations/{conversation_id}/handoff", summary="Ask for a human", **answers(HandoffOut))
def handoff(conversation_id: str, services: ServicesDep, desk: DeskDep, who: Who) -> dict[str, Any]:
    """Queue the conversation for a person."""
    own(services, conversation_id, who)
    desk.ask(conversation_id)
    return {"conversation_id": conversation_id, "handoff": True}


async def look_up(services: Services, conversation_id: str, who: Visitor) -> Conversation:
    """Return what `own` returns, ahead of what waits for a thread: the shopper wants to see that the message has come."""
    return await run_sync(own, services, conversation_id, who, limiter=_at_the_door)


def own(services: Services, conversation_id: str, who: Visitor) -> Conversation:
    """Return the visitor's own conversation, or the signed-in member's from any device; to others it does not exist."""
    found = services.conversations.get(conversation_id)
    mine = found is not None and found.member_id is not None and found.member_id == who.member_id
    if found is None or not (mine or who.may_see(found.visitor_id, found.member_id)):
        raise ProblemError(404, "not-found", f"There is no conversation {conversation_id}.")
    return found
