"""The console's figures: whole days from the log, the ledger and the decisions, made anew and never counted twice."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from personalization.figures import FIGURES, combine
from personalization.profiling.labels import RuleLabels, load_rules
from personalization.types import CampaignId, EventType, Subject, VisitorId
from stores.database import Database, new_id
from stores.events import Event, SqlEvents
from stores.figures import OPEN_DAYS, SqlFigures, rows_of
from stores.insight_tables import figures
from stores.ledger import SqlLedger
from stores.members import SqlMembers
from stores.tables import events, order_lines
from tests.small_shop import NOW
from tests.stores.log import consume_all, profiles_of
from tests.stores.traces import decide, promise

TODAY = NOW.date()
NOON = datetime.combine(TODAY, time(0, 30), UTC)


def tell(
    db: Database, *told: tuple[str, str | None, str | None], channel: str = "widget", at: datetime = NOW, **payload: Any
) -> None:
    made = [
        Event(new_id(), EventType(kind), at, channel, member, visitor, payload=payload)
        for kind, member, visitor in told
    ]
    SqlEvents(db).append_batch(made, received_at=at)


def day(db: Database, of: date = TODAY) -> dict[tuple[str, str, str], int]:
    rows = SqlFigures(db).read({row for one in FIGURES.values() for row in one.rows} | {"members_known"}, of, of)
    return {(row.name, row.channel, row.part): row.value for row in rows}


def people(db: Database, many: int) -> list[str]:
    return [one.member_id for one in SqlMembers(db).page(limit=many)]


def test_a_session_is_a_shopper_on_a_channel_on_a_day(small_shop: Database) -> None:
    store, (me, other) = SqlFigures(small_shop), people(small_shop, 2)
    tell(
        small_shop,
        ("viewed", me, "device"),
        ("clicked", me, "device"),
        ("viewed", None, "stranger"),
        ("bought", other, None),
    )
    tell(small_shop, ("viewed", me, None), channel="kiosk")
    tell(small_shop, ("viewed", me, None), at=NOW - timedelta(days=1))
    store.update(now=NOW)
    found = day(small_shop)
    assert (found["sessions", "widget", ""], found["members", "widget", ""], found["visitors", "widget", ""]) == (
        3,
        2,
        1,
    )
    assert (found["members", "all", ""], found["visitors", "all", ""]) == (2, 1), "who is on two channels is one person"
    assert found["buyers", "widget", ""] == found["clicked", "widget", ""] == found["sessions", "kiosk", ""] == 1
    assert day(small_shop, TODAY - timedelta(days=1))["sessions", "widget", ""] == 1


def test_a_late_event_changes_its_day_and_nothing_is_counted_twice(small_shop: Database) -> None:
    store, [me] = SqlFigures(small_shop), people(small_shop, 1)
    tell(small_shop, ("viewed", me, None))
    store.update(now=NOW)
    before = day(small_shop)
    store.update(now=NOW)
    assert day(small_shop) == before
    tell(small_shop, ("viewed", None, "late"), at=NOW - timedelta(days=9))
    store.update(now=NOW)
    assert day(small_shop) == before
    assert day(small_shop, TODAY - timedelta(days=9))["sessions", "widget", ""] == 1
    assert store.rebuild(now=NOW) > 9
    assert {
        key: n for key, n in day(small_shop).items() if key[0] != "consents" and key[0] != "members_known"
    } == before


def test_a_closed_day_keeps_the_visits_whose_events_are_gone(small_shop: Database) -> None:
    store, [me] = SqlFigures(small_shop), people(small_shop, 1)
    old = NOW - timedelta(days=OPEN_DAYS + 5)
    tell(small_shop, ("viewed", me, None), at=old)
    store.update(now=NOW)
    with small_shop.write() as connection:
        connection.execute(delete(events).where(events.c.type == "viewed"))
        mine = order_lines.c.at < NOW
        connection.execute(update(order_lines).where(mine).values(amount_minor=order_lines.c.amount_minor * 2))
    revenue = {key: n for key, n in day(small_shop, old.date()).items() if key[0] == "revenue"}
    store.rebuild(now=NOW)
    found = day(small_shop, old.date())
    assert found["sessions", "widget", ""] == 1
    assert {key: n for key, n in found.items() if key[0] == "revenue"} == {key: 2 * n for key, n in revenue.items()}


def test_revenue_and_acquired_add_up_to_the_orders(small_shop: Database) -> None:
    SqlFigures(small_shop).rebuild(now=NOW)
    with small_shop.read() as connection:
        paid = connection.scalar(select(func.sum(order_lines.c.amount_minor)))
        buyers = connection.scalar(select(func.count(order_lines.c.member_id.distinct())))
    total = Counter[str]()
    for row in SqlFigures(small_shop).read({"revenue", "acquired"}, date(2000, 1, 1), TODAY):
        total[row.name] += row.value
    assert total == {"revenue": paid, "acquired": buyers}


def test_coupons_count_by_the_channel_of_their_decision_and_a_rollback_takes_them_back(small_shop: Database) -> None:
    store, ledger = SqlFigures(small_shop), SqlLedger(small_shop)
    [me] = people(small_shop, 1)
    subject = Subject(me, VisitorId("device"))  # type: ignore[arg-type]
    for code in ("ONE", "TWO"):
        promise(small_shop, code, subject, decide(small_shop, subject))
        ledger.redeem(code, at=NOW, order_id=code)
    ledger.rollback("TWO", at=NOW, order_id="TWO")
    store.update(now=NOW)
    found = day(small_shop)
    assert found["decisions", "widget", ""] == found["coupons_issued", "widget", ""] == 2
    assert found["coupons_redeemed", "widget", ""] == 1
    state = ledger.state(CampaignId("c1"))
    assert state is not None
    assert found["coupon_spend", "widget", ""] == state.spent.minor_units


def test_feelings_of_few_members_are_not_kept(small_shop: Database) -> None:
    store = SqlFigures(small_shop)
    tell(small_shop, *(("message_sent", one, None) for one in people(small_shop, 9)), valence=0.5, arousal=0.1)
    store.update(now=NOW)
    assert not [key for key in day(small_shop) if key[0].startswith("affect")]
    tell(small_shop, ("message_sent", people(small_shop, 10)[-1], None), valence=-0.5, arousal=0.1)
    tell(small_shop, ("message_sent", None, "stranger"), valence=-1.0, arousal=0.1)
    store.update(now=NOW)
    found = day(small_shop)
    assert found["affect_valence", "widget", ""] == 4000
    assert found["affect_messages", "widget", ""] == 10


def test_how_things_stand_is_written_down_with_the_day(small_shop: Database) -> None:
    consume_all(profiles_of(small_shop, RuleLabels(load_rules())))
    SqlFigures(small_shop).snapshot(now=NOW)
    SqlFigures(small_shop).put_drift([("orders", 0.1234)], now=NOW)
    found = day(small_shop)
    assert found["consents", "", "marketing"] == found["members_known", "", ""] == 60
    assert found["drift", "", "orders"] == 123
    assert [row.value for row in SqlFigures(small_shop).latest("drift", until=TODAY)] == [123]


def test_nobody_is_named_in_the_rollup_and_every_row_has_a_definition() -> None:
    assert {column.name for column in figures.columns} == {"day", "name", "channel", "part", "value"}
    assert rows_of(["conversion_rate", "sessions"]) == {"buyers", "sessions"}
    for figure in FIGURES.values():
        assert figure.title
        assert figure.sentence.endswith(".")
        assert len(figure.rows) == (2 if figure.how == "ratio" or figure.name == "lifetime_value" else 1)


def test_a_ratio_without_anything_below_it_is_no_number() -> None:
    rate = FIGURES["conversion_rate"]
    assert combine(rate, {"buyers": 1, "sessions": 4}, 7) == 0.25
    assert combine(rate, {}, 7) is None
    assert combine(rate, {"sessions": 4}, 7) == 0, "what is 0 has no row"
    assert combine(FIGURES["members"], {"members": 14}, 7) == 2
    assert combine(FIGURES["handoffs"], {}, 7) == 0


def test_days_from_before_people_were_counted_over_all_channels_are_mended_once(small_shop: Database) -> None:
    store, (me, other) = SqlFigures(small_shop), people(small_shop, 2)
    several, lost, single = (TODAY - timedelta(days=days) for days in (1, 2, OPEN_DAYS + 40))
    for of in (several, lost):
        at = datetime.combine(of, time(12), UTC)
        tell(small_shop, ("viewed", me, None), ("viewed", other, None), at=at)
        tell(small_shop, ("viewed", me, None), ("viewed", None, "stranger"), channel="kiosk", at=at)
    store.update(now=NOW)
    wanted = day(small_shop, several)
    with small_shop.write() as connection:
        connection.execute(delete(figures).where(figures.c.channel == "all"))
        connection.execute(delete(events).where(events.c.at < datetime.combine(several, time(), UTC)))
        row = {"day": single, "name": "visitors", "channel": "widget", "part": "", "value": 7}
        connection.execute(figures.insert(), [row])
    known = day(small_shop, lost)
    assert store.mend() == 2
    assert day(small_shop, several) == wanted
    assert (wanted["members", "all", ""], wanted["visitors", "all", ""]) == (2, 1)
    assert day(small_shop, single)["visitors", "all", ""] == 7
    assert day(small_shop, lost) == known, "whom the log has lost nobody can tell apart any more"
    assert store.mend() == 0
