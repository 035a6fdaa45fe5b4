"""What was asked lies sealed in decisions: new ones, and those of before the upgrade."""

from __future__ import annotations

from dataclasses import replace

from alembic import command
from sqlalchemy import String, cast, select

from personalization.decisions import Decision
from personalization.types import Channel, Context, DecisionId, Reason
from stores.crypto import KeyRing, new_key
from stores.database import Database, new_id
from stores.decisions import SqlDecisions
from stores.tables import data_keys, decisions
from tests.small_shop import NOW
from tests.stores.test_decisions import VISITOR, item

SECRET = "zebra cheese"


def asked(db: Database) -> DecisionId:
    told = Reason("matches_query", "This matches what you asked for.", {"query": SECRET, "match": 0.9})
    slate = (replace(item("milk-1"), reason=told),)
    where = Context(Channel.WIDGET, NOW, query=SECRET)
    made = Decision(DecisionId(new_id()), NOW, VISITOR, where, slate, None, None, None, "", (), (), (), {}, 1.0)
    SqlDecisions(db).append(made)
    return made.decision_id


def stored(db: Database) -> str:
    with db.read() as connection:
        return "".join(connection.scalars(select(cast(decisions.c.body, String))))


def is_whole(db: Database, decision_id: DecisionId) -> bool:
    found = SqlDecisions(db).get(decision_id)
    return found is not None and found.context.query == SECRET and found.slate[0].reason.facts["query"] == SECRET


def test_a_decision_keeps_what_was_asked_sealed(database: Database) -> None:
    made = asked(database)
    assert SECRET not in stored(database)
    assert is_whole(database, made)


def test_decisions_of_before_the_upgrade_are_sealed_by_it(database: Database) -> None:
    made = asked(database)
    command.downgrade(database.alembic_config(), "0064")
    assert stored(database).count(SECRET) > 1
    with database.write() as connection:  # nobody has chatted yet: the upgrade makes the key
        connection.execute(data_keys.delete())
    again = Database(database.url.render_as_string(hide_password=False), database.master)
    again.upgrade()
    assert SECRET not in stored(again)
    assert is_whole(again, made)
    again.dispose()


def test_a_new_master_key_reaches_the_words(database: Database) -> None:
    made = asked(database)
    keys = [new_key()]
    database.master._read, old = lambda: [*keys, *old()], database.master._read
    database.rewrap()
    url = database.url.render_as_string(hide_password=False)
    later = Database(url, KeyRing(lambda: keys))
    assert is_whole(later, made)
    later.dispose()
