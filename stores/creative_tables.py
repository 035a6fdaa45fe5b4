"""The tables of placement: campaigns of creatives, their variants, who approved what, the shares, and what was placed."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    false,
)

from stores.tables import AMOUNT, ID, KEY, UtcDateTime, metadata

AUDIENCE = String(300)

creative_campaigns = Table(
    "creative_campaigns",
    metadata,
    Column("campaign_id", KEY, primary_key=True),
    Column("product_id", KEY, nullable=False, index=True),
    Column("objective", String(11), nullable=False),
    Column("mode", String(9), nullable=False),
    Column("limits", JSON, nullable=False),
    Column("rules", JSON, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("placed", AMOUNT, nullable=False),
    Column("explored", AMOUNT, nullable=False),
    Column("owner", KEY, index=True),  # the campaign whose plan has it, which starts, pauses and ends it
    Column(
        "held", Boolean, nullable=False, server_default=false()
    ),  # not launched yet, or paused: nothing of it is placed
    CheckConstraint("objective IN ('clicks', 'conversions')", name="objective"),
    CheckConstraint("mode IN ('each', 'family', 'automatic')", name="mode"),
    CheckConstraint("explored >= 0 AND explored <= placed", name="explored"),
)
creative_variants = Table(
    "creative_variants",
    metadata,
    Column("campaign_id", KEY, primary_key=True),
    Column("variant_id", KEY, primary_key=True, index=True),
    Column("position", Integer, nullable=False),
    Column("family", String(200), nullable=False),
    Column("choices", JSON, nullable=False),
    Column("measures", JSON, nullable=False),
    Column("state", String(8), nullable=False),  # where the last line of creative_approvals left it
    Column("shown", AMOUNT, nullable=False),
    Column("clicked", AMOUNT, nullable=False),
    Column("converted", AMOUNT, nullable=False),
    CheckConstraint("state IN ('proposed', 'approved', 'rejected', 'retired')", name="state"),
)
creative_approvals = Table(
    "creative_approvals",
    metadata,
    Column("seq", AMOUNT, primary_key=True, autoincrement=True),
    Column("campaign_id", KEY, nullable=False),
    Column("subject", String(200), nullable=False),
    Column("of_family", Boolean, nullable=False),
    Column("state", String(8), nullable=False),
    Column("by", String(120), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("note", String(400), nullable=False),
    Index(None, "campaign_id", "seq"),
)
creative_sets = Table(
    "creative_sets",
    metadata,
    Column("campaign_id", KEY, primary_key=True),
    Column("audience", AUDIENCE, primary_key=True),
    Column("shares", JSON),  # NULL: asked for, and not worked out yet
    Column("at", UtcDateTime, nullable=False),
)
creative_placements = Table(
    "creative_placements",
    metadata,
    Column("seq", AMOUNT, primary_key=True, autoincrement=True),
    Column("decision_id", ID, unique=True),  # NULL once the shopper was erased
    Column("campaign_id", KEY, nullable=False),
    Column("audience", AUDIENCE, nullable=False),
    Column("member_id", ID),
    Column("visitor_id", ID),
    Column("at", UtcDateTime, nullable=False),
    Column("variant_id", KEY, nullable=False),
    Column("variant_ids", JSON, nullable=False),
    Column("shares", JSON, nullable=False),
    Column("propensity", Float, nullable=False),
    Column("explored", Boolean, nullable=False),
    Column("capped", Boolean, nullable=False),
    Column("viewed_at", UtcDateTime),
    Index(None, "campaign_id", "seq"),
    Index(None, "member_id", "at"),
    Index(None, "visitor_id", "at"),
)
creative_credits = Table(
    "creative_credits",
    metadata,
    Column("seq", AMOUNT, primary_key=True, autoincrement=True),
    Column("placement", AMOUNT, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("placement", "kind"),
    CheckConstraint("kind IN ('click', 'conversion')", name="kind"),
)
creative_models = Table(
    "creative_models",
    metadata,
    Column("name", KEY, primary_key=True),
    Column("clicks", LargeBinary, nullable=False),
    Column("conversions", LargeBinary, nullable=False),
    Column("seq", AMOUNT, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
creative_pictures = Table(
    "creative_pictures",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
)
product_pictures = Table(
    "product_pictures",
    metadata,
    Column("product_id", KEY, primary_key=True),
    Column(
        "digest", String(64), nullable=False, index=True
    ),  # of creative_pictures, which keeps it as long as it is named here
    Column(
        "source", String(64), nullable=False
    ),  # SHA-256 of the file that it was made of: the same one is not read again
    Column("licence", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
creative_drafts = Table(
    "creative_drafts",
    metadata,
    Column("draft_id", ID, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("status", String(7), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("told", JSON, nullable=False),
    Column("found", JSON, nullable=False),
    Column("told_at", UtcDateTime, nullable=False),
    CheckConstraint("kind IN ('words', 'background')", name="kind"),
    CheckConstraint("status IN ('waiting', 'working', 'done', 'failed')", name="status"),
    Index(None, "status", "told_at"),
)
brand_kits = Table(
    "brand_kits",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", KEY, nullable=False, index=True),
    Column("body", JSON, nullable=False),
    Column("logo", LargeBinary),
    Column("note", String(200), nullable=False),
    Column("author", KEY, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
