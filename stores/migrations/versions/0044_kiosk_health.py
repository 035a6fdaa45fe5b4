"""when each kiosk's page and camera were there last."""

import sqlalchemy as sa
from alembic import op

from stores.tables import ID, UtcDateTime

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "kiosk_health",
        sa.Column("kiosk_id", ID, nullable=False),
        sa.Column("display_seen_at", UtcDateTime(), nullable=True),
        sa.Column("camera_seen_at", UtcDateTime(), nullable=True),
        sa.Column("late_s", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("kiosk_id", name=op.f("pk_kiosk_health")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("kiosk_health")
