"""A request under an `Idempotency-Key` is done once, whatever is killed when: what it commits says so in the same transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select, update

from stores.api_tables import replies
from stores.asked import answering
from stores.audit import SqlAudit
from stores.database import Database, new_id
from stores.errors import ConflictError, GivenUpError
from stores.members import SqlMembers
from stores.replies import ABANDONED, KEPT, Clock, SqlReplies, Ticket
from stores.staff_sessions import ACCOUNT, SqlAttempts
from tests.small_shop import NOW

LATER = NOW + ABANDONED + timedelta(seconds=1)


@pytest.fixture
def kept(database: Database) -> SqlReplies:
    return SqlReplies(database)


@pytest.fixture
def ticket(kept: SqlReplies) -> Ticket:
    """A request that has been begun."""
    made = Ticket("me", "k", "r")
    assert kept.begin(made, clock=at(NOW)) == "new"
    return made


def at(time: datetime) -> Clock:
    return lambda: time


def add(db: Database, name: str = "ann") -> None:
    SqlMembers(db).create(external_id=name, display_name="Ann Lee", email=None, at=NOW)


def there(db: Database, name: str = "ann") -> bool:
    return SqlMembers(db).by_external_id(name) is not None


def again(ticket: Ticket) -> Ticket:
    return replace(ticket, attempt=new_id())


def test_what_has_changed_something_is_not_begun_anew_when_nobody_works_at_it(
    database: Database, kept: SqlReplies, ticket: Ticket
) -> None:
    with answering(ticket.asked()):
        add(database)
    assert kept.begin(again(ticket), clock=at(NOW + ABANDONED)) == "working"
    assert kept.begin(again(ticket), clock=at(LATER)) == "lost"
    kept.keep(ticket, b"late, but there")
    assert kept.begin(again(ticket), clock=at(LATER)) == b"late, but there"


@contextmanager
def waiting(db: Database, clock: list[datetime], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let each write wait, by this clock, for longer than anybody is silent who still works at a request."""
    write = db.write

    @contextmanager
    def late(*, beside: bool = False) -> Iterator[Connection]:
        with write(beside=beside) as connection:
            clock.append(clock[-1] + ABANDONED + timedelta(seconds=1))
            yield connection

    with monkeypatch.context() as patched:
        patched.setattr(db, "write", late)
        yield


def test_who_had_to_wait_for_the_database_still_works_at_the_request(
    database: Database, kept: SqlReplies, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, ticket = [NOW], Ticket("me", "k", "r")
    with waiting(database, clock, monkeypatch):
        assert kept.begin(ticket, clock=lambda: clock[-1]) == "new"
    with answering(ticket.asked()):
        add(database)
    assert kept.begin(again(ticket), clock=lambda: clock[-1]) == "working", "as it was begun"
    with waiting(database, clock, monkeypatch):
        assert kept.renew(ticket, clock=lambda: clock[-1])
    assert kept.begin(again(ticket), clock=lambda: clock[-1]) == "working", "as it was renewed"
    with waiting(database, clock, monkeypatch):
        found = kept.begin(again(ticket), clock=lambda: clock[-1])
    assert found == "working", "who works at it may wait for the database just as long"


def test_what_has_changed_nothing_is_begun_anew(database: Database, kept: SqlReplies, ticket: Ticket) -> None:
    with answering(ticket.asked()):
        assert not there(database)
    assert kept.begin(again(ticket), clock=at(NOW + ABANDONED)) == "working"
    assert kept.begin(again(ticket), clock=at(LATER)) == "new"


def test_what_is_rolled_back_has_changed_nothing(database: Database, kept: SqlReplies, ticket: Ticket) -> None:
    add(database)
    with answering(ticket.asked()), pytest.raises(ConflictError):
        add(database)
    assert kept.begin(again(ticket), clock=at(LATER)) == "new"


def test_a_count_of_attempts_a_new_key_of_data_and_the_audit_log_are_not_the_work(
    database: Database, kept: SqlReplies, ticket: Ticket
) -> None:
    with answering(ticket.asked()):
        SqlAttempts(database).begin("account ann", ACCOUNT, now=NOW)
        SqlAudit(database).append("key", "refused")
        database.seal("a purpose of its own", b"plain", "here")
        kept.renew(ticket, clock=at(NOW))
    assert kept.begin(again(ticket), clock=at(LATER)) == "new"


def test_whoever_lost_the_request_to_another_changes_nothing_any_more(
    database: Database, kept: SqlReplies, ticket: Ticket
) -> None:
    follower = again(ticket)
    assert kept.begin(follower, clock=at(LATER)) == "new"
    with answering(ticket.asked()), pytest.raises(GivenUpError):
        add(database)
    assert not there(database)
    with answering(follower.asked()):
        add(database)
    kept.keep(ticket, b"of the one that was given up")
    kept.let_go(ticket)
    assert kept.begin(again(ticket), clock=at(LATER)) == "working"
    kept.keep(follower, b"answer")
    assert kept.begin(again(ticket), clock=at(LATER)) == b"answer"


def test_what_is_done_after_the_answer_is_another_matter(database: Database, kept: SqlReplies, ticket: Ticket) -> None:
    asked = ticket.asked()
    with answering(asked):
        asked.over = True
        kept.keep(ticket, b"answer")
        add(database)
    assert there(database)
    assert kept.begin(again(ticket), clock=at(LATER)) == b"answer"


def test_threads_that_answer_are_the_request_and_others_are_not(
    database: Database, kept: SqlReplies, ticket: Ticket
) -> None:
    with answering(ticket.asked()), ThreadPoolExecutor(1) as pool:
        others = threading.Thread(target=add, args=(database, "bob"))
        others.start()
        others.join()
        assert there(database, "bob")
        assert not changed(database), "a thread of its own"
        pool.submit(copy_context().run, add, database).result()
        assert changed(database), "a thread that was handed the request, as those of routes are"


def changed(db: Database) -> bool:
    with db.read() as connection:
        return bool(connection.scalar(select(replies.c.changed)))


def test_a_request_of_a_version_that_did_not_tell_counts_as_done(
    database: Database, kept: SqlReplies, ticket: Ticket
) -> None:
    with database.write() as connection:
        connection.execute(replies.delete())
        connection.execute(replies.insert().values(name=ticket.name, request=ticket.request, status="working", at=NOW))
    assert kept.begin(again(ticket), clock=at(LATER)) == "lost"


def test_a_day_ends_all(database: Database, kept: SqlReplies, ticket: Ticket) -> None:
    with answering(ticket.asked()):
        add(database)
    day = NOW + KEPT
    assert kept.begin(again(ticket), clock=at(day)) == "lost"
    assert kept.purge(now=day) == 0
    assert kept.begin(again(ticket), clock=at(day + timedelta(seconds=1))) == "new"
    assert kept.purge(now=day + KEPT + timedelta(seconds=2)) == 1


def test_only_the_first_transaction_of_a_request_says_that_it_changed_something(
    database: Database, kept: SqlReplies, ticket: Ticket
) -> None:
    with answering(ticket.asked()):
        add(database)
        with database.write() as connection:
            connection.execute(update(replies).values(changed=False))
        add(database, "bob")
    assert not changed(database)
