"""merges, and what the order service knows, have a term: what is past it is found by an index."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from stores.tables import UtcDateTime

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None

_SINCE = ("customer_accounts", "service_orders")


def upgrade() -> None:
    """Go forward; of what was imported before no date is known, so its term begins today."""
    for name in _SINCE:
        op.add_column(name, sa.Column("at", UtcDateTime(), nullable=True))
        rows = sa.table(name, sa.column("at", UtcDateTime()))
        op.execute(rows.update().values(at=datetime.now(UTC)))
        with op.batch_alter_table(name) as table:
            table.alter_column("at", existing_type=UtcDateTime(), nullable=False)
    for name in (*_SINCE, "order_changes", "merges"):
        op.create_index(op.f(f"ix_{name}_at"), name, ["at"])


def downgrade() -> None:
    """Go back."""
    for name in ("merges", "order_changes", *_SINCE):
        op.drop_index(op.f(f"ix_{name}_at"), table_name=name)
    for name in _SINCE:
        with op.batch_alter_table(name) as table:
            table.drop_column("at")
