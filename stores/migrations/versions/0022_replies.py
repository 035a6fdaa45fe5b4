"""answers to requests that may be sent again."""

import sqlalchemy as sa
from alembic import op

from stores.tables import UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "replies",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=7), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("status IN ('working', 'done')", name=op.f("ck_replies_status")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_replies")),
    )
    op.create_index(op.f("ix_replies_at"), "replies", ["at"])


def downgrade() -> None:
    """Go back."""
    op.drop_index(op.f("ix_replies_at"), table_name="replies")
    op.drop_table("replies")
