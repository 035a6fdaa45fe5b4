"""what kiosks have shown, and versions of the display policy."""

import sqlalchemy as sa
from alembic import op

from stores.tables import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "plays",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("play_id", sa.String(length=36), nullable=False),
        sa.Column("kiosk_id", sa.String(length=36), nullable=False),
        sa.Column("mode", sa.String(length=64), nullable=False),
        sa.Column("decision_id", sa.String(length=36), nullable=True),
        sa.Column("creative_id", sa.String(length=36), nullable=True),
        sa.Column("product_ids", sa.JSON(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("clock_offset_s", sa.Float(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_plays")),
        sa.UniqueConstraint("play_id", name=op.f("uq_plays_play_id")),
    )
    for column in ("kiosk_id", "decision_id", "received_at"):
        op.create_index(op.f(f"ix_plays_{column}"), "plays", [column], unique=False)
    op.create_table(
        "display_policies",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("restored", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_display_policies")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("display_policies")
    op.drop_table("plays")
