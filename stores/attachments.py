"""Files that shoppers sent in a conversation: sealed at rest, erased with the conversation or when their time is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from stores.database import Database, new_id
from stores.errors import ConflictError
from stores.tables import attachments

MOST_FILES, MOST_BYTES = 20, 50_000_000
"""What one conversation holds at most."""


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """A checked file on its way into a conversation; `sealed` are its bytes as they are stored."""

    attachment_id: str
    size: int
    sealed: bytes


class SqlAttachments:
    """Seal, read and delete files; the message that a file belongs to tells its name and type."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def seal(self, content: bytes) -> NewAttachment:
        """Return `content` as `SqlConversations.receive` stores it with its message."""
        attachment_id = new_id()
        return NewAttachment(attachment_id, len(content), self._db.seal("attachments", content, attachment_id))

    def read(self, conversation_id: str, attachment_id: str) -> tuple[str, bytes] | None:
        """Return a file of the conversation, with the id of its message; None when it has no such file, or has it no more."""
        mine = (attachments.c.conversation_id == conversation_id) & (attachments.c.attachment_id == attachment_id)
        with self._db.read() as connection:
            row = connection.execute(select(attachments.c.message_id, attachments.c.sealed).where(mine)).first()
        return None if row is None else (row.message_id, self._db.open("attachments", bytes(row.sealed), attachment_id))


def attach(
    connection: Connection, conversation_id: str, message_id: str, files: Sequence[NewAttachment], at: datetime
) -> None:
    """Store files with the message that they belong to, or raise ConflictError; the conversation must be locked."""
    if not files:
        return
    mine = attachments.c.conversation_id == conversation_id
    count, held = connection.execute(
        select(func.count(), func.coalesce(func.sum(attachments.c.size), 0)).where(mine)
    ).one()
    if count + len(files) > MOST_FILES or held + sum(file.size for file in files) > MOST_BYTES:
        raise ConflictError(f"a conversation holds at most {MOST_FILES} files and {MOST_BYTES // 1_000_000} MB")
    rows = [
        {
            "attachment_id": file.attachment_id, "conversation_id": conversation_id, "message_id": message_id, "size": file.size,
            "sealed": file.sealed, "at": at,
        }
        for file in files
    ]  # fmt: skip
    connection.execute(insert(attachments), rows)
