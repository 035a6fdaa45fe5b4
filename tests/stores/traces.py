"""A member who left traces in every table, for tests of export and erasure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert

from personalization.creative.approval import Mode
from personalization.creative.placement import Limits
from personalization.creative.screening import Rules
from personalization.creative.variants import Audience, Variant
from personalization.decisions import Decision
from personalization.orders import Address, Change, Customer, Order, OrderItem, Payment, PaymentMethod
from personalization.profiling.labeller import Labeller
from personalization.profiling.labels import RuleLabels, load_rules
from personalization.types import (
    CampaignId,
    CandidateSet,
    Channel,
    Context,
    DecisionId,
    EventType,
    MemberId,
    Money,
    ProductId,
    Purpose,
    Subject,
    VisitorId,
)
from stores.affect import SqlMemberAffect
from stores.attachments import SqlAttachments
from stores.baskets import SqlBaskets
from stores.catalogue import SqlCatalogue
from stores.consents import ConsentEntry, SqlConsents
from stores.console_tables import campaign_lists, campaign_plans
from stores.conversations import SqlConversations
from stores.coupon_tables import campaign_audience
from stores.creative_placing import SqlPlacer
from stores.creatives import CreativeCampaign, SqlCreativeCampaigns
from stores.database import Database, new_id
from stores.decisions import SqlDecisions
from stores.events import Event, SqlEvents
from stores.groups import SqlGroups
from stores.handoffs import SqlHandoffs
from stores.keys import SqlKeys
from stores.kiosks import SqlLinkCodes
from stores.labels import LabelEdit, SqlLabels
from stores.ledger import SqlLedger
from stores.members import Member, SqlMembers
from stores.merge_tables import merges
from stores.order_tables import customer_accounts, service_orders
from stores.orders import PURPOSE, SqlOrderBook, account_row, order_row
from stores.profiles import SqlProfiles
from stores.tables import experiments, exposures
from stores.templates import SqlTemplates
from stores.variety import SqlVariety
from stores.widget_sessions import SqlWidgetSessions
from stores.withdrawals import note
from tests.small_shop import NOW
from tests.stores.test_ledger import coupon

DEVICE = "device-of-cheese"
WORDS = "secret wish"
SECRET = f"my {WORDS}"


@dataclass(frozen=True)
class Traces:
    """The member, and every string that leads to them."""

    member: Member
    before_sign_in: str
    identifiers: list[str]


def face(seed: int) -> NDArray[np.float32]:
    vector = np.random.default_rng(seed).normal(size=128).astype(np.float32)
    return vector / np.linalg.norm(vector)


def lived_in(db: Database) -> Traces:
    """Let one member of the small shop chat before and after signing in, enrol, and get a coupon."""
    member = SqlMembers(db).by_external_id("cheese-13")
    assert member is not None
    me, anonymous = member.member_id, Subject(visitor_id=VisitorId(DEVICE))
    known = Subject(me, VisitorId(DEVICE))
    SqlConsents(db).record([ConsentEntry(me, Purpose.FACE_RECOGNITION, True, NOW, "kiosk", "t1")])
    template = SqlTemplates(db).add(me, face(1), model="m", at=NOW)
    SqlLinkCodes(db).issue(me, at=NOW)
    with db.write() as connection:
        connection.execute(insert(campaign_audience).values(campaign_id="c1", member_id=me))
        plan = {
            "campaign_id": "p1",
            "body": {},
            "state": "draft",
            "version": 1,
            "author": "a",
            "authors": [],
            "history": [],
        }
        connection.execute(insert(campaign_plans).values(plan | {"created_at": NOW, "changed_at": NOW}))
        connection.execute(insert(campaign_lists).values(campaign_id="p1", member_id=me))
        connection.execute(insert(experiments).values(experiment_id="x1", spec={}, status="ended", created_at=NOW))
        merged = {
            "merge_id": new_id(),
            "member_id": me,
            "visitor_id": DEVICE,
            "source": "identify",
            "at": NOW,
        }
        connection.execute(insert(merges).values(**merged))
        exposure = {"experiment_id": "x1", "arm": "a", "channel": "widget", "at": NOW}
        connection.execute(insert(exposures), [{"unit_id": me, **exposure}, {"unit_id": DEVICE, **exposure}])
    SqlMemberAffect(db).put(me, {"valence": -0.4}, at=NOW)
    SqlLabels(db).veto(me, "premium_buyer", by="member", at=NOW)
    SqlLabels(db).edit(me, LabelEdit("explorer", True, "said so", "Ann", NOW, NOW + timedelta(days=30)))
    SqlGroups(db).declare([(me, "age", "35-44")], at=NOW)
    order_something(db, me)
    profiles = SqlProfiles(db, SqlCatalogue(db).facts, Labeller([RuleLabels(load_rules())]))
    while profiles.consume(now=NOW):
        pass
    for whose, product in ((anonymous, "milk-2"), (known, "bread-2")):
        SqlBaskets(db).add(whose, ProductId(product), 1, at=NOW)
    first, second = decide(db, anonymous), decide(db, known)
    talks = [talk(db, None, first), talk(db, me, second)]
    SqlEvents(db).append_batch(
        [
            Event(new_id(), EventType.CLICKED, NOW, "widget", None, DEVICE),
            Event(new_id(), EventType.VIEWED, NOW, "kiosk", None, None, second, "milk-1"),
        ],
        received_at=NOW,
    )
    promise(db, "ANON", anonymous, first)
    promise(db, "MINE", known, second)
    promise(db, "USED", known, second)
    SqlLedger(db).redeem("USED", at=NOW, order_id="cheese-13-at-the-till")
    see_a_creative(db, anonymous, first)
    see_a_creative(db, known, second)
    SqlVariety(db).work_out({}, now=NOW + timedelta(weeks=1))
    shop, sessions = SqlKeys(db).create("api", "shop", at=NOW)[0], SqlWidgetSessions(db)
    later = NOW + timedelta(days=2)  # when no chat is gone on with: what was anonymous stays so
    for whose in (None, me):
        sessions.start(DEVICE, whose, shop.key_id, at=later, expires_at=later + timedelta(minutes=15))
    with db.write() as connection:  # as a process leaves it that is killed in a withdrawal
        note(connection, me, [Purpose.RESEARCH], at=NOW)
    names = [me, DEVICE, "cheese-13", member.display_name, template, first, second, *talks]
    return Traces(member, talks[0], [*names, "cheese-13-", WORDS])


def see_a_creative(db: Database, subject: Subject, decision: str) -> None:
    store = SqlCreativeCampaigns(db)
    campaign = f"spring of {subject.member_id is None}"
    store.create(
        CreativeCampaign(
            campaign, ProductId("milk-1"), "clicks", Mode.AUTOMATIC, Limits(), Rules(), NOW - timedelta(days=1),
            NOW + timedelta(days=1),
        )
    )  # fmt: skip
    store.propose(campaign, [Variant("v1", {})], by="studio", at=NOW)
    placer = SqlPlacer(db, np.random.default_rng(1))
    assert placer.place(campaign, Audience(), subject, decision_id=decision, at=NOW)


def order_something(db: Database, member_id: MemberId) -> None:
    home = Address("1 Cheese Lane", "", "Gouda", "ZH", "28011", "NL")
    customer = Customer(
        member_id, "Cheese", "Thirteen", "cheese-13@example.org", home, (PaymentMethod("p-1", "paypal"),)
    )
    item = OrderItem("i-1", "milk-1", "Milk", {}, Money(199, "USD"))
    order = Order("cheese-13-online", member_id, "pending", home, (item,), (Payment("payment", item.price, "p-1"),))
    db.fingerprint(PURPOSE, "")  # makes the data key before the transaction
    with db.write() as connection:
        connection.execute(insert(customer_accounts).values(account_row(db, customer, at=NOW)))
        connection.execute(insert(service_orders).values(order_row(db, order, 0, at=NOW)))
    with SqlOrderBook(db).change(member_id) as draft:
        draft.record(Change("cheese-13-token", "cancel", member_id, order.order_id, NOW, ""))


def talk(db: Database, member_id: MemberId | None, decision_id: str) -> str:
    store = SqlConversations(db)
    conversation = store.start(DEVICE, member_id, at=NOW).conversation_id
    file = SqlAttachments(db).seal(SECRET.encode())
    store.receive(conversation, {"text": SECRET}, client_message_id=None, at=NOW, files=[file])
    store.append(conversation, [("bot", {"text": "Here you are."})], at=NOW)
    SqlHandoffs(db).queue(conversation, reason="asked", urgency=1, wants_message=False, told={"left": [SECRET]}, at=NOW)
    store.set(conversation, last_decision_id=decision_id, affect={"valence": 0.2})
    return conversation


def decide(db: Database, subject: Subject) -> DecisionId:
    made = DecisionId(new_id())
    context = Context(Channel.WIDGET, NOW, query=SECRET)
    compared = CandidateSet((ProductId("milk-1"),), ("bought",), ((0.25,),), (0.5,), "test")
    decision = Decision(made, NOW, subject, context, (), None, None, None, "Nothing yet.", (), (), (), {}, 1.0)
    SqlDecisions(db).append(replace(decision, candidates=compared))
    return made


def promise(db: Database, code: str, subject: Subject, decision_id: DecisionId) -> None:
    made = replace(coupon(100, code), campaign_id=CampaignId("c1"), issued_at=NOW, expires_at=NOW + timedelta(days=1))
    assert SqlLedger(db).reserve(made, subject, decision_id=decision_id)
