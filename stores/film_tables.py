"""The tables of films: what is queued, and the files of what is done."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table

from stores.tables import ID, UtcDateTime, metadata

films = Table(
    "films",
    metadata,
    Column("film_id", ID, primary_key=True),
    Column("status", String(9), nullable=False),
    Column("progress", Float, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("told", JSON, nullable=False),
    Column("picture", LargeBinary),
    Column("track", LargeBinary),
    Column("problem", JSON),
    Column("created_at", UtcDateTime, nullable=False),
    Column("told_at", UtcDateTime, nullable=False),
    CheckConstraint("status IN ('queued', 'working', 'done', 'failed', 'cancelled')", name="status"),
    Index(None, "status", "created_at"),
)
film_files = Table(
    "film_files",
    metadata,
    Column("film_id", ID, ForeignKey("films.film_id"), primary_key=True),
    Column("format", String(4), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
