"""The agents' desk beside the conversation: suggestions, notes, canned answers, transfer, and how well shoppers are served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import mean, median, quantiles
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Response

from api.answers import answers
from api.answers_desk import CannedAnswerOut, CannedAnswers, ServiceLevel, SuggestionsOut
from api.answers_talk import Done, HandoffCard, NoteOut
from api.auth import api_key
from api.cursors import Cursor, Limit, page_of
from api.errors import ProblemError
from api.routes.agents import AgentDep, card, find, note_out
from api.routes.deps import DeskDep, ServicesDep
from api.schemas import CannedAnswerIn, NoteIn, TransferIn
from api.services.suggestions import suggest
from api.tags import IfMatch, tag
from stores.desk import CannedAnswer
from stores.handoffs import Handoff
from stores.keys import Key

router = APIRouter(prefix="/agents", tags=["Agents"])
LONGEST = timedelta(days=366)
EARLIEST, LATEST = 2000, 2200


@router.get("/handoffs/{handoff_id}/suggestions", summary="Suggest what to say", **answers(SuggestionsOut))
def suggestions(handoff_id: str, services: ServicesDep, agent: AgentDep) -> dict[str, Any]:
    """Return replies, items and coupons for an agent to choose from; nothing of it is sent by itself."""
    handoff = find(services, handoff_id)
    conversation = services.conversations.get(handoff.conversation_id)
    if conversation is None:
        raise ProblemError(404, "not-found", "The shopper has deleted this conversation.")
    return suggest(services, conversation, handoff, agent, at=datetime.now(UTC))


@router.post("/handoffs/{handoff_id}/transfer", summary="Give it to another agent", **answers(HandoffCard, but=[409]))
def transfer(handoff_id: str, body: TransferIn, desk: DeskDep, agent: AgentDep) -> dict[str, Any]:
    """Give one's conversation to another agent who is there; `GET /v1/agents/inbox` lists them."""
    return card(desk.transfer(handoff_id, agent, body.agent_id), agent)


@router.post(
    "/handoffs/{handoff_id}/take-over", summary="Take it from an agent who is gone", **answers(HandoffCard, but=[409])
)
def take_over(handoff_id: str, desk: DeskDep, agent: AgentDep) -> dict[str, Any]:
    """Take a conversation whose agent shows no sign of life; 409 while they are there. It is kept in the audit log."""
    return card(desk.take_over(handoff_id, agent), agent)


@router.post("/handoffs/{handoff_id}/notes", summary="Note something for other agents", **answers(NoteOut, 201))
def add_note(handoff_id: str, body: NoteIn, services: ServicesDep, agent: AgentDep) -> dict[str, Any]:
    """Keep a note about the conversation. Shoppers do not see it in the chat; their export holds it."""
    conversation_id = find(services, handoff_id).conversation_id
    made = services.desk_records.note(
        conversation_id, body.text, agent_id=agent.agent_id, agent_name=agent.name, at=datetime.now(UTC)
    )
    return note_out(made, agent)


@router.delete("/notes/{note_id}", summary="Delete a note of one's own", **answers(Done))
def remove_note(note_id: str, services: ServicesDep, agent: AgentDep) -> dict[str, Any]:
    """Delete a note; 404 when it is somebody else's."""
    services.desk_records.remove_note(note_id, agent_id=agent.agent_id)
    return {"done": True}


@router.get("/canned-answers", summary="List canned answers", **answers(CannedAnswers))
def list_answers(services: ServicesDep, agent: AgentDep, cursor: Cursor = None, limit: Limit = 200) -> dict[str, Any]:
    """Return canned answers, by title."""
    every = services.desk_records.answers()
    page, following = page_of(every, lambda one: (one.title, one.answer_id), 2, cursor=cursor, limit=limit)
    return {"answers": [_answer(one) for one in page], "next_cursor": following}


@router.post("/canned-answers", summary="Keep a canned answer", **answers(CannedAnswerOut, 201))
def add_answer(body: CannedAnswerIn, services: ServicesDep, agent: AgentDep, response: Response) -> dict[str, Any]:
    """Keep words for every agent to use."""
    made = services.desk_records.add_answer(body.title, body.text, body.language, by=agent.name, at=datetime.now(UTC))
    response.headers["ETag"] = _tag(made)
    return _answer(made)


