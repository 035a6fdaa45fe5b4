"""Declared groups of members, and the prices by which coupons keep to a fairness limit. The audit reads them; nothing infers them."""

from __future__ import annotations

from sqlalchemy import Column, Float, String, Table

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
