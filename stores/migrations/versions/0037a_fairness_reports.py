"""audits of fairness that were run from the console, and consents by their day."""

import sqlalchemy as sa
from alembic import op

from stores.tables import ID, UtcDateTime

revision = "0037a"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "fairness_reports",
        sa.Column("report_id", ID, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=120), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=True),
        sa.CheckConstraint("state IN ('running', 'done', 'failed')", name=op.f("ck_fairness_reports_state")),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_fairness_reports")),
    )
    op.create_index(op.f("ix_consents_at"), "consents", ["at"])
    op.create_index(op.f("ix_audit_log_at"), "audit_log", ["at"])


def downgrade() -> None:
    """Go back."""
    op.drop_index(op.f("ix_audit_log_at"), "audit_log")
    op.drop_index(op.f("ix_consents_at"), "consents")
    op.drop_table("fairness_reports")
