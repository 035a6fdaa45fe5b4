"""Export and erasure of what is known about one member (GDPR articles 15, 17 and 20)."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, insert, or_, select, update

from personalization.profiling.state import decode
from personalization.types import EventType, MemberId, Subject
from stores.api_tables import replies
from stores.codec import load_candidates
from stores.consents import erasing
from stores.coupon_tables import allotments, coupons, redemptions
from stores.creative_tables import creative_placements
from stores.database import Database, new_id, rows_where, upsert
from stores.desk import ANSWERED_WITHIN
from stores.desk_tables import handoff_notes
from stores.erasure_journal import Journalled
from stores.erasure_plan import PLAN, SEEN_WITH_NAMES, Whose, tables
from stores.events import interrupt
from stores.experiment_units import let_go
from stores.kiosks import bump_gallery
from stores.merge_tables import merges
from stores.order_tables import customer_accounts, order_changes, service_orders
from stores.orders import open_account, open_change, open_order
from stores.outbox import Topic, forget, tell
from stores.outbox_tables import webhook_deliveries
from stores.profiles import CONSUMER
from stores.replies import forget_replies
from stores.screen_tables import plays
from stores.tables import (
    attachments,
    candidate_sets,
    consents,
    conversations,
    decisions,
    dialogue_erasures,
    erasures,
    events,
    exposures,
    handoffs,
    member_affect,
    members,
    messages,
    templates,
)
from stores.words import open_words, without_words

_LEFT_OUT = {
    "sealed",
    "memory",
    "email",
    "email_hash",
    "code_hash",
}  # shown in the clear instead, or of no use to anybody
_SEALED = {customer_accounts, service_orders, order_changes}

Conditions = Mapping[Table, ColumnElement[bool]]


def export_member(db: Database, member_id: MemberId) -> dict[str, Any]:
    """Return everything about the member, machine-readable; a face template is described, not shown.

    What was done anonymously on the member's device is included, unless another member was seen on it: it may be theirs.
    """
    with db.read() as connection:
        whose = _conditions(member_id, _visitor_ids(connection, member_id, shared=False))
        found = {table.name: _rows(connection, table, whose[table]) for table in whose if table not in _SEALED}
        found["face_templates"] = found.pop(templates.name)
        mine = select(decisions.c.decision_id).where(whose[decisions])
        for table in (allotments, plays):
            found[table.name] = _rows(connection, table, table.c.decision_id.in_(mine))
        talks = select(conversations.c.conversation_id).where(whose[conversations])
        talked = connection.execute(
            select(messages).where(messages.c.conversation_id.in_(talks)).order_by(messages.c.message_id)
        ).all()
        handed = connection.execute(
            select(handoffs).where(handoffs.c.conversation_id.in_(talks)).order_by(handoffs.c.handoff_id)
        ).all()
        noted = connection.execute(
            select(handoff_notes).where(handoff_notes.c.conversation_id.in_(talks)).order_by(handoff_notes.c.note_id)
        ).all()
        sent = connection.execute(
            select(attachments).where(attachments.c.conversation_id.in_(talks)).order_by(attachments.c.attachment_id)
        ).all()
        own = redemptions.c.coupon_id.in_(select(coupons.c.coupon_id).where(whose[coupons]))
        found["redemptions"] = _rows(connection, redemptions, own)
        remembered = connection.execute(
            select(conversations.c.conversation_id, conversations.c.memory).where(
                conversations.c.conversation_id.in_(talks), conversations.c.memory.is_not(None)
            )
        ).all()
        email = connection.scalar(select(members.c.email).where(members.c.member_id == member_id))
    found["messages"] = [
        {
            "conversation_id": row.conversation_id,
            "role": row.role,
            "at": row.at.isoformat(),
            **json.loads(db.open("messages", bytes(row.sealed), row.message_id)),
        }
        for row in talked
    ]
    found["attachments"] = [
        {
            "attachment_id": row.attachment_id, "message_id": row.message_id, "at": row.at.isoformat(),
            "base64": base64.b64encode(db.open("attachments", bytes(row.sealed), row.attachment_id)).decode(),
        }
        for row in sent
    ]  # fmt: skip
    found["handoff_notes"] = [
        {
            "conversation_id": row.conversation_id, "at": row.at.isoformat(), "agent": row.agent_name,
            "text": db.open("handoff_notes", bytes(row.sealed), row.note_id).decode(),
        }
        for row in noted
    ]  # fmt: skip
    found["handoffs"] = [
        {
            "conversation_id": row.conversation_id, "reason": row.reason, "state": row.state, "at": row.queued_at.isoformat(),
            "agent": row.agent_name, "score": row.score,
            **json.loads(db.open("handoffs", bytes(row.sealed), row.handoff_id)),
        }
        for row in handed
    ]  # fmt: skip
    memories = {
        row.conversation_id: json.loads(db.open("memory", bytes(row.memory), row.conversation_id)) for row in remembered
    }
    for row in found["conversations"]:
        row["memory"] = memories.get(row["conversation_id"])
    for row in found["profiles"]:
        row["state"] = msgspec.to_builtins(decode(bytes(row["state"])), str_keys=True)
    for row in found["decisions"]:
        row["body"] = open_words(db, row["decision_id"], row["body"])
    for row in found["candidate_sets"]:
        row["body"] = msgspec.to_builtins(load_candidates(bytes(row["body"])))
    found |= _service(db, member_id)
    for row in found["members"]:
        row["email"] = None if email is None else db.open("contact", bytes(email), member_id).decode()
    return {"member_id": member_id, "format": "aisle-export-1", "data": found}


def erase_member(db: Database, member_id: MemberId, *, at: datetime, again: Journalled | None = None) -> dict[str, Any]:
    """Delete the member everywhere; return a receipt without personal data.

    Budgets keep their figures: a coupon stays in the ledger, and a placement in its campaign, without its owner. Deleted bytes are scrubbed from the
    files; `files_scrubbed` is False while another reader keeps the old pages, until the next scrub. Before anything is deleted the
    journal is told, so that a restored backup, or one that a crash left half done, is erased `again` (`replay_erasures`).
    """
    counts: dict[str, int] = {}
    with db.write() as connection:
        bump_gallery(connection)  # first: it waits for a template that is just being added, which is deleted then, too
        theirs = select(members.c.external_id).where(members.c.member_id == member_id)
        external_id = connection.scalar(theirs.with_for_update())  # who is just signing in brings no conversation along
        visitors = _visitor_ids(connection, member_id, shared=True)
        if again is None:
            journalled = db.journal.add(member_id, visitors, at=at) if db.journal else None
        else:
            journalled, visitors = again, sorted({*visitors, *again.visitors})
        whose = _conditions(member_id, visitors)
        counts[webhook_deliveries.name] = forget(db, connection, [member_id, *visitors])
        counts[replies.name] = forget_replies(db, connection, [member_id, *visitors])
        _erase_followers(db, connection, whose, counts, at)
        let_go(connection, [member_id, *visitors])
        for table in (*_OWNED, *tables(Whose.UNIT), *tables(Whose.SEEN)):
            with erasing(connection) if table is consents else nullcontext():
                counts[table.name] = connection.execute(delete(table).where(whose[table])).rowcount
        _unname(connection, whose, counts)
        counts["members"] = connection.execute(delete(members).where(whose[members])).rowcount
        interrupt(connection, CONSUMER)
        receipt_id = None if journalled is None else journalled.receipt_id
        done = receipt(connection, "member" if again is None else "member, again", counts, at, receipt_id)
        if member_id:  # a restored database may not know whom the journal names
            facts = {"receipt_id": done["receipt_id"], **({"external_id": external_id} if external_id else {})}
            tell(db, connection, Topic.MEMBER_ERASED, Subject(member_id), facts, at=at, about=done["receipt_id"])
    touched = [
        table.name for table, kind in PLAN.items() if kind not in {Whose.NOBODY, Whose.STAFF} and table is not templates
    ]
    return {**done, "files_scrubbed": db.scrub(touched, rewrite=[templates.name])}


_OWNED = [table for table in tables(Whose.OWN) if table is not members]


def _erase_followers(
    db: Database, connection: Connection, whose: Conditions, counts: dict[str, int], at: datetime
) -> None:
    """Delete what belongs to the member's conversations and decisions."""
    talks = select(conversations.c.conversation_id).where(whose[conversations])
    conversation_ids = connection.scalars(talks).all()
    _leave_to_dialogue(connection, conversation_ids, at)
    counts[replies.name] += _forget_answers(db, connection, conversation_ids)
    for table in tables(Whose.TALK):
        counts[table.name] = connection.execute(delete(table).where(table.c.conversation_id.in_(talks))).rowcount
    mine = select(decisions.c.decision_id).where(whose[decisions])
    connection.execute(update(plays).where(plays.c.decision_id.in_(mine)).values(decision_id=None, product_ids=[]))
    for table in tables(Whose.DECIDED):
        counts[table.name] = connection.execute(delete(table).where(table.c.decision_id.in_(mine))).rowcount


