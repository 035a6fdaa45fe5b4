"""find decisions by time and events by decision, as training does."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    with op.batch_alter_table("candidate_sets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_candidate_sets_at_decision_id"), ["at", "decision_id"], unique=False)
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_events_decision_id"), ["decision_id"], unique=False)


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_events_decision_id"))
    with op.batch_alter_table("candidate_sets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_candidate_sets_at_decision_id"))
