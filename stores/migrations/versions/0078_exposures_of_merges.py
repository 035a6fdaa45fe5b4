"""exposures know the merge by which they are a member's, so that its end gives them back."""

import sqlalchemy as sa
from alembic import op

from stores.tables import ID

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; of earlier merges it is not known what they moved."""
    op.add_column("exposures", sa.Column("merge_id", ID, nullable=True))
    op.create_index(op.f("ix_exposures_merge_id"), "exposures", ["merge_id"])


def downgrade() -> None:
    """Go back."""
    op.drop_index(op.f("ix_exposures_merge_id"), table_name="exposures")
    with op.batch_alter_table("exposures") as batch:
        batch.drop_column("merge_id")
