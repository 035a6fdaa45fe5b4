"""units that left while outcomes were gathered."""

import sqlalchemy as sa
from alembic import op

from stores.tables import ID, UtcDateTime

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("experiment_gatherings", sa.Column("began_at", UtcDateTime(), nullable=True))
    op.create_table(
        "experiment_leavers",
        sa.Column("token", ID, nullable=False),
        sa.Column("leaver", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("token", "leaver", name=op.f("pk_experiment_leavers")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("experiment_leavers")
    with op.batch_alter_table("experiment_gatherings") as batch:
        batch.drop_column("began_at")
