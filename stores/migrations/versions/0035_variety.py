"""how varied is what members are shown, week by week."""

import sqlalchemy as sa
from alembic import op

from stores.tables import ID, UtcDateTime

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "variety",
        sa.Column("member_id", ID, nullable=False),
        sa.Column("week", UtcDateTime(), nullable=False),
        sa.Column("slates", sa.Integer(), nullable=False),
        sa.Column("diversity", sa.Float(), nullable=False),
        sa.Column("novelty", sa.Float(), nullable=False),
        sa.Column("entropy", sa.Float(), nullable=False),
        sa.Column("widened", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "week", name=op.f("pk_variety")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("variety")
