"""Agents: the people who take conversations over. Every call shows that the agent is there."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Header, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from api import views
from api.answers import answers, content
from api.answers_talk import AgentSaid, Done, HandoffCard, HandoffDetail, InboxOut
from api.auth import api_key, author
from api.errors import ProblemError
from api.routes.deps import DeskDep, ServicesDep
from api.schemas import AgentMessageIn, ReadIn, TypingIn
from api.services.desk import THERE_FOR
from api.services.moods import told
from api.sessions import while_signed_in
from api.talk import DESK
from api.wiring import Services
from chatbot.affect import load
from chatbot.handoff import State
from stores.desk import Note
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
    agent = Agent(_agent_id(key, x_agent_name), author(key, x_agent_name), datetime.now(UTC))
    services.handoffs.seen(agent)
    return agent


def _agent_id(key: Key, told: str | None) -> str:
    """Return who somebody is at the desk: of several people behind one API key each by the name that is told of them."""
    if key.kind == "staff" or not told:
        return key.key_id
    return f"{key.key_id}/{hashlib.sha256(told.encode()).hexdigest()[:16]}"


AgentDep = Annotated[Agent, Depends(_agent)]


@router.get("/inbox", summary="List what waits", **answers(InboxOut))
def inbox(services: ServicesDep, agent: AgentDep) -> dict[str, Any]:
    """Return the conversations that wait for a person and those that people have."""
    people = services.handoffs.there(since=datetime.now(UTC) - THERE_FOR)
    served = services.handoffs.served()
    return {
        "waiting": [card(one, agent) for one in services.handoffs.waiting()],
        "served": [card(one, agent) for one in served],
        "agents": sorted(person.name for person in people),
        "people": [
            {
                "agent_id": person.agent_id, "name": person.name, "me": person.agent_id == agent.agent_id,
                "serving": sum(one.agent_id == person.agent_id for one in served),
            }
            for person in sorted(people, key=lambda person: person.name)
        ],
    }  # fmt: skip


@router.get(
    "/stream",
    summary="Follow the desk",
    response_class=EventSourceResponse,
    **content("text/event-stream", about="`changed` when something in the inbox changed, `typing` of a shopper."),
)
async def follow(request: Request, services: ServicesDep, agent: AgentDep) -> EventSourceResponse:
    """Stream hints of what changed, so that an inbox need not ask again and again. An open stream is an agent who is there."""

    async def stream() -> AsyncGenerator[ServerSentEvent, None]:
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

    return EventSourceResponse(
        while_signed_in(request, stream()), ping=HEARTBEAT_S, headers={"Cache-Control": "no-store"}
    )


@router.get("/handoffs/{handoff_id}", summary="Read a conversation", **answers(HandoffDetail))
def read(handoff_id: str, services: ServicesDep, agent: AgentDep) -> dict[str, Any]:
    """Return summary, mood, transcript and what agents noted."""
    handoff = find(services, handoff_id)
    conversation = services.conversations.get(handoff.conversation_id)
    member = services.members.get(conversation.member_id) if conversation and conversation.member_id else None
    mood = load(conversation.affect) if conversation else None
    return {
        "handoff": card(handoff, agent),
        "display_name": member.display_name if member else None,
        "member_id": member.member_id if member else None,
        "language": conversation.language if conversation else "en",
        "affect": told(mood) if mood else None,
        "affect_line": [
            {"at": at.isoformat(), "valence": valence}
            for at, valence in services.desk_records.affect_line(handoff.conversation_id)
        ],
        "read_by_user": conversation.read_by_user if conversation else None,
        "messages": [views.message(one) for one in services.conversations.messages(handoff.conversation_id)],
        "notes": [note_out(one, agent) for one in services.desk_records.notes(handoff.conversation_id)],
    }


@router.post("/handoffs/{handoff_id}/claim", summary="Take a conversation", **answers(HandoffCard, but=[409]))
def claim(handoff_id: str, desk: DeskDep, agent: AgentDep) -> dict[str, Any]:
    """Take a conversation that waits; from now on the bot is silent. 409 when another agent was faster."""
    return card(desk.claim(handoff_id, agent), agent)


@router.post("/handoffs/{handoff_id}/release", summary="Put it back into the queue", **answers(HandoffCard, but=[409]))
def release(handoff_id: str, desk: DeskDep, agent: AgentDep) -> dict[str, Any]:
    """Let another agent take it."""
    return card(desk.release(handoff_id, agent), agent)


@router.post("/handoffs/{handoff_id}/hand-back", summary="Give it back to the bot", **answers(HandoffCard, but=[409]))
def hand_back(handoff_id: str, desk: DeskDep, agent: AgentDep) -> dict[str, Any]:
    """Give the conversation back; the shopper may now rate the help."""
    return card(desk.hand_back(handoff_id, agent), agent)


@router.post("/handoffs/{handoff_id}/messages", summary="Answer the shopper", **answers(AgentSaid, 201, but=[409]))
def reply(handoff_id: str, body: AgentMessageIn, desk: DeskDep, agent: AgentDep) -> dict[str, Any]:
    """Send words to the shopper, who gets them at once; sent again under the same `client_message_id` they come once."""
    return {"message_id": desk.reply(handoff_id, agent, body.text, body.client_message_id)}


@router.post("/handoffs/{handoff_id}/read", summary="Say how far was read", **answers(Done))
def mark_read(handoff_id: str, body: ReadIn, services: ServicesDep, agent: AgentDep) -> dict[str, Any]:
    """Note that the agent has read up to a message, and tell the shopper; of somebody who only looks on nothing is noted or told."""
    handoff = find(services, handoff_id)
    if not _serves(agent, handoff):
        return {"done": False}
    conversation_id = handoff.conversation_id
    if services.conversations.read_up_to(conversation_id, body.message_id, side="agent"):
        services.talk.tell(conversation_id, "read", {"role": "agent", "message_id": body.message_id})
    return {"done": True}


@router.post("/handoffs/{handoff_id}/typing", summary="Say that the agent types", **answers(Done))
def typing(handoff_id: str, body: TypingIn, services: ServicesDep, agent: AgentDep) -> dict[str, Any]:
    """Tell the shopper, if the agent has the conversation; nothing is stored."""
    handoff = find(services, handoff_id)
    if not _serves(agent, handoff):
        return {"done": False}
    services.talk.tell(handoff.conversation_id, "typing", {"role": "agent", "on": body.on})
    return {"done": True}


def _serves(agent: Agent, handoff: Handoff) -> bool:
    return handoff.state == State.HUMAN and handoff.agent_id == agent.agent_id


def find(services: Services, handoff_id: str) -> Handoff:
    """Return the hand-off, or ProblemError 404."""
    found = services.handoffs.get(handoff_id)
    if found is None:
        raise ProblemError(404, "not-found", f"There is no hand-off {handoff_id}.")
    return found


def note_out(note: Note, agent: Agent) -> dict[str, Any]:
    """Return a note as agents see it."""
    return {
        "note_id": note.note_id, "agent": note.agent_name, "mine": note.agent_id == agent.agent_id, "text": note.text, "at": note.at.isoformat(),
    }  # fmt: skip


def card(handoff: Handoff, agent: Agent) -> dict[str, Any]:
    """Return a hand-off as the inbox lists it."""
    return {
        "handoff_id": handoff.handoff_id, "conversation_id": handoff.conversation_id, "state": handoff.state,
        "reason": handoff.reason, "urgency": handoff.urgency, "queued_at": handoff.queued_at.isoformat(),
        "claimed_at": handoff.claimed_at.isoformat() if handoff.claimed_at else None,
        "ended_at": handoff.ended_at.isoformat() if handoff.ended_at else None,
        "agent": handoff.agent_name, "mine": handoff.agent_id == agent.agent_id, "score": handoff.score,
        "summary": list(handoff.told.get("summary", [])), "left": list(handoff.told.get("left", [])),
        "comment": handoff.told.get("comment"),
    }  # fmt: skip
