"""what stores have on display or in the mailer."""

import sqlalchemy as sa
from alembic import op

from stores.tables import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "promotions",
        sa.Column("product_id", sa.String(length=64), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("placement", sa.String(length=10), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("placement IN ('display', 'mailer')", name=op.f("ck_promotions_placement")),
        sa.PrimaryKeyConstraint("product_id", "store_id", "placement", "starts_at", name=op.f("pk_promotions")),
    )
    with op.batch_alter_table("promotions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_promotions_store_id_ends_at"), ["store_id", "ends_at"], unique=False)


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("promotions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_promotions_store_id_ends_at"))

    op.drop_table("promotions")
