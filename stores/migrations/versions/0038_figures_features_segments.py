"""what the staff console reads: figures by day, features of members, own segments, labels that staff set."""

import sqlalchemy as sa
from alembic import op

from stores.tables import AMOUNT, ID, KEY, UtcDateTime

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

FEATURES = (
    "recency_days", "tenure_days", "orders", "spent", "orders_28d", "spent_28d", "orders_84d", "spent_84d", "basket_value",
    "basket_items", "gap_mean_days", "gap_std_days", "recency_over_gap", "category_count", "category_entropy",
    "top_category_share", "promo_share", "discount_rate", "coupon_rate", "coupon_orders_share", "price_level", "weekend_share",
    "morning_share", "midday_share", "afternoon_share", "evening_share", "night_share", "store_count", "top_store_share",
    "online_share", "views_28d", "clicks_28d", "messages_28d", "text_valence_28d", "face_valence_28d", "dwell_seconds_28d",
    "store_visits_28d", "mention_sentiment_84d", "widget_contacts_28d", "kiosk_contacts_28d",
)  # fmt: skip
INDEXES = (
    ("events", "at"), ("order_lines", "at"), ("coupons", "issued_at"), ("ledger_entries", "at"),
    ("members", "email_hash"),
)  # fmt: skip


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "figures",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("channel", KEY, nullable=False),
        sa.Column("part", KEY, nullable=False),
        sa.Column("value", AMOUNT, nullable=False),
        sa.PrimaryKeyConstraint("day", "name", "channel", "part", name=op.f("pk_figures")),
    )
    op.create_index(op.f("ix_figures_name_day"), "figures", ["name", "day"])
    op.create_table(
        "member_features",
        sa.Column("member_id", ID, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("segment_id", KEY, nullable=True),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("map_x", sa.Float(), nullable=True),
        sa.Column("map_y", sa.Float(), nullable=True),
        *(sa.Column(name, sa.Float(), nullable=True) for name in FEATURES),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_member_features")),
    )
    op.create_index(op.f("ix_member_features_segment_id"), "member_features", ["segment_id"])
    op.create_index(op.f("ix_member_features_sample"), "member_features", ["sample"])
    op.create_table(
        "segments",
        sa.Column("segment_id", ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.String(length=400), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("author", sa.String(length=160), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("segment_id", name=op.f("pk_segments")),
        sa.UniqueConstraint("name", name=op.f("uq_segments_name")),
    )
    op.create_table(
        "label_edits",
        sa.Column("member_id", ID, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("by", sa.String(length=160), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "name", name=op.f("pk_label_edits")),
    )
    op.create_index(op.f("ix_label_edits_expires_at"), "label_edits", ["expires_at"])
    op.add_column("members", sa.Column("email_hash", sa.String(length=64), nullable=True))
    op.add_column("label_vetoes", sa.Column("reason", sa.String(length=200), nullable=True))
    for table, column in INDEXES:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    """Go back."""
    for table, column in INDEXES:
        op.drop_index(op.f(f"ix_{table}_{column}"), table_name=table)
    with op.batch_alter_table("label_vetoes", schema=None) as batch_op:
        batch_op.drop_column("reason")
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.drop_column("email_hash")
    op.drop_table("label_edits")
    op.drop_table("segments")
    op.drop_table("member_features")
    op.drop_table("figures")
