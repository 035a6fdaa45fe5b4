"""sessions of widget tokens."""

import sqlalchemy as sa
from alembic import op

from stores.tables import ID, UtcDateTime

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "widget_sessions",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("visitor_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=True),
        sa.Column("key_id", ID, nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("renewed_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["keys.key_id"], name=op.f("fk_widget_sessions_key_id_keys")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_widget_sessions")),
    )
    for column in ("visitor_id", "member_id", "expires_at"):
        op.create_index(op.f(f"ix_widget_sessions_{column}"), "widget_sessions", [column])


def downgrade() -> None:
    """Go back."""
    op.drop_table("widget_sessions")
