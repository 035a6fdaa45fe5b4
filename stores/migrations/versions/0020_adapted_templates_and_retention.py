"""templates say how they came about, whose retention counts, and when their member was last seen."""

import sqlalchemy as sa
from alembic import op

from stores.tables import UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    with op.batch_alter_table("templates", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=8), server_default="enrolled", nullable=False))
        batch_op.add_column(sa.Column("store_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("seen_at", UtcDateTime(), nullable=True))
        batch_op.create_check_constraint(op.f("ck_templates_kind"), "kind IN ('enrolled', 'adapted')")


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("templates", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_templates_kind"), type_="check")
        batch_op.drop_column("seen_at")
        batch_op.drop_column("store_id")
        batch_op.drop_column("kind")
