"""How long hand-offs wait, as the fairness audit reads it: who was never answered waited, too."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from stores.conversations import SqlConversations
from stores.database import Database
from stores.groups import measures
from stores.handoffs import SqlHandoffs
from stores.tables import handoffs
from tests.small_shop import NOW


def test_a_hand_off_that_nobody_answered_waited_until_its_end_or_waits_yet(database: Database) -> None:
    until = {"answered": {"first_claimed_at": 60, "ended_at": 900}, "given up": {"ended_at": 1800}, "waiting": {}}
    for member, times in until.items():
        talk = SqlConversations(database).start("v", member, at=NOW).conversation_id
        made, _ = SqlHandoffs(database).queue(talk, reason="asked", urgency=1, wants_message=False, told={}, at=NOW)
        with database.write() as connection:
            own = update(handoffs).where(handoffs.c.handoff_id == made.handoff_id)
            connection.execute(own.values(queued_at=NOW))
            if times:
                connection.execute(own.values({name: NOW + timedelta(seconds=s) for name, s in times.items()}))
    [*_, waits] = measures([], database, since=NOW - timedelta(days=1), now=NOW + timedelta(hours=2))
    assert dict(zip(waits.member.tolist(), waits.value.tolist(), strict=True)) == {
        "answered": 60.0, "given up": 1800.0, "waiting": 7200.0,
    }  # fmt: skip
