"""What agents write for each other: notes about conversations, and answers that all of them use."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from stores.tables import ID, KEY, UtcDateTime, metadata

handoff_notes = Table(
    "handoff_notes",
    metadata,
    Column("note_id", ID, primary_key=True),
    Column("conversation_id", ID, nullable=False),
    Column("agent_id", KEY, nullable=False),
    Column("agent_name", KEY, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "conversation_id", "note_id"),
)
canned_answers = Table(
    "canned_answers",
    metadata,
    Column("answer_id", ID, primary_key=True),
    Column("title", KEY, nullable=False),
    Column("text", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("version", Integer, nullable=False),
    Column("by", KEY, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
