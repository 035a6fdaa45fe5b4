"""What the API itself keeps: answers to requests that may be sent again, what was done for messages, and who is in the chat."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, LargeBinary, String, Table, true

from stores.tables import ID, UtcDateTime, metadata

replies = Table(
    "replies",
    metadata,
    Column("name", String(64), primary_key=True),  # a hash of who asks and of the key that they chose
    Column("request", String(64), nullable=False),  # a hash of what was asked
    Column("status", String(7), nullable=False),
    Column("answer", LargeBinary),  # sealed with a key that only who asked can make again
    Column("at", UtcDateTime, nullable=False),
    Column("attempt", ID),  # the try that has it; what another one commits is rolled back
    Column(
        "changed", Boolean, nullable=False, server_default=true()
    ),  # a version that did not tell may have changed something
    CheckConstraint("status IN ('working', 'done')", name="status"),
    Index(None, "at"),
)
changes_made = Table(
    "changes_made",
    metadata,
    Column("name", String(64), primary_key=True),  # a hash of the message, the action and what it changed
    Column("at", UtcDateTime, nullable=False),
    Index(None, "at"),
)
reply_subjects = Table(
    "reply_subjects",
    metadata,
    Column("name", String(64), ForeignKey("replies.name", ondelete="CASCADE"), primary_key=True),
    Column("about", String(64), primary_key=True, index=True),  # a keyed hash of whom or which conversation it tells of
)
widget_sessions = Table(
    "widget_sessions",
    metadata,
    Column("session_id", ID, primary_key=True),
    Column("visitor_id", ID, nullable=False, index=True),
    Column("member_id", ID, index=True),
    Column("key_id", ID, ForeignKey("keys.key_id"), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("renewed_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),  # when its newest token is too old
)
