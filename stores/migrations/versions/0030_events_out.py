"""what is told to other systems, and to whom."""

import sqlalchemy as sa
from alembic import op

from stores.tables import AMOUNT, ID, KEY, UtcDateTime

revision = "0030"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "webhook_endpoints",
        sa.Column("endpoint_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", UtcDateTime(), nullable=True),
        sa.Column("leased_by", ID, nullable=True),
        sa.Column("leased_until", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint_id", name=op.f("pk_webhook_endpoints")),
        sa.CheckConstraint("status IN ('active', 'paused', 'disabled')", name=op.f("ck_webhook_endpoints_status")),
        sa.CheckConstraint("kind IN ('webhook', 'hubspot', 'salesforce')", name=op.f("ck_webhook_endpoints_kind")),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("seq", AMOUNT, autoincrement=True, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("endpoint_id", ID, nullable=False),
        sa.Column("topic", KEY, nullable=False),
        sa.Column("person", sa.String(length=64), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("give_up_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("answer", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_webhook_deliveries")),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.endpoint_id"],
            name=op.f("fk_webhook_deliveries_endpoint_id_webhook_endpoints"),
        ),
        sa.CheckConstraint("status IN ('pending', 'delivered', 'dead')", name=op.f("ck_webhook_deliveries_status")),
    )
    op.create_index(op.f("ix_webhook_deliveries_person"), "webhook_deliveries", ["person"])
    op.create_index(
        op.f("ix_webhook_deliveries_endpoint_id_event_id"),
        "webhook_deliveries",
        ["endpoint_id", "event_id"],
        unique=True,
    )
    op.create_index(
        op.f("ix_webhook_deliveries_endpoint_id_status_seq"), "webhook_deliveries", ["endpoint_id", "status", "seq"]
    )
    op.create_index(op.f("ix_webhook_deliveries_status_ended_at"), "webhook_deliveries", ["status", "ended_at"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("webhook_deliveries")
    op.drop_table("webhook_endpoints")
