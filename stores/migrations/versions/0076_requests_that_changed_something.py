"""a request that is being answered says when it has changed something, and which try at it that is."""

import sqlalchemy as sa
from alembic import op

revision = "0076"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; of requests that are being answered now nobody knows what they changed: they count as having changed something."""
    op.add_column("replies", sa.Column("attempt", sa.String(length=36), nullable=True))
    op.add_column("replies", sa.Column("changed", sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    """Go back; what was done and not answered is told to be gone, and is not done again."""
    op.execute("UPDATE replies SET status = 'done' WHERE status = 'working' AND changed")
    op.drop_column(
        "replies", "changed"
    )  # not in a batch: a new table in its place would take whom answers tell of along
    op.drop_column("replies", "attempt")
