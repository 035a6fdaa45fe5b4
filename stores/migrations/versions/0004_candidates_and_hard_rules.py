"""candidate sets, and what hard rules need of products."""

import sqlalchemy as sa
from alembic import op

from stores.tables import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "candidate_sets",
        sa.Column("decision_id", sa.String(length=36), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=True),
        sa.Column("visitor_id", sa.String(length=36), nullable=True),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_candidate_sets")),
    )
    with op.batch_alter_table("candidate_sets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_candidate_sets_member_id_at"), ["member_id", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_candidate_sets_visitor_id_at"), ["visitor_id", "at"], unique=False)

    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.add_column(sa.Column("in_stock", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.add_column(sa.Column("minimum_age", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("contains", sa.String(length=400), server_default="", nullable=False))


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.drop_column("contains")
        batch_op.drop_column("minimum_age")
        batch_op.drop_column("in_stock")

    with op.batch_alter_table("candidate_sets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_candidate_sets_visitor_id_at"))
        batch_op.drop_index(batch_op.f("ix_candidate_sets_member_id_at"))

    op.drop_table("candidate_sets")
