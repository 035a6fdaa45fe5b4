"""No sequence of calls makes a change that the policy forbids, that nobody confirmed, or twice."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.orders.memory import MemoryOrderBook
from chatbot.orders.operations import (
    Cancel,
    ChangeAccountAddress,
    ChangeAddress,
    ChangeItems,
    ChangePayment,
    Exchange,
    Operation,
    Return,
    Swap,
)
from chatbot.orders.policy import load_policy
from chatbot.orders.service import ForbiddenError, OrderService, OutdatedError
from personalization.orders import Address, Order
from personalization.types import Money
from tests.chatbot.orders.shop import small_book

BOOK = small_book()
ELSEWHERE = Address("5 Elm Street", "", "Salem", "OR", "97301", "USA")
orders = st.sampled_from([*BOOK.by_id, "#A999999"])
items = st.sampled_from([*BOOK.items, "404"])
methods = st.sampled_from([*(m.method_id for c in BOOK.customers.values() for m in c.methods), "nobody's"])
swaps = st.lists(st.builds(Swap, items, items), max_size=3).map(tuple)
operations: st.SearchStrategy[Operation] = st.one_of(
    st.builds(Cancel, orders, st.sampled_from(["no longer needed", "ordered by mistake", "too expensive", ""])),
    st.builds(ChangeAddress, orders, st.just(ELSEWHERE)),
    st.builds(ChangePayment, orders, methods),
    st.builds(ChangeItems, orders, swaps, methods),
    st.builds(Exchange, orders, swaps, methods),
    st.builds(Return, orders, st.lists(items, max_size=3).map(tuple), methods),
    st.builds(ChangeAccountAddress, st.just(ELSEWHERE)),
)
customers = st.sampled_from([*BOOK.customers])
calls = st.lists(
    st.tuples(customers, operations, st.sampled_from(["propose", "yes", "yes yes", "made up", "late"])), max_size=12
)


def likely(customer: str, data: st.DataObject) -> Operation:
    """Draw an operation that is about the customer's own orders, so that many are allowed."""
    mine = [order for order in BOOK.by_id.values() if order.customer_id == customer]
    own = [m.method_id for m in BOOK.customers[customer].methods]
    order = data.draw(st.sampled_from(mine))
    inside = st.sampled_from([item.item_id for item in order.items])
    swap = inside.flatmap(
        lambda old: st.builds(
            Swap, st.just(old), st.sampled_from([v.item_id for v in BOOK.variants(BOOK.items[old].product_id)])
        )
    )
    method = st.sampled_from(own)
    some = st.lists(swap, min_size=1, max_size=2).map(tuple)
    return data.draw(
        st.one_of(
            st.builds(Cancel, st.just(order.order_id), st.sampled_from(["no longer needed", "ordered by mistake", "whim"])),
            st.builds(ChangeAddress, st.just(order.order_id), st.just(ELSEWHERE)), st.builds(ChangePayment, st.just(order.order_id), method),
            st.builds(ChangeItems, st.just(order.order_id), some, method), st.builds(Exchange, st.just(order.order_id), some, method),
            st.builds(Return, st.just(order.order_id), st.lists(inside, min_size=1, max_size=3).map(tuple), method),
        )
    )  # fmt: skip


def check(before: dict[str, Order], book: MemoryOrderBook, customer: str, operation: Operation) -> None:
    """The rules of the shop, written down once more and without the policy file."""
    changed = [order_id for order_id in before if before[order_id] != book.by_id[order_id]]
    if isinstance(operation, ChangeAccountAddress):
        assert changed == []
        return
    assert changed == [operation.order_id]
    old, new = before[changed[0]], book.by_id[changed[0]]
    own = {m.method_id: m for m in BOOK.customers[customer].methods}
    assert old.customer_id == customer
    if isinstance(operation, Return | Exchange):
        assert old.status == "delivered"
        assert new.items == old.items
        assert new.payments == old.payments
    else:
        assert old.status == "pending"
    if isinstance(operation, Cancel):
        assert operation.reason in {"no longer needed", "ordered by mistake"}
    if isinstance(operation, Return):
        assert operation.item_ids
        assert Counter(operation.item_ids) <= Counter(item.item_id for item in old.items)
        assert operation.method_id == old.paid_with or own[operation.method_id].kind == "gift_card"
    if isinstance(operation, ChangeItems | Exchange):
        assert operation.swaps
        assert Counter(s.item_id for s in operation.swaps) <= Counter(item.item_id for item in old.items)
        for swap in operation.swaps:
            assert BOOK.items[swap.item_id].product_id == BOOK.items[swap.new_item_id].product_id
            assert BOOK.items[swap.new_item_id].available
            assert swap.item_id != swap.new_item_id
        assert operation.method_id in own
    if isinstance(operation, ChangePayment):
        assert operation.method_id in own
        assert operation.method_id != old.paid_with


