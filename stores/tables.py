"""Every table, once. Alembic's migrations lead to exactly this; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    true,
)
from sqlalchemy.types import BigInteger, TypeDecorator

ID = String(36)
KEY = String(64)  # the retailer's own keys
CURRENCY = String(3)
AMOUNT = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware UTC time; SQLite, which has no zones, holds it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, and store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time needs a timezone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def table(name: str, *items: Any) -> Table:
    """Return a table that whoever opens a database knows."""
    return Table(name, metadata, *items)


data_keys = table(
    "data_keys",
    Column("purpose", KEY, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)

members = table(
    "members",
    Column("member_id", ID, primary_key=True),
    Column("external_id", KEY, unique=True),
    Column("household_id", KEY, index=True),
    Column("display_name", String(120), nullable=False, index=True),
    Column("name_is_synthetic", Boolean, nullable=False),
    Column("email", LargeBinary),
    Column("email_hash", String(64), index=True),  # keyed: an address that is known can be found, and none can be read
    Column("created_at", UtcDateTime, nullable=False),
    Column("said_at", UtcDateTime),  # of the newest that was said of name and address; NULL: nothing after it was made
)
consents = table(
    "consents",
    Column("consent_id", ID, primary_key=True),
    Column("member_id", ID, nullable=False),
    Column("purpose", KEY, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("channel", KEY, nullable=False),
    Column("text_version", String(64), nullable=False),
    Column("expires_at", UtcDateTime),  # NULL: it does not end by itself
    Index(None, "member_id", "purpose", "at"),
    Index(None, "at"),
)
withdrawals_due = table(
    "withdrawals_due",
    Column("member_id", ID, primary_key=True),
    Column("purpose", KEY, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)
products = table(
    "products",
    Column("product_id", KEY, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("department", String(120), nullable=False),
    Column("category", String(120), nullable=False),
    Column("brand", String(120), nullable=False),
    Column("package_size", String(60), nullable=False),
    Column("price_minor", AMOUNT, nullable=False),
    Column("regular_price_minor", AMOUNT),
    Column("currency", CURRENCY, nullable=False),
    Column("recommendable", Boolean, nullable=False, index=True),
    Column("in_stock", Boolean, nullable=False, server_default=true()),
    Column("minimum_age", Integer, nullable=False, server_default="0"),
    Column("contains", String(400), nullable=False, server_default=""),
    Column("aisle", String(60), nullable=False, server_default=""),
    Column("shelf", String(60), nullable=False, server_default=""),
    Column("stock", Integer),  # pieces left; NULL: not told
    Column("attributes", String(1000), nullable=False, server_default=""),  # "name" or "name: value", joined by ";"
)
basket_lines = table(
    "basket_lines",
    Column("owner_id", ID, primary_key=True),  # the member, else the visitor
    Column("product_id", KEY, primary_key=True),
    Column("member_id", ID, index=True),
    Column("visitor_id", ID, index=True),
    Column("quantity", Integer, CheckConstraint("quantity > 0", name="quantity"), nullable=False),
    Column("decision_id", ID),
    Column("at", UtcDateTime, nullable=False),
)
order_lines = table(
    "order_lines",
    Column("order_id", KEY, primary_key=True),
    Column("line_no", Integer, primary_key=True, autoincrement=False),
    Column("member_id", ID, nullable=False),
    Column("product_id", KEY, nullable=False),
    Column("store_id", KEY),
    Column("at", UtcDateTime, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("amount_minor", AMOUNT, nullable=False),
    Column("discount_minor", AMOUNT, nullable=False, server_default="0"),
    Column("coupon_minor", AMOUNT, nullable=False, server_default="0"),
    Column("currency", CURRENCY, nullable=False),
    Column("channel", KEY, nullable=False, server_default="store"),
    Index(None, "member_id", "at"),
    Index(None, "at"),
)
promotions = table(
    "promotions",
    Column("product_id", KEY, primary_key=True),
    Column("store_id", KEY, primary_key=True),  # "" means all stores: a key holds no NULL
    Column("placement", String(10), primary_key=True),
    Column("starts_at", UtcDateTime, primary_key=True),
    Column("ends_at", UtcDateTime, nullable=False),
    CheckConstraint("placement IN ('display', 'mailer')", name="placement"),
    Index(None, "store_id", "ends_at"),
)
creatives = table(
    "creatives",
    Column("creative_id", ID, primary_key=True),
    Column("media_type", String(40), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("alt", String(400), nullable=False),
    Column("spec", JSON, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
decisions = table(
    "decisions",
    Column("decision_id", ID, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("member_id", ID, index=True),
    Column("visitor_id", ID, index=True),
    Column("channel", KEY, nullable=False),
    Column("creative_id", ID),
    Column("body", JSON, nullable=False),
    Column("conversation_id", ID, index=True),  # in which it was asked; NULL once that is forgotten
    Index(None, "at"),
)
dialogue_erasures = table(  # conversations that are deleted here, and that Rasa may still remember under this name
    "dialogue_erasures",
    Column("sender_id", ID, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)
candidate_sets = table(
    "candidate_sets",
    Column("decision_id", ID, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("member_id", ID),
    Column("visitor_id", ID),
    Column("shown", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(None, "member_id", "at"),
    Index(None, "visitor_id", "at"),
    Index(None, "at", "decision_id"),
)
events = table(
    "events",
    Column("seq", AMOUNT, primary_key=True, autoincrement=True),
    Column("event_id", ID, nullable=False, unique=True),
    Column("type", KEY, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("received_at", UtcDateTime, nullable=False),
    Column("channel", KEY, nullable=False),
    Column("member_id", ID, index=True),
    Column("visitor_id", ID, index=True),
    Column("decision_id", ID, index=True),
    Column("product_id", KEY),
    Column("payload", JSON, nullable=False),
    Column("merge_id", ID, index=True),  # the merge by which it is the member's; NULL: it named them itself
)
cursors = table(
    "cursors",
    Column("consumer", KEY, primary_key=True),
    Column("seq", AMOUNT, nullable=False),
    Column("watermark", UtcDateTime),
    Column("position", KEY),
)
profiles = table(
    "profiles",
    Column("member_id", ID, primary_key=True),
    Column("state", LargeBinary, nullable=False),
    Column("seq", AMOUNT, nullable=False),
    Column("segment_id", KEY),
    Column("updated_at", UtcDateTime, nullable=False),
)
labels = table(
    "labels",
    Column("member_id", ID, primary_key=True),
    Column("name", KEY, primary_key=True),
    Column("value", JSON, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("sentence", String(400), nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("source", KEY, nullable=False),
    Column("purpose", KEY, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "name", "expires_at"),
    Index(None, "expires_at"),
)
label_vetoes = table(
    "label_vetoes",
    Column("member_id", ID, primary_key=True),
    Column("name", KEY, primary_key=True),
    Column("by", KEY, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("reason", String(200)),
)
experiments = table(
    "experiments",
    Column("experiment_id", KEY, primary_key=True),
    Column("spec", JSON, nullable=False),
    Column("status", String(10), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    CheckConstraint("status IN ('draft', 'running', 'ended')", name="status"),
)
exposures = table(
    "exposures",
    Column("experiment_id", KEY, ForeignKey("experiments.experiment_id"), primary_key=True),
    Column("unit_id", ID, primary_key=True, index=True),
    Column("arm", KEY, nullable=False),
    Column("channel", KEY, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("visitor_id", ID, index=True),  # of a member who was exposed before anybody knew them
    Column("merge_id", ID, index=True),  # the merge by which it is the member's; NULL: their own, or they signed in
    Column("cluster", KEY),  # the member's at that moment: what the arms did has no say in it
)
responses = table(
    "responses",
    Column("product_id", KEY, primary_key=True),
    Column("shown", Integer, nullable=False),
    Column("engaged", Integer, nullable=False),
)
conversations = table(
    "conversations",
    Column("conversation_id", ID, primary_key=True),
    Column("visitor_id", ID, nullable=False, index=True),
    Column("member_id", ID, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("affect", JSON),
    Column("handoff", Boolean, nullable=False),
    Column("last_decision_id", ID),
    Column("state", String(8), nullable=False, server_default="bot"),
    Column("last_seq", Integer, nullable=False, server_default="0"),
    Column("read_by_user", ID),
    Column("read_by_agent", ID),
    Column("memory", LargeBinary),  # what the dialogue remembers, sealed
    Column("language", String(8), nullable=False, server_default="en"),
)
messages = table(
    "messages",
    Column("message_id", ID, primary_key=True),
    Column(
        "conversation_id",
        ID,
        ForeignKey("conversations.conversation_id"),
        nullable=False,
        index=True,
    ),
    Column("role", String(8), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("seq", Integer, nullable=False, server_default="0"),  # its place in the conversation, from 1, without gaps
    Column("client_message_id", KEY),  # what the sender calls it: sent again it is the same message
    Column("reply_to", ID),
    Column("claimed_at", UtcDateTime),  # since when somebody works on the answer
    Column("outcome", JSON),  # how it was answered; null: not yet
    Index(None, "conversation_id", "client_message_id", unique=True),
    Index(None, "conversation_id", "seq"),
    Index(None, "at"),  # what was said last week
)
attachments = table(
    "attachments",
    Column("attachment_id", ID, primary_key=True),
    Column("conversation_id", ID, ForeignKey("conversations.conversation_id"), nullable=False, index=True),
    Column("message_id", ID, ForeignKey("messages.message_id"), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
)
handoffs = table(
    "handoffs",
    Column("handoff_id", ID, primary_key=True),
    Column("conversation_id", ID, ForeignKey("conversations.conversation_id"), nullable=False, index=True),
    Column("state", String(8), nullable=False, index=True),
    Column("reason", String(32), nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("wants_message", Boolean, nullable=False),
    Column("queued_at", UtcDateTime, nullable=False, index=True),
    Column("claimed_at", UtcDateTime),  # by who has it; NULL while it waits again
    Column("first_claimed_at", UtcDateTime),  # what the first wait is measured by, whatever came after
    Column("ended_at", UtcDateTime),
    Column("agent_id", KEY),
    Column("agent_name", KEY),
    Column("score", Integer),
    Column("sealed", LargeBinary, nullable=False),
)
agents = table(
    "agents",
    Column("agent_id", KEY, primary_key=True),
    Column("name", KEY, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)
member_affect = table(
    "member_affect",
    Column("member_id", ID, primary_key=True),
    Column("state", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
kiosks = table(
    "kiosks",
    Column("kiosk_id", ID, primary_key=True),
    Column("name", KEY, nullable=False, unique=True),
    Column("store_id", KEY),
    Column("created_at", UtcDateTime, nullable=False),
    Column("excluded", JSON),  # zones in which the camera looks at nobody; NULL: none were ever set
)
templates = table(
    "templates",
    Column("template_id", ID, primary_key=True),
    Column("member_id", ID, nullable=False, index=True),
    Column("model", KEY, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("kind", String(8), nullable=False, server_default="enrolled"),  # or "adapted": by a camera, since
    Column("store_id", KEY),  # whose retention counts
    Column("seen_at", UtcDateTime),  # the member's last visit; NULL: none since it was made
    CheckConstraint("kind IN ('enrolled', 'adapted')", name="kind"),
)
counters = table(
    "counters",
    Column("name", KEY, primary_key=True),
    Column("value", AMOUNT, nullable=False),
)
keys = table(
    "keys",
    Column("key_id", ID, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("name", String(120), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("prefix", String(12), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("origins", JSON, nullable=False),
    Column("kiosk_id", ID),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)
link_codes = table(
    "link_codes",
    Column("code_hash", String(64), primary_key=True),
    Column("member_id", ID, nullable=False, index=True),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used", Boolean, nullable=False),
)
erasures = table(
    "erasures",
    Column("receipt_id", ID, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("scope", KEY, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("proof", JSON),  # of a schedule: its digest, cut-offs, and what is left that is due
)
imports = table(
    "imports",
    Column("source", KEY, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("report", JSON, nullable=False),
)
