"""who is who: visitors that turned out to be members."""

import sqlalchemy as sa
from alembic import op

from stores.tables import ID, KEY, UtcDateTime

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "merges",
        sa.Column("merge_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("visitor_id", ID, nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.Column("undone_by", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("merge_id", name=op.f("pk_merges")),
    )
    op.create_index(op.f("ix_merges_visitor_id"), "merges", ["visitor_id"])
    op.create_index(op.f("ix_merges_member_id_visitor_id"), "merges", ["member_id", "visitor_id"], unique=True)
    op.add_column("events", sa.Column("merge_id", ID, nullable=True))
    op.create_index(op.f("ix_events_merge_id"), "events", ["merge_id"])


def downgrade() -> None:
    """Go back."""
    op.drop_index(op.f("ix_events_merge_id"), table_name="events")
    with op.batch_alter_table("events") as events:
        events.drop_column("merge_id")
    op.drop_table("merges")
