"""What the staff console reads: figures by day, features as columns, segments that staff made, labels that staff set."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Date, Float, Index, Integer, String, Table

from personalization.profiling.features.definitions import FEATURES, SIGNALS
from stores.tables import AMOUNT, ID, KEY, UtcDateTime, metadata

figures = Table(
    "figures",
    metadata,
    Column("day", Date, primary_key=True),  # of UTC
    Column("name", KEY, primary_key=True),
    Column("channel", KEY, primary_key=True),  # "": of no channel
    Column("part", KEY, primary_key=True),  # what a figure splits into beside channels: a component, a segment, a bin
    Column("value", AMOUNT, nullable=False),
    Index(None, "name", "day"),
)
member_features = Table(
    "member_features",
    metadata,
    Column("member_id", ID, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("segment_id", KEY, index=True),
    Column(
        "sample", Integer, nullable=False, index=True
    ),  # a fixed number of 0 to 999: the first k are a sample of k in a thousand
    Column("map_x", Float),
    Column("map_y", Float),
    *(Column(name, Float) for name in (*FEATURES, *SIGNALS)),
)
segments = Table(
    "segments",
    metadata,
    Column("segment_id", ID, primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("description", String(400), nullable=False),
    Column("rule", JSON, nullable=False),
    Column("author", String(160), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
label_edits = Table(
    "label_edits",
    metadata,
    Column("member_id", ID, primary_key=True),
    Column("name", KEY, primary_key=True),
    Column("value", JSON, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("by", String(160), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)