def _unname(connection: Connection, whose: Conditions, counts: dict[str, int]) -> None:
    """Leave coupons and placements in their budgets and campaigns, without whom they were for."""
    theirs = redemptions.c.coupon_id.in_(select(coupons.c.coupon_id).where(whose[coupons]))
    connection.execute(update(redemptions).where(theirs).values(order_id=None, request_key=None, asked=""))
    nobody = dict.fromkeys(("member_id", "visitor_id", "decision_id"))
    for table, more in ((coupons, {"reason": None}), (creative_placements, {})):
        change = update(table).where(whose[table]).values(**nobody, **more)
        counts[table.name] = connection.execute(change).rowcount


def replay_erasures(db: Database, *, at: datetime) -> list[dict[str, Any]]:
    """Erase again whom the journal names and this database, restored from a backup, still knows; return the receipts.

    What the journal holds and `erasures` does not was erased after the backup was made, or not to its end.
    """
    if db.journal is None:
        return []
    with db.read() as connection:
        done = set(connection.scalars(select(erasures.c.receipt_id)))
    due = [line for line in db.journal.lines() if line.receipt_id not in done]
    if not due:
        return []
    known, seen = _everybody(db)
    by_hash = {db.journal.hashed(one): one for one in known}
    visitors = {db.journal.hashed(one): one for one in seen}
    return [
        erase_member(
            db, MemberId(by_hash.get(line.member, "")), at=at,
            again=Journalled(line.receipt_id, line.member, tuple(visitors[one] for one in line.visitors if one in visitors)),
        )
        for line in due
    ]  # fmt: skip


