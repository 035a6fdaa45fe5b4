"""what is past its retention is found without reading whole tables."""

from alembic import op

revision = "0037"
down_revision = "0041"
branch_labels = None
depends_on = None

_INDEXES = (("decisions", "at"), ("exposures", "at"), ("labels", "expires_at"))


def upgrade() -> None:
    """Go forward."""
    for table, column in _INDEXES:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    """Go back."""
    for table, column in _INDEXES:
        op.drop_index(op.f(f"ix_{table}_{column}"), table)
