"""Tables of coupons: campaigns with their offers and budgets, what was issued, held, redeemed and booked."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    false,
    text,
)

from stores.tables import AMOUNT, CURRENCY, ID, KEY, UtcDateTime, table

campaigns = table(
    "campaigns",
    Column("campaign_id", KEY, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("for_everybody", Boolean, nullable=False),
    Column("per_member", Integer),  # at most so many coupons each; NULL: no limit
    Column("per_household", Integer),
    Column("objective", String(8), nullable=False, server_default="orders"),
)


campaign_audience = table(
    "campaign_audience",
    Column("campaign_id", KEY, ForeignKey("campaigns.campaign_id"), primary_key=True),
    Column("member_id", ID, primary_key=True, index=True),
)


offers = table(
    "offers",
    Column("offer_id", KEY, primary_key=True),
    Column(
        "campaign_id",
        KEY,
        ForeignKey("campaigns.campaign_id"),
        nullable=False,
        index=True,
    ),
    Column(
        "discount_minor",
        AMOUNT,
        CheckConstraint("discount_minor > 0", name="discount"),
        nullable=False,
    ),
    Column("currency", CURRENCY, nullable=False),
    Column("for_any_product", Boolean, nullable=False),
    Column("percent_bp", Integer, nullable=False, server_default="0"),  # of 10,000; 0: the discount is a fixed amount
    Column("minimum_basket_minor", AMOUNT, nullable=False, server_default="0"),
    Column("categories", String(2000), nullable=False, server_default=""),  # joined by ";"; empty: any
    Column("stacking", String(5), nullable=False, server_default="stack"),
)


offer_products = table(
    "offer_products",
    Column("offer_id", KEY, ForeignKey("offers.offer_id"), primary_key=True),
    Column("product_id", KEY, primary_key=True, index=True),
)


budgets = table(
    "budgets",
    Column("campaign_id", KEY, ForeignKey("campaigns.campaign_id"), primary_key=True),
    Column("scope", String(7), primary_key=True, server_default=""),  # "": the campaign's own; else a cap within it
    Column("scope_id", KEY, primary_key=True, server_default=""),
    Column("currency", CURRENCY, nullable=False),
    Column("total", AMOUNT, nullable=False),
    Column("reserved", AMOUNT, nullable=False),
    Column("spent", AMOUNT, nullable=False),
    Column("paused", Boolean, nullable=False, server_default=false()),  # no coupon is given while it is
    CheckConstraint(
        "reserved >= 0 AND spent >= 0 AND reserved + spent <= total",
        name="never_overspent",
    ),
    CheckConstraint("scope IN ('', 'store', 'channel')", name="scope"),
)


coupons = table(
    "coupons",
    Column("coupon_id", ID, primary_key=True),
    Column("code", String(16), nullable=False, unique=True),
    Column("campaign_id", KEY, ForeignKey("campaigns.campaign_id"), nullable=False),
    Column("offer_id", KEY, nullable=False),
    Column("member_id", ID, index=True),
    Column("visitor_id", ID, index=True),
    Column("decision_id", ID),
    Column("discount_minor", AMOUNT, nullable=False),
    Column("currency", CURRENCY, nullable=False),
    Column("product_ids", JSON, nullable=False),
    Column("terms", JSON),
    Column("caps", JSON),  # [scope, scope id] of the budgets that it counts against beside the campaign's
    Column("reason", JSON),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("status", String(10), nullable=False),
    CheckConstraint("status IN ('open', 'redeemed', 'expired')", name="status"),
    Index(None, "status", "expires_at"),
    Index(None, "issued_at"),
)


allotments = table(
    "allotments",
    Column("seq", AMOUNT, primary_key=True, autoincrement=True),
    Column("decision_id", ID, nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    Column("campaign_id", KEY, nullable=False),
    Column("discount_minor", AMOUNT, nullable=False),
    Column("explored", Boolean, nullable=False),
    Index(None, "campaign_id", "seq"),
)


pacing = table(
    "pacing",
    Column("campaign_id", KEY, ForeignKey("campaigns.campaign_id"), primary_key=True),
    Column("scope", KEY, primary_key=True, server_default=""),
    Column("scope_id", KEY, primary_key=True, server_default=""),
    Column("state", JSON, nullable=False),
    Column("price", Float, nullable=False),
    Column("seq", AMOUNT, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)


redemptions = table(
    "redemptions",
    Column("redemption_id", ID, primary_key=True),
    Column("coupon_id", ID, ForeignKey("coupons.coupon_id"), nullable=False),
    Column("request_key", KEY),
    Column("asked", String(64), nullable=False),
    Column("order_id", KEY),
    Column("amount_minor", AMOUNT, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("rolled_back_at", UtcDateTime),
    Column("untold", Boolean, nullable=False, index=True),  # the event log does not know yet
    UniqueConstraint("coupon_id", "request_key"),
    Index(
        "uq_redemptions_standing",
        "coupon_id",
        unique=True,
        postgresql_where=text("rolled_back_at IS NULL"),
        sqlite_where=text("rolled_back_at IS NULL"),
    ),
)


ledger_entries = table(
    "ledger_entries",
    Column("entry_id", ID, primary_key=True),
    Column("campaign_id", KEY, nullable=False, index=True),
    Column("scope", String(7), nullable=False, server_default=""),
    Column("scope_id", KEY, nullable=False, server_default=""),
    Column("coupon_id", ID, nullable=False),
    Column("redemption_id", ID),
    Column("kind", String(10), nullable=False),
    Column("amount_minor", AMOUNT, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
)
