"""exposures of people, with the cluster of their time; who decided on dials."""

import sqlalchemy as sa
from alembic import op

from stores.tables import ID, KEY

revision = "0062"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("exposures", sa.Column("visitor_id", ID, nullable=True))
    op.add_column("exposures", sa.Column("cluster", KEY, nullable=True))
    op.create_index(op.f("ix_exposures_visitor_id"), "exposures", ["visitor_id"])
    op.add_column("tunings", sa.Column("decided_by_id", sa.String(length=120), nullable=True))
    op.add_column("experiment_units", sa.Column("member", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("tunings") as batch:
        batch.drop_column("decided_by_id")
    op.drop_column("experiment_units", "member")  # not in a batch: the table has no row ids
    op.drop_index(op.f("ix_exposures_visitor_id"), table_name="exposures")
    with op.batch_alter_table("exposures") as batch:
        batch.drop_column("cluster")
        batch.drop_column("visitor_id")
