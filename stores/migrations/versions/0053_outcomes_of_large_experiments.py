"""outcomes of large experiments."""

import sqlalchemy as sa
from alembic import op

from stores.tables import AMOUNT, ID, KEY, UtcDateTime

revision = "0053"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "experiment_gatherings",
        sa.Column("experiment_id", KEY, nullable=False),
        sa.Column("token", ID, nullable=False),
        sa.Column("gathered_at", UtcDateTime(), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.experiment_id"],
            name=op.f("fk_experiment_gatherings_experiment_id_experiments"),
        ),
        sa.PrimaryKeyConstraint("experiment_id", name=op.f("pk_experiment_gatherings")),
    )
    op.create_table(
        "experiment_units",
        sa.Column("experiment_id", KEY, nullable=False),
        sa.Column("unit_id", ID, nullable=False),
        sa.Column("arm", KEY, nullable=False),
        sa.Column("at_us", AMOUNT, nullable=False),
        sa.Column("conversion", AMOUNT, nullable=False),
        sa.Column("spend", AMOUNT, nullable=False),
        sa.Column("orders", AMOUNT, nullable=False),
        sa.Column("retention", AMOUNT, nullable=False),
        sa.Column("discount", AMOUNT, nullable=False),
        sa.Column("engagement", AMOUNT, nullable=False),
        sa.Column("handoffs", AMOUNT, nullable=False),
        sa.Column("spend_before", AMOUNT, nullable=False),
        sa.Column("orders_before", AMOUNT, nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name=op.f("fk_experiment_units_experiment_id_experiments")
        ),
        sa.PrimaryKeyConstraint("experiment_id", "unit_id", name=op.f("pk_experiment_units")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_experiment_units_unit_id"), "experiment_units", ["unit_id"])


def downgrade() -> None:
    """Go back."""
    op.drop_index(op.f("ix_experiment_units_unit_id"), table_name="experiment_units")
    op.drop_table("experiment_units")
    op.drop_table("experiment_gatherings")
