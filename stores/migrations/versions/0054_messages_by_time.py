"""messages by time."""

from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_index(op.f("ix_messages_at"), "messages", ["at"])


def downgrade() -> None:
    """Go back."""
    op.drop_index(op.f("ix_messages_at"), table_name="messages")
