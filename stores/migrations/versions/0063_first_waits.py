"""handoffs keep when somebody first took them, whatever came after."""

import sqlalchemy as sa
from alembic import op

from stores.tables import UtcDateTime

revision = "0063"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; of those that were taken more than once the first time is not known any more."""
    op.add_column("handoffs", sa.Column("first_claimed_at", UtcDateTime(), nullable=True))
    op.execute("UPDATE handoffs SET first_claimed_at = claimed_at")


def downgrade() -> None:
    """Go back."""
    op.drop_column("handoffs", "first_claimed_at")
