"""What the API itself keeps: answers to requests that may be sent again."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, String, Table

from stores.tables import UtcDateTime, metadata

replies = Table(
    "replies",
    metadata,
    Column("name", String(64), primary_key=True),  # a hash of who asks and of the key that they chose
    Column("request", String(64), nullable=False),  # a hash of what was asked
    Column("status", String(7), nullable=False),
    Column("answer", LargeBinary),  # sealed with a key that only who asked can make again
    Column("at", UtcDateTime, nullable=False),
    CheckConstraint("status IN ('working', 'done')", name="status"),
    Index(None, "at"),
)
