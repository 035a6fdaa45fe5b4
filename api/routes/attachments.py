"""Files in a conversation: sending one, and reading it again."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, File, Form, Response, UploadFile

from api.answers import answers, content
from api.answers_talk import FileReplyOut
from api.auth import visitor, visitor_or_key
from api.errors import ProblemError
from api.routes.conversations import look_up, own
from api.routes.deps import ChatDep, ServicesDep
from api.schemas import ClientId
from api.services.chat import Said
from api.services.files import checked
from api.shoppers import Visitor
from stores.keys import Key

router = APIRouter(prefix="/conversations/{conversation_id}/attachments", tags=["Conversations"])
_one_at_a_time = CapacityLimiter(1)  # a decoded picture is large, and a crowd may send some at once


@router.post("", summary="Send a file", **answers(FileReplyOut, but=[409, 415]))
async def send(
    conversation_id: str,
    services: ServicesDep,
    chat: ChatDep,
    who: Annotated[Visitor, Depends(visitor)],
    file: Annotated[UploadFile, File(description="JPEG, PNG, WebP or PDF, at most 5 MB.")],
    client_message_id: Annotated[ClientId | None, Form()] = None,
) -> dict[str, Any]:
    """Keep a file as a message of its own, answered as one; sent again under the same `client_message_id` it is there once.

    Pictures are drawn anew as JPEG without what a camera writes beside the pixels.
    """
    conversation = await look_up(services, conversation_id, who)
    taken = services.settings.chat_files
    if taken == "none":
        raise ProblemError(403, "files-off", "This shop takes no files in the chat.")
    look = partial(checked, file.filename or "", await file.read(), pdf=taken == "all")
    with chat.making(conversation):
        taken_in = await run_sync(look, limiter=_one_at_a_time)
        answered = await chat.answer(conversation, Said("", client_message_id=client_message_id, file=taken_in))
    message = await run_sync(services.conversations.message, conversation_id, answered.message_id)
    return {**asdict(answered), "attachments": message.body.get("attachments", []) if message else []}


@router.get(
    "/{attachment_id}",
    summary="Read a file",
    response_class=Response,
    **content("image/jpeg", "application/pdf", about="The file, as a download."),
)
def read(
    conversation_id: str,
    attachment_id: str,
    services: ServicesDep,
    who: Annotated[Visitor | Key, Depends(visitor_or_key("agents"))],
) -> Response:
    """Return a file to the conversation's own shopper, or to an agent (scope `agents`) once it was handed over."""
    if isinstance(who, Visitor):
        own(services, conversation_id, who)
    elif services.handoffs.of(conversation_id) is None:
        raise ProblemError(404, "not-found", f"No conversation {conversation_id} was handed over.")
    kept = services.attachments.read(conversation_id, attachment_id)
    message = services.conversations.message(conversation_id, kept[0]) if kept else None
    if kept is None or message is None:
        raise ProblemError(404, "not-found", "There is no such file, or it was deleted.")
    told = next(one for one in message.body["attachments"] if one["attachment_id"] == attachment_id)
    return Response(
        kept[1],
        media_type=told["media_type"],
        headers={
            # never shown as a page of this origin, whatever is in it
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(told['name'], safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, no-store",
        },
    )
