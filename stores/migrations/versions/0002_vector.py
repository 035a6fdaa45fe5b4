"""pgvector where the server offers it, for later use; Aisle works without it."""

from alembic import op
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    if connection.scalar(text("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'")) is None:
        return
    try:
        with connection.begin_nested():
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    except ProgrammingError:
        pass  # this role may not create extensions; an administrator can do it any time


def downgrade() -> None:
    """Go back: the extension stays, since others may use it."""
