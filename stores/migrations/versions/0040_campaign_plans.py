"""campaigns on paper, how they were paced, and their simulations."""

import sqlalchemy as sa
from alembic import op

from stores.tables import AMOUNT, UtcDateTime

revision = "0040"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "campaign_plans",
        sa.Column("campaign_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=120), nullable=False),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("approved_by", sa.String(length=120), nullable=True),
        sa.Column("history", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaign_plans")),
    )
    op.create_index(op.f("ix_campaign_plans_state"), "campaign_plans", ["state"], unique=False)
    op.create_index(
        op.f("ix_campaign_plans_created_at_campaign_id"), "campaign_plans", ["created_at", "campaign_id"], unique=False
    )
    op.create_table(
        "campaign_lists",
        sa.Column("campaign_id", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign_plans.campaign_id"],
            name=op.f("fk_campaign_lists_campaign_id_campaign_plans"),
        ),
        sa.PrimaryKeyConstraint("campaign_id", "member_id", name=op.f("pk_campaign_lists")),
    )
    op.create_index(op.f("ix_campaign_lists_member_id"), "campaign_lists", ["member_id"], unique=False)
    op.create_table(
        "pacing_points",
        sa.Column("campaign_id", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("price", sa.Float(), nullable=False),
        sa.Column("spent", AMOUNT, nullable=False),
        sa.Column("reserved", AMOUNT, nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "at", name=op.f("pk_pacing_points")),
    )
    op.create_table(
        "simulations",
        sa.Column("simulation_id", sa.String(length=36), nullable=False),
        sa.Column("campaign_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("reason", sa.String(length=400), server_default="", nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("simulation_id", name=op.f("pk_simulations")),
    )
    op.create_index(op.f("ix_simulations_campaign_id"), "simulations", ["campaign_id"], unique=False)
    with op.batch_alter_table("budgets") as table:
        table.add_column(sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("budgets") as table:
        table.drop_column("paused")
    for name in ("simulations", "pacing_points", "campaign_lists", "campaign_plans"):
        op.drop_table(name)
