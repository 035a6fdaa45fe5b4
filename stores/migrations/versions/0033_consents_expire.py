"""consents expire, nobody can change them, and what was deleted on schedule is proved."""

import sqlalchemy as sa
from alembic import op

from stores.append_only import protect, release
from stores.consents import ERASING
from stores.tables import UtcDateTime

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("consents", sa.Column("expires_at", UtcDateTime(), nullable=True))
    op.add_column("erasures", sa.Column("proof", sa.JSON(), nullable=True))
    protect(op, op.get_bind().dialect.name, "consents", unless=ERASING)


def downgrade() -> None:
    """Go back."""
    release(op, op.get_bind().dialect.name, "consents")
    with op.batch_alter_table("erasures", schema=None) as batch_op:
        batch_op.drop_column("proof")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_column("expires_at")
