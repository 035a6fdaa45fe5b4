"""What the database is opened with: the master keys, the journal of erasures, and where the audit log's head is noted."""

from __future__ import annotations

from pathlib import Path

from api.settings import Settings
from stores.crypto import KeyRing, decode_keys, keys_of_command, load_or_create_master_keys
from stores.database import Database


def master_keys(settings: Settings) -> list[bytes]:
    """Return the master keys, newest first: of the settings, of the command that they name, or of the state folder."""
    given, command = settings.master_key.get_secret_value(), settings.master_key_command
    if given:
        return decode_keys(given)
    return keys_of_command(command) if command else load_or_create_master_keys(master_key_file(settings))


def master_key_file(settings: Settings) -> Path:
    """Return where the master keys lie if neither the settings nor a command tell them."""
    return settings.state_dir / "keys" / "master.key"


def audit_head(settings: Settings) -> Path:
    """Return the file that the audit log's last line is noted in."""
    return settings.state_dir / "audit.head"


def open_database(settings: Settings) -> Database:
    """Return the database of the settings, its schema up to date."""
    journal = settings.erasure_journal or settings.state_dir / "erasures"
    db = Database(settings.resolved_database_url, KeyRing(lambda: master_keys(settings)), journal=journal)
    db.upgrade()
    return db
