"""products have photographs of their own."""

import sqlalchemy as sa
from alembic import op

from stores.tables import UtcDateTime

revision = "0075"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "product_pictures",
        sa.Column("product_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("licence", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_product_pictures")),
    )
    op.create_index(op.f("ix_product_pictures_digest"), "product_pictures", ["digest"])


def downgrade() -> None:
    """Go back; the files stay with the other pictures of creatives."""
    op.drop_index(op.f("ix_product_pictures_digest"), table_name="product_pictures")
    op.drop_table("product_pictures")
