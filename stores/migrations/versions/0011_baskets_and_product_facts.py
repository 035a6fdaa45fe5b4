"""what the assistant tells of products, and baskets."""

import sqlalchemy as sa
from alembic import op

from stores.tables import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "basket_lines",
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("product_id", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=True),
        sa.Column("visitor_id", sa.String(length=36), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.String(length=36), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_basket_lines_quantity")),
        sa.PrimaryKeyConstraint("owner_id", "product_id", name=op.f("pk_basket_lines")),
    )
    with op.batch_alter_table("basket_lines", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_basket_lines_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_basket_lines_visitor_id"), ["visitor_id"], unique=False)

    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.add_column(sa.Column("aisle", sa.String(length=60), server_default="", nullable=False))
        batch_op.add_column(sa.Column("shelf", sa.String(length=60), server_default="", nullable=False))
        batch_op.add_column(sa.Column("stock", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("attributes", sa.String(length=1000), server_default="", nullable=False))


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.drop_column("attributes")
        batch_op.drop_column("stock")
        batch_op.drop_column("shelf")
        batch_op.drop_column("aisle")

    with op.batch_alter_table("basket_lines", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_basket_lines_visitor_id"))
        batch_op.drop_index(batch_op.f("ix_basket_lines_member_id"))

    op.drop_table("basket_lines")