def _everybody(db: Database) -> tuple[set[str], set[str]]:
    """Return every member id and every visitor id that any table holds."""
    known, seen = set[str](), set[str]()
    with db.read() as connection:
        for table in (*tables(Whose.OWN), *SEEN_WITH_NAMES):
            known.update(filter(None, connection.scalars(select(table.c.member_id).distinct())))
        for table in SEEN_WITH_NAMES:
            seen.update(filter(None, connection.scalars(select(table.c.visitor_id).distinct())))
        seen.update(connection.scalars(select(exposures.c.unit_id).distinct()))
        seen.update(connection.scalars(select(merges.c.visitor_id).distinct()))
    return known, seen


def identifiers(db: Database, member_id: MemberId) -> list[str]:
    """Return the ids under which the member is known: their own, and those of visitors that only they were."""
    with db.read() as connection:
        return [member_id, *_visitor_ids(connection, member_id, shared=False)]


def _service(db: Database, member_id: MemberId) -> dict[str, Any]:
    """Return what the order service knows, in the clear."""
    opened: dict[Table, Any] = {customer_accounts: open_account, service_orders: open_order, order_changes: open_change}
    with db.read() as connection:
        rows = {
            table: connection.execute(select(table).where(table.c.member_id == member_id)).all() for table in opened
        }
    return {
        table.name: [{"member_id": member_id, **msgspec.to_builtins(opened[table](db, row))} for row in found]
        for table, found in rows.items()
    }


def erase_templates(db: Database, member_id: MemberId, *, at: datetime) -> dict[str, Any]:
    """Delete the member's face templates; return a receipt without personal data (see `erase_member`)."""
    with db.write() as connection:
        bump_gallery(connection)
        deleted = connection.execute(delete(templates).where(templates.c.member_id == member_id)).rowcount
        done = receipt(connection, "templates", {"templates": deleted}, at)
    return {**done, "files_scrubbed": db.scrub([], rewrite=[templates.name])}


