"""The tables of what is told to other systems: whom, and what waits to be told."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from stores.tables import AMOUNT, ID, KEY, UtcDateTime, metadata

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("endpoint_id", ID, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("name", String(120), nullable=False),
    Column("topics", JSON, nullable=False),
    Column("status", String(8), nullable=False),
    Column("reason", String(200)),  # why it was disabled
    Column("sealed", LargeBinary, nullable=False),  # address and secrets: an address may hold a token
    Column("failures", Integer, nullable=False),  # in a row, of all deliveries together
    Column("retry_at", UtcDateTime),  # the circuit is open until then
    Column("leased_by", ID),
    Column("leased_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint("status IN ('active', 'paused', 'disabled')", name="status"),
    CheckConstraint("kind IN ('webhook', 'hubspot', 'salesforce')", name="kind"),
)
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("seq", AMOUNT, primary_key=True, autoincrement=True),
    Column("event_id", ID, nullable=False),
    Column("endpoint_id", ID, ForeignKey("webhook_endpoints.endpoint_id"), nullable=False),
    Column("topic", KEY, nullable=False),
    Column("person", String(64), index=True),  # a keyed hash of the member's id, else of the visitor's
    Column("sealed", LargeBinary),  # the event; NULL once it was delivered
    Column("status", String(9), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("give_up_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("answer", String(200)),
    CheckConstraint("status IN ('pending', 'delivered', 'dead')", name="status"),
    Index(None, "endpoint_id", "event_id", unique=True),
    Index(None, "endpoint_id", "status", "seq"),
    Index(None, "status", "ended_at"),
)
