"""conversations are followed in order, handed over to people and rated; a member's affect, by consent."""

import sqlalchemy as sa
from alembic import op

from stores.tables import ID, KEY, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "agents",
        sa.Column("agent_id", ID, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_agents")),
    )
    op.create_table(
        "member_affect",
        sa.Column("member_id", ID, nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_member_affect")),
    )
    op.create_table(
        "handoffs",
        sa.Column("handoff_id", ID, nullable=False),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("wants_message", sa.Boolean(), nullable=False),
        sa.Column("queued_at", UtcDateTime(), nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("agent_id", ID, nullable=True),
        sa.Column("agent_name", KEY, nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.conversation_id"],
            name=op.f("fk_handoffs_conversation_id_conversations"),
        ),
        sa.PrimaryKeyConstraint("handoff_id", name=op.f("pk_handoffs")),
    )
    op.create_index(op.f("ix_handoffs_conversation_id"), "handoffs", ["conversation_id"])
    op.create_index(op.f("ix_handoffs_state"), "handoffs", ["state"])
    for column in (
        sa.Column("state", sa.String(length=8), server_default="bot", nullable=False),
        sa.Column("last_seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("read_by_user", ID, nullable=True),
        sa.Column("read_by_agent", ID, nullable=True),
    ):
        op.add_column("conversations", column)
    for added in (
        sa.Column("seq", sa.Integer(), server_default="0", nullable=False),
        sa.Column("client_message_id", KEY, nullable=True),
        sa.Column("reply_to", ID, nullable=True),
        sa.Column("claimed_at", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.JSON(), nullable=True),
    ):
        op.add_column("messages", added)
    op.execute(
        "UPDATE messages SET seq = numbered.place FROM (SELECT message_id, ROW_NUMBER() OVER "
        "(PARTITION BY conversation_id ORDER BY message_id) AS place FROM messages) AS numbered "
        "WHERE messages.message_id = numbered.message_id"
    )
    op.execute(
        "UPDATE conversations SET last_seq = (SELECT COUNT(*) FROM messages "
        "WHERE messages.conversation_id = conversations.conversation_id)"
    )
    op.create_index(op.f("ix_messages_conversation_id_seq"), "messages", ["conversation_id", "seq"])
    op.create_index(
        op.f("ix_messages_conversation_id_client_message_id"),
        "messages",
        ["conversation_id", "client_message_id"],
        unique=True,
    )


def downgrade() -> None:
    """Go back."""
    op.drop_index(op.f("ix_messages_conversation_id_client_message_id"), table_name="messages")
    op.drop_index(op.f("ix_messages_conversation_id_seq"), table_name="messages")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        for name in ("outcome", "claimed_at", "reply_to", "client_message_id", "seq"):
            batch_op.drop_column(name)
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        for name in ("read_by_agent", "read_by_user", "last_seq", "state"):
            batch_op.drop_column(name)
    op.drop_table("handoffs")
    op.drop_table("member_affect")
    op.drop_table("agents")
