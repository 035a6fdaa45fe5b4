"""pictures that creatives are made of, drafts that models write or paint for them, and films that kiosks played."""

import sqlalchemy as sa
from alembic import op

from stores.tables import ID, UtcDateTime

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "creative_pictures",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_creative_pictures")),
    )
    op.create_index(op.f("ix_creative_pictures_at"), "creative_pictures", ["at"])
    op.create_table(
        "creative_drafts",
        sa.Column("draft_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=7), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("draft_id", name=op.f("pk_creative_drafts")),
        sa.CheckConstraint("kind IN ('words', 'background')", name=op.f("ck_creative_drafts_kind")),
        sa.CheckConstraint(
            "status IN ('waiting', 'working', 'done', 'failed')", name=op.f("ck_creative_drafts_status")
        ),
    )
    op.create_index(op.f("ix_creative_drafts_status_told_at"), "creative_drafts", ["status", "told_at"])
    op.add_column("plays", sa.Column("film_id", ID, nullable=True))


def downgrade() -> None:
    """Go back."""
    op.drop_column("plays", "film_id")
    op.drop_index(op.f("ix_creative_drafts_status_told_at"), table_name="creative_drafts")
    op.drop_table("creative_drafts")
    op.drop_index(op.f("ix_creative_pictures_at"), table_name="creative_pictures")
    op.drop_table("creative_pictures")
