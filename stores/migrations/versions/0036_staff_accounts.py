"""staff accounts, and ids of agents that are as long as theirs."""

import sqlalchemy as sa
from alembic import op

from stores.tables import AMOUNT, ID, KEY, UtcDateTime

revision = "0036"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "staff_accounts",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("email_hash", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("password_hash", sa.String(length=256), nullable=True),
        sa.Column("password_at", UtcDateTime(), nullable=True),
        sa.Column("invite_hash", sa.String(length=64), nullable=True),
        sa.Column("invite_ends_at", UtcDateTime(), nullable=True),
        sa.Column("subject_hash", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.Column("signed_in_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_staff_accounts")),
        sa.UniqueConstraint("email_hash", name=op.f("uq_staff_accounts_email_hash")),
        sa.UniqueConstraint("invite_hash", name=op.f("uq_staff_accounts_invite_hash")),
        sa.UniqueConstraint("subject_hash", name=op.f("uq_staff_accounts_subject_hash")),
    )
    op.create_table(
        "staff_sessions",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("way IN ('password', 'passkey', 'oidc', 'invite')", name=op.f("ck_staff_sessions_way")),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["staff_accounts.account_id"],
            name=op.f("fk_staff_sessions_account_id_staff_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_staff_sessions")),
        sa.UniqueConstraint("hash", name=op.f("uq_staff_sessions_hash")),
    )
    op.create_index(op.f("ix_staff_sessions_account_id"), "staff_sessions", ["account_id"])
    op.create_index(op.f("ix_staff_sessions_created_at"), "staff_sessions", ["created_at"])
    op.create_table(
        "staff_passkeys",
        sa.Column("passkey_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("credential_hash", sa.String(length=64), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", AMOUNT, nullable=False),
        sa.Column("transports", sa.JSON(), nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["staff_accounts.account_id"],
            name=op.f("fk_staff_passkeys_account_id_staff_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("passkey_id", name=op.f("pk_staff_passkeys")),
        sa.UniqueConstraint("credential_hash", name=op.f("uq_staff_passkeys_credential_hash")),
    )
    op.create_index(op.f("ix_staff_passkeys_account_id"), "staff_passkeys", ["account_id"])
    op.create_table(
        "staff_ceremonies",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_staff_ceremonies")),
    )
    op.create_index(op.f("ix_staff_ceremonies_ends_at"), "staff_ceremonies", ["ends_at"])
    op.create_table(
        "staff_attempts",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_staff_attempts")),
    )
    op.create_index(op.f("ix_staff_attempts_at"), "staff_attempts", ["at"])
    with op.batch_alter_table("agents") as batch:
        batch.alter_column("agent_id", existing_type=ID, type_=KEY, existing_nullable=False)
    with op.batch_alter_table("handoffs") as batch:
        batch.alter_column("agent_id", existing_type=ID, type_=KEY, existing_nullable=True)


def downgrade() -> None:
    """Go back. Ids that are longer than the column was are cut by nobody: PostgreSQL refuses."""
    with op.batch_alter_table("handoffs") as batch:
        batch.alter_column("agent_id", existing_type=KEY, type_=ID, existing_nullable=True)
    with op.batch_alter_table("agents") as batch:
        batch.alter_column("agent_id", existing_type=KEY, type_=ID, existing_nullable=False)
    for table in ("staff_attempts", "staff_ceremonies", "staff_passkeys", "staff_sessions", "staff_accounts"):
        op.drop_table(table)
