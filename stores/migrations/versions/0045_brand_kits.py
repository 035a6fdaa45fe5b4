"""brand kits that were saved in the console, by version."""

import sqlalchemy as sa
from alembic import op

from stores.tables import KEY, UtcDateTime

revision = "0045"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "brand_kits",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", KEY, nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("logo", sa.LargeBinary(), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("author", KEY, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_brand_kits")),
    )
    op.create_index(op.f("ix_brand_kits_digest"), "brand_kits", ["digest"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("brand_kits")
