"""what cameras may do in each store, as an append-only record; nothing is on until somebody switches it on."""

import sqlalchemy as sa
from alembic import op

from stores.tables import UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_TOLD = "the record of camera switches is append-only"


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "vision_switches",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uses", sa.JSON(), nullable=False),
        sa.Column("purpose", sa.String(length=400), nullable=True),
        sa.Column("retention_days", sa.Integer(), nullable=True),
        sa.Column("notice", sa.String(length=4000), nullable=True),
        sa.Column("notice_version", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "number", name=op.f("pk_vision_switches")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER vision_switches_no_{what.lower()} BEFORE {what} ON vision_switches"
                f" BEGIN SELECT RAISE(ABORT, '{_TOLD}'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION vision_switches_append_only() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{_TOLD}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER vision_switches_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON vision_switches"
            " FOR EACH STATEMENT EXECUTE FUNCTION vision_switches_append_only()"
        )
    with op.batch_alter_table("kiosks", schema=None) as batch_op:
        batch_op.drop_column("expression_notice")


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("kiosks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("expression_notice", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("kiosks", schema=None) as batch_op:
        batch_op.alter_column("expression_notice", server_default=None)
    op.drop_table("vision_switches")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION vision_switches_append_only()")