@router.put("/canned-answers/{answer_id}", summary="Change a canned answer", **answers(CannedAnswerOut, but=[409, 412]))
def change_answer(
    answer_id: str, body: CannedAnswerIn, services: ServicesDep, agent: AgentDep, response: Response, if_match: IfMatch
) -> dict[str, Any]:
    """Change a canned answer, seen by `If-Match` or by `version`: 412, or 409, when somebody else changed it after that."""
    if body.version is None and if_match.header is None:
        raise ProblemError(422, "invalid", "Tell the `version` that you read, or send `If-Match`.")
    made = services.desk_records.change_answer(
        answer_id, body.version, title=body.title, text=body.text, language=body.language, by=agent.name, at=datetime.now(UTC),
        check=if_match.against(_tag, "the answer"),
    )  # fmt: skip
    response.headers["ETag"] = _tag(made)
    return _answer(made)


@router.delete("/canned-answers/{answer_id}", summary="Delete a canned answer", **answers(Done, but=[412]))
def remove_answer(answer_id: str, services: ServicesDep, agent: AgentDep, if_match: IfMatch) -> dict[str, Any]:
    """Delete a canned answer for everybody."""
    services.desk_records.remove_answer(answer_id, check=if_match.against(_tag, "the answer"))
    return {"done": True}


@router.get("/service-level", summary="How well shoppers are served", **answers(ServiceLevel))
def service_level(
    services: ServicesDep, key: Annotated[Key, Depends(api_key("agents"))],
    start: Annotated[datetime | None, Query(alias="from", description="The latest 28 days without it.")] = None,
    end: Annotated[datetime | None, Query(alias="to")] = None,
) -> dict[str, Any]:  # fmt: skip
    """Return waits, the share within the target, and ratings of a period, in all and by agent."""
    now = datetime.now(UTC)
    until = _aware(end) if end else now
    since = _aware(start) if start else until - timedelta(days=28)
    if not timedelta(0) < until - since <= LONGEST:
        raise ProblemError(422, "invalid", "`from` must be before `to`, by a year at most.")
    found, waiting = services.handoffs.between(since, until), services.handoffs.waiting()
    target = services.settings.support_target_s
    waits = _waits(found)
    hours = Counter(one.queued_at.astimezone(ZoneInfo(services.settings.timezone)).hour for one in found)
    people: dict[str, list[Handoff]] = {}
    for one in found:
        if one.agent_id:
            people.setdefault(one.agent_id, []).append(one)
    return {
        "queued": len(found), "served": len(waits), "withdrawn": sum(one.first_claimed_at is None and one.ended_at is not None for one in found),
        "waiting": len(waiting), "longest_wait_s": max(((now - one.queued_at).total_seconds() for one in waiting), default=None),
        "target_s": target, "within_target": mean(wait <= target for wait in waits) if waits else None, "p90_wait_s": _p90(waits),
        **_scored(found), "agents": [{"agent": theirs[-1].agent_name or who, **_agent(theirs)} for who, theirs in sorted(people.items())],
        "by_hour": [hours[hour] for hour in range(24)],
    }  # fmt: skip


def _aware(at: datetime) -> datetime:
    if not EARLIEST <= at.year <= LATEST:
        raise ProblemError(422, "invalid", f"Days are of the years {EARLIEST} to {LATEST}.")
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _waits(found: Sequence[Handoff]) -> list[float]:
    return [(one.first_claimed_at - one.queued_at).total_seconds() for one in found if one.first_claimed_at is not None]


def _p90(waits: Sequence[float]) -> float | None:
    return quantiles(waits, n=10, method="inclusive")[-1] if len(waits) > 1 else waits[0] if waits else None


def _scored(found: Sequence[Handoff]) -> dict[str, Any]:
    waits, scores = _waits(found), [one.score for one in found if one.score is not None]
    return {
        "median_wait_s": median(waits) if waits else None, "csat": mean(scores) if scores else None, "rated": len(scores),
    }  # fmt: skip


def _agent(theirs: Sequence[Handoff]) -> dict[str, Any]:
    return {"served": len(_waits(theirs)), **_scored(theirs)}


def _tag(one: CannedAnswer) -> str:
    return tag("answer", one.version)


def _answer(one: CannedAnswer) -> dict[str, Any]:
    return {
        "answer_id": one.answer_id, "title": one.title, "text": one.text, "language": one.language, "version": one.version, "by": one.by,
        "at": one.at.isoformat(),
    }  # fmt: skip
