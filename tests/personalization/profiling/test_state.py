"""The fold: whatever order events come in, the same events make the same state."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.profiling.state import KEEP_ORDERS, ProfileState, decode, digest, encode, micros, prune
from tests.personalization.profiling.made import AT, Told, folded, order, random_events


def final(state: ProfileState) -> bytes:
    prune(state)
    return encode(state)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.permutations(range(30)))
def test_late_and_out_of_order_events_give_the_same_state(seed: int, arrival: list[int]) -> None:
    events = random_events(np.random.default_rng(seed), 30, days=1200)
    assert final(folded([events[i] for i in arrival])) == final(folded(events))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000), st.lists(st.integers(0, 40), max_size=4))
def test_a_fold_can_be_stopped_and_taken_up_at_any_point(seed: int, stops: list[int]) -> None:
    events = random_events(np.random.default_rng(seed), 40, days=1200)
    state = ProfileState()
    for start, end in zip([0, *sorted(stops)], [*sorted(stops), 40], strict=True):
        state = decode(final(folded(events[start:end], state)))
    assert final(state) == final(folded(events))


def test_an_order_that_is_reported_twice_counts_once_and_the_earlier_report_stands() -> None:
    payload = order(np.random.default_rng(1), 1)
    first, second = (
        Told("bought", AT, "a", payload=payload),
        Told("bought", AT + timedelta(hours=1), "b", payload=payload),
    )
    for events in ([first, second], [second, first]):
        [kept] = folded(events).orders.values()
        assert kept.at == micros(AT)


def test_the_last_reading_by_event_time_stands() -> None:
    old = Told("attribute_set", AT - timedelta(days=1), "z", payload={"name": "tier", "value": "silver"})
    new = Told("attribute_set", AT, "a", payload={"name": "tier", "value": "gold"})
    for events in ([old, new], [new, old]):
        assert folded(events).readings["crm:tier"].value == "gold"


def test_what_is_older_than_is_kept_is_forgotten_however_late_it_comes() -> None:
    payload = order(np.random.default_rng(1), 1)
    ancient = Told("bought", AT - KEEP_ORDERS - timedelta(days=1), "a", payload={**payload, "order_id": "ancient"})
    now = Told("bought", AT, "b", payload={**payload, "order_id": "now"})
    for events in ([ancient, now], [now, ancient]):
        state = folded(events)
        prune(state)
        assert list(state.orders) == ["now"]


def test_one_different_event_changes_the_hash_and_the_order_of_members_does_not() -> None:
    rng = np.random.default_rng(3)
    states = [(f"m{i}", final(folded(random_events(rng, 10)))) for i in range(5)]
    assert digest(states) == digest(reversed(states))
    changed = [
        (member, final(folded([Told("clicked", AT, "x")], decode(raw))) if member == "m2" else raw)
        for member, raw in states
    ]
    assert digest(changed) != digest(states)


@pytest.mark.parametrize(
    "payload", [{"lines": [{"quantity": 1}]}, {"lines": [{"product_id": "p1", "quantity": "two"}]}]
)
def test_an_order_that_makes_no_sense_leaves_the_state_alone(payload: dict[str, object]) -> None:
    state = folded([Told("clicked", AT, "x")])
    before = encode(state)
    with pytest.raises((KeyError, ValueError)):
        folded([Told("bought", AT, "y", payload=payload)], state)
    assert encode(state) == before
