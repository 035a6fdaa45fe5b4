"""notes of agents about conversations, and answers that all of them use."""

import sqlalchemy as sa
from alembic import op

from stores.tables import ID, KEY, UtcDateTime

revision = "0043"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "handoff_notes",
        sa.Column("note_id", ID, nullable=False),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("agent_id", KEY, nullable=False),
        sa.Column("agent_name", KEY, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("note_id", name=op.f("pk_handoff_notes")),
    )
    op.create_index(op.f("ix_handoff_notes_conversation_id_note_id"), "handoff_notes", ["conversation_id", "note_id"])
    op.create_table(
        "canned_answers",
        sa.Column("answer_id", ID, nullable=False),
        sa.Column("title", KEY, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("by", KEY, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_canned_answers")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("canned_answers")
    op.drop_table("handoff_notes")
