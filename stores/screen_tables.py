"""The tables of what kiosks have shown, and of the policy by which they choose it."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Integer, String, Table

from stores.tables import ID, KEY, UtcDateTime, metadata

plays = Table(
    "plays",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("play_id", ID, nullable=False, unique=True),  # the kiosk's own, so that what is sent again counts once
    Column("kiosk_id", ID, nullable=False, index=True),
    Column("mode", KEY, nullable=False),
    Column("decision_id", ID, index=True),
    Column("creative_id", ID),
    Column("film_id", ID),  # what was played in the creative's place
    Column("product_ids", JSON, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("online", Boolean, nullable=False),
    Column("clock_offset_s", Float, nullable=False),  # what was added to the kiosk's own times
    Column("received_at", UtcDateTime, nullable=False, index=True),
)
display_policies = Table(
    "display_policies",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("body", JSON, nullable=False),
    Column("note", String(200), nullable=False),
    Column("author", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("restored", Integer),  # the version whose values these are again
)
kiosk_health = Table(
    "kiosk_health",
    metadata,
    Column("kiosk_id", ID, primary_key=True),
    Column("display_seen_at", UtcDateTime),  # the page was connected
    Column("camera_seen_at", UtcDateTime),  # the camera told what it sees, if it is nobody
    Column("late_s", Float),  # how long after it was seen the camera told it last
)
