"""the record of what staff and keys did."""

import sqlalchemy as sa
from alembic import op

from stores.append_only import protect, release
from stores.tables import AMOUNT, UtcDateTime

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "audit_log",
        sa.Column("seq", AMOUNT, autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=160), nullable=False),
        sa.Column("action", sa.String(length=160), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_log")),
    )
    protect(op, op.get_bind().dialect.name, "audit_log")


def downgrade() -> None:
    """Go back."""
    release(op, op.get_bind().dialect.name, "audit_log")
    op.drop_table("audit_log")
