"""Codes that cannot be guessed or mistyped unnoticed, and rules that slow and stop."""

from __future__ import annotations

from itertools import combinations

import pytest

from personalization.coupons.codes import ALPHABET, LENGTH, MistypedCodeError, new_code, read_code
from personalization.coupons.fraud import MOST_SOURCES, RULES, Signal, Watch, judge


def test_a_code_is_read_as_people_type_it() -> None:
    code = new_code()
    assert len(code) == LENGTH
    assert read_code(f" {code[:4]}-{code[4:8]} {code[8:]} ".lower()) == code
    assert read_code(code.replace("0", "o").replace("1", "l")) == code
    assert read_code("once") == "ONCE", "codes from before there was a check character"
    assert len({new_code() for _ in range(1000)}) == 1000


def test_one_wrong_character_and_two_that_changed_places_are_always_noticed() -> None:
    for _ in range(20):
        code = new_code()
        wrong = {code[:n] + other + code[n + 1 :] for n in range(LENGTH) for other in ALPHABET} - {code}
        for one, two in combinations(range(LENGTH), 2):
            swapped = list(code)
            swapped[one], swapped[two] = code[two], code[one]
            wrong.add("".join(swapped))
        for mistyped in wrong - {code}:
            with pytest.raises(MistypedCodeError):
                read_code(mistyped)


def test_a_code_with_a_character_that_none_has_is_mistyped() -> None:
    with pytest.raises(MistypedCodeError):
        read_code("U" * LENGTH)


def test_counts_stop_from_the_rules_threshold_on() -> None:
    for signal, rule in RULES.items():
        assert judge({signal: rule.most - 1}) is None
        found = judge({signal: rule.most})
        assert found is not None
        assert found.signal is signal
        assert found.sentence


def test_each_wrong_code_too_many_waits_twice_as_long_and_the_window_forgets() -> None:
    now = [0.0]
    watch, rule = Watch(lambda: now[0]), RULES[Signal.GUESSING]
    for _ in range(rule.most - 1):
        watch.add(Signal.GUESSING, "till")
    assert watch.check({Signal.GUESSING: "till"}) is None
    waits = []
    for _ in range(5):
        watch.add(Signal.GUESSING, "till")
        found = watch.check({Signal.GUESSING: "till"})
        assert found is not None
        waits.append(found.wait_s)
    assert waits == [1, 2, 4, 8, 16]
    assert watch.check({Signal.GUESSING: "another"}) is None
    now[0] += 17
    assert watch.check({Signal.GUESSING: "till"}) is None
    now[0] += rule.window_s
    watch.add(Signal.GUESSING, "till")
    assert watch.check({Signal.GUESSING: "till"}) is None


def test_sources_without_number_do_not_fill_the_memory() -> None:
    watch = Watch(lambda: 0.0)
    for number in range(MOST_SOURCES + 10):
        watch.add(Signal.GUESSING, str(number), RULES[Signal.GUESSING].most)
    assert len(watch._seen) == len(watch._until) == MOST_SOURCES
