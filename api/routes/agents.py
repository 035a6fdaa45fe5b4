"""Agents: the people who take conversations over. Every call shows that the agent is there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Header
from sse_starlette import EventSourceResponse, ServerSentEvent

from api import views
from api.answers import answers, content
from api.answers_talk import AgentSaid, Done, HandoffCard, HandoffDetail, InboxOut
from api.auth import api_key
from api.errors import ProblemError
from api.routes.deps import DeskDep, ServicesDep
from api.schemas import AgentMessageIn, ReadIn, TypingIn
from api.services.desk import THERE_FOR
from api.services.moods import told
from api.talk import DESK
from chatbot.affect import load
from stores.handoffs import Agent, Handoff
from stores.keys import Key

router = APIRouter(prefix="/agents", tags=["Agents"])
HEARTBEAT_S = 15
LOOK_AGAIN_S = 20


def _agent(
    services: ServicesDep,
    key: Annotated[Key, Depends(api_key("agents"))],
    x_agent_name: Annotated[
        str | None, Header(max_length=64, description="The name that shoppers see; the key's name without it.")
    ] = None,
) -> Agent:
    agent = Agent(key.key_id, x_agent_name or key.name, datetime.now(UTC))
    services.handoffs.seen(agent)
    return agent


AgentDep = Annotated[Agent, Depends(_agent)]


@router.get("/inbox", summary="List what waits", **answers(InboxOut))
def inbox(services: ServicesDep, agent: AgentDep) -> dict[str, Any]:
    """Return the conversations that wait for a person and those that people have."""
    people = services.handoffs.there(since=datetime.now(UTC) - THERE_FOR)
    return {
        "waiting": [_card(one, agent) for one in services.handoffs.waiting()],
        "served": [_card(one, agent) for one in services.handoffs.served()],
        "agents": sorted(person.name for person in people),
    }


@router.get(
    "/stream",
    summary="Follow the desk",
    response_class=EventSourceResponse,
    **content("text/event-stream", "`changed` when something in the inbox changed, `typing` of a shopper."),
)
async def follow(services: ServicesDep, agent: AgentDep) -> EventSourceResponse:
    """Stream hints of what changed, so that an inbox need not ask again and again. An open stream is an agent who is there."""

    async def stream() -> AsyncIterator[ServerSentEvent]:
        changes = services.talk.listen(DESK)
        upcoming = asyncio.ensure_future(anext(changes))
        try:
            yield ServerSentEvent("{}", event="changed", retry=2000)
            while True:
                if (await asyncio.wait({upcoming}, timeout=LOOK_AGAIN_S))[0]:
                    (kind, data), upcoming = upcoming.result(), asyncio.ensure_future(anext(changes))
                    yield ServerSentEvent(json.dumps(data), event=kind)
                else:
                    there = Agent(agent.agent_id, agent.name, datetime.now(UTC))
                    await run_sync(services.handoffs.seen, there)
                    yield ServerSentEvent("{}", event="changed")
        finally:
            upcoming.cancel()

    return EventSourceResponse(stream(), ping=HEARTBEAT_S, headers={"Cache-Control": "no-store"})


@router.get("/handoffs/{handoff_id}", summary="Read a conversation", **answers(HandoffDetail))
def read(handoff_id: str, services: ServicesDep, agent: AgentDep) -> dict[str, Any]:
    """Return summary, mood and transcript."""
    handoff = _find(services, handoff_id)
    conversation = services.conversations.get(handoff.conversation_id)
    member = services.members.get(conversation.member_id) if conversation and conversation.member_id else None
    mood = load(conversation.affect) if conversation else None
    return {
        "handoff": _card(handoff, agent),
        "display_name": member.display_name if member else None,
        "affect": told(mood) if mood else None,
        "read_by_user": conversation.read_by_user if conversation else None,
        "messages": [views.message(one) for one in services.conversations.messages(handoff.conversation_id)],
    }


@router.post("/handoffs/{handoff_id}/claim", summary="Take a conversation", **answers(HandoffCard, but=[409]))
def claim(handoff_id: str, desk: DeskDep, agent: AgentDep) -> dict[str, Any]:
    """Take a conversation that waits; from now on the bot is silent. 409 when another agent was faster."""
    return _card(desk.claim(handoff_id, agent), agent)


@router.post("/handoffs/{handoff_id}/release", summary="Put it back into the queue", **answers(HandoffCard, but=[409]))
def release(handoff_id: str, desk: DeskDep, agent: AgentDep) -> dict[str, Any]:
    """Let another agent take it."""
    return _card(desk.release(handoff_id, agent), agent)


@router.post("/handoffs/{handoff_id}/hand-back", summary="Give it back to the bot", **answers(HandoffCard, but=[409]))
def hand_back(handoff_id: str, desk: DeskDep, agent: AgentDep) -> dict[str, Any]:
    """Give the conversation back; the shopper may now rate the help."""
    return _card(desk.hand_back(handoff_id, agent), agent)


@router.post("/handoffs/{handoff_id}/messages", summary="Answer the shopper", **answers(AgentSaid, 201, but=[409]))
def reply(handoff_id: str, body: AgentMessageIn, desk: DeskDep, agent: AgentDep) -> dict[str, Any]:
    """Send words to the shopper, who gets them at once; sent again under the same `client_message_id` they come once."""
    return {"message_id": desk.reply(handoff_id, agent, body.text, body.client_message_id)}


@router.post("/handoffs/{handoff_id}/read", summary="Say how far was read", **answers(Done))
def mark_read(handoff_id: str, body: ReadIn, services: ServicesDep, agent: AgentDep) -> dict[str, Any]:
    """Note that the agent has read up to a message, and tell the shopper."""
    conversation_id = _find(services, handoff_id).conversation_id
    if services.conversations.read_up_to(conversation_id, body.message_id, side="agent"):
        services.talk.tell(conversation_id, "read", {"role": "agent", "message_id": body.message_id})
    return {"done": True}


@router.post("/handoffs/{handoff_id}/typing", summary="Say that the agent types", **answers(Done))
def typing(handoff_id: str, body: TypingIn, services: ServicesDep, agent: AgentDep) -> dict[str, Any]:
    """Tell the shopper; nothing is stored."""
    services.talk.tell(_find(services, handoff_id).conversation_id, "typing", {"role": "agent", "on": body.on})
    return {"done": True}


def _find(services: ServicesDep, handoff_id: str) -> Handoff:
    found = services.handoffs.get(handoff_id)
    if found is None:
        raise ProblemError(404, "not-found", f"There is no hand-off {handoff_id}.")
    return found


def _card(handoff: Handoff, agent: Agent) -> dict[str, Any]:
    return {
        "handoff_id": handoff.handoff_id, "conversation_id": handoff.conversation_id, "state": handoff.state,
        "reason": handoff.reason, "urgency": handoff.urgency, "queued_at": handoff.queued_at.isoformat(),
        "claimed_at": handoff.claimed_at.isoformat() if handoff.claimed_at else None,
        "ended_at": handoff.ended_at.isoformat() if handoff.ended_at else None,
        "agent": handoff.agent_name, "mine": handoff.agent_id == agent.agent_id, "score": handoff.score,
        "summary": list(handoff.told.get("summary", [])), "left": list(handoff.told.get("left", [])),
        "comment": handoff.told.get("comment"),
    }  # fmt: skip
