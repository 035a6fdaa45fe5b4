"""Tables of what cameras may do, and of the staff whom they leave out."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Integer, LargeBinary, String, Table

from stores.tables import ID, KEY, UtcDateTime, metadata

vision_switches = Table(
    "vision_switches",
    metadata,
    Column("store_id", KEY, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1; triggers refuse changes and deletions
    Column("uses", JSON, nullable=False),
    Column("purpose", String(400)),  # these three are NULL where it was switched off
    Column("retention_days", Integer),
    Column("notice", String(4000)),
    Column("notice_version", Integer, nullable=False),
    Column("by", String(120), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
staff = Table(
    "staff",
    metadata,
    Column("staff_id", ID, primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("consent_text_version", String(64), nullable=False),
    Column("consented_at", UtcDateTime, nullable=False),
    Column("recorded_by", String(120), nullable=False),
)
staff_templates = Table(
    "staff_templates",
    metadata,
    Column("template_id", ID, primary_key=True),
    Column("staff_id", ID, ForeignKey("staff.staff_id"), nullable=False, index=True),
    Column("model", KEY, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
