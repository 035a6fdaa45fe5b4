"""decisions by conversation, and conversations that the dialogue engine is still to forget."""

import sqlalchemy as sa
from alembic import op

from stores.tables import ID, UtcDateTime

revision = "0058"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("decisions", sa.Column("conversation_id", ID, nullable=True))
    op.create_index(op.f("ix_decisions_conversation_id"), "decisions", ["conversation_id"])
    op.create_table(
        "dialogue_erasures",
        sa.Column("sender_id", ID, primary_key=True),
        sa.Column("at", UtcDateTime(), nullable=False),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("dialogue_erasures")
    op.drop_index(op.f("ix_decisions_conversation_id"), table_name="decisions")
    op.drop_column("decisions", "conversation_id")
