"""kiosks keep the zones in which their camera looks at nobody."""

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("kiosks", sa.Column("excluded", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Go back."""
    op.drop_column("kiosks", "excluded")
