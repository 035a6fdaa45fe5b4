"""whom the answers tell of that are kept for a day, by keyed hashes."""

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; answers of before are not known to tell of anybody, and go by themselves within the day."""
    op.create_table(
        "reply_subjects",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["name"], ["replies.name"], name=op.f("fk_reply_subjects_name_replies"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("name", "about", name=op.f("pk_reply_subjects")),
    )
    op.create_index(op.f("ix_reply_subjects_about"), "reply_subjects", ["about"])


def downgrade() -> None:
    """Go back."""
    op.execute("DELETE FROM replies WHERE answer IS NULL")
    op.drop_index(op.f("ix_reply_subjects_about"), table_name="reply_subjects")
    op.drop_table("reply_subjects")
