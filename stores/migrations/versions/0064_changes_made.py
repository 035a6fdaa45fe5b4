"""what was done for messages, so that it is not done again when they are answered again."""

import sqlalchemy as sa
from alembic import op

from stores.tables import UtcDateTime

revision = "0064"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "changes_made",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_changes_made")),
    )
    op.create_index(op.f("ix_changes_made_at"), "changes_made", ["at"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("changes_made")