def erase_conversation(db: Database, conversation_id: str, *, at: datetime) -> dict[str, Any]:
    """Delete one conversation: its messages, files and hand-offs, how it felt, and what was asked in it; return a receipt without personal data.

    The decisions that answered it stay, since coupons and budgets follow from them, without the shopper's words.
    """
    counts: dict[str, int] = {}
    with db.write() as connection:
        mine, talk = messages.c.conversation_id == conversation_id, conversations.c.conversation_id == conversation_id
        counts["member_affect"] = _erase_mood_of_member(connection, conversation_id)
        counts |= leave_no_words(db, connection, [conversation_id], at)
        noted = handoff_notes.c.conversation_id == conversation_id
        counts["handoff_notes"] = connection.execute(delete(handoff_notes).where(noted)).rowcount
        handed = handoffs.c.conversation_id == conversation_id
        counts["handoffs"] = connection.execute(delete(handoffs).where(handed)).rowcount
        sent = attachments.c.conversation_id == conversation_id
        counts["attachments"] = connection.execute(delete(attachments).where(sent)).rowcount
        counts["messages"] = connection.execute(delete(messages).where(mine)).rowcount
        counts["conversations"] = connection.execute(delete(conversations).where(talk)).rowcount
        done = receipt(connection, "conversation", counts, at)
    touched = (
        handoffs, handoff_notes, attachments, messages, conversations, decisions, candidate_sets, events, member_affect,
    )  # fmt: skip
    return {**done, "files_scrubbed": db.scrub([table.name for table in touched])}


def leave_no_words(
    db: Database, connection: Connection, conversation_ids: Collection[str], at: datetime
) -> dict[str, int]:
    """Take what was said in conversations that are about to be deleted out of whatever else knows it, and note that the dialogue engine has to forget it.

    Their decisions stay without words and moods, and lead to no conversation; what they compared and how messages sounded is deleted.
    """
    named = set[str]()
    for row in rows_where(connection, messages, "conversation_id", conversation_ids, only=("message_id", "sealed")):
        body = json.loads(db.open("messages", bytes(row.sealed), row.message_id))
        named.update(filter(None, [body.get("decision_id")]))
    last = rows_where(connection, conversations, "conversation_id", conversation_ids, only=("last_decision_id",))
    named.update(row.last_decision_id for row in last if row.last_decision_id)
    asked = rows_where(connection, decisions, "conversation_id", conversation_ids, only=("decision_id",))
    named.update(row.decision_id for row in asked)
    compared = 0
    for decided in list(rows_where(connection, decisions, "decision_id", named, only=("decision_id", "body"))):
        body = {**decided.body, "context": {**decided.body["context"], "affect": None}}
        change = update(decisions).where(decisions.c.decision_id == decided.decision_id)
        connection.execute(change.values(body=without_words(body), conversation_id=None))
        tells = candidate_sets.c.decision_id == decided.decision_id  # by what each was found
        compared += connection.execute(delete(candidate_sets).where(tells)).rowcount
    moods = sum(_erase_moods(connection, one) for one in conversation_ids)
    _leave_to_dialogue(connection, conversation_ids, at)
    answers = _forget_answers(db, connection, conversation_ids)
    return {"candidate_sets": compared, "events": moods, "replies": answers}


def _forget_answers(db: Database, connection: Connection, conversation_ids: Collection[str]) -> int:
    """Forget the answers of the API that are kept to be given again, as far as they tell of these conversations."""
    handed = rows_where(connection, handoffs, "conversation_id", conversation_ids, only=("handoff_id",))
    return forget_replies(db, connection, [*conversation_ids, *(row.handoff_id for row in handed)])


def _erase_mood_of_member(connection: Connection, conversation_id: str) -> int:
    """Delete the mood that a conversation left its member in; return whether there was one.

    Every message changes the mood that is kept of a member: one that was last changed before the conversation began is not of it.
    """
    talk = connection.execute(select(conversations).where(conversations.c.conversation_id == conversation_id)).first()
    if talk is None:
        return 0
    left = (member_affect.c.member_id == talk.member_id) & (member_affect.c.at >= talk.created_at)
    return connection.execute(delete(member_affect).where(left)).rowcount


