"""The table of what was said about who is who: a visitor who turned out to be a member."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table

from stores.tables import ID, KEY, UtcDateTime, metadata

merges = Table(
    "merges",
    metadata,
    Column("merge_id", ID, primary_key=True),
    Column("member_id", ID, nullable=False),
    Column("visitor_id", ID, nullable=False, index=True),
    Column("source", KEY, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("undone_at", UtcDateTime),
    Column("undone_by", String(120)),
    Index(None, "member_id", "visitor_id", unique=True),
)
