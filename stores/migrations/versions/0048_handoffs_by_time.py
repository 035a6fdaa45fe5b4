"""hand-offs are found by when they were asked for."""

from alembic import op

revision = "0048"
down_revision = "0037a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_index(op.f("ix_handoffs_queued_at"), "handoffs", ["queued_at"])


def downgrade() -> None:
    """Go back."""
    op.drop_index(op.f("ix_handoffs_queued_at"), table_name="handoffs")
