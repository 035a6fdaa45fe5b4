"""declared groups of members, and prices by which coupons keep to a fairness limit."""

import sqlalchemy as sa
from alembic import op

from stores.tables import ID, UtcDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "member_groups",
        sa.Column("member_id", ID, nullable=False),
        sa.Column("attribute", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=120), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "attribute", name=op.f("pk_member_groups")),
    )
    op.create_table(
        "fair_prices",
        sa.Column("attribute", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=120), nullable=False),
        sa.Column("price", sa.Float(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("attribute", "value", name=op.f("pk_fair_prices")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("fair_prices")
    op.drop_table("member_groups")