def run(service: OrderService, book: MemoryOrderBook, customer: str, operation: Operation, how: str) -> None:
    before, made = dict(book.by_id), len(book.changes)
    balances = {c: [m.balance for m in one.methods] for c, one in book.customers.items()}
    token = ""
    with suppress(ForbiddenError):
        token = service.propose(customer, operation).token
    assert book.by_id == before
    if how == "propose":
        return
    try:
        service.confirm(customer, operation, "0" * 48 if how == "made up" else token)
        if how == "yes yes":
            service.confirm(customer, operation, token)
    except (ForbiddenError, OutdatedError):
        assert book.by_id == before
        assert len(book.changes) == made
        return
    assert how != "made up"
    assert len(book.changes) == made + 1
    check(before, book, customer, operation)
    for one in book.customers.values():
        assert all(m.balance is None or m.balance.minor_units >= 0 for m in one.methods)
        if one.customer_id != customer:
            assert [m.balance for m in one.methods] == balances[one.customer_id]


@settings(max_examples=150, deadline=None)
@given(calls)
def test_no_sequence_of_calls_makes_a_change_that_the_rules_forbid(sequence: list[tuple[str, Operation, str]]) -> None:
    book = small_book()
    service = OrderService(book, load_policy())
    for customer, operation, how in sequence:
        run(service, book, customer, operation, how)


@settings(max_examples=150, deadline=None)
@given(
    st.data(),
    st.lists(
        st.tuples(
            st.sampled_from(["nora_fields_1001", "omar_stone_1002", "lena_brook_1003"]),
            st.sampled_from(["yes", "yes yes"]),
        ),
        max_size=8,
    ),
)
def test_nor_does_one_that_stays_with_what_is_mostly_allowed(data: st.DataObject, turns: list[tuple[str, str]]) -> None:
    book = small_book()
    service = OrderService(book, load_policy())
    for customer, how in turns:
        run(service, book, customer, likely(customer, data), how)


def test_a_proposal_does_not_outlive_a_change_of_the_order() -> None:
    book = small_book()
    service = OrderService(book, load_policy())
    cancel = Cancel("#A100001", "no longer needed")
    token = service.propose("nora_fields_1001", cancel).token
    move = ChangeAddress("#A100001", ELSEWHERE)
    service.confirm("nora_fields_1001", move, service.propose("nora_fields_1001", move).token)
    with pytest.raises(OutdatedError):
        service.confirm("nora_fields_1001", cancel, token)
    assert book.by_id["#A100001"].status == "pending"


def test_the_refund_of_a_cancelled_order_is_on_the_gift_card_at_once() -> None:
    book = small_book()
    service = OrderService(book, load_policy())
    pay = ChangePayment("#A100004", "gift_card_12")
    service.confirm("omar_stone_1002", pay, service.propose("omar_stone_1002", pay).token)
    assert book.customers["omar_stone_1002"].methods[1].balance == Money(25000 - 8550, "USD")
    cancel = Cancel("#A100004", "no longer needed")
    service.confirm("omar_stone_1002", cancel, service.propose("omar_stone_1002", cancel).token)
    balance = book.customers["omar_stone_1002"].methods[1].balance
    assert balance is not None
    assert balance.minor_units == 25000


def test_every_change_leaves_an_audit_entry_that_says_what_and_where() -> None:
    book = small_book()
    service = OrderService(book, load_policy())
    cancel = Cancel("#A100001", "ordered by mistake")
    service.confirm(
        "nora_fields_1001", cancel, service.propose("nora_fields_1001", cancel).token, conversation_id="c-1"
    )
    [entry] = book.changes
    assert (entry.kind, entry.order_id, entry.conversation_id) == ("cancel", "#A100001", "c-1")
    assert entry.details["reason"] == "ordered by mistake"
