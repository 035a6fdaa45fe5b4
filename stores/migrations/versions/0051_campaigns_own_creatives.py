"""a campaign starts, pauses and ends its creatives."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from stores.tables import UtcDateTime

revision = "0051"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    with op.batch_alter_table("creative_campaigns") as table:
        table.add_column(sa.Column("owner", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("held", sa.Boolean(), server_default=sa.false(), nullable=False))
        table.create_index(op.f("ix_creative_campaigns_owner"), ["owner"], unique=False)


def downgrade() -> None:
    """Go back. What is held ends: it would be placed."""
    now, every = datetime.now(UTC), sa.table("creative_campaigns", sa.column("held"), sa.column("ends_at", UtcDateTime))
    op.execute(sa.update(every).where(every.c.held.is_(sa.true()), every.c.ends_at > now).values(ends_at=now))
    with op.batch_alter_table("creative_campaigns") as table:
        table.drop_index(op.f("ix_creative_campaigns_owner"))
        table.drop_column("held")
        table.drop_column("owner")
