"""The policy behind a kiosk's modes: it follows people, never flickers, and forgets at once."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalization import display_preview as preview
from personalization.display import DisplayPolicyError, Mode, Scene, Shown, choose, parse, read, shipped

POLICY = shipped()
ANNA = frozenset({"anna"})


def play(*scenes: Scene, shown: Shown | None = None) -> list[Shown]:
    """What is shown after each scene."""
    found, shown = [], shown or Shown()
    for scene in scenes:
        shown = choose(POLICY, shown, scene)
        found.append(shown)
    return found


def every(step: float, seconds: float, start: float = 0.0, **what: object) -> list[Scene]:
    return [Scene(start + i * step, present=True, **what) for i in range(round(seconds / step) + 1)]  # type: ignore[arg-type]


def test_a_stranger_sees_the_posters_and_a_member_is_welcomed_at_once() -> None:
    assert play(Scene(0, present=True))[-1].mode is Mode.ATTRACT
    assert play(Scene(0, present=True), Scene(0.1, present=True, known=ANNA))[-1].mode is Mode.WELCOME


def test_two_seconds_of_an_unhappy_face_calm_the_screen_and_less_does_not() -> None:
    unhappy = every(0.2, 2.0, valence=-0.8)
    shown = play(*unhappy)
    assert [one.mode for one in shown[:-1]] == [Mode.ATTRACT] * (len(shown) - 1)
    assert shown[-1].mode is Mode.CALM
    broken = [
        *every(0.2, 1.6, valence=-0.8),
        Scene(1.8, present=True, valence=0.0),
        Scene(2.0, present=True, valence=-0.8),
    ]
    assert play(*broken)[-1].mode is Mode.ATTRACT


def test_a_face_that_cannot_be_read_for_a_moment_does_not_start_the_count_anew() -> None:
    gap = [Scene(0, present=True, valence=-0.8), Scene(1, present=True), Scene(2.1, present=True, valence=-0.8)]
    assert play(*gap)[-1].mode is Mode.CALM


def test_a_face_that_could_not_be_read_for_long_and_another_persons_start_it_anew() -> None:
    unhappy = Scene(0, present=True, valence=-0.8)
    gap = [unhappy, *every(0.5, 3.0, start=0.5), Scene(3.6, present=True, valence=-0.8)]
    assert play(*gap)[-1].mode is Mode.ATTRACT
    assert play(*gap, *every(0.5, 2.5, start=4.0, valence=-0.8))[-1].mode is Mode.CALM
    others = [Scene(at, present=True, valence=-0.8, nearest=round(at)) for at in (0.0, 1.0, 2.0, 3.0)]
    assert play(*others)[-1].mode is Mode.ATTRACT, "several people who each frowned once"


def test_the_calm_screen_stays_until_they_are_better_for_a_while_and_a_person_is_offered_if_not() -> None:
    calm = play(*every(0.5, 3.0, valence=-0.8))[-1]
    assert play(*every(0.5, 2.5, start=4.0, valence=0.1), shown=calm)[-1].mode is Mode.CALM
    assert play(*every(0.5, 3.0, start=4.0, valence=0.1), shown=calm)[-1].mode is Mode.ATTRACT
    assert play(*every(0.5, 16.0, start=4.0, valence=-0.8), shown=calm)[-1].mode is Mode.HELP


def test_who_stays_and_likes_it_is_shown_more_to_discover() -> None:
    assert play(*every(0.5, 5.0, known=ANNA, valence=0.7))[-1].mode is Mode.INSPIRE
    assert play(*every(0.5, 21.0, known=ANNA))[-1].mode is Mode.INSPIRE


def test_a_member_after_strangers_is_welcomed_and_then_shown_more() -> None:
    crowd = play(*every(0.5, 40.0, valence=0.0, nearest=1))[-1]
    shown = play(*every(0.5, 24.0, start=41.0, known=ANNA, nearest=1), shown=crowd)
    assert shown[0].mode is Mode.WELCOME
    assert shown[38].mode is Mode.WELCOME, "the strangers' time is not hers"
    assert shown[-1].mode is Mode.INSPIRE
    smiling = play(*every(0.5, 40.0, valence=0.7, nearest=1))[-1]
    assert smiling.mode is Mode.INSPIRE
    shown = play(*every(0.5, 5.0, start=41.0, known=ANNA, valence=0.7, nearest=1), shown=smiling)
    assert [one.mode for one in (shown[0], shown[-1])] == [Mode.WELCOME, Mode.INSPIRE]


def test_a_person_is_offered_to_who_stands_there_for_long_not_to_who_comes_after_others() -> None:
    crowd = play(*every(0.5, 100.0, nearest=1))[-1]
    assert play(Scene(101, present=True, unsettled=True, nearest=2), shown=crowd)[-1].mode is Mode.ATTRACT
    assert play(Scene(101, present=True, unsettled=True, nearest=1), shown=crowd)[-1].mode is Mode.HELP


def test_a_lost_face_keeps_the_screen_for_a_moment_and_who_left_is_forgotten() -> None:
    welcome = play(Scene(0, present=True, known=ANNA))[-1]
    assert choose(POLICY, welcome, Scene(0.9, present=False)).mode is Mode.WELCOME
    gone = choose(POLICY, welcome, Scene(1.0, present=False))
    assert (gone.mode, gone.known, gone.came) == (Mode.ATTRACT, frozenset(), None)


def test_nothing_personal_stays_when_the_member_is_no_longer_known() -> None:
    welcome = play(Scene(0, present=True, known=ANNA))[-1]
    assert choose(POLICY, welcome, Scene(0.1, present=True)).known == frozenset()
    assert choose(POLICY, welcome, Scene(0.1, present=True)).mode is Mode.ATTRACT


def test_a_second_member_beside_the_first_changes_the_screen_at_once() -> None:
    welcome = play(Scene(0, present=True, known=ANNA))[-1]
    both = choose(POLICY, welcome, Scene(0.5, present=True, known=ANNA | {"ben"}))
    assert both.known == ANNA | {"ben"}
    assert both.since == 0.5


@given(st.lists(st.tuples(st.floats(0.05, 1.0), st.floats(-1, 1)), min_size=2, max_size=80))
def test_whatever_a_face_does_the_screen_never_flickers(looks: list[tuple[float, float]]) -> None:
    at, shown, changes = 0.0, Shown(), []
    for step, valence in looks:
        at += step
        after = choose(POLICY, shown, Scene(at, present=True, known=ANNA, valence=valence))
        if after.mode is not shown.mode:
            changes.append((at, after.mode))
        shown = after
    for (before, _), (now, mode) in pairwise(changes):
        least = POLICY.calm_after if mode in {Mode.CALM, Mode.HELP} else min(POLICY.shortest, POLICY.calm_for)
        assert now - before >= least - 1e-9


def test_a_policy_that_makes_no_sense_says_which_line(tmp_path: Path) -> None:
    with pytest.raises(DisplayPolicyError, match=r"calm\.below < calm\.until"):
        replace(POLICY, calm_until=-0.9)
    raw = {"calm": {"below": -0.3, "after": "two", "until": 0, "for": 1}}
    with pytest.raises(DisplayPolicyError, match=r"calm\.after is 'two'"):
        parse(raw)
    with pytest.raises(DisplayPolicyError, match=r"calm\.after is missing"):
        parse({"calm": {"below": -0.3}})
    with pytest.raises(DisplayPolicyError, match="cannot be read"):
        read(tmp_path / "none.yml")
    with pytest.raises(DisplayPolicyError, match=r"calm\.mood is not part") as told:
        parse({"calm": {"below": -0.3, "mood": 1}})
    assert (told.value.flaws[0].where, told.value.flaws[5].where) == ("calm.mood", "help.after_dwell")
    with pytest.raises(DisplayPolicyError, match="shortest is nan"):
        replace(POLICY, shortest=float("nan"))
    assert parse(POLICY.tree()) == POLICY


def test_a_visit_played_through_a_policy_tells_every_screen_and_counts_what_flickers() -> None:
    shown = preview.play(POLICY, "a visit with every mood")
    assert [one.mode for one in shown.screens] == [
        Mode.ATTRACT, Mode.WELCOME, Mode.INSPIRE, Mode.CALM, Mode.HELP, Mode.INSPIRE, Mode.ATTRACT,
    ]  # fmt: skip
    assert shown.flickers == 0
    assert all(before.until == now.since for before, now in pairwise(shown.screens))
    nervous = replace(POLICY, calm_after=0, calm_for=0, calm_until=-0.34, inspire_after=0, shortest=0)
    assert preview.play(nervous, "a restless face").flickers > 3 > preview.play(POLICY, "a restless face").flickers
    assert preview.play(POLICY, "a restless face") == preview.play(POLICY, "a restless face")
