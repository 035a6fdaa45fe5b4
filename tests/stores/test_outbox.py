"""The outbox: written with the change, only for who listens and of who agrees, in order, and gone with the member."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from personalization.offers import Coupon
from personalization.profiling.labeller import Labeller
from personalization.profiling.labels import RuleLabels, load_rules
from personalization.types import CampaignId, EventType, MemberId, Purpose, Subject, VisitorId
from stores.catalogue import SqlCatalogue
from stores.consents import ConsentEntry, SqlConsents
from stores.conversations import SqlConversations
from stores.database import Database, new_id
from stores.erasure import erase_member
from stores.errors import ConflictError, NotFoundError
from stores.events import Event, SqlEvents
from stores.handoffs import SqlHandoffs
from stores.ledger import SqlLedger
from stores.members import Member, SqlMembers
from stores.outbox import RETRIED_FOR, Topic, tell
from stores.outbox_tables import webhook_deliveries, webhook_endpoints
from stores.profiles import SqlProfiles
from stores.webhooks import KEPT_FOR, Delivery, Endpoint, SqlWebhooks
from tests.small_shop import NOW
from tests.stores.test_erasure import every_value, everything_in_files
from tests.stores.test_ledger import coupon
from tests.stores.traces import decide

ALL = [topic.value for topic in Topic]


def endpoint(db: Database, *topics: str) -> Endpoint:
    return SqlWebhooks(db).create("CRM", "https://crm.example/hook", topics or ALL, at=NOW)


def waiting(db: Database, one: Endpoint) -> list[Delivery]:
    return SqlWebhooks(db).deliveries(one.endpoint_id, status="pending", limit=200)


def told(db: Database, one: Endpoint) -> list[dict[str, Any]]:
    return [dict(delivery.event or {}) for delivery in waiting(db, one)]


def somebody(db: Database, external_id: str = "cheese-13") -> Member:
    found = SqlMembers(db).by_external_id(external_id)
    assert found is not None
    return found


def worth(minor: int, code: str) -> Coupon:
    made = replace(coupon(minor, code), campaign_id=CampaignId("c1"))
    return replace(made, issued_at=NOW, expires_at=NOW + timedelta(days=1))


def withdraw(db: Database, member_id: MemberId, purpose: Purpose, *, granted: bool = False) -> None:
    SqlConsents(db).record([ConsentEntry(member_id, purpose, granted, datetime.now(UTC), "api", "t1")])


def test_every_change_is_told_to_who_listens(small_shop: Database) -> None:
    listens, member, ledger = endpoint(small_shop), somebody(small_shop), SqlLedger(small_shop)
    me = Subject(member.member_id)
    SqlMembers(small_shop).rename(member.member_id, "Ada")
    decide(small_shop, me)
    assert ledger.reserve(worth(100, "ONE"), me, decision_id=None)
    ledger.redeem("ONE", at=NOW, order_id="o-1")
    talk = SqlConversations(small_shop).start("v-1", member.member_id, at=NOW).conversation_id
    handed = {"reason": "asked", "urgency": 1, "wants_message": False, "told": {"summary": "a secret"}, "at": NOW}
    SqlHandoffs(small_shop).queue(talk, **handed)
    SqlHandoffs(small_shop).queue(talk, **handed)  # waits already: nothing new
    withdraw(small_shop, member.member_id, Purpose.MARKETING)
    found = told(small_shop, listens)
    assert [event["topic"] for event in found] == [
        "member.updated", "decision.made", "coupon.issued", "coupon.redeemed", "handoff.requested", "consent.changed",
    ]  # fmt: skip
    assert {event["data"]["member_id"] for event in found} == {member.member_id}
    assert {event["data"]["external_id"] for event in found} == {"cheese-13"}
    assert found[3]["data"]["order_id"] == "o-1"
    assert "a secret" not in str(found)


def test_labels_and_a_risk_to_stay_away_are_told(small_shop: Database) -> None:
    listens, member = endpoint(small_shop, "label.added", "churn.warning"), somebody(small_shop, "pets-1")
    event = Event(
        new_id(), EventType.ATTRIBUTE_SET, NOW, "api", member.member_id, payload={"name": "avoids", "value": "nuts"}
    )
    SqlEvents(small_shop).append_batch([event], received_at=NOW)
    profiles = SqlProfiles(small_shop, SqlCatalogue(small_shop).facts, Labeller([RuleLabels(load_rules())]))
    while profiles.consume(now=NOW):
        pass
    mine = [event for event in told(small_shop, listens) if event["data"]["member_id"] == member.member_id]
    assert mine
    assert {event["topic"] for event in mine} == {"label.added"}
    assert all(event["data"]["sentence"] for event in mine)


def test_nothing_is_written_where_nobody_listens(small_shop: Database) -> None:
    listens = endpoint(small_shop, "member.erased")
    SqlMembers(small_shop).rename(somebody(small_shop).member_id, "Ada")
    assert told(small_shop, listens) == []


def test_what_happens_during_a_pause_waits_and_has_all_its_time_afterwards(small_shop: Database) -> None:
    paused, webhooks = endpoint(small_shop, "member.updated", "member.erased"), SqlWebhooks(small_shop)
    webhooks.change(paused.endpoint_id, at=NOW, status="paused")
    SqlMembers(small_shop).rename(somebody(small_shop).member_id, "Grace")
    erase_member(small_shop, somebody(small_shop, "pets-1").member_id, at=NOW)
    assert [event["topic"] for event in told(small_shop, paused)] == ["member.updated", "member.erased"]
    assert webhooks.due(NOW + timedelta(days=20)) == []
    back = NOW + timedelta(days=20)
    webhooks.change(paused.endpoint_id, at=back, status="active")
    assert webhooks.due(back) == [paused.endpoint_id]
    assert {one.give_up_at for one in waiting(small_shop, paused)} == {back + RETRIED_FOR}


def test_who_is_disabled_still_hears_later_whom_to_erase_and_what_was_withdrawn(small_shop: Database) -> None:
    gone, webhooks = endpoint(small_shop), SqlWebhooks(small_shop)
    member = somebody(small_shop)
    SqlMembers(small_shop).rename(member.member_id, "Grace")
    withdraw(small_shop, member.member_id, Purpose.MARKETING)
    webhooks.disable(gone.endpoint_id, at=NOW, reason="gone")
    SqlMembers(small_shop).rename(member.member_id, "Joan")
    erase_member(small_shop, somebody(small_shop, "pets-1").member_id, at=NOW)
    assert [event["topic"] for event in told(small_shop, gone)] == ["consent.changed", "member.erased"]
    assert webhooks.purge(now=datetime.now(UTC) + 2 * KEPT_FOR) == 1, "the dead letter of the first name"
    assert [event["topic"] for event in told(small_shop, gone)] == ["consent.changed", "member.erased"]


def test_what_waits_for_somebody_who_is_paused_for_good_goes_in_the_end(small_shop: Database) -> None:
    paused, webhooks = fill(small_shop, "Ada"), SqlWebhooks(small_shop)
    webhooks.change(paused.endpoint_id, at=NOW, status="paused")
    late = datetime.now(UTC) + KEPT_FOR + timedelta(days=1)
    assert webhooks.purge(now=late) == 0
    assert webhooks.counts(paused.endpoint_id) == {"pending": 0, "delivered": 0, "dead": 1}
    assert webhooks.purge(now=late + KEPT_FOR + timedelta(days=1)) == 1


@pytest.mark.parametrize("kind", ["hubspot", "salesforce"])
def test_no_crm_can_do_without_consents_and_erasures(small_shop: Database, kind: Any) -> None:
    webhooks = SqlWebhooks(small_shop)
    crm = webhooks.create("CRM", "https://crm.example/", ["label.added"], at=NOW, kind=kind)
    both = ("label.added", "consent.changed", "member.erased")
    assert crm.topics == webhooks.get(crm.endpoint_id).topics == both
    assert webhooks.change(crm.endpoint_id, at=NOW, topics=("coupon.issued",)).topics == ("coupon.issued", *both[1:])
    with small_shop.write() as connection:  # as it was stored before
        connection.execute(update(webhook_endpoints).values(topics=["label.added"]))
    withdraw(small_shop, somebody(small_shop).member_id, Purpose.MARKETING)
    erase_member(small_shop, somebody(small_shop, "pets-1").member_id, at=NOW)
    assert [event["topic"] for event in told(small_shop, crm)] == ["consent.changed", "member.erased"]


def test_what_is_rolled_back_is_not_told(small_shop: Database) -> None:
    listens, ledger = endpoint(small_shop), SqlLedger(small_shop)
    with suppress(ZeroDivisionError), small_shop.write() as connection:
        tell(small_shop, connection, Topic.MEMBER_UPDATED, Subject(somebody(small_shop).member_id), {}, at=NOW)
        raise ZeroDivisionError
    assert ledger.reserve(worth(2000, "A"), Subject(visitor_id=VisitorId("v")), decision_id=None)
    assert not ledger.reserve(worth(2000, "B"), Subject(visitor_id=VisitorId("v")), decision_id=None)
    assert [event["data"]["code"] for event in told(small_shop, listens)] == ["A"]


def test_the_same_coupon_asked_for_again_is_one_event(small_shop: Database) -> None:
    listens, ledger = endpoint(small_shop), SqlLedger(small_shop)
    one = worth(100, "A")
    for _ in range(2):
        assert ledger.reserve(one, Subject(visitor_id=VisitorId("v")), decision_id=None)
    assert len(told(small_shop, listens)) == 1


def test_conclusions_are_told_only_of_members_who_agree_to_profiling(small_shop: Database) -> None:
    listens, member = endpoint(small_shop), somebody(small_shop)
    decide(small_shop, Subject(member.member_id))
    decide(small_shop, Subject(visitor_id=VisitorId("nobody known")))
    withdraw(small_shop, member.member_id, Purpose.PROFILING)  # takes back what waited, too
    decide(small_shop, Subject(member.member_id))
    found = told(small_shop, listens)
    assert [event["topic"] for event in found] == ["decision.made", "consent.changed"]
    assert found[0]["data"].get("member_id") is None


def test_erasure_deletes_what_waits_and_is_told(small_shop: Database) -> None:
    listens, member = endpoint(small_shop), somebody(small_shop)
    SqlMembers(small_shop).rename(member.member_id, "Ada")
    decide(small_shop, Subject(member.member_id))
    SqlMembers(small_shop).rename(somebody(small_shop, "pets-1").member_id, "Grace")
    receipt = erase_member(small_shop, member.member_id, at=NOW)
    assert receipt["deleted"]["webhook_deliveries"] == 2
    found = told(small_shop, listens)
    assert [event["topic"] for event in found] == ["member.updated", "member.erased"]
    assert found[1]["data"] == {
        "member_id": member.member_id, "external_id": "cheese-13", "receipt_id": receipt["receipt_id"],
    }  # fmt: skip


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_neither_a_column_nor_a_byte_of_the_outbox_leads_to_the_member(small_shop: Database) -> None:
    endpoint(small_shop)
    member = somebody(small_shop)
    SqlMembers(small_shop).rename(member.member_id, "Ada Lovelace")
    names = [member.member_id, "cheese-13"]
    with small_shop.read() as connection:
        rows = repr(connection.execute(select(webhook_deliveries)).all())
    assert [name for name in names if name in rows or name.encode().hex() in rows] == []
    erase_member(small_shop, member.member_id, at=NOW)
    assert [name for name in names if name in every_value(small_shop)] == []
    after = everything_in_files(small_shop)
    assert [name for name in [*names, "Ada Lovelace"] if name.encode() in after] == []


def fill(db: Database, *names: str) -> Endpoint:
    listens = endpoint(db, "member.updated")
    for name in names:
        SqlMembers(db).rename(somebody(db).member_id, name)
    return listens


def later(**by: float) -> datetime:
    return NOW + timedelta(days=1, **by)


def test_an_endpoint_is_leased_to_one_at_a_time_until_its_lease_is_over(small_shop: Database) -> None:
    listens, webhooks = fill(small_shop, "Ada"), SqlWebhooks(small_shop)
    here = listens.endpoint_id
    assert webhooks.due(later()) == [here]
    assert webhooks.lease(here, "one", at=later(), until=later(seconds=60))
    assert not webhooks.lease(here, "two", at=later(seconds=59), until=later(seconds=120))
    assert webhooks.due(later(seconds=59)) == []
    assert webhooks.lease(here, "two", at=later(seconds=60), until=later(seconds=120))
    webhooks.release(here, "one")  # too late: it is another's
    assert not webhooks.lease(here, "one", at=later(seconds=61), until=later(seconds=120))


def test_who_has_lost_the_lease_notes_nothing(small_shop: Database) -> None:
    listens, webhooks = fill(small_shop, "Ada"), SqlWebhooks(small_shop)
    here, (one,) = listens.endpoint_id, waiting(small_shop, listens)
    assert webhooks.lease(here, "first", at=NOW, until=later(seconds=60))
    assert webhooks.lease(here, "second", at=later(seconds=61), until=later(seconds=120))
    assert not webhooks.delivered(here, one.seq, at=later(), answer="HTTP 200", owner="first")
    webhooks.failed(here, one, at=later(), answer="HTTP 500", wait=timedelta(0), pause=timedelta(0), owner="first")
    webhooks.disable(here, at=later(), reason="gone", owner="first")
    assert waiting(small_shop, listens) == [one]
    assert webhooks.get(here).status == "active"
    assert webhooks.delivered(here, one.seq, at=later(), answer="HTTP 200", owner="second")
    assert waiting(small_shop, listens) == []


def test_what_failed_is_due_later_and_holds_back_what_comes_after(small_shop: Database) -> None:
    listens, webhooks = fill(small_shop, "Ada", "Grace"), SqlWebhooks(small_shop)
    first = webhooks.head(listens.endpoint_id, at=later())
    assert first is not None
    wait = timedelta(seconds=30)
    webhooks.failed(listens.endpoint_id, first, at=later(), answer="HTTP 500", wait=wait, pause=wait)
    assert webhooks.head(listens.endpoint_id, at=later(seconds=29)) is None
    again = webhooks.head(listens.endpoint_id, at=later(seconds=30))
    assert again is not None
    assert (again.seq, again.attempts, again.event) == (first.seq, 1, first.event)


def test_five_failures_open_the_circuit_and_one_success_closes_it(small_shop: Database) -> None:
    listens, webhooks = fill(small_shop, "Ada", "Grace"), SqlWebhooks(small_shop)
    here, no = listens.endpoint_id, timedelta()
    for _ in range(5):
        first = webhooks.head(here, at=later())
        assert first is not None
        webhooks.failed(here, first, at=later(), answer="HTTP 500", wait=no, pause=timedelta(minutes=5))
    assert webhooks.due(later(minutes=4)) == []
    assert webhooks.due(later(minutes=5)) == [here]
    webhooks.delivered(here, first.seq, at=later(minutes=5), answer="HTTP 200")
    assert webhooks.get(here).failures == 0
    assert webhooks.due(later(minutes=5)) == [here]


def test_after_three_days_it_is_a_dead_letter_and_can_be_replayed_in_order(small_shop: Database) -> None:
    listens, webhooks = fill(small_shop, "Ada", "Grace"), SqlWebhooks(small_shop)
    here, after = listens.endpoint_id, datetime.now(NOW.tzinfo) + timedelta(days=3, minutes=1)
    first = webhooks.head(here, at=after)
    assert first is not None
    webhooks.failed(here, first, at=after, answer="HTTP 500", wait=timedelta(), pause=timedelta())
    assert webhooks.counts(here) == {"pending": 0, "delivered": 0, "dead": 2}
    assert webhooks.replay(here, at=after) == 2
    again = webhooks.head(here, at=after)
    assert again is not None
    assert (again.event_id, again.event, again.attempts) == (first.event_id, first.event, 0)
    assert again.give_up_at > after + timedelta(days=2)


def test_one_that_no_system_takes_can_be_given_up_so_that_others_go_on(small_shop: Database) -> None:
    listens, webhooks = fill(small_shop, "Ada", "Grace"), SqlWebhooks(small_shop)
    first, second = waiting(small_shop, listens)
    webhooks.give_up(listens.endpoint_id, first.seq, at=later())
    head = webhooks.head(listens.endpoint_id, at=later())
    assert head is not None
    assert head.seq == second.seq
    with pytest.raises(ConflictError):
        webhooks.give_up(listens.endpoint_id, first.seq, at=later())


def test_what_was_delivered_keeps_no_content_and_goes_after_thirty_days(small_shop: Database) -> None:
    listens, webhooks = fill(small_shop, "Ada"), SqlWebhooks(small_shop)
    webhooks.delivered(listens.endpoint_id, waiting(small_shop, listens)[0].seq, at=later(), answer="HTTP 200")
    (done,) = webhooks.deliveries(listens.endpoint_id)
    assert (done.event, done.attempts, done.status) == (None, 1, "delivered")
    assert webhooks.purge(now=later() + KEPT_FOR) == 0
    assert webhooks.purge(now=later(seconds=1) + KEPT_FOR) == 1


def test_old_deliveries_go_in_bites_and_what_waits_stays(small_shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stores.webhooks._BITE", 2)
    listens, webhooks = fill(small_shop, "Ada", "Bea", "Cem", "Dag"), SqlWebhooks(small_shop)
    for delivery in waiting(small_shop, listens)[:3]:
        webhooks.delivered(listens.endpoint_id, delivery.seq, at=later(), answer="HTTP 200")
    assert webhooks.purge(now=later(seconds=1) + KEPT_FOR) == 3
    assert webhooks.counts(listens.endpoint_id) == {"pending": 1, "delivered": 0, "dead": 0}


def test_only_who_is_active_and_has_something_due_is_told(small_shop: Database) -> None:
    both, webhooks = [endpoint(small_shop, "member.updated") for _ in range(2)], SqlWebhooks(small_shop)
    endpoint(small_shop, "member.erased")
    paused = fill(small_shop, "Ada", "Bea")
    webhooks.change(paused.endpoint_id, at=NOW, status="paused")
    (first, *_), one = waiting(small_shop, both[0]), both[0].endpoint_id
    assert set(webhooks.due(later())) == {one, both[1].endpoint_id}
    webhooks.failed(one, first, at=later(), answer="HTTP 500", wait=timedelta(minutes=1), pause=timedelta(minutes=5))
    assert webhooks.due(later()) == [both[1].endpoint_id], "what waits behind the one that failed is not asked for"


def test_a_deleted_endpoint_takes_its_queue_along(small_shop: Database) -> None:
    listens, webhooks = fill(small_shop, "Ada"), SqlWebhooks(small_shop)
    webhooks.delete(listens.endpoint_id)
    with pytest.raises(NotFoundError):
        webhooks.get(listens.endpoint_id)
    with small_shop.read() as connection:
        assert connection.execute(select(webhook_deliveries)).all() == []
