"""when it was last said who a member is; withdrawals that are not done with."""

import sqlalchemy as sa
from alembic import op

from stores.tables import UtcDateTime

revision = "0061"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("members", sa.Column("said_at", UtcDateTime()))
    op.create_table(
        "withdrawals_due",
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "purpose", name=op.f("pk_withdrawals_due")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("withdrawals_due")
    op.drop_column("members", "said_at")
