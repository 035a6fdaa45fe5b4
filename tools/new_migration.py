"""Write a migration from what `stores.tables` and the newest migration differ in: `python tools/new_migration.py 0002 "why"`."""

import re
import sys
import tempfile
from pathlib import Path

from alembic import command

from stores.crypto import new_key
from stores.database import Database


def main(revision: str, message: str) -> None:
    """Migrate an empty database as far as it goes, and write the rest as a new revision."""
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/empty.db", new_key())
        if any(Path("stores/migrations/versions").glob("*.py")):
            db.upgrade()
        command.revision(db.alembic_config(), message, autogenerate=True, rev_id=revision)
        db.dispose()
    [path] = Path("stores/migrations/versions").glob(f"{revision}_*.py")
    text = re.sub(r"stores\.tables\.UtcDateTime\(timezone=True\)", "UtcDateTime()", path.read_text())
    path.write_text(
        text.replace("from alembic import op\n", "from alembic import op\n\nfrom stores.tables import UtcDateTime\n")
    )
    print(f"wrote {path}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
