"""what was asked lies sealed in decisions, as it does in messages."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from stores.crypto import Cipher, KeyRing, new_key
from stores.words import PURPOSE, open_words, seal_words

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

_AT_ONCE = 500
_DECISIONS = sa.table("decisions", sa.column("decision_id", sa.String), sa.column("body", sa.JSON))
_KEYS = sa.table("data_keys", sa.column("purpose", sa.String), sa.column("wrapped", sa.LargeBinary))


class _Keys:
    """The data key of messages, by this transaction: `Database` would wait for it."""

    def __init__(self, connection: sa.Connection, master: KeyRing) -> None:
        wrapped = connection.scalar(sa.select(_KEYS.c.wrapped).where(_KEYS.c.purpose == PURPOSE))
        if wrapped is None:
            wrapped = master.seal(new_key(), PURPOSE)
            connection.execute(sa.insert(_KEYS).values(purpose=PURPOSE, wrapped=wrapped))
        self._cipher = Cipher(master.open(bytes(wrapped), PURPOSE))

    def seal(self, _purpose: str, plain: bytes, bound_to: str) -> bytes:
        """Encrypt."""
        return self._cipher.seal(plain, bound_to)

    def open(self, _purpose: str, sealed: bytes, bound_to: str) -> bytes:
        """Decrypt."""
        return self._cipher.open(sealed, bound_to)


def upgrade() -> None:
    """Go forward; the clear words are scrubbed from the files afterwards."""
    if _change(seal_words, '%"query": "%'):
        context.config.attributes["scrub"].append("decisions")


def downgrade() -> None:
    """Go back."""
    _change(open_words, '%"query": {"sealed"%')


def _change(change: Any, marked: str) -> int:
    connection, last, count = op.get_bind(), "", 0
    text = sa.cast(_DECISIONS.c.body, sa.Text)
    keys: _Keys | None = None
    while True:
        some = connection.execute(
            sa.select(_DECISIONS).where(_DECISIONS.c.decision_id > last, text.like(marked)).order_by(_DECISIONS.c.decision_id).limit(_AT_ONCE)
        ).all()  # fmt: skip
        if not some:
            return count
        keys = keys or _Keys(connection, context.config.attributes["master"])
        for row in some:
            body = row.body if isinstance(row.body, dict) else json.loads(row.body)
            mine = sa.update(_DECISIONS).where(_DECISIONS.c.decision_id == row.decision_id)
            connection.execute(mine.values(body=change(keys, row.decision_id, body)))
        last, count = some[-1].decision_id, count + len(some)
