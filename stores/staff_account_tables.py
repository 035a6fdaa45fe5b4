"""The tables of staff accounts: the people who sign in to the console. `staff` (camera_tables) are people whom cameras leave out."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, Integer, LargeBinary, String, Table

from stores.tables import AMOUNT, ID, KEY, UtcDateTime, metadata

staff_accounts = Table(
    "staff_accounts",
    metadata,
    Column("account_id", ID, primary_key=True),
    Column("email_hash", String(64), nullable=False, unique=True),  # keyed: to find the account by its address
    Column("sealed", LargeBinary, nullable=False),  # address and name
    Column("roles", JSON, nullable=False),
    Column("language", String(16)),
    Column("password_hash", String(256)),  # argon2id
    Column("password_at", UtcDateTime),
    Column("invite_hash", String(64), unique=True),
    Column("invite_ends_at", UtcDateTime),
    Column("subject_hash", String(64), unique=True),  # keyed: who it is at the OpenID provider
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("signed_in_at", UtcDateTime),
)
staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("session_id", ID, primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("account_id", ID, ForeignKey("staff_accounts.account_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("way", String(8), nullable=False),
    Column("browser", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("seen_at", UtcDateTime, nullable=False),
    CheckConstraint("way IN ('password', 'passkey', 'oidc', 'invite')", name="way"),
)
staff_passkeys = Table(
    "staff_passkeys",
    metadata,
    Column("passkey_id", ID, primary_key=True),
    Column("account_id", ID, ForeignKey("staff_accounts.account_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("credential_hash", String(64), nullable=False, unique=True),
    Column("credential_id", LargeBinary, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", AMOUNT, nullable=False),
    Column("transports", JSON, nullable=False),
    Column("name", KEY, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)
staff_ceremonies = Table(
    "staff_ceremonies",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("account_id", ID),  # whose, where somebody is signed in
    Column("sealed", LargeBinary, nullable=False),  # challenge, nonce, verifier
    Column("ends_at", UtcDateTime, nullable=False, index=True),
)
staff_attempts = Table(
    "staff_attempts",
    metadata,
    Column("name", String(64), primary_key=True),  # a keyed hash of an address that was tried, or tried from
    Column("failed", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
)
