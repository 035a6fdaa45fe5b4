"""number allotments, keep control loops, and say what a campaign is for."""

import sqlalchemy as sa
from alembic import op

from stores.tables import AMOUNT, ID, KEY, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "allotments",
        sa.Column("seq", AMOUNT, autoincrement=True, nullable=False),
        sa.Column("decision_id", ID, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("discount_minor", AMOUNT, nullable=False),
        sa.Column("explored", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_allotments")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_allotments_decision_id")),
    )
    op.create_index(op.f("ix_allotments_campaign_id_seq"), "allotments", ["campaign_id", "seq"])
    op.create_table(
        "pacing",
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("price", sa.Float(), nullable=False),
        sa.Column("seq", AMOUNT, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.campaign_id"], name=op.f("fk_pacing_campaign_id_campaigns")
        ),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_pacing")),
    )
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.add_column(sa.Column("objective", sa.String(length=8), server_default="orders", nullable=False))


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.drop_column("objective")
    op.drop_table("pacing")
    op.drop_table("allotments")
