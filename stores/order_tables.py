"""The tables of the order service. What is personal is sealed; what is looked for is kept as a keyed hash."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Integer, LargeBinary, String, Table

from stores.tables import AMOUNT, CURRENCY, ID, KEY, UtcDateTime, metadata

customer_accounts = Table(
    "customer_accounts",
    metadata,
    Column("member_id", ID, primary_key=True),
    Column("email_key", String(64), nullable=False, index=True),
    Column("name_key", String(64), nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),  # of the import or the change that wrote it last
)
service_orders = Table(
    "service_orders",
    metadata,
    Column("order_id", KEY, primary_key=True),
    Column("member_id", ID, nullable=False, index=True),
    Column("status", String(40), nullable=False),
    Column("placed_at", UtcDateTime),
    Column("position", Integer, nullable=False),  # as they were imported, where no time is known
    Column("sealed", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
)
order_changes = Table(
    "order_changes",
    metadata,
    Column("token", KEY, primary_key=True),
    Column("member_id", ID, nullable=False, index=True),
    Column("order_id", KEY),
    Column("kind", KEY, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("conversation_id", ID),
    Column("sealed", LargeBinary, nullable=False),
)
variants = Table(
    "variants",
    metadata,
    Column("item_id", KEY, primary_key=True),
    Column("product_id", KEY, nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("options", JSON, nullable=False),
    Column("price_minor", AMOUNT, nullable=False),
    Column("currency", CURRENCY, nullable=False),
    Column("available", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
)
