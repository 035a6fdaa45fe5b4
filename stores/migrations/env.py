"""Alembic's entry: run the migrations on the engine that `Database.upgrade` hands over."""

from alembic import context
from sqlalchemy import text

from stores.tables import metadata

engine = context.config.attributes["engine"]
UPGRADE_LOCK = 0x41_49_53_4C_46

with engine.connect().execution_options(aisle_write=True) as connection:
    # processes that start together upgrade one after the other; SQLite's write lock does the same
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": UPGRADE_LOCK})
        connection.commit()
    try:
        # one transaction on SQLite too, else its lock is let go between two migrations
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    finally:
        if connection.dialect.name == "postgresql":
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": UPGRADE_LOCK})
            connection.commit()
