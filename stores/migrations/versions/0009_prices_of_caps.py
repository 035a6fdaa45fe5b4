"""a control loop for every cap within a budget; loops begin again from history."""

import sqlalchemy as sa
from alembic import op

from stores.tables import AMOUNT, KEY, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.drop_table("pacing")
    scopes = ("scope", "scope_id")
    _create([sa.Column(name, KEY, server_default="", nullable=False) for name in scopes], scopes)


def downgrade() -> None:
    """Go back."""
    op.drop_table("pacing")
    _create([], ())


def _create(columns: list[sa.Column[str]], key: tuple[str, ...]) -> None:
    op.create_table(
        "pacing",
        sa.Column("campaign_id", KEY, nullable=False),
        *columns,
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("price", sa.Float(), nullable=False),
        sa.Column("seq", AMOUNT, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.campaign_id"], name=op.f("fk_pacing_campaign_id_campaigns")
        ),
        sa.PrimaryKeyConstraint("campaign_id", *key, name=op.f("pk_pacing")),
    )
