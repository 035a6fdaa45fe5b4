"""films and their files."""

import sqlalchemy as sa
from alembic import op

from stores.tables import ID, UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "films",
        sa.Column("film_id", ID, nullable=False),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=True),
        sa.Column("track", sa.LargeBinary(), nullable=True),
        sa.Column("problem", sa.JSON(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("film_id", name=op.f("pk_films")),
        sa.CheckConstraint(
            "status IN ('queued', 'working', 'done', 'failed', 'cancelled')", name=op.f("ck_films_status")
        ),
    )
    op.create_index(op.f("ix_films_status_created_at"), "films", ["status", "created_at"])
    op.create_table(
        "film_files",
        sa.Column("film_id", ID, nullable=False),
        sa.Column("format", sa.String(length=4), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["film_id"], ["films.film_id"], name=op.f("fk_film_files_film_id_films")),
        sa.PrimaryKeyConstraint("film_id", "format", name=op.f("pk_film_files")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("film_files")
    op.drop_index(op.f("ix_films_status_created_at"), table_name="films")
    op.drop_table("films")
