"""The record of what staff and keys did: append-only, each line hashed with the one before."""

from __future__ import annotations

from sqlalchemy import JSON, Column, String, Table

from stores.tables import AMOUNT, UtcDateTime, metadata

audit_log = Table(
    "audit_log",
    metadata,
    Column(
        "seq", AMOUNT, primary_key=True, autoincrement=False
    ),  # from 1 without gaps; triggers refuse changes and deletions
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("actor", String(160), nullable=False),
    Column("action", String(160), nullable=False),
    Column(
        "target", String(64), nullable=False
    ),  # a keyed hash where it is a member: an erasure leaves the line as it is
    Column("detail", JSON, nullable=False),
    Column("hash", String(64), nullable=False),
)
