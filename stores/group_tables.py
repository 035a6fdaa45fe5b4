"""For members' protection: declared groups (never inferred), prices by which coupons keep to a limit, how varied their slates were."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, Float, Integer, String, Table

from stores.tables import ID, KEY, UtcDateTime, metadata

member_groups = Table(
    "member_groups",
    metadata,
    Column("member_id", ID, primary_key=True),
    Column("attribute", KEY, primary_key=True),
    Column("value", String(120), nullable=False),
    Column("source", String(120), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
fair_prices = Table(
    "fair_prices",
    metadata,
    Column("attribute", KEY, primary_key=True),
    Column("value", String(120), primary_key=True),
    Column("price", Float, nullable=False),  # of a minor unit of discount, in units of the campaign's objective
    Column("at", UtcDateTime, nullable=False),
)
variety = Table(
    "variety",
    metadata,
    Column("member_id", ID, primary_key=True),
    Column("week", UtcDateTime, primary_key=True),  # its Monday, 00:00 UTC
    Column("slates", Integer, nullable=False),
    Column("diversity", Float, nullable=False),
    Column("novelty", Float, nullable=False),
    Column("entropy", Float, nullable=False),
    Column("widened", Boolean, nullable=False),  # whether the week after is to be more varied
    Column("why", String(200), nullable=False),
)
fairness_reports = Table(
    "fairness_reports",
    metadata,
    Column("report_id", ID, primary_key=True),
    Column("state", String(8), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("days", Integer, nullable=False),
    Column("author", String(120), nullable=False),
    Column("ended_at", UtcDateTime),
    Column("body", JSON),  # figures of groups, never of a member
    CheckConstraint("state IN ('running', 'done', 'failed')", name="state"),
)