def _erase_moods(connection: Connection, conversation_id: str) -> int:
    """Delete how the messages of a conversation sounded; return how many said so."""
    talk = connection.execute(select(conversations).where(conversations.c.conversation_id == conversation_id)).first()
    if talk is None:
        return 0
    mine = messages.c.conversation_id == conversation_id
    last = connection.scalar(select(func.max(messages.c.at)).where(mine)) or talk.created_at
    theirs = or_(events.c.member_id.is_(None), events.c.member_id == talk.member_id)
    felt = (events.c.type == EventType.MESSAGE_SENT.value) & (events.c.visitor_id == talk.visitor_id) & theirs
    then = (events.c.at >= talk.created_at) & (events.c.at <= last + ANSWERED_WITHIN)
    gone = connection.execute(delete(events).where(felt, then)).rowcount
    if gone:
        interrupt(connection, CONSUMER)
    return gone


def _leave_to_dialogue(connection: Connection, conversation_ids: Collection[str], at: datetime) -> None:
    """Note that the dialogue engine has to forget these, too."""
    rows = [{"sender_id": one, "at": at} for one in conversation_ids]
    if rows:
        upsert(connection, dialogue_erasures, rows)


def _conditions(member_id: str, visitors: list[str]) -> Conditions:
    """Return, for each table, which rows are the member's: by id, or anonymous under a visitor id of theirs."""
    whose: dict[Table, ColumnElement[bool]] = {table: table.c.member_id == member_id for table in tables(Whose.OWN)}
    for table in SEEN_WITH_NAMES:
        seen = and_(table.c.member_id.is_(None), table.c.visitor_id.in_(visitors))
        whose[table] = or_(table.c.member_id == member_id, seen)
    for table in tables(Whose.UNIT):
        whose[table] = table.c.unit_id.in_([member_id, *visitors])
    followed = select(decisions.c.decision_id).where(whose[decisions])
    whose[events] = or_(whose[events], and_(events.c.member_id.is_(None), events.c.decision_id.in_(followed)))
    return whose


def _visitor_ids(connection: Connection, member_id: str, *, shared: bool) -> list[str]:
    """Return the visitor ids under which the member was seen: they lead back to the person.

    With `shared` False, without those of devices on which another member was seen too.
    """
    found, others = set[str](), set[str]()
    for table in SEEN_WITH_NAMES:
        mine = select(table.c.visitor_id).where(table.c.member_id == member_id, table.c.visitor_id.is_not(None))
        found.update(connection.scalars(mine.distinct()))
    merged = select(merges.c.visitor_id).where(merges.c.undone_at.is_(None))
    found.update(connection.scalars(merged.where(merges.c.member_id == member_id)))
    if not shared:
        theirs = merged.where(merges.c.visitor_id.in_(found), merges.c.member_id != member_id)
        others.update(connection.scalars(theirs))
    for table in SEEN_WITH_NAMES if not shared else []:
        theirs = select(table.c.visitor_id).where(table.c.visitor_id.in_(found), table.c.member_id != member_id)
        others.update(connection.scalars(theirs.distinct()))
    return sorted(found - others)


def receipt(
    connection: Connection, scope: str, counts: dict[str, int], at: datetime, receipt_id: str | None = None,
    proof: dict[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Write down that something was deleted, in numbers only, and return it."""
    receipt_id = receipt_id or new_id()
    row = {"receipt_id": receipt_id, "at": at, "scope": scope, "counts": counts, "proof": proof}
    connection.execute(insert(erasures).values(row))
    return {
        "receipt_id": receipt_id,
        "at": at.isoformat(),
        "scope": scope,
        "deleted": counts,
    }


def _rows(connection: Connection, table: Table, whose: ColumnElement[bool]) -> list[dict[str, Any]]:
    columns = [column for column in table.columns if column.name not in _LEFT_OUT]
    rows = connection.execute(select(*columns).where(whose).order_by(*table.primary_key.columns)).mappings()
    return [
        {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()} for row in rows
    ]
