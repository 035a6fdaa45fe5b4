"""the staff whom cameras leave out: their consent, and their templates, sealed."""

import sqlalchemy as sa
from alembic import op

from stores.tables import UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "staff",
        sa.Column("staff_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("consent_text_version", sa.String(length=64), nullable=False),
        sa.Column("consented_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_staff")),
        sa.UniqueConstraint("name", name=op.f("uq_staff_name")),
    )
    op.create_table(
        "staff_templates",
        sa.Column("template_id", sa.String(length=36), nullable=False),
        sa.Column("staff_id", sa.String(length=36), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.staff_id"], name=op.f("fk_staff_templates_staff_id_staff")),
        sa.PrimaryKeyConstraint("template_id", name=op.f("pk_staff_templates")),
    )
    with op.batch_alter_table("staff_templates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_templates_staff_id"), ["staff_id"], unique=False)


def downgrade() -> None:
    """Go back."""
    op.drop_table("staff_templates")
    op.drop_table("staff")
